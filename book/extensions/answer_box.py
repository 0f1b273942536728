"""답 칸: 자기 점검 셀마다 쪽에서 바로 답하는 칸을 정답 코드 앞에 둡니다. 귀띔은 노트북과 같습니다.

판정에 쓰는 것(정답, 허용 오차, 흔한 오답)은 쪽을 실행할 때 ``check_answer``가 남긴 기록에서 오므로 노트북과 어긋날 수 없습니다.
규칙은 ``causal_practice/answers.py``를 스크립트로 옮긴 것이며, 둘이 같은 말을 하는지는 ``tests/book/test_answer_box.py``가 봅니다.

기록은 base64로 적습니다. 노트북의 점검 셀을 접어 두는 것처럼 풀기 전에 눈에 띄지 않게 할 뿐, 비밀은 아닙니다. 허용 오차와
부호와 자릿수를 보려면 정답이 있어야 하므로 지문(hash)으로는 판정할 수 없고, 같은 쪽에 정답 코드도 접혀 있습니다.

스크립트가 없으면 칸은 사라지고 접은 점검 셀이 그대로 남습니다. 인쇄에도 나오지 않습니다.
"""

import base64
import html
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from book.execution import stored_run
from causal_practice.answers import ANSWER_MIME, places

ASSETS = Path(__file__).parent / "answer_box_assets" / "static"
MOST_TYPED = 6  # 이보다 긴 목록은 손으로 적지 않습니다
_LABEL = re.compile(r"""\bcheck_answer\(\s*(["'])(.+?)\1""")
_MARK = re.compile(r"([가-힣])[.:]\s")
_QUOTED = re.compile(r'"([^"]+)"')


def rules_of(notebook) -> dict[str, dict]:
    """실행된 노트북에서 '연습 1' 같은 이름표 → 판정에 쓰는 것(``check_answer``의 ``rules``)."""
    records = [o["data"] for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o]
    return {data[ANSWER_MIME]["label"]: data[ANSWER_MIME]["rules"] for data in records if ANSWER_MIME in data}


def words_of(value) -> set[str]:
    """정답이나 틀린 값에 든 말."""
    parts = value["any"] if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return {part for part in parts if isinstance(part, str)}


def choices(rules: dict, exercise: nodes.Element | None) -> list[str]:
    """고르는 문제의 보기. 수나 차례가 있는 목록을 적는 문제이면 빈 목록입니다.

    보기는 문제의 '- 가. …' 목록이나 문제에 적힌 ``"말"``에서, 그것으로 모자라면 정답과 흔한 오답에서 옵니다.

    Parameters
    ----------
    rules : dict
        ``rules_of``의 값 하나.
    exercise : Element
        문제의 글. 없으면 None.
    """
    expected = rules["expected"]
    if not isinstance(expected, (str, bool, dict)):
        return []
    expected = ("예" if expected else "아니요") if isinstance(expected, bool) else expected
    known = words_of(expected).union(*(words_of(value) for value, _ in rules["wrong"]))
    body = exercise.children if exercise is not None else []  # 접은 귀띔 속은 보지 않습니다
    items = [i.astext() for part in body if isinstance(part, nodes.bullet_list) for i in part]
    marks = [found[1] for text in items if (found := _MARK.match(text))]
    literals = [n.astext() for part in body if isinstance(part, nodes.paragraph) for n in part.findall(nodes.literal)]
    quoted = list(dict.fromkeys(word for text in literals for word in _QUOTED.findall(text)))
    return next((found for found in (marks, quoted) if known <= set(found)), sorted(known))


def box(label: str, rules: dict | None, offered: list[str]) -> str:
    """답 칸의 HTML. 적을 수 없는 답이면 노트북에서 점검한다는 한 줄입니다."""
    expected = rules and rules["expected"]
    typed = expected is not None and not (isinstance(expected, list) and len(expected) > MOST_TYPED)
    if not typed:
        return f'<p class="answer-elsewhere">{html.escape(label)}의 답은 노트북에서 점검합니다.</p>'
    name = "answer-" + "".join(re.findall(r"\d+", label))
    data = base64.b64encode(json.dumps(rules, ensure_ascii=False).encode()).decode()
    if offered:
        kind = "checkbox" if isinstance(expected, dict) else "radio"
        ask = "모두 고르세요" if kind == "checkbox" else "하나를 고르세요"
        options = "".join(
            f'<label><input type="{kind}" name="{name}" value="{html.escape(word)}"> {html.escape(word)}</label>'
            for word in offered
        )
        field = f'<fieldset><legend>{html.escape(label)}의 답 <span class="answer-form">{ask}</span></legend>{options}</fieldset>'
    else:
        field = (
            f'<label for="{name}">{html.escape(label)}의 답 <span class="answer-form">{_form(rules)}</span></label>'
            f'<input type="text" id="{name}" name="{name}" maxlength="80" autocomplete="off" autocapitalize="off"'
            f' spellcheck="false" aria-describedby="{name}-said">'
        )
    return (
        f'<form class="answer-box pst-js-only" aria-label="{html.escape(label)} 답하기" data-label="{html.escape(label)}" data-rules="{data}">'
        f'{field}<button type="submit">답 확인</button><p class="answer-said" id="{name}-said" role="status"></p></form>'
    )


def _form(rules: dict) -> str:
    """무엇을 어떤 꼴로 적는지."""
    expected, decimals = rules["expected"], rules["decimals"]
    what = f"값 {len(expected)}개를 차례대로, 쉼표로 나누어" if isinstance(expected, list) else "수"
    exact = "" if decimals is None else "정수로" if decimals == 0 else f"{places(decimals)}까지"
    return f"{what}, {exact}" if exact else what


class AnswerBoxes(SphinxPostTransform):
    """점검 셀의 앞에 있는 정답 코드의 바로 앞에 답 칸을 넣습니다."""

    default_priority = 150
    formats = ("html",)

    def run(self, **kwargs) -> None:
        cells = [c for c in self.document.findall(nodes.container) if "tag_self-check" in c["classes"]]
        key = self.config.execution_keys.get(self.env.docname)
        if not cells or key is None:
            return
        rules = rules_of(stored_run(self.env.docname, key).notebook())
        for cell in cells:
            source = next(cell.findall(nodes.literal_block)).astext()
            exercise, place = _around(cell)
            for label in [found[2] for found in _LABEL.finditer(source)]:
                known = rules.get(label)
                form = box(label, known, choices(known, exercise) if known else [])
                place.parent.insert(place.parent.index(place), nodes.raw("", form, format="html"))


def _around(cell: nodes.container) -> tuple[nodes.Element | None, nodes.Element]:
    """점검 셀의 문제, 그리고 답 칸을 앞에 둘 자리(문제 다음의 첫 정답 코드, 없으면 점검 셀)."""
    exercise, place = None, cell
    for sibling in reversed(cell.parent[: cell.parent.index(cell)]):
        if "exercise" in sibling.get("classes", []):
            exercise = sibling
            break
        if "tag_self-check" in sibling.get("classes", []):
            break
        if "tag_solution" in sibling.get("classes", []):
            place = sibling
    return exercise, place


def _add_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    if 'class="answer-box' in (context.get("body") or ""):
        app.add_css_file("answer_box/answer_box.css")
        app.add_js_file("answer_box/answer_box.js", loading_method="defer")


def setup(app: Sphinx) -> dict:
    app.config.html_static_path.append(str(ASSETS))
    app.add_post_transform(AnswerBoxes)
    app.connect("html-page-context", _add_assets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
