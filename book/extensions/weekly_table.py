"""``guides/weeks.yml``과 쪽의 머리말로 주차 표를 그립니다.

- 지시자 ``weekly-table``: 주차 표. ``:question: 2``를 주면 그 물음에 답하는 길만 보입니다.
- 역할 ``page``: ``{page}`chapters/week08_difference_in_differences` ``처럼 쪽을 부릅니다.

차례에 실린 쪽은 링크와 머리말의 시간으로, 아직 없는 쪽은 계획한 제목과 '준비 중'으로 보입니다.
"""

from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from book.page import PageError, read_page

SOURCE = "guides/weeks.yml"
PLANNED = "준비 중"
MINUTES = ("read", "practise", "session")
HEADINGS = ("주", "장", "사례", "읽기 · 실습 · 모임(분)")


def read_weeks(path: Path) -> list[dict]:
    """주차 계획을 읽습니다.

    Parameters
    ----------
    path : Path
        ``guides/weeks.yml``.

    Returns
    -------
    list of dict
        주차 순서. ``week``, ``title``, ``chapter``, ``minutes``, ``questions``, ``cases``.

    Raises
    ------
    PageError
        칸이 빠졌거나, 주차가 0부터 이어지지 않거나, 시간이 양의 정수가 아니거나, 같은 쪽이 두 번 나올 때.
    """
    weeks = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(weeks, list) or [w.get("week") for w in weeks] != list(range(len(weeks))):
        raise PageError(f"{SOURCE}: week가 0부터 차례로 이어져야 합니다.")
    seen: set[str] = set()
    for week in weeks:
        where = f"{SOURCE}: {week['week']}주차"
        for field in ("title", "chapter", "minutes", "questions", "cases"):
            if field not in week:
                raise PageError(f"{where}에 '{field}' 칸이 없습니다.")
        minutes = week["minutes"]
        if set(minutes) != set(MINUTES) or not all(isinstance(m, int) and m > 0 for m in minutes.values()):
            raise PageError(f"{where}의 minutes는 {', '.join(MINUTES)}를 양의 정수(분)로 적어야 합니다.")
        for case in week["cases"]:
            if missing := {"page", "title", "organisation", "industry", "questions"} - set(case):
                raise PageError(f"{where}의 사례에 {', '.join(sorted(missing))} 칸이 없습니다.")
        for item in [week, *week["cases"]]:
            page = item.get("chapter") or item["page"]
            if page in seen:
                raise PageError(f"{where}: {page}가 두 번 나옵니다.")
            seen.add(page)
            if not set(item["questions"]) <= {1, 2, 3, 4}:
                raise PageError(f"{where}: questions는 1, 2, 3, 4 가운데에서 고릅니다.")
    return weeks


def _with_pages(weeks: list[dict], root: Path, published) -> list[dict]:
    """차례에 실린 쪽의 제목과 시간으로 계획을 덮어씁니다. 계획에 없던 사례도 그 주에 더합니다."""
    planned = {case["page"] for week in weeks for case in week["cases"]}
    extra: dict[int, list[dict]] = {}
    for name in sorted(published):
        if name.startswith("case_studies/") and name not in planned:
            meta = read_page(root / f"{name}.md").meta
            if meta.get("kind") == "case" and not meta.get("draft") and isinstance(meta.get("week"), int):
                extra.setdefault(meta["week"], []).append(
                    {"page": name, "title": name, "organisation": meta.get("organisation", ""), "questions": []}
                )
    rows = []
    for week in weeks:
        row = dict(week, topic=week["title"], published=week["chapter"] in published, cases=[])
        if row["published"]:
            page = read_page(root / f"{week['chapter']}.md")
            row |= {"title": page.title, "minutes": {**week["minutes"], **(page.meta.get("minutes") or {})}}
        for case in [*week["cases"], *extra.get(week["week"], [])]:
            case = dict(case, published=case["page"] in published)
            if case["published"]:
                page = read_page(root / f"{case['page']}.md")
                case |= {"title": page.title, "minutes": page.meta.get("minutes")}
            row["cases"].append(case)
        rows.append(row)
    return rows


def plan(root: Path, published) -> list[dict]:
    """주차 계획에 지금 있는 쪽을 겹쳐 돌려줍니다.

    Parameters
    ----------
    root : Path
        저장소의 맨 위.
    published : 이름의 모음
        차례에 실린 쪽(``chapters/week05_propensity_score`` 꼴).

    Returns
    -------
    list of dict
        계획에 ``published``(bool)를 더하고, 있는 쪽은 제목과 시간을 머리말에서 가져온 것.
    """
    return _with_pages(read_weeks(root / SOURCE), root, set(published))


def title_nodes(item: dict, docname: str, quiet: bool = False) -> list[nodes.Node]:
    """쪽의 제목: 있으면 링크, 없으면 계획한 제목과 '준비 중'.

    ``quiet``이면 표시를 화면에서 감춥니다(흐린 글씨로만 보이고, 화면 낭독기는 읽습니다).
    """
    if not item["published"]:
        mark = "planned-hidden" if quiet else "planned-mark"
        return [
            nodes.inline("", item["title"], classes=["planned"]),
            nodes.Text(" "),
            nodes.inline("", PLANNED, classes=[mark]),
        ]
    page = item.get("chapter") or item["page"]
    return [
        addnodes.pending_xref(
            "", nodes.inline("", item["title"]), refdomain="std", reftype="doc", reftarget=f"/{page}",
            refexplicit=True, refwarn=True, refdoc=docname,
        )  # fmt: skip
    ]


class PageRole(SphinxRole):
    """``{page}`chapters/week05_propensity_score` ``: 계획에 있는 장이나 사례를 부릅니다."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / SOURCE))
        name = self.text.strip()
        items = [item for row in plan(root, self.env.found_docs) for item in [row, *row["cases"]]]
        found = next((item for item in items if name in (item.get("chapter"), item.get("page"))), None)
        if found is None:
            message = self.inliner.reporter.error(f"{SOURCE}에 '{name}'이 없습니다. 쪽의 이름을 확인하세요.", line=self.lineno)
            return [], [message]
        if found["published"]:
            self.env.note_dependency(str(root / f"{name}.md"))
        return title_nodes(found, self.env.docname, quiet=True), []


class WeeklyTable(SphinxDirective):
    """주차 표. ``:question: 2``를 주면 그 물음에 답하는 장과 사례만 한 줄 목록으로 보입니다."""

    has_content = False
    option_spec = {"question": directives.nonnegative_int}

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / SOURCE))
        try:
            rows = plan(root, self.env.found_docs)
        except (PageError, OSError) as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]
        for row in rows:
            for item in [row, *row["cases"]]:
                if item["published"]:
                    self.env.note_dependency(str(root / f"{item.get('chapter') or item['page']}.md"))
        question = self.options.get("question")
        return [self._table(rows)] if question is None else [self._path(rows, question)]

    def _title(self, item: dict, quiet: bool = False) -> list[nodes.Node]:
        return title_nodes(item, self.env.docname, quiet)

    def _table(self, rows: list[dict]) -> nodes.Node:
        table = nodes.table(classes=["weekly-table"])
        group = nodes.tgroup(cols=len(HEADINGS))
        table += group
        group += [nodes.colspec(colwidth=width) for width in (6, 32, 42, 20)]
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]
        head += nodes.row("", *(nodes.entry("", nodes.paragraph("", text)) for text in HEADINGS))
        body += [self._row(row) for row in rows]
        return table

    def _row(self, row: dict) -> nodes.Node:
        chapter = nodes.entry("", nodes.paragraph("", "", *self._title(row)))
        under = [f"교재 {row['textbook']}장"] if row.get("textbook") else []
        under += [row["topic"]] if row["topic"] != row["title"] else []
        if under:
            chapter += nodes.paragraph("", " · ".join(under), classes=["week-topic"])
        cells = [nodes.entry("", nodes.paragraph("", str(row["week"]))), chapter]
        cases = nodes.entry("")
        for case in row["cases"]:
            line = nodes.paragraph("", "", *self._title(case), classes=["case-line"])
            line += [nodes.Text(" "), nodes.inline("", case["organisation"], classes=["case-organisation"])]
            cases += line
        if not row["cases"]:
            cases += nodes.paragraph("", "—")
        minutes = " · ".join(str(row["minutes"][key]) for key in MINUTES)
        cells += [cases, nodes.entry("", nodes.paragraph("", minutes))]
        return nodes.row("", *cells, classes=[] if row["published"] else ["planned-row"])

    def _path(self, rows: list[dict], question: int) -> nodes.Node:
        items = nodes.bullet_list("", bullet="-", classes=["question-path"])
        for row in rows:
            found = [row] if question in row["questions"] else []
            found += [case for case in row["cases"] if question in case["questions"]]
            if not found:
                continue
            line = nodes.paragraph("", "", nodes.strong("", f"{row['week']}주"), nodes.Text(" "))
            for position, item in enumerate(found):
                line += [nodes.Text(" · ")] if position else []
                line += self._title(item, quiet=True)
            items += nodes.list_item("", line)
        return items


def setup(app: Sphinx) -> dict:
    app.add_directive("weekly-table", WeeklyTable)
    app.add_role("page", PageRole())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
