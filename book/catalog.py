"""데이터를 생성기에서 만들고, 저장된 파일이 생성기와 같은지 확인합니다.

python -m book.catalog write [이름 …]    # data/<이름>.csv를 다시 만들고 카드의 행 수와 지문을 고칩니다
python -m book.catalog verify [이름 …]   # 다시 만들어 한 바이트까지 같은지 봅니다
"""

import argparse
import hashlib
import io
import re
import sys
import traceback

import pandas as pd
import yaml

from book.page import ROOT, PageError
from book.yaml_text import read_kept
from causal_practice import generator

DATA = ROOT / "data"
CATALOG = DATA / "catalog.yml"
ROLES = {
    "id", "time", "treatment", "outcome", "covariate", "negative_control", "instrument",
    "running", "mediator", "collider", "weight", "truth",
}  # fmt: skip
# 열의 이름이 단위로 끝나면 카드의 단위도 그것으로 시작합니다
UNIT_OF_NAME = {
    "krw": "원", "usd": "달러", "km": "km", "kg": "kg", "seconds": "초", "minutes": "분", "min": "분", "hours": "시간",
    "day": "일", "days": "일", "weeks": "주", "months": "개월", "years": "년", "pct": "%",
}  # fmt: skip
_ENTRY = re.compile(r"^([a-z][a-z0-9_]*):\s*$", re.MULTILINE)


def read_catalog() -> dict:
    """데이터 카드 전체. 파일이 없으면 빈 사전. 파일이 그대로이면 읽어 둔 것이므로 고치지 않습니다."""
    return (read_kept(CATALOG) or {}) if CATALOG.exists() else {}


def to_csv(frame: pd.DataFrame) -> bytes:
    """표를 기계마다 같은 바이트의 CSV로 바꿉니다(소수 6자리, LF)."""
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False, float_format="%.6g", lineterminator="\n")
    return buffer.getvalue().encode("utf-8")


def rewrite(name: str) -> str:
    """데이터를 다시 쓰는 명령."""
    return f"`make data NAME={name}`"


def make(name: str, **changes) -> pd.DataFrame:
    """생성기의 기본값으로(``changes``는 덮어씁니다) 표를 만듭니다.

    Raises
    ------
    PageError
        생성기가 없거나 ``generate``/``DEFAULTS``가 없거나 만들다 멈췄을 때. 파일, 줄, 고칠 것이 적혀 있습니다.
    """
    file = f"data/generators/{name}.py"
    try:
        module = generator(name)
        for needed in ("generate", "DEFAULTS"):
            if not hasattr(module, needed):
                raise PageError(f"{file}:1: {needed}가 없습니다 — data/generators/template_case.py를 본떠 만드세요.")
        return module.generate(**module.DEFAULTS | changes)
    except FileNotFoundError:
        raise PageError(
            f"{file}:1: 생성기가 없습니다 — 데이터를 만드는 generate(seed, n, …)를 이 파일에 쓰세요."
        ) from None
    except PageError:
        raise
    except SyntaxError as error:
        raise PageError(
            f"{file}:{error.lineno or 1}: 파이썬으로 읽지 못했습니다({error.msg}) — 괄호와 들여쓰기를 보세요."
        ) from None
    except Exception as error:  # 기여자의 생성기라 무엇이든 날 수 있습니다
        where = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(file)]
        what = f"{type(error).__name__}: {error}"
        raise PageError(
            f"{file}:{where[-1] if where else 1}: 생성기가 멈췄습니다({what}) — 이 줄의 계산을 고치세요."
        ) from None


def regenerate(name: str) -> bytes:
    """생성기의 기본값으로 데이터를 새로 만들어 CSV 바이트를 돌려줍니다.

    Raises
    ------
    PageError
        :func:`make`와 같은 때.
    """
    return to_csv(make(name))


def problems(name: str) -> list[str]:
    """데이터 하나의 문제를 ``파일:줄: 무엇이 — 고치는 법`` 꼴로 모읍니다. 비어 있으면 합격입니다."""
    info, line = read_catalog().get(name), card_line(name)
    if info is None:
        return [f"data/catalog.yml:1: '{name}' 카드가 없습니다 — template_case 카드를 베껴 이름과 열을 고치세요."]
    where, found = f"data/catalog.yml:{line}: {name}", []
    for field in ("title", "description", "source_page", "columns", "truth"):
        if field not in info:
            found.append(f"{where}: '{field}' 항목이 없습니다 — template_case 카드처럼 적으세요.")
    try:
        content = regenerate(name)
    except PageError as error:
        return [*found, str(error)]
    path = DATA / f"{name}.csv"
    written = {"rows": content.count(b"\n") - 1, "sha256": hashlib.sha256(content).hexdigest()}
    stale = [key for key, value in written.items() if info.get(key) != value] + ["seed"] * ("seed" not in info)
    if not path.is_file():
        found.append(f"data/{name}.csv:1: 파일이 없습니다 — {rewrite(name)}를 실행하세요.")
    elif path.read_bytes() != content:
        found.append(f"data/{name}.csv:1: 생성기가 만든 것과 다릅니다 — {rewrite(name)}를 실행하세요.")
    if stale:
        found.append(
            f"{where}: {', '.join(stale)}이(가) 없거나 다릅니다 — 손으로 고치지 말고 {rewrite(name)}를 실행하세요."
        )
    frame, columns = pd.read_csv(io.BytesIO(content)), info.get("columns")
    columns = columns if isinstance(columns, dict) else {}
    for column in frame.columns:
        if column not in columns:
            key = "range: [최솟값, 최댓값]" if pd.api.types.is_numeric_dtype(frame[column]) else "values: [값, …]"
            hint = f"{column}: {{label: …, role: …, unit: …, timing: …, {key}, description: …}}"
            found.append(
                f"{where}: '{column}' 열의 설명이 없습니다 — columns에 '{hint}'를 더하세요(지금 자료는 {_suggested(frame[column])})."
            )
    for column, detail in columns.items():
        at = f"data/catalog.yml:{column_line(name, column)}: {name}"
        if column not in frame.columns:
            found.append(f"{at}: '{column}' 열이 데이터에 없습니다 — 카드에서 지우거나 생성기에 더하세요.")
        elif not isinstance(detail, dict) or detail.get("role") not in ROLES:
            role = detail.get("role") if isinstance(detail, dict) else None
            found.append(
                f"{at}: '{column}' 열의 role '{role}'을 모릅니다 — {', '.join(sorted(ROLES))} 가운데 하나를 적으세요."
            )
        elif missing := [key for key in ("label", "unit", "timing", "description") if key not in detail]:
            found.append(f"{at}: '{column}' 열에 {', '.join(missing)}이(가) 없습니다 — 빠진 것을 적으세요.")
        else:
            found += [f"{at}: {problem}" for problem in meaning_problems(column, detail)]
            found += range_problems(name, column, detail, frame[column], f"data/{name}.csv")
    return found


def meaning_problems(column: str, detail: dict) -> list[str]:
    """카드가 말하는 열의 뜻에서 서로 어긋나는 것: 처치 뒤의 공변량, 이름과 다른 단위."""
    found = []
    if detail["role"] == "covariate" and detail["timing"] == "처치 후":
        found.append(
            f"'{column}' 열은 처치 뒤의 값인데 role이 covariate입니다 — 보정하면 편향이 생길 수 있습니다. mediator나 collider로 고치거나, "
            "처치와 상관없이 때마다 재는 값이면 timing을 '날마다'나 '주마다'로 적으세요."
        )
    wanted = UNIT_OF_NAME.get(column.rpartition("_")[2], "")
    if "_" in column and not str(detail["unit"]).startswith(wanted):
        found.append(f"'{column}' 열의 이름은 {wanted}인데 unit은 '{detail['unit']}'입니다 — 하나로 맞추세요.")
    return found


def range_problems(name: str, column: str, detail: dict, values: pd.Series, made_by: str) -> list[str]:
    """열의 값이 카드에 적은 범위 안에 있는지. 수는 ``range: [최솟값, 최댓값]``, 글자는 ``values: [값, …]``입니다.

    Parameters
    ----------
    made_by : str
        알림에 적을 표의 이름(어느 씨앗의 표인지).
    """
    at, values = f"data/catalog.yml:{column_line(name, column)}: {name}", values.dropna()
    if not pd.api.types.is_numeric_dtype(values):
        allowed = detail.get("values")
        if not isinstance(allowed, list) or not allowed:
            return [
                f"{at}: '{column}' 열에 values가 없습니다 — {_suggested(values)}처럼 있을 수 있는 값을 모두 적으세요."
            ]
        if strange := sorted(set(map(str, values)) - set(map(str, allowed))):
            return [
                f"{at}: {made_by}의 '{column}' 열에 values에 없는 {strange[:3]}이(가) 있습니다 — 생성기나 카드를 고치세요."
            ]
        return []
    limits = detail.get("range")
    if not (
        isinstance(limits, list)
        and len(limits) == 2
        and all(type(v) in (int, float) for v in limits)
        and limits[0] < limits[1]
    ):
        return [
            f"{at}: '{column}' 열에 range가 없거나 [최솟값, 최댓값] 꼴이 아닙니다 — 본 값이 아니라 **뜻으로 있을 수 있는** 범위를 적으세요(금액은 0부터). 지금 자료는 {_suggested(values)}입니다."
        ]
    outside = values[(values < limits[0]) | (values > limits[1])]
    if len(outside):
        worst = outside.loc[(outside - sum(limits) / 2).abs().idxmax()]
        return [
            f"{at}: {made_by}의 '{column}' 열에 범위 {limits} 밖의 값 {worst:g}이(가) 있습니다({len(outside)}행) — 있을 수 없는 값이면 생성기를, 있을 수 있으면 카드의 range를 고치세요."
        ]
    return []


def _suggested(values: pd.Series) -> str:
    """카드에 적을 꼴로 보인 지금 자료의 범위."""
    values = values.dropna()
    if pd.api.types.is_numeric_dtype(values):
        return f"range: [{values.min():g}, {values.max():g}]"
    return f"values: [{', '.join(sorted(set(map(str, values)))[:8])}]"


def column_line(name: str, column: str) -> int:
    """카드에서 열이 적힌 줄 번호. 없으면 카드의 첫 줄."""
    start = card_line(name)
    for number, text in enumerate(CATALOG.read_text(encoding="utf-8").splitlines()[start:], start + 1):
        if text and not text[0].isspace() and text[0] != "#":
            break
        if re.match(rf"\s+{re.escape(str(column))}:", text):
            return number
    return start


def card_line(name: str) -> int:
    """카드가 시작되는 줄 번호."""
    text = CATALOG.read_text(encoding="utf-8") if CATALOG.exists() else ""
    return next((text.count("\n", 0, m.start()) + 1 for m in _ENTRY.finditer(text) if m.group(1) == name), 1)


def write(name: str) -> None:
    """데이터 파일을 다시 만들고 카드의 ``rows``, ``seed``, ``sha256``만 고칩니다(주석과 순서는 그대로).

    Raises
    ------
    PageError
        카드나 생성기가 없을 때.
    """
    if name not in read_catalog():
        raise PageError(f"data/catalog.yml:1: '{name}' 카드가 없습니다 — 카드부터 적어 주세요.")
    content = regenerate(name)
    (DATA / f"{name}.csv").write_bytes(content)
    rows = content.count(b"\n") - 1
    values = {"rows": rows, "seed": generator(name).DEFAULTS.get("seed"), "sha256": hashlib.sha256(content).hexdigest()}
    lines = CATALOG.read_text(encoding="utf-8").splitlines()
    start = card_line(name) - 1
    end = next(
        (i for i in range(start + 1, len(lines)) if lines[i] and not lines[i][0].isspace() and lines[i][0] != "#"),
        len(lines),
    )
    block = [line for line in lines[start:end] if not re.match(r"  (rows|seed|sha256):", line)]
    while block and not block[-1].strip():
        block.pop()
    block += [f"  {key}: {value}" for key, value in values.items()] + [""]
    CATALOG.write_text("\n".join(lines[:start] + block + lines[end:]).rstrip("\n") + "\n", encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """고칠 것이 있으면 알리고 1을 돌려줍니다."""
    parser = argparse.ArgumentParser(description="데이터를 생성기에서 만들거나 확인합니다.")
    parser.add_argument("action", choices=["write", "verify"])
    parser.add_argument("names", nargs="*", help="비우면 카드에 있는 모든 데이터")
    args = parser.parse_args(argv)
    try:
        known = read_catalog()
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        print(f"data/catalog.yml:{line}: YAML로 읽지 못했습니다 — 콜론 뒤 빈칸과 괄호를 확인하세요.", file=sys.stderr)
        return 1
    if "" in args.names:
        print(
            f"데이터의 이름을 적어 주세요: make data NAME=template_case\n있는 데이터: {', '.join(sorted(known))}",
            file=sys.stderr,
        )
        return 1
    failures = []
    for name in args.names or sorted(known):
        if args.action == "write":
            try:
                write(name)
            except PageError as error:
                failures.append(str(error))
                continue
        failures += (found := problems(name))
        done = f"data/{name}.csv와 카드를 다시 썼습니다" if args.action == "write" else "생성기와 같습니다"
        print(f"{name}: {'고칠 것 ' + str(len(found)) + '건' if found else done}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
