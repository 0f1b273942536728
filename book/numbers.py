"""쪽이 독자에게 내놓는 수의 기록: 본문에 묶인 값, 셀이 찍은 수, 주장, 검증.

코드를 고쳤더니 글이 말하는 수가 움직였다면 그것은 검토할 일입니다. `make redraw`가 ``benchmarks/numbers/``에 기록을 쓰고,
``book/checks/numbers.py``가 지금 실행의 수를 기록과 견줍니다. 바꾸려던 수라면 기록을 다시 쓰고, 그 diff를 함께 검토받습니다.
기계가 달라 생기는 끝자리는 봐줍니다(``close``).
"""

import re
from pathlib import Path

import yaml

from book import values
from book.execution import Execution
from book.files import write_atomically
from book.page import ROOT
from book.second_run import comparable
from causal_practice.claims import CLAIM_MIME, VALIDATION_MIME

RECORDS = ROOT / "benchmarks" / "numbers"
RELATIVE = 0.005  # 이보다 작게 움직인 수는 기계의 차이로 봅니다
_PRINTED = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
_DECIMALS = re.compile(r"\.(\d+)([f%])")
_FIELDS = {CLAIM_MIME: ("estimand", "unit", "truth", "naive", "estimate", "low", "high"), VALIDATION_MIME: ("draws", "coverage", "bias")}  # fmt: skip


def record_path(docname: str) -> Path:
    """쪽의 기록이 놓인 자리."""
    return RECORDS / f"{docname.replace('/', '__')}.yml"


def numbers_of(execution: Execution) -> dict[str, dict]:
    """실행이 내놓은 수.

    Returns
    -------
    dict
        prose(식 → 나온 차례대로의 값들), printed(셀의 첫 줄 → 찍은 수들), claims와 validations(이름 → 칸들).
        값은 유효숫자 여섯 자리이고, 찍은 수는 찍은 글자 그대로 빈칸으로 이은 것입니다.
    """
    notebook = execution.notebook()
    prose: dict[str, list] = {}
    places = notebook.metadata.get(values.METADATA_KEY) or {}
    for position in sorted(places, key=int):
        for raw, found in places[position].items():
            seen = prose.setdefault(raw, [])
            if not seen or not close(seen[-1], found["value"], raw):
                seen.append(_short(found["value"]))
    printed: dict[str, str] = {}
    records: dict[str, dict] = {CLAIM_MIME: {}, VALIDATION_MIME: {}}
    for cell in notebook.cells:
        if cell.cell_type == "code" and (seen := _printed(cell.outputs)):
            first = next(line for line in cell.source.split("\n") if line.strip())
            name = first if first not in printed else f"{first} #{sum(n.split(' #')[0] == first for n in printed) + 1}"
            printed[name] = " ".join(seen)
        for output in cell.get("outputs", []):
            for mime, fields in _FIELDS.items():
                if content := output.get("data", {}).get(mime):
                    records[mime][content["name"]] = {field: _short(content.get(field)) for field in fields}
    return {"prose": dict(sorted(prose.items())), "printed": printed, "claims": records[CLAIM_MIME], "validations": records[VALIDATION_MIME]}  # fmt: skip


def _printed(outputs: list) -> list[str]:
    """셀이 찍은 수. 걸린 시간과 주소는 두 번째 실행과 같은 규칙(second_run.cfg)으로 지웁니다."""
    kinds = comparable(outputs)
    texts = kinds.get("stdout", []) + kinds.get("text/plain", [])
    return [m.group().replace(",", "") for text in texts if "<Figure" not in text for m in _PRINTED.finditer(text)]


def same_print(one: str, two: str) -> bool:
    """찍은 두 수가 같게 읽히면 참: 0.5% 안이거나 마지막 자리 하나 안(반올림만 갈린 것)."""
    last = 0.0 if "e" in one + two else 10.0 ** -max(len(text.partition(".")[2]) for text in (one, two))
    a, b = float(one), float(two)
    return abs(a - b) <= max(RELATIVE * max(abs(a), abs(b)), 1.0001 * last, 1e-9)


def _short(value):
    return float(f"{value:.6g}") if isinstance(value, float) else value


def close(one, two, raw: str = "") -> bool:
    """두 값이 같은 수로 읽히면 참: 0.5% 안이거나, 본문에 적는 마지막 자리의 절반 안.

    Parameters
    ----------
    raw : str
        ``식:형식``. 형식이 있으면 그 자릿수를 씁니다.
    """
    if isinstance(one, str) or isinstance(two, str) or one is None or two is None:
        return one == two
    shown = _DECIMALS.search(values.split(raw)[1]) if raw else None
    last = 10.0 ** -(int(shown[1]) + 2 * (shown[2] == "%")) if shown else 0.0
    return abs(one - two) <= max(RELATIVE * max(abs(one), abs(two)), 0.5 * last, 1e-9)


def recorded(docname: str) -> dict | None:
    """쪽의 기록. 없으면 None."""
    path = record_path(docname)
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None


def write(docname: str, found: dict) -> bool:
    """기록이 지금의 수와 다르면 다시 씁니다. 끝자리만 다르면 그대로 둡니다. 다시 썼으면 참."""
    known = recorded(docname)
    if known is not None and not changes(known, found) and _names(known) == _names(found):
        return False
    head = f"# {docname}이(가) 내놓는 수입니다. 손으로 고치지 말고 `make redraw`로 만들고, 바뀐 까닭을 풀 리퀘스트에 적으세요.\n"
    body = [
        yaml.safe_dump({kind: rows}, allow_unicode=True, sort_keys=False, width=10_000, default_flow_style=False if kind == "printed" else None)
        for kind, rows in found.items()
    ]  # fmt: skip
    write_atomically(record_path(docname), head + "".join(body))
    return True


def _names(record: dict) -> dict[str, list]:
    return {kind: list(found) for kind, found in record.items()}


def changes(known: dict, found: dict) -> list[tuple[str, str, object, object]]:
    """기록과 다른 수: (갈래, 이름, 기록의 값, 지금의 값). 새로 생긴 이름은 세지 않고, 사라진 이름은 지금의 값이 None입니다."""
    out = []
    for raw, before in known["prose"].items():
        now = found["prose"].get(raw)
        if now is not None and (
            len(now) != len(before) or not all(close(a, b, raw) for a, b in zip(before, now, strict=True))
        ):
            out.append(("prose", raw, before, now))
    for name, before in known["printed"].items():
        now = found["printed"].get(name)
        if now is not None and now != before:
            old, new = before.split(), now.split()
            if len(old) != len(new) or not all(map(same_print, old, new)):
                out.append(("printed", name, before, now))
    for kind in ("claims", "validations"):
        for name, before in known[kind].items():
            now = found[kind].get(name)
            if now is None or not all(close(before[field], now.get(field)) for field in before):
                out.append((kind, name, before, now))
    return out
