"""데이터를 생성기에서 만들고, 저장된 파일이 생성기와 같은지 확인합니다.

python -m book.catalog write [이름 …]    # data/<이름>.csv를 다시 만들고 카드의 행 수와 지문을 고칩니다
python -m book.catalog verify [이름 …]   # 다시 만들어 한 바이트까지 같은지 봅니다
"""

import argparse
import hashlib
import io
import re
import sys

import pandas as pd
import yaml

from book.page import ROOT, PageError
from causal_practice import generator

DATA = ROOT / "data"
CATALOG = DATA / "catalog.yml"
ROLES = {
    "id", "time", "treatment", "outcome", "covariate", "negative_control", "instrument",
    "running", "mediator", "collider", "weight", "truth",
}  # fmt: skip
_ENTRY = re.compile(r"^([a-z][a-z0-9_]*):\s*$", re.MULTILINE)


def read_catalog() -> dict:
    """데이터 카드 전체. 파일이 없으면 빈 사전."""
    return (yaml.safe_load(CATALOG.read_text(encoding="utf-8")) or {}) if CATALOG.exists() else {}


def to_csv(frame: pd.DataFrame) -> bytes:
    """표를 기계마다 같은 바이트의 CSV로 바꿉니다(소수 6자리, LF)."""
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False, float_format="%.6g", lineterminator="\n")
    return buffer.getvalue().encode("utf-8")


def regenerate(name: str) -> bytes:
    """생성기의 기본값으로 데이터를 새로 만들어 CSV 바이트를 돌려줍니다.

    Raises
    ------
    PageError
        생성기가 없거나 ``generate``/``DEFAULTS``가 없거나, 열이 카드와 다를 때.
    """
    try:
        module = generator(name)
    except FileNotFoundError as error:
        raise PageError(f"data/generators/{name}.py: {error}") from None
    for needed in ("generate", "DEFAULTS"):
        if not hasattr(module, needed):
            raise PageError(
                f"data/generators/{name}.py: {needed}가 없습니다. case_studies/template의 생성기를 본뜨세요."
            )
    return to_csv(module.generate(**module.DEFAULTS))


def problems(name: str) -> list[str]:
    """데이터 하나의 문제를 모읍니다. 비어 있으면 합격입니다."""
    found = []
    info = read_catalog().get(name)
    if info is None:
        return [f"data/catalog.yml: '{name}' 카드가 없습니다."]
    where = f"data/catalog.yml:{card_line(name)}: {name}"
    for field in ("title", "description", "source_page", "rows", "columns", "truth", "seed", "sha256"):
        if field not in info:
            found.append(f"{where}: '{field}' 항목이 없습니다.")
    try:
        content = regenerate(name)
    except PageError as error:
        return [*found, str(error)]
    except Exception as error:  # 기여자의 생성기가 낸 오류를 한 줄로 보여 줍니다.
        return [*found, f"data/generators/{name}.py: 생성기가 멈췄습니다. {type(error).__name__}: {error}"]
    path = DATA / f"{name}.csv"
    if not path.is_file():
        found.append(f"data/{name}.csv: 파일이 없습니다. `python -m book.catalog write {name}`을 실행하세요.")
    elif path.read_bytes() != content:
        found.append(
            f"data/{name}.csv: 생성기가 만든 것과 다릅니다. `python -m book.catalog write {name}`을 실행하세요."
        )
    if info.get("sha256") != hashlib.sha256(content).hexdigest():
        found.append(f"{where}: sha256이 다릅니다. `python -m book.catalog write {name}`을 실행하세요.")
    frame = pd.read_csv(io.BytesIO(content))
    if info.get("rows") != len(frame):
        found.append(f"{where}: rows가 {info.get('rows')}인데 실제는 {len(frame)}행입니다.")
    columns = info.get("columns") or {}
    for column in frame.columns:
        if column not in columns:
            found.append(f"{where}: '{column}' 열의 설명이 없습니다.")
    for column, detail in columns.items():
        if column not in frame.columns:
            found.append(f"{where}: '{column}' 열이 데이터에 없습니다.")
        elif detail.get("role") not in ROLES:
            found.append(
                f"{where}: '{column}' 열의 role '{detail.get('role')}'을 모릅니다. 쓸 수 있는 것: {', '.join(sorted(ROLES))}."
            )
        elif missing := [key for key in ("label", "unit", "timing", "description") if key not in detail]:
            found.append(f"{where}: '{column}' 열에 {', '.join(missing)}이(가) 없습니다.")
    return found


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
        raise PageError(f"data/catalog.yml: '{name}' 카드가 없습니다. 카드부터 적어 주세요.")
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
    parser = argparse.ArgumentParser(description="데이터를 생성기에서 만들거나 확인합니다.")
    parser.add_argument("action", choices=["write", "verify"])
    parser.add_argument("names", nargs="*", help="비우면 카드에 있는 모든 데이터")
    args = parser.parse_args(argv)
    failures = []
    for name in args.names or sorted(read_catalog()):
        if args.action == "write":
            try:
                write(name)
            except PageError as error:
                failures.append(str(error))
                continue
        failures += (found := problems(name))
        print(f"{name}: {'문제 ' + str(len(found)) + '건' if found else '생성기와 같습니다'}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
