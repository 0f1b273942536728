"""검토 기록: 다른 자료로 가져갈 문장을 쪽을 쓰지 않은 사람이 무너뜨려 보았는지.

쪽마다 ``reviews/<쪽의 이름>.yml`` 하나가 있습니다. 쓰는 법은 guides/contributing.md에 있습니다.

- 기록이 없으면 쪽은 끝나지 않은 것입니다.
- '언제나', '반드시'처럼 모든 자료에 대고 말하는 문장은 기록이 다루어야 합니다.
- 기록의 꼴이 맞고, 인용한 문장이 지금 쪽에 있어야 합니다.

하나라도 어기면 실패합니다. 아직 쓰는 중인 초안(``draft: true``)에는 '주의'로만 알립니다.
"""

import re
from datetime import date

import yaml

from book.checks.findings import Finding
from book.checks.language import sentences
from book.myst import BOUND, CITED, OPAQUE, Document, parse
from book.page import ROOT, Page
from book.yaml_text import read_yaml

KINDS = {"chapter", "deeper", "case"}
VERDICTS = {"섬", "고침", "지움"}
PROSE = {"paragraph", "item", "row"}
UNIVERSAL = re.compile(
    r"언제나|항상|반드시|결코|절대로|예외 없이|(?:때|경우에)(?:뿐|만(?!큼))|할 수밖에|어떤 [가-힣]+(?:이든|라도|도) "
)
_WISH = re.compile(r"(?:[가-힣]세요|십시오|합시다)[.!]?$")  # 시키는 말은 자료에 대한 주장이 아닙니다
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")


def path_of(page: Page):
    """쪽의 검토 기록이 놓이는 자리."""
    return ROOT / "reviews" / f"{page.docname}.yml"


def universal_claims(document: Document) -> list[tuple[int, str]]:
    """모든 자료에 대고 말하는 문장을 (줄, 문장)으로. 따옴표 안의 말, 연습문제의 지시, 시키는 말은 뺍니다."""
    found = []
    for block in document.blocks:
        if block.kind not in PROSE or {"notes", "exercise"} & set(block.inside):
            continue
        for at, sentence in sentences(block.flat.text):
            if UNIVERSAL.search(_QUOTED.sub("", sentence)) and not _WISH.search(sentence):
                found.append((block.line_at(at), sentence))
    return found


def read(page: Page) -> dict | None:
    """검토 기록. 파일이 없으면 None.

    Raises
    ------
    ValueError
        YAML이 아니거나 꼴이 다를 때. 무엇을 고칠지 적혀 있습니다.
    """
    path = path_of(page)
    if not path.is_file():
        return None
    try:
        record = read_yaml(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise ValueError(f"{line}번째 줄을 YAML로 읽지 못했습니다 — 콜론 뒤 빈칸과 따옴표를 확인하세요.") from None
    if problem := _shape_problem(page, record):
        raise ValueError(problem)
    return record


def _shape_problem(page: Page, record) -> str:
    if not isinstance(record, dict):
        return "page, reviewer, date, statements가 있어야 합니다."
    if record.get("page") != page.docname:
        return f"page가 {record.get('page')!r}입니다 — '{page.docname}'(으)로 적으세요."
    if not isinstance(record.get("date"), date):
        return "date가 없거나 날짜가 아닙니다 — date: 2026-11-30처럼 적으세요."
    if not str(record.get("reviewer") or "").strip():
        return "reviewer가 없습니다 — 누가 보았는지 적으세요(쪽을 쓴 사람은 안 됩니다)."
    second = str(record.get("second_reviewer") or "").strip()
    if "second_reviewer" in record and second in {"", str(record["reviewer"]).strip()}:
        return "second_reviewer가 비었거나 reviewer와 같습니다 — 둘째로 본 사람을 적거나 줄을 지우세요."
    statements = record.get("statements")
    if not isinstance(statements, list) or not statements:
        return "statements가 비었습니다 — 무너뜨려 본 문장을 하나 이상 적으세요."
    for number, item in enumerate(statements, 1):
        missing = [
            key
            for key in ("said", "attack", "verdict")
            if not str((item if isinstance(item, dict) else {}).get(key) or "").strip()
        ]
        if missing:
            return f"{number}번째 문장에 {', '.join(missing)}이(가) 없습니다."
        if item["verdict"] not in VERDICTS:
            return f"{number}번째 문장의 verdict가 {item['verdict']!r}입니다 — 섬, 고침, 지움 가운데 하나를 적으세요."
        if "by" in item and not (second and item["by"] == 2):
            return f"{number}번째 문장의 by가 {item['by']!r}입니다 — second_reviewer가 본 문장에만 by: 2를 적으세요."
        if test := item.get("test"):
            file, _, function = str(test).partition("::")
            if not (ROOT / file).is_file() or (
                function and not re.search(rf"def {re.escape(function)}\b", (ROOT / file).read_text(encoding="utf-8"))
            ):
                return f"{number}번째 문장의 시험 '{test}'이(가) 없습니다 — 파일과 함수의 이름을 맞추세요."
    if second and not any("by" in item for item in statements):
        return "second_reviewer가 본 문장이 없습니다 — 무너뜨려 본 문장에 by: 2를 적으세요."
    if page.meta.get("kind") == "case" and not str(record.get("memo") or "").strip():
        return "memo가 없습니다 — 의사결정 메모를 생성기에서 다시 계산한 결과를 적으세요."
    return ""


def _bare(text: str) -> str:
    text = re.sub(rf"[{BOUND}{OPAQUE}{CITED}]", "", text)
    return re.sub(r"[\s*`'\"“”‘’]|\d[\d,.]*%?p?", "", text)


def _covers(said: str, sentence: str) -> bool:
    """기록의 인용이 쪽의 문장(들)에 들어 있는지. 숫자와 코드 조각은 견주지 않고, '…'은 아무 글자나 됩니다."""
    pieces = [re.escape(_bare(piece)) for piece in said.split("…")]
    return bool(re.search(".*?".join(pieces), _bare(sentence))) if any(pieces) else False


def check(page: Page, document: Document | None = None) -> list[Finding]:
    """쪽의 검토 기록에서 고칠 것을 찾습니다. 길잡이는 기록이 있을 때에만 보고, 초안의 것은 모두 '주의'입니다."""
    if page.meta.get("kind") not in KINDS and not path_of(page).is_file():
        return []
    draft, shown, where = (
        bool(page.meta.get("draft")), f"{page.docname}.md", path_of(page).relative_to(ROOT).as_posix()
    )  # fmt: skip
    document = document or parse(page.text)

    def finding(path: str, line: int, message: str, rule: str = "review") -> Finding:
        return Finding(path, line, message, rule, warning=draft)

    try:
        record = read(page)
    except ValueError as problem:
        return [finding(where, 1, str(problem))]
    if record is None:
        when = "차례에 싣기 전에 " if draft else ""
        cure = f"{when}쪽을 쓰지 않은 사람에게 guides/contributing.md의 '검토' 절대로 적어 달라고 하세요"
        return [finding(shown, 1, f"검토 기록 {where}가 없습니다 — {cure}.")]
    standing = [item["said"] for item in record["statements"] if item["verdict"] != "지움"]
    whole = "".join(b.flat.text for b in document.blocks)
    gone = "인용한 문장이 쪽에 없습니다: '{}' — 지금의 문장으로 고치거나 verdict를 지움으로 적으세요."
    found = [finding(where, 1, gone.format(said[:60]), "review-gone") for said in standing if not _covers(said, whole)]
    missing = (
        "모든 자료에 대고 말하는 문장을 아무도 무너뜨려 보지 않았습니다: '{}' — 가정을 달거나 {}에 검토를 적으세요."
    )
    for line, sentence in universal_claims(document):
        if not any(_covers(said, sentence) or _covers(sentence, said) for said in standing):
            found.append(finding(shown, line, missing.format(_shown(sentence), where), "review-missing"))
    return found


def _shown(sentence: str) -> str:
    return re.sub(r"[\ue000-\uf8ff]", "□", sentence)[:80]
