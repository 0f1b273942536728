"""데이터 쪽. ``data/catalog.yml``의 카드를 그대로 펼칩니다."""

import html
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.data import CATALOG, read_catalog
from tools.execution import used_datasets
from tools.paths import ROOT, published_pages

ROLE_NAMES = {
    "id": "식별자", "time": "시점", "treatment": "처치", "outcome": "결과", "covariate": "공변량",
    "negative_control": "음성 대조", "instrument": "도구변수", "running": "배정변수", "mediator": "매개자",
    "collider": "충돌부", "weight": "가중치", "truth": "정답(숨김)",
}  # fmt: skip


def card_html(name: str, card: dict, users: list[tuple[str, str]], root: str) -> str:
    """카드 하나의 HTML. ``users``는 이 데이터를 쓰는 쪽의 (제목, 주소)입니다."""
    rows = "".join(
        f"<tr><th scope='row'><code>{html.escape(column)}</code></th><td>{html.escape(str(c['label']))}</td>"
        f"<td>{ROLE_NAMES.get(c['role'], c['role'])}</td><td>{html.escape(str(c['unit']))}</td>"
        f"<td>{html.escape(str(c['timing']))}</td><td>{html.escape(str(c['description']))}</td></tr>"
        for column, c in card["columns"].items()
    )
    truths = ", ".join(f"{html.escape(str(k))} = {v}" for k, v in card["truth"].items())
    links = ", ".join(f'<a href="{root}{url}">{html.escape(title)}</a>' for title, url in users) or "없음"
    return (
        f"<p>{html.escape(card['description'])}</p>"
        f"<p>쓰는 쪽: {links}<br>{card['rows']:,}행 · 씨앗 {card['seed']} · "
        f'<a href="{root}_static/data/{name}.csv" download>CSV 내려받기</a></p>'
        "<table><thead><tr><th scope='col'>열</th><th scope='col'>이름</th><th scope='col'>역할</th><th scope='col'>단위</th>"
        f"<th scope='col'>잰 때</th><th scope='col'>설명</th></tr></thead><tbody>{rows}</tbody></table>"
        f'<details class="solution"><summary><p>정답 보기</p></summary><p>{truths}</p></details>'
        f"<p class='data-checksum'>생성기 <code>data/generators/{name}.py</code> · 지문 <code>{card['sha256'][:12]}</code></p>"
    )


class DataCards(SphinxDirective):
    """```` ```{data-cards} ``` ````"""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(CATALOG))
        root = "../" * self.env.docname.count("/")
        users: dict[str, list[tuple[str, str]]] = {}
        for page in published_pages():
            if page.is_notebook:
                for name in sorted(used_datasets(page)):
                    users.setdefault(name, []).append((page.title, f"{page.docname}.html"))
        sections = []
        for name, card in sorted(read_catalog().items()):
            if name not in users:  # 초안의 데이터는 싣지 않습니다
                continue
            section = nodes.section(ids=[nodes.make_id(f"data-{name}")], names=[name])
            section += nodes.title("", card["title"])
            section += nodes.raw("", card_html(name, card, users[name], root), format="html")
            sections.append(section)
        return sections


def _copy_data(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "data"
    target.mkdir(parents=True, exist_ok=True)
    for name in read_catalog():
        if (ROOT / "data" / f"{name}.csv").is_file():
            shutil.copyfile(ROOT / "data" / f"{name}.csv", target / f"{name}.csv")


def setup(app: Sphinx) -> dict:
    app.add_directive("data-cards", DataCards)
    app.connect("build-finished", _copy_data)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
