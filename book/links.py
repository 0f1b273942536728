"""완성된 사이트 안의 끊어진 링크를 찾습니다. 바깥 주소는 보지 않습니다(주마다 도는 작업이 봅니다)."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import html as lxml_html

_ATTRIBUTES = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src", "iframe": "src"}


def broken_links(site: Path, root: str = "/") -> list[str]:
    """가리키는 파일이나 앵커가 없는 링크를 ``쪽: 링크 (까닭)`` 꼴로 돌려줍니다.

    Parameters
    ----------
    site : Path
        완성된 HTML 폴더.
    root : str
        사이트 뿌리의 경로(``book.address.root``). ``/``로 시작하는 링크는 여기서 찾습니다.

    Returns
    -------
    list of str
        비어 있으면 모두 살아 있습니다.
    """
    anchors: dict[Path, set[str]] = {}
    links: list[tuple[Path, str]] = []
    for page in sorted(site.rglob("*.html")):
        if "_static" in page.relative_to(site).parts:
            continue
        tree = lxml_html.fromstring(page.read_bytes())
        # 사례 모음은 '#week=5주차'처럼 고른 조건도 주소로 받습니다. 그 단추가 있어야 살아 있는 링크입니다.
        choices = {
            f"{group.get('data-facet')}={button.get('data-value')}"
            for group in tree.xpath("//fieldset[@data-facet]")
            for button in group.iter("button")
        }
        anchors[page.resolve()] = (
            choices
            | {e.get("id") for e in tree.iter() if isinstance(e.tag, str) and e.get("id")}
            | {e.get("name") for e in tree.iter("a") if e.get("name")}
        )
        for element in tree.iter(*_ATTRIBUTES):
            if value := element.get(_ATTRIBUTES[element.tag]):
                links.append((page, value))
    broken = []
    for page, link in links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or link.startswith("#!"):
            continue
        path = unquote(parts.path)
        folder, path = (site, path[len(root) :]) if path.startswith(root) else (page.parent, path)
        target = (folder / path).resolve() if parts.path else page.resolve()
        if target.is_dir():
            target = target / "index.html"
        where = page.relative_to(site).as_posix()
        if not target.is_file():
            broken.append(f"{where}: {link} (파일이 없습니다)")
        elif parts.fragment and target in anchors:
            fragment = unquote(parts.fragment)
            if fragment not in anchors[target] and not fragment.startswith("/"):
                broken.append(f"{where}: {link} (앵커가 없습니다)")
    return sorted(set(broken))
