"""쪽이 독자에게 내놓는 수의 기록: 본문에 묶인 값, 셀이 찍은 수, 주장, 검증.

코드를 고쳤더니 글이 말하는 수가 움직였다면 그것은 검토할 일입니다. `make redraw`가 ``benchmarks/numbers/``에 기록을 쓰고,
``book/checks/numbers.py``가 지금 실행의 수를 기록과 견줍니다. 바꾸려던 수라면 기록을 다시 쓰고, 그 diff를 함께 검토받습니다.
기계가 달라 생기는 끝자리는 봐줍니다(``close``).
"""

import itertools
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from book import values
from book.bound import bound_texts, direction, rises, unit_after
from book.execution import Execution
from book.files import write_atomically
from book.learner_notebook import glued_values
from book.myst import BOUND, CITED, OPAQUE, parse
from book.page import ROOT, Page
from book.second_run import comparable
from book.yaml_text import read_yaml
from causal_practice.claims import CLAIM_MIME, VALIDATION_MIME

RECORDS = ROOT / "benchmarks" / "numbers"
BEFORE = 24  # 값 앞에서 남기는 글자 수
SHOWN = 0.2  # 적은 자리의 이만큼, 편향은 몬테카를로 오차의 이만큼까지도 기계의 차이로 봅니다
RELATIVE = 0.01  # 이보다 작게 움직인 수는 기계의 차이로 봅니다
_PRINTED = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
_MARKS = {ord(BOUND): "◯", ord(OPAQUE): "…", ord(CITED): "…"}
_FIELDS = {CLAIM_MIME: ("estimand", "unit", "truth", "naive", "estimate", "low", "high"), VALIDATION_MIME: ("draws", "coverage", "bias")}  # fmt: skip


def record_path(docname: str) -> Path:
    """쪽의 기록이 놓인 자리."""
    return RECORDS / f"{docname.replace('/', '__')}.yml"


def numbers_of(page: Page, execution: Execution) -> dict[str, dict]:
    """쪽이 내놓은 수.

    Returns
    -------
    dict
        prose(값 앞의 글 → 값), printed(셀의 첫 줄 → 찍은 수들), claims와 validations(이름 → 칸들). 같은 이름이 다시 나오면
        #2, #3 …을 붙입니다. 값은 유효숫자 여섯 자리이며, 본문과 출력의 값에는 바로 뒤의 단위와 방향(↑, ↓)이 붙습니다.
    """
    notebook = execution.notebook()
    prose = {where: told for where, (_, told, _) in prose_values(page, execution).items()}
    printed: dict[str, str] = {}
    records: dict[str, dict] = {CLAIM_MIME: {}, VALIDATION_MIME: {}}
    for cell in notebook.cells:
        if cell.cell_type == "code" and (seen := _printed(cell.outputs)):
            first = next(line for line in cell.source.split("\n") if line.strip())
            printed[_again(first, printed)] = " ".join(seen)
        for output in cell.get("outputs", []):
            for mime, fields in _FIELDS.items():
                if content := output.get("data", {}).get(mime):
                    records[mime][content["name"]] = {field: _short(content.get(field)) for field in fields}
    return {"prose": prose, "printed": printed, "claims": records[CLAIM_MIME], "validations": records[VALIDATION_MIME]}  # fmt: skip


def prose_values(page: Page, execution: Execution) -> dict[str, tuple[int, str, float]]:
    """값 앞의 글(24자, 다른 값은 ◯) → (원고의 줄, 단위와 방향이 붙은 값, 눈에 보이지 않는 크기)."""
    notebook, glued, found = execution.notebook(), glued_values(execution), {}
    for text, bounds in bound_texts(parse(page.text)):
        for bound in bounds:
            if bound.kind == "eval":
                value = values.at(notebook, bound.position)[bound.raw]["value"]
            else:
                value = glued[bound.code]
            before = text[max(0, bound.place - BEFORE) : bound.place].translate(_MARKS)
            where = " ".join(f"{before}◯".split())
            found[_again(where, found)] = (
                bound.line,
                _told(_short(value), text[bound.place + 1 :]),
                _unseen(bound.spec),
            )
    return found


def _unseen(spec: str) -> float:
    """그렇게 적으면 보이지 않는 크기: 마지막 자리 하나의 ``SHOWN``배(``.1f``이면 0.02). 0에 가까운 값에서는 1%가 그보다 작습니다."""
    match = re.search(r"\.(\d+)([f%])$", spec)
    return SHOWN * 10.0 ** -(int(match[1]) + 2 * (match[2] == "%")) if match else 0.0


def _told(value, after: str) -> str:
    """값에 바로 뒤의 단위와 방향을 붙인 글자."""
    unit = unit_after(after)
    word = direction(after, unit)
    unit = unit.replace(" ", "")  # 찍은 수는 빈칸으로 잇습니다
    return f"{value}{unit}{('↑' if rises(word) else '↓') if word else ''}"


def _again(name: str, seen) -> str:
    """이미 있는 이름이면 몇 번째인지 붙입니다."""
    if name not in seen:
        return name
    return next(f"{name} #{k}" for k in itertools.count(2) if f"{name} #{k}" not in seen)


def _printed(outputs: list) -> list[str]:
    """셀이 찍은 수. 걸린 시간과 주소는 두 번째 실행과 같은 규칙(second_run.cfg)으로 지웁니다."""
    kinds = comparable(outputs)
    texts = kinds.get("stdout", []) + kinds.get("text/plain", [])
    return [
        _told(m.group().replace(",", ""), text[m.end() :][:40])
        for text in texts
        if "<Figure" not in text
        for m in _PRINTED.finditer(text)
    ]


def _short(value):
    return float(f"{value:.6g}") if isinstance(value, float) else value


def close(one, two, unseen: float = 0.0) -> bool:
    """두 값이 같은 수로 읽히면 참: 1% 안이거나, 소수로 찍은 글자이면 마지막 자리 하나 안. 단위와 방향과 글자는 똑같아야 합니다.

    ``unseen``보다 작게 다른 것도 같은 수로 봅니다.
    """
    if isinstance(one, str) and isinstance(two, str):
        (a, unit), (b, other) = (_split(text) for text in (one, two))
        if unit != other or not a or not b:
            return one == two
        last = 10.0 ** -max(len(text.partition(".")[2]) for text in (a, b)) if "." in a and "e" not in a + b else 0.0
        return _near(float(a), float(b), max(last, unseen))
    if isinstance(one, str) or isinstance(two, str) or one is None or two is None:
        return one == two
    return _near(one, two, unseen)


def _near(one: float, two: float, last: float = 0.0) -> bool:
    return abs(one - two) <= max(RELATIVE * max(abs(one), abs(two)), 1.0001 * last, 1e-9)


def _split(text: str) -> tuple[str, str]:
    match = _PRINTED.match(text)
    return (match.group().replace(",", ""), text[match.end() :]) if match else ("", text)


def recorded(docname: str) -> dict | None:
    """쪽의 기록. 없으면 None."""
    path = record_path(docname)
    return read_yaml(path.read_text(encoding="utf-8")) if path.is_file() else None


def renew(page: Page, execution: Execution) -> bool:
    """쪽의 기록을 지금 실행의 것으로. 다시 썼으면 참."""
    unseen = {where: size for where, (_, _, size) in prose_values(page, execution).items()}
    return write(page.docname, numbers_of(page, execution), unseen)


def write(docname: str, found: dict, unseen: Mapping[str, float] | None = None) -> bool:
    """기록이 지금의 수와 다르면 다시 씁니다. 끝자리만 다르면 그대로 둡니다. 다시 썼으면 참."""
    known = recorded(docname)
    if known is not None and not changes(known, found, unseen) and _names(known) == _names(found):
        return False
    head = f"# {docname}이(가) 내놓는 수입니다. 손으로 고치지 말고 `make redraw`로 만들고, 바뀐 까닭을 풀 리퀘스트에 적으세요.\n"
    body = [
        yaml.safe_dump({kind: rows}, allow_unicode=True, sort_keys=False, width=10_000, default_flow_style=False if kind in {"prose", "printed"} else None)
        for kind, rows in found.items()
    ]  # fmt: skip
    write_atomically(record_path(docname), head + "".join(body))
    return True


def _names(record: dict) -> dict[str, list]:
    return {kind: list(found) for kind, found in record.items()}


def changes(
    known: dict, found: dict, unseen: Mapping[str, float] | None = None
) -> list[tuple[str, str, object, object]]:
    """기록과 다른 수: (갈래, 이름, 기록의 값, 지금의 값).

    글이 바뀌어 이름이 달라진 값은 세지 않습니다. 그 자리는 검토하는 사람이 읽습니다. 찍은 수는 셀의 수가 그대로이면 차례로,
    아니면 첫 줄로 견줍니다. 사라진 주장과 검증은 지금의 값이 None입니다. ``unseen``은 본문의 값마다 눈에 보이지 않는 크기입니다.
    """
    out = []
    for where, before in known["prose"].items():
        now = found["prose"].get(where, before)
        if not close(before, now, (unseen or {}).get(where, 0.0)):
            out.append(("prose", where, before, now))
    printed = found["printed"]
    if len(printed) == len(known["printed"]):  # 첫 줄을 고친 셀도 차례로 찾습니다
        printed = dict(zip(known["printed"], printed.values(), strict=True))
    for name, before in known["printed"].items():
        now = printed.get(name)
        if now is not None and now != before:
            old, new = before.split(), now.split()
            if len(old) != len(new) or not all(map(close, old, new)):
                out.append(("printed", name, before, now))
    for kind in ("claims", "validations"):
        for name, before in known[kind].items():
            now = found[kind].get(name)
            slack = {"bias": SHOWN * _bias_error(known["claims"].get(name), before)} if kind == "validations" else {}
            if now is None or not all(close(before[f], now.get(f), slack.get(f, 0.0)) for f in before):
                out.append((kind, name, before, now))
    return out


def _bias_error(claim: dict | None, validation: dict) -> float:
    """편향의 몬테카를로 오차의 어림: 주장의 95% 구간에서 낸 표준오차를 되풀이의 제곱근으로 나눈 값."""
    if claim is None or claim.get("low") is None or claim.get("high") is None:
        return 0.0
    return abs(claim["high"] - claim["low"]) / 3.92 / max(validation.get("draws") or 1, 1) ** 0.5
