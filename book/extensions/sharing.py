"""나누기: 검색 로봇과 메신저가 읽는 머리, 저장소로 가는 링크, 인용, 사이트 지도, 바뀐 것의 소식, 없는 쪽(404).

저장소로 가는 링크는 ``_config.yml``의 ``repository.url``이, 절대 주소가 있어야 하는 것(canonical, 카드의 그림, 사이트 지도, 소식)은
펴낸 주소(``book.address.site``)가 켭니다. 둘 다 비어 있으면 나오지 않습니다.
"""

import datetime
import email.utils
import html
import re
from pathlib import Path
from urllib.parse import quote, urlencode

import yaml
from markdown_it import MarkdownIt
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from book import address
from book.page import PageError

NEWS, MISSING = "changes.xml", "404"
IMAGE_SIZE = (1200, 630)  # assets/static/social.png(시험이 견줍니다)
_TAGS = re.compile(r"<[^>]+>")
_DATED = re.compile(r"^#{2,3} .*?(\d{4}-\d{2}-\d{2})", re.MULTILINE)
_RELATIVE = re.compile(r'\b(href|src|action|data-content_root)="(?![a-z]+:|/|#)(?:\./)?([^"]*)"')
_TITLE = "쪽을 찾지 못했습니다"
_MISSING_BODY = f"""<section id="missing" data-missing-page>
<h1>{_TITLE}</h1>
<p>주소가 바뀌었거나 잘못 적힌 주소입니다. 찾던 것의 이름으로 책에서 찾아보세요.</p>
<p class="pst-js-only"><button type="button" class="btn btn-primary missing-search">책에서 찾기</button></p>
<div class="missing-near" hidden><p>주소와 가까운 쪽입니다.</p><ul></ul></div>
<p><a href="index.html">첫 화면</a>에는 열세 주의 차례가 있습니다.</p>
</section>"""


# --- 머리 ---


def meta_tags(title: str, description: str, page_url: str, site: str, name: str) -> str:
    """메신저와 검색이 읽는 ``<meta>``. 펴낸 주소를 모르면 절대 주소가 필요한 것(``og:url``과 그림)을 뺍니다.

    Parameters
    ----------
    title, description : str
        쪽의 제목과 설명.
    page_url, site : str
        쪽과 사이트의 주소. 모르면 빈 글자입니다.
    name : str
        책의 이름.
    """
    properties = {"og:type": "article", "og:locale": "ko_KR", "og:site_name": name, "og:title": title}
    names = {"twitter:card": "summary_large_image" if site else "summary", "twitter:title": title}
    if description:
        properties["og:description"] = names["description"] = names["twitter:description"] = description
    if site:
        picture, (width, height) = f"{site}_static/social.png", IMAGE_SIZE
        properties |= {"og:url": page_url, "og:image": picture, "og:image:alt": name}
        properties |= {"og:image:width": str(width), "og:image:height": str(height)}
        names |= {"twitter:image": picture, "twitter:image:alt": name}
    lines = [f'<meta property="{key}" content="{html.escape(value)}">' for key, value in properties.items()]
    lines += [f'<meta name="{key}" content="{html.escape(value)}">' for key, value in names.items()]
    return "\n".join(lines)


# --- 저장소로 가는 링크 ---


def repository_links(repository: str, branch: str, docname: str, title: str) -> list[dict]:
    """질문하기, 고치기, 원고. 저장소 주소가 비어 있으면 빈 목록입니다.

    Parameters
    ----------
    repository, branch : str
        저장소의 주소와 원고가 있는 가지.
    docname, title : str
        쪽의 이름과 제목. 질문의 '쪽과 절' 칸에 미리 적힙니다(절은 book.js가 읽고 있는 자리로 채웁니다).

    Raises
    ------
    PageError
        주소가 ``https://github.com/이름/저장소`` 꼴이 아닐 때.
    """
    if not repository:
        return []
    base, file = f"https://github.com/{address.repository_path(repository)}", f"{docname}.md"
    page = f"{title} ({file})"
    asked = urlencode({"template": "question.yml", "title": f"[질문] {title}", "page": page}, quote_via=quote)
    return [
        {"label": "이 쪽에 질문하기", "url": f"{base}/issues/new?{asked}", "page": page},
        {"label": "이 쪽 고치기", "url": f"{base}/edit/{branch}/{file}", "page": ""},
        {"label": "원고 보기", "url": f"{base}/blob/{branch}/{file}", "page": ""},
    ]


# --- 인용 ---


def citation(source: Path, docname: str, title: str, year: str, page_url: str) -> dict | None:
    """쪽을 인용하는 글과 BibTeX. ``source``(CITATION.cff)가 없으면 None입니다."""
    if not source.is_file():
        return None
    book = yaml.safe_load(source.read_text(encoding="utf-8"))
    people = [a.get("name") or f"{a['family-names']}, {a['given-names']}" for a in book["authors"]]
    fields = {"author": " and ".join(f"{{{name}}}" for name in people), "title": f"{{{title}}}"}
    if title != book["title"]:
        fields["howpublished"] = book["title"]
    fields["year"] = str(year)
    if book.get("version"):
        fields["note"] = f"버전 {book['version']}"
    if page_url:
        fields["url"] = page_url
    key = f"causal-practice-{docname.rsplit('/', 1)[-1].replace('_', '-')}"
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    within = "" if title == book["title"] else f" 『{book['title']}』."
    text = f"{', '.join(people)}({year}). {title}.{within}{f' {page_url}' if page_url else ''}"
    return {"text": text, "bibtex": f"@misc{{{key},\n{lines}\n}}"}


# --- 사이트 지도와 소식 ---


def sitemap(site: str, docnames: list[str]) -> str:
    """쪽의 주소를 모은 sitemap.xml. 고친 날은 깊이 한 층만 받은 저장소에서는 알 수 없어 적지 않습니다."""
    rows = "".join(f"<url><loc>{html.escape(url(site, name))}</loc></url>\n" for name in docnames)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</urlset>\n'
    )


def news(site: str, name: str, changelog: str) -> str:
    """CHANGELOG에서 날짜가 있는 제목마다 소식 하나인 RSS 2.0."""
    heads = list(_DATED.finditer(changelog))
    ends = [re.compile(r"^#{2,3} ", re.MULTILINE).search(changelog, head.end()) for head in heads]
    items = []
    for head, end in zip(heads, ends, strict=True):
        text = changelog[changelog.index("\n", head.start()) : end.start() if end else None].strip()
        if not text:
            continue
        day = datetime.datetime.fromisoformat(head[1]).replace(tzinfo=datetime.UTC)
        title = head[0].lstrip("# ")
        items.append(
            f"<item><title>{html.escape(f'{title}에 바뀐 것' if title == head[1] else title)}</title><link>{site}</link>"
            f'<guid isPermaLink="false">{html.escape(f"{site}#{title}")}</guid><pubDate>{email.utils.format_datetime(day)}</pubDate>'
            f"<description>{html.escape(MarkdownIt().render(text))}</description></item>\n"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>\n'
        f"<title>{html.escape(name)}: 바뀐 것</title><link>{site}</link><description>독자가 알아챌 것을 날짜별로 적습니다.</description>"
        f'<language>ko</language><atom:link href="{site}{NEWS}" rel="self" type="application/rss+xml"/>\n{"".join(items)}</channel></rss>\n'
    )


def url(site: str, docname: str) -> str:
    """쪽의 주소. 첫 화면은 사이트의 주소이고, 사이트의 주소를 모르면 빈 글자입니다."""
    return "" if not site else site if docname == "index" else f"{site}{quote(docname)}.html"


def rooted(text: str, root: str) -> str:
    """404는 어느 깊이의 주소에서나 나오므로, 상대 주소를 모두 ``root``에서 시작하게 합니다."""
    return _RELATIVE.sub(lambda m: f'{m[1]}="{root}{m[2]}"', text)


# --- 빌드 ---


def _context(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    options = app.config.html_theme_options
    title = html.unescape(_TAGS.sub("", str(context.get("title") or ""))).strip() or app.config.project
    site = app.config.html_baseurl
    is_page = (Path(app.srcdir) / f"{pagename}.md").is_file()
    here = url(site, pagename) if is_page else ""
    if "pageurl" in context:
        context["pageurl"] = here or None
    if (
        context.get("body") and app.builder.name == "html"
    ):  # EPUB은 XML이라 이 꼴의 태그를 읽지 못하고, 쓸 데도 없습니다
        description = str(app.env.metadata.get(pagename, {}).get("description", ""))
        tags = meta_tags(title, description, here, site if is_page else "", app.config.project)
        if not is_page:
            tags = '<meta name="robots" content="noindex">\n' + tags
        context["metatags"] = (context.get("metatags") or "") + tags
    context["news_url"] = (
        NEWS if site and app.builder.name == "html" and (Path(app.srcdir) / "CHANGELOG.md").is_file() else ""
    )
    source = Path(app.srcdir) / "CITATION.cff"
    context["citation"] = citation(source, pagename, title, app.config.copyright, here) if is_page else None
    try:
        links = repository_links(
            options.get("repository_url") or "", options.get("repository_branch") or "main", pagename, title
        )
    except PageError as error:
        raise ExtensionError(str(error)) from None
    context["page_links"] = links if is_page else []


def _missing_page(app: Sphinx):
    if app.builder.name != "html":
        return []
    return [(MISSING, {"title": _TITLE, "body": _MISSING_BODY}, "page.html")]


def _write(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    out, source, site = Path(app.outdir), Path(app.srcdir), app.config.html_baseurl
    missing = out / f"{MISSING}.html"
    missing.write_text(rooted(missing.read_text(encoding="utf-8"), address.root()), encoding="utf-8")
    if (source / "CITATION.cff").is_file():
        (out / "CITATION.cff").write_bytes((source / "CITATION.cff").read_bytes())
    if not site:
        return
    (out / "sitemap.xml").write_text(sitemap(site, sorted(app.env.found_docs)), encoding="utf-8")
    (out / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {site}sitemap.xml\n", encoding="utf-8")
    if (source / "CHANGELOG.md").is_file():
        text = news(site, app.config.project, (source / "CHANGELOG.md").read_text(encoding="utf-8"))
        (out / NEWS).write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict:
    # 테마는 옆 칸의 틀을 미리 그려 보고 빈 것을 뺍니다(500). 그보다 먼저 채웁니다
    app.connect("html-page-context", _context, priority=400)
    app.connect("html-collect-pages", _missing_page)
    app.connect("build-finished", _write, priority=950)  # 스타일시트를 묶은(900) 뒤
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
