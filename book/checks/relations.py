"""실행한 쪽에서 값 사이의 관계: 머리의 답과 주장, 구간의 순서, 라이브러리와의 일치, 가중한 뒤의 균형, 식별과 보정.

값 하나하나는 계산에서 왔어도 서로 어긋날 수 있습니다. 여기서는 쪽이 말한 관계가 그 값에서 성립하는지 봅니다.
"""

import ast
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from book import values
from book.checks.claims import AFTER, Code, columns_used, keywords
from book.checks.findings import Finding
from book.checks.prose_numbers import data_cards
from book.execution import Execution
from book.learner_notebook import glued_values
from book.myst import Block, Document
from book.page import Page

SAME = 0.05  # 손 계산과 라이브러리의 허용 차이(비율)
BALANCED = 0.1  # 가중한 뒤의 정규화 차이의 한도
_ROLE = re.compile(r"\{(?:eval|glue:text)\}`([^`]+)`")
_MARK = "⟨(\\d+)⟩"
_INTERVAL = re.compile(rf"{_MARK}(?P<between>[^⟨⟩\[\]|]{{0,14}})\[{_MARK}[^⟨⟩\]]{{0,4}},\s?{_MARK}")
_SPOKEN = re.compile(rf"신뢰구간(?:은|이|의)?\s?{_MARK}[^⟨⟩]{{0,5}}(?:~|,|에서)\s?{_MARK}")
_AFTER_WEIGHTING = re.compile(rf"(?:가중|IPW|매칭|짝)[^.⟨]{{0,5}}뒤에?는?[^.⟨]{{0,12}}{_MARK}")
_HAND = re.compile(r"(?<![가-힣])손(?:으로)?(?:\s?계산|\s?구한 값)?(?:은|는|과|와)?(?=[\s:,(]|\)|$)|\(손\)")
_LIBRARY = re.compile(
    r"EconML|econml|statsmodels|DoWhy|linearmodels|pyfixest|did2s|doubleml|SciPy|scipy|라이브러리|gcm|Linear(?:DML|DRLearner)"
)
_NUMBER = re.compile(r"(?<![\w.])[-+−]?\d[\d,]*(?:\.\d+)?(?![\w.]*\()")
_SAID_SAME = re.compile(r"같(?:습니다|지만|고|으며|은 값)|똑같|일치")
_SAID_OTHER = re.compile(r"다릅|다르|다른|어긋|틀린|틀립|함정|모순")
_SCALES = (1, 100, 1000, 10, 0.1, 0.01, 0.001)


@dataclass(frozen=True)
class Shown:
    """글 토막의 원문에서 값 자리를 ⟨번호⟩로 바꾼 것과 그 값들(수가 아니면 NaN)."""

    text: str
    numbers: list[float]


def check(
    page: Page, execution: Execution, document: Document, claims: list[dict], validations: list[dict]
) -> list[Finding]:
    """실행한 쪽에서 어긋난 관계를 찾습니다.

    Parameters
    ----------
    page : Page
    execution : Execution
    document : Document
    claims, validations : list of dict
        노트북이 남긴 주장과 검증.
    """
    path, notebook = f"{page.docname}.md", execution.notebook()
    glued = glued_values(execution)
    shown = [(block, _shown(block, document, notebook, glued)) for block in document.blocks]
    found = [*_headline(page, shown, claims), *_intervals(shown), *_balance(shown), *_twins(shown)]
    found += [*_named(page, shown, claims, validations), *_ratios(document, shown), *_tempting(shown)]
    found += [*_agreement(document, notebook), *_identified(document, notebook)]
    return [Finding(path, line, message, rule) for line, rule, message in found]


def _shown(block: Block, document: Document, notebook, glued: dict) -> Shown:
    known = values.at(notebook, sum(cell.line < block.line for cell in document.cells))
    numbers = []

    def mark(match) -> str:
        value = known[match[1]].get("value") if match[1] in known else glued.get(match[1].split(":")[0])
        numbers.append(float(value) if isinstance(value, (int, float)) else math.nan)
        return f"⟨{len(numbers) - 1}⟩"

    return Shown(_ROLE.sub(mark, block.raw), numbers)


# ── 머리의 답 ──


def _headline(page: Page, shown: list[tuple[Block, Shown]], claims: list[dict]) -> Iterator[tuple[int, str, str]]:
    """사례의 '답' 줄에 적은 추정값과 구간은 쪽이 기록한 주장 가운데 하나입니다(부호, 백분율, 단위의 배수는 달라도 됩니다)."""
    if page.meta.get("kind") != "case" or not claims:
        return
    for block, said in shown:
        if "한눈에" not in block.section or not re.match(r"\**(?:답|숫자로 답하면)\**\s*:", block.raw):
            continue
        for numbers in list(_triples(said))[:1]:  # 뒤따르는 것은 부차적인 답일 수 있습니다
            if not any(_is_claim(numbers, claim) for claim in claims):
                told = ", ".join(f"{n:.4g}" for n in numbers)
                yield (
                    block.line,
                    "headline",
                    f"'한눈에'의 답({told})이 이 쪽이 기록한 어느 주장과도 다릅니다 — 검증한 함수의 값과 구간을 그대로 적으세요.",
                )


def _triples(said: Shown) -> Iterator[tuple[float, float, float]]:
    """(추정값, 아래, 위)로 적은 곳."""
    for match in _INTERVAL.finditer(said.text):
        yield tuple(said.numbers[int(match[k])] for k in (1, 3, 4))
    for match in _SPOKEN.finditer(said.text):
        before = [int(m[1]) for m in re.finditer(_MARK, said.text[: match.start()])]
        if before:
            yield said.numbers[before[-1]], *(said.numbers[int(match[k])] for k in (1, 2))


def _is_claim(numbers: tuple[float, float, float], claim: dict) -> bool:
    told = (claim["estimate"], claim["low"], claim["high"])
    turned = [tuple(sign * scale * v for v in told) for scale in _SCALES for sign in (1, -1)]
    if max(map(abs, told)) < 3:  # 로그로 적은 주장은 백분율로 옮겨 말합니다
        turned += [tuple(sign * 100 * math.expm1(v) for v in told) for sign in (1, -1)]
    return any(
        _near(numbers[0], e) and all(map(_near, sorted(numbers[1:]), sorted((low, high)))) for e, low, high in turned
    )


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)


_TRUTH_WORD = re.compile(rf"(?<!가까운 )정답(?:은|이)?\s?(?:ATE|ATT|LATE|CATE|ITT)(?:는|은|가)?\s?\**{_MARK}")
_OWN_WORD = re.compile(rf"우리(?:의)? (?:추정(?:값)?|답)(?:은|이)?\s?\**{_MARK}")


def _named(
    page: Page, shown: list[tuple[Block, Shown]], claims: list[dict], validations: list[dict]
) -> Iterator[tuple[int, str, str]]:
    """'정답은 X'의 X는 기록하거나 카드에 적힌 정답이고, '우리 추정은 X'의 X는 기록한 추정값입니다(사례만 봅니다)."""
    if page.meta.get("kind") != "case" or not claims:
        return
    names = page.meta.get("datasets")
    cards = [
        (data_cards().get(str(name)) or {}).get("truth") or {} for name in (names if isinstance(names, list) else [])
    ]
    truths = [r["truth"] for r in (*claims, *validations)] + [
        v for row in cards for v in row.values() if isinstance(v, (int, float))
    ]
    for block, said in shown:
        for pattern, allowed, what in (
            (_TRUTH_WORD, truths, "정답"),
            (_OWN_WORD, [c["estimate"] for c in claims], "추정값"),
        ):
            for match in pattern.finditer(said.text):
                value = said.numbers[int(match[1])]
                if math.isfinite(value) and not any(_near(value, v) for a in allowed for v in _turned(a)):
                    yield (
                        block.line_at(0),
                        "named",
                        f"{what}이라고 적은 {value:.4g}이(가) 기록한 {what}이 아닙니다 — 값의 이름을 보세요.",
                    )


def _tempting(shown: list[tuple[Block, Shown]]) -> Iterator[tuple[int, str, str]]:
    """'솔깃한 숫자' 줄의 '더'와 '덜'은 그 수의 부호와 맞습니다."""
    for block, said in shown:
        match = re.search(rf"{_MARK}[^⟨]*$", said.text)
        if not re.match(r"\**솔깃한 숫자", block.raw) or len(said.numbers) != 1 or not match:
            continue
        up, down = (bool(re.search(words, match.group())) for words in (r"더(?!빙)|많|늘", r"덜|적(?=습|게)|줄"))
        value = said.numbers[0]
        if (up and not down and value < 0) or (down and not up and value > 0):
            yield (
                block.line_at(0),
                "direction",
                f"솔깃한 숫자는 {value:+.3g}인데 글은 '{'더' if up else '덜'}'이라고 말합니다 — 방향의 말을 고치세요.",
            )


def _turned(value: float) -> list[float]:
    """글이 부호와 단위를 바꾸어 말하는 값들."""
    found = [sign * scale * value for scale in _SCALES for sign in (1, -1)]
    return found + ([sign * 100 * math.expm1(value) for sign in (1, -1)] if abs(value) < 3 else [])


def _ratios(document: Document, shown: list[tuple[Block, Shown]]) -> Iterator[tuple[int, str, str]]:
    """0과 1 사이의 비율을 100을 곱하지 않고 %로 적은 곳."""
    code = Code(document)
    for block, said in shown:
        roles = [m[1] for m in _ROLE.finditer(block.raw)]
        for match in re.finditer(rf"{_MARK}\**\s?%", said.text):
            raw, value = roles[int(match[1])], said.numbers[int(match[1])]
            if not 0 < abs(value) < 1:
                continue
            tree = ast.parse(values.split(raw)[0], mode="eval") if f"{{eval}}`{raw}`" in block.raw else None
            if tree is not None and isinstance(tree.body, ast.Call) and not _percent(tree, code):
                yield (
                    block.line_at(0),
                    "ratio",
                    f"비율 {value:.3g}을(를) 100을 곱하지 않고 %로 적었습니다: {{eval}}`{raw}` — 100을 곱하세요.",
                )


def _percent(tree: ast.AST, code: Code, depth: int = 0) -> bool:
    """식이나 그 식이 부르는 이름의 식에 100을 곱한 곳이 있으면 참."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in (100, 100.0):
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "%" in node.value:
            return True
        if isinstance(node, ast.Name) and depth < 4:
            if any(v is None or _percent(v, code, depth + 1) for v in code.assigned.get(node.id, [])):
                return True
            if node.id in code.functions and _percent(code.functions[node.id], code, depth + 1):
                return True
    return False


# ── 구간 ──


def _intervals(shown: list[tuple[Block, Shown]]) -> Iterator[tuple[int, str, str]]:
    """'추정값 [아래, 위]'는 아래가 위보다 작고, 바로 앞에 적은 추정값을 담습니다."""
    for block, said in shown:
        for match in _INTERVAL.finditer(said.text):
            value, low, high = (said.numbers[int(match[k])] for k in (1, 3, 4))
            if low > high:
                yield (
                    block.line_at(0),
                    "interval",
                    f"구간의 두 끝이 뒤바뀌었습니다([{low:.4g}, {high:.4g}]) — 아래, 위의 차례로 적으세요.",
                )
            elif (
                math.isfinite(value)
                and re.fullmatch(r"(?!.*구간)[\s*(가-힣%p/:]*", match["between"])
                and not low - 1e-9 <= value <= high + 1e-9
            ):
                yield (
                    block.line_at(0),
                    "interval",
                    f"적은 값 {value:.4g}이(가) 바로 뒤의 구간 [{low:.4g}, {high:.4g}] 밖입니다 — 그 값의 구간인지 보세요.",
                )
        for match in _SPOKEN.finditer(said.text):
            low, high = (said.numbers[int(match[k])] for k in (1, 2))
            if low > high and low * high > 0:
                yield (
                    block.line_at(0),
                    "interval",
                    f"구간의 두 끝이 뒤바뀌었습니다({low:.4g}~{high:.4g}) — 아래, 위의 차례로 적으세요.",
                )


def _balance(shown: list[tuple[Block, Shown]]) -> Iterator[tuple[int, str, str]]:
    """가중하거나 짝지은 뒤의 정규화 차이는 한도 안입니다."""
    if not any("정규화 차이" in block.raw for block, _ in shown):
        return
    for block, said in shown:
        if "정규화 차이" in block.raw or "표준편차" in block.raw or "벌어" in block.raw or "커야" in block.raw:
            for match in _AFTER_WEIGHTING.finditer(said.text):
                if abs(said.numbers[int(match[1])]) > BALANCED:
                    yield (
                        block.line_at(0),
                        "balance",
                        f"가중한 뒤의 정규화 차이가 {said.numbers[int(match[1])]:.2f}입니다(한도 {BALANCED}) — 점수 모델이나 가중치의 식을 다시 보세요.",
                    )


def _twins(shown: list[tuple[Block, Shown]]) -> Iterator[tuple[int, str, str]]:
    """한 문장에서 견주는 두 식의 값이 끝자리까지 같으면 같은 것을 두 번 센 것입니다. 같다고 말하는 문장은 괜찮습니다."""
    for block, said in shown:
        raws = [m[1] for m in _ROLE.finditer(block.raw)]
        for sentence in re.split(r"(?<=다\.)\s", said.text):
            here = [int(k) for k in re.findall(_MARK, sentence)]
            if _SAID_SAME.search(sentence) or re.search("그대로|변하지|마찬가지|똑같|모두|둘 다", sentence):
                continue
            for i, j in zip(here, here[1:], strict=False):
                a, b = said.numbers[i], said.numbers[j]
                if _bare_raw(raws[i]) != _bare_raw(raws[j]) and _long(a) and _near(a, b):
                    yield (
                        block.line_at(0),
                        "twins",
                        f"한 문장에서 견주는 `{raws[i]}`와 `{raws[j]}`의 값이 끝자리까지 같습니다({a:.6g}) — 같은 것을 두 번 세지 않았는지 보세요.",
                    )


def _bare_raw(raw: str) -> str:
    return re.sub(r"\s", "", values.split(raw)[0])


def _long(value: float) -> bool:
    """우연히 같을 수 없을 만큼 자리가 긴 수."""
    return math.isfinite(value) and abs(value) > 1e-9 and not math.isclose(value, float(f"{value:.4g}"), rel_tol=1e-9)


# ── 라이브러리와의 일치 ──


def _agreement(document: Document, notebook) -> Iterator[tuple[int, str, str]]:
    """한 셀이 찍은 손 계산과 라이브러리의 값은 가깝고, 바로 뒤의 글이 같다고 하면 찍은 자리까지 같습니다."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, ran in zip(document.cells, code, strict=False):
        after = next((b.raw for b in document.blocks if b.line > cell.end), "")
        exact, other = bool(_SAID_SAME.search(after)), bool(_SAID_OTHER.search(after))
        for output in ran.outputs:
            text = output.get("text") or output.get("data", {}).get("text/plain") or ""
            for hand, library in _pairs("".join(text)):
                if other and not exact or _agree(hand, library, exact and not other):
                    continue
                yield (
                    cell.first,
                    "agreement",
                    f"손 계산 {hand}와 라이브러리 {library}가 다릅니다 — 식, 자료, 옵션이 같은지 보고, 다른 것이 맞으면 까닭을 바로 뒤의 글에 적으세요.",
                )


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """(손 계산의 수, 라이브러리의 수)를 찍힌 글자로."""
    lines = text.splitlines()
    if lines and (head := re.split(r"\s{2,}", lines[0].strip())) and len(head) > 1 and len(lines) > 1:
        for left, right in zip(range(len(head)), range(1, len(head)), strict=False):
            if _HAND.search(head[left]) and _LIBRARY.search(head[right]):
                for line in lines[1:]:
                    cells = line.split()[-len(head) :]
                    if len(cells) == len(head) and all(map(_NUMBER.fullmatch, (cells[left], cells[right]))):
                        yield cells[left], cells[right]
        if any(map(_HAND.search, head)):
            return
    for at, line in enumerate(lines):
        both = _numbers_by_side(line)
        if both["손"] and both["라이브러리"]:
            yield from _zip(both)
        elif both["손"] and not _LIBRARY.search(line):
            beside = [_numbers_by_side(lines[k]) for k in (at - 1, at + 1) if 0 <= k < len(lines)]
            near = next((b for b in beside if b["라이브러리"] and not b["손"]), None)
            if near:
                yield from _zip({"손": both["손"], "라이브러리": near["라이브러리"]})


def _zip(both: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    if len(both["손"]) == len(both["라이브러리"]):
        yield from zip(both["손"], both["라이브러리"], strict=True)


def _numbers_by_side(line: str) -> dict[str, list[str]]:
    """줄에서 '손'과 라이브러리의 이름 뒤에 적힌 수."""
    marks = [(m.end(), "손") for m in _HAND.finditer(line)] + [(m.end(), "라이브러리") for m in _LIBRARY.finditer(line)]
    marks.sort()
    found: dict[str, list[str]] = {"손": [], "라이브러리": []}
    for k, (start, side) in enumerate(marks):
        piece = line[start : marks[k + 1][0] if k + 1 < len(marks) else len(line)]
        found[side] += [m.group() for m in _NUMBER.finditer(piece)]
    return found


def _agree(hand: str, library: str, exact: bool) -> bool:
    a, b = (float(text.replace(",", "").replace("−", "-")) for text in (hand, library))
    last = 10.0 ** -max(len(text.partition(".")[2]) for text in (hand, library))
    return abs(a - b) <= (1.5 * last if exact else max(2.5 * last, SAME * max(abs(a), abs(b))))


# ── 식별과 보정 ──


def _identified(document: Document, notebook) -> Iterator[tuple[int, str, str]]:
    """식별이 고른 변수에 처치 뒤의 것이 없고, 검증한 추정 함수가 그 변수를 모두 씁니다."""
    code = Code(document)
    ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
    estimators = {}
    for cell in document.cells:
        for _, call in cell.calls("validate"):
            given = keywords(call)
            if isinstance(given.get("estimator"), ast.Name) and isinstance(given.get("dataset"), ast.Constant):
                estimators.setdefault(given["dataset"].value, []).append(given["estimator"].id)
    datasets = {
        name
        for cell in document.cells
        for _, call in cell.calls("load")
        if call.args and isinstance(name := getattr(call.args[0], "value", None), str)
    }
    for cell, done in zip(document.cells, ran, strict=False):
        printed = "".join(o.get("text", "") for o in done.outputs)
        for match in re.finditer(r"보정할 변수[^:\n]*:\s*(.+)", printed):
            names = [name.strip() for name in match[1].split(",")]
            for dataset in sorted(datasets):
                columns = (data_cards().get(dataset) or {}).get("columns") or {}
                known = {column for name in names for column in _columns_of(name, columns, code)}
                known -= {name for name in known if columns[name].get("role") in {"id", "time"}}  # 고정효과로 지웁니다
                for name in sorted(known):
                    if (role := columns[name].get("role")) in AFTER or (
                        columns[name].get("timing") == "처치 후" and role != "treatment"
                    ):
                        what = AFTER.get(role, "처치 뒤의 변수")
                        yield (
                            cell.first,
                            "role",
                            f"식별이 카드의 {what} '{name}'을(를) 보정하라고 합니다 — 그래프의 화살표를 다시 보세요.",
                        )
                for estimator in estimators.get(dataset, []):
                    used, outside = columns_used(code, estimator, columns)
                    if not any(columns[c].get("role") == "covariate" for c in used) or any("backdoor" in ast.unparse(v) for n in outside for v in code.assigned.get(n, []) if v is not None):  # fmt: skip
                        continue
                    if missing := sorted(known - used):
                        yield (
                            cell.first,
                            "adjust",
                            f"식별이 고른 {', '.join(missing)}을(를) 검증한 추정 함수 {estimator}가 쓰지 않습니다 — 함수의 열과 그래프를 맞추세요.",
                        )


def _columns_of(name: str, columns: dict, code: Code) -> set[str]:
    """찍힌 이름이 가리키는 열: 열의 이름, 카드의 이름표, 쪽에서 붙인 다른 이름."""
    if name in columns:
        return {name}
    found = {column for column, info in columns.items() if isinstance(info, dict) and info.get("label") == name}
    for cell in code.document.cells:
        for node in cell.nodes:
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    pair = (getattr(key, "value", None), getattr(value, "value", None))
                    found |= {a for a, b in (pair, pair[::-1]) if b == name and isinstance(a, str) and a in columns}
            elif isinstance(node, ast.keyword) and node.arg == name:
                found |= {
                    n.value
                    for n in ast.walk(node.value)
                    if isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value in columns
                }
    return found
