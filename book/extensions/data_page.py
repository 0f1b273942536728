"""데이터 쪽. ``data/catalog.yml``의 카드를 그대로 펼칩니다."""

import html
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.catalog import CATALOG, card_line, read_catalog
from book.learner_notebook import datasets_of
from book.page import ROOT, Page, PageError, published_pages

ROLE_NAMES = {
    "id": "식별자", "time": "시점", "treatment": "처치", "outcome": "결과", "covariate": "공변량",
    "negative_control": "음성 대조", "instrument": "도구변수", "running": "배정변수", "mediator": "매개자",
    "collider": "충돌부", "weight": "가중치", "truth": "정답(숨김)",
}  # fmt: skip
_HEADINGS = ("열", "이름", "역할", "단위", "잰 때", "범위", "설명")


def users_of_data(pages: list[Page]) -> dict[str, list[Page]]:
    """데이터마다 그것을 쓰는 쪽(차례 순서)."""
    users: dict[str, list[Page]] = {}
    for page in pages:
        if page.is_notebook:
            for name in datasets_of(page):
                users.setdefault(name, []).append(page)
    return users


def shown_cards(pages: list[Page]) -> list[tuple[str, dict, list[Page]]]:
    """실을 (이름, 카드, 쓰는 쪽). 처음 쓰는 쪽의 차례를 따르고, 쓰는 쪽이 없는 데이터(초안)는 뺍니다."""
    users = users_of_data(pages)
    order = {page.docname: position for position, page in enumerate(pages)}
    cards = [(name, card, users[name]) for name, card in read_catalog().items() if name in users]
    return sorted(cards, key=lambda item: (order[item[2][0].docname], item[0]))


def card_html(name: str, card: dict, users: list[tuple[str, str]], root: str) -> str:
    """카드 하나의 HTML.

    Parameters
    ----------
    name : str
        데이터의 이름.
    card : dict
        ``data/catalog.yml``의 한 항목.
    users : list of (str, str)
        이 데이터를 쓰는 쪽의 (제목, 주소).
    root : str
        이 쪽에서 사이트 뿌리까지의 상대 주소.

    Raises
    ------
    PageError
        카드에 빠진 칸이 있을 때.
    """
    try:
        rows = "".join(
            f'<tr><th scope="row"><code>{html.escape(column)}</code></th>'
            + f"<td>{html.escape(str(c['label']))}</td><td>{html.escape(ROLE_NAMES[c['role']])}</td>"
            + "".join(f"<td>{html.escape(str(c[key]))}</td>" for key in ("unit", "timing"))
            + f"<td>{html.escape(_range(c))}</td><td>{html.escape(str(c['description']))}</td></tr>"
            for column, c in card["columns"].items()
        )
        truths = "".join(
            f"<li>{html.escape(str(key))}: {html.escape(_value(value))}</li>" for key, value in card["truth"].items()
        )
        links = (
            ", ".join(f'<a href="{html.escape(root + url)}">{html.escape(title)}</a>' for title, url in users) or "없음"
        )
        files = f"{root}_static/data"
        return (
            f"<p>{html.escape(card['description'])}</p>"
            f'<ul class="data-facts"><li>부르는 이름: <code>load("{name}")</code></li><li>쓰는 쪽: {links}</li>'
            f"<li>크기: {card['rows']:,}행, {len(card['columns'])}열</li>"
            f'<li>받기: <a href="{files}/{name}.csv" download>CSV</a>, <a href="{files}/generators/{name}.py" download>생성기(파이썬)</a></li>'
            f"<li>씨앗: {card['seed']}, 지문(SHA-256): <code>{card['sha256'][:12]}</code></li></ul>"
            "<table><thead><tr>"
            + "".join(f'<th scope="col">{heading}</th>' for heading in _HEADINGS)
            + f"</tr></thead><tbody>{rows}</tbody></table>"
            f'<details class="solution"><summary><p>정답 보기</p></summary><ul>{truths}</ul></details>'
        )
    except (KeyError, TypeError) as error:
        raise PageError(
            f"data/catalog.yml:{card_line(name)}: {name}: 카드에 {error} 칸이 없거나 꼴이 다릅니다."
        ) from None


def _range(column: dict) -> str:
    """열에 있을 수 있는 값."""
    if "values" in column:
        return ", ".join(map(str, column["values"]))
    low, high = column["range"]
    return f"{low:,}~{high:,}"


def _value(value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(item)}" for key, item in value.items())
    return ", ".join(map(_value, value)) if isinstance(value, list) else str(value)


class DataCards(SphinxDirective):
    """```` ```{data-cards} ``` ````"""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(CATALOG))
        root = "../" * self.env.docname.count("/")
        sections = []
        for name, card, users in shown_cards(published_pages()):
            try:
                body = card_html(name, card, [(page.title, f"{page.docname}.html") for page in users], root)
            except PageError as error:
                return [self.state_machine.reporter.error(str(error), line=self.lineno)]
            section = nodes.section(ids=[nodes.make_id(f"data-{name}")], names=[name])
            section += nodes.title("", card.get("title", name))
            section += nodes.raw("", body, format="html")
            sections.append(section)
        return sections


def outdated(app: Sphinx, env, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """어느 쪽의 실행이 달라졌으면 데이터 쪽을 다시 읽습니다. 다른 데이터를 부르기 시작했을 수 있습니다."""
    now = dict(app.config.execution_keys)
    if now == getattr(env, "data_page_keys", None):
        return []
    env.data_page_keys = now
    env.data_sets_shown = [name for name, _, _ in shown_cards(published_pages())]
    return ["guides/data"] if "guides/data" in env.found_docs else []


def _copy_data(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "data"
    shutil.rmtree(target, ignore_errors=True)
    (target / "generators").mkdir(parents=True)
    for name in app.env.data_sets_shown:
        for file in (f"{name}.csv", f"generators/{name}.py"):
            if (ROOT / "data" / file).is_file():
                shutil.copyfile(ROOT / "data" / file, target / file)


def setup(app: Sphinx) -> dict:
    app.add_directive("data-cards", DataCards)
    app.connect("env-get-outdated", outdated)
    app.connect("build-finished", _copy_data)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
