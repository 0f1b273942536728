"""재현 노트북. 파이프라인을 부르지 않고 pandas와 추정 라이브러리만으로 같은 수를 다시 냅니다."""

import os
from pathlib import Path

from causal_pipeline import weighting
from causal_pipeline.memo import headline
from causal_pipeline.model import Analysis, Spec
from causal_pipeline.place import source_path
from causal_pipeline.reading import CSV_OPTIONS
from causal_pipeline.shown import matched_levels, plain_columns, plain_ids, plain_values, same_level, source
from causal_pipeline.wording import one_query, sql_name

TOLERANCE = 1e-6


def notebook(analysis: Analysis, folder: Path) -> bytes:
    """노트북 파일(.ipynb)의 바이트. ``folder``는 보고서가 놓일 자리이고, 자료는 거기서 본 상대 경로로 읽습니다."""
    import nbformat

    cells = [
        nbformat.v4.new_markdown_cell(_intro(analysis)),
        nbformat.v4.new_code_cell(reading_cell(analysis.spec, folder)),
        nbformat.v4.new_markdown_cell("## 자료를 분석에 쓰는 꼴로\n\n" + " ".join(analysis.notices)),
        nbformat.v4.new_code_cell(encoding_cell(analysis.spec)),
    ]
    for step in analysis.steps:
        cells += [nbformat.v4.new_markdown_cell(step.text), nbformat.v4.new_code_cell(step.code)]
    cells += [nbformat.v4.new_markdown_cell("## 보고서의 수와 견주기"), nbformat.v4.new_code_cell(_COMPARE)]
    for i, cell in enumerate(cells):
        cell["id"] = f"cell-{i:02d}"
    kernel = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=kernel)).encode() + b"\n"


def _intro(analysis: Analysis) -> str:
    listed = "\n".join(f"- {name} {version}" for name, version in analysis.versions.items() if name != "data_sha256")
    return (
        f"# {analysis.spec.question}\n\n{headline(analysis)}\n\n"
        f"보고서(`report.html`)의 수를 라이브러리만으로 다시 냅니다. 이 노트북이 놓인 폴더에서 여세요. 씨앗은 {analysis.spec.seed}입니다.\n\n"
        f"<details><summary>만들 때의 판</summary>\n\n{listed}\n\n</details>"
    )


def reading_cell(spec: Spec, folder: Path) -> str:
    """자료를 읽는 셀의 코드. 경로는 ``folder``에서 본 상대 경로입니다."""
    lines = [
        "import json",
        "import os",
        "from pathlib import Path",
        "",
        'os.environ.setdefault("OMP_NUM_THREADS", "1")',
        "",
        "import numpy as np",
        "import pandas as pd",
        "",
    ]
    columns = sorted(spec.columns())
    if spec.source.path is None:
        lines += ["# 파일이 아니라 표를 받아 분석했습니다. 그 표를 raw에 넣으세요.", 'raw = pd.read_csv("자료.csv")']
        return "\n".join(lines)
    relative = Path(os.path.relpath(source_path(spec), folder.resolve())).as_posix()
    lines += [f"DATA = Path({relative!r})  # 이 노트북의 폴더에서 본 자리", f"columns = {columns!r}"]
    kind = Path(spec.source.path).suffix.lower()
    if spec.source.sql or kind in {".duckdb", ".db"}:
        query = one_query(spec.source.sql) if spec.source.sql else f"SELECT * FROM {sql_name(spec.source.table)}"
        lines += ["", "import duckdb", ""]
        if kind in {".duckdb", ".db"}:
            lines += ["con = duckdb.connect(str(DATA), read_only=True)", 'con.execute("SET threads = 1")']
        else:
            if kind == ".xlsx":
                lines.append(f"table = {_sheet(spec)}")
            reader = (
                "con.from_df(table)"
                if kind == ".xlsx"
                else f"con.read_csv(str(DATA), {_csv_options()})"
                if kind == ".csv"
                else "con.from_parquet(str(DATA))"
            )
            lines += ["con = duckdb.connect()", 'con.execute("SET threads = 1")', f'{reader}.to_table("data")']
        lines += [f"raw = con.sql({query!r}).df()", "raw = raw[[c for c in raw.columns if c in columns]]"]
    elif kind == ".xlsx":
        lines += [f"raw = {_sheet(spec)}", "raw = raw[[c for c in raw.columns if c in columns]]"]
    elif kind == ".parquet":
        lines += [
            "import pyarrow.parquet as pq",
            "",
            "raw = pq.read_table(DATA, columns=columns).to_pandas(ignore_metadata=True)",
        ]
    else:
        numbered = spec.identifiers()
        ids = f", dtype={dict.fromkeys(numbered, 'str')!r}" if numbered else ""
        lines += [
            f'raw = pd.read_csv(DATA, encoding="utf-8-sig", usecols=columns, low_memory=False, keep_default_na=False, na_values=[""]{ids})'
        ]
        if numbered:
            lines += ["", source(plain_ids), f"for name in {numbered!r}:", "    raw[name] = plain_ids(raw[name])"]
    if spec.source.sample:
        lines += [
            f"chosen = np.sort(np.random.default_rng({spec.seed}).choice(len(raw), {spec.source.sample}, replace=False))",
            "raw = raw.iloc[chosen].reset_index(drop=True)",
        ]
    lines += ["raw.head()"]
    return "\n".join(lines)


def _csv_options() -> str:
    return ", ".join(f"{name}={value!r}" for name, value in CSV_OPTIONS.items())


def _sheet(spec: Spec) -> str:
    return f'pd.read_excel(DATA, sheet_name={spec.source.table or 0!r}, keep_default_na=False, na_values=[""]).dropna(how="all").reset_index(drop=True)'


def encoding_cell(spec: Spec) -> str:
    """읽은 표를 추정에 쓰는 수로 바꾸는 셀의 코드."""
    t, y = spec.treatment, spec.outcome.column
    blank, arms = list(spec.source.blank), list(spec.treatment.words())
    lines = [
        source(same_level, plain_values, plain_columns),
        f"frame = plain_columns({', '.join(['raw', *([repr(blank)] if blank or arms else []), *([repr({t.column: arms})] if arms else [])])})",
    ]
    if spec.source.missing != "refuse":
        keep = [column for owned in spec.fields for column in owned.may_be_empty()]
        if t.randomized and not spec.repeats_units:
            keep.append(y)
        if spec.source.missing == "flag":
            keep += [
                c for c in spec.covariates() if c not in spec.negative_outcomes and c not in spec.negative_treatments
            ]
        lines += [
            f"may_be_empty = {sorted(keep)!r}",
            "frame = frame.dropna(subset=[c for c in frame.columns if c not in may_be_empty]).reset_index(drop=True)",
        ]
    lines += weighting.encoding_code(spec)
    lines += [f'frame[{y!r}] = frame[{y!r}].astype("float64")']
    if t.kind == "binary":
        lines += [_binary(t.column, t.treated)]
    elif t.kind == "multi":
        lines += [
            source(matched_levels),
            f"frame[{t.column!r}] = matched_levels(frame[{t.column!r}], {[t.control, t.treated]!r})",
        ]
    elif t.kind == "continuous":
        lines += [f'frame[{t.column!r}] = frame[{t.column!r}].astype("float64")']
    if t.cluster and t.cluster in spec.adjusted_names():
        lines += [
            f"text = frame[{t.cluster!r}].astype(str).str.strip()",
            f"frame[{t.cluster!r}] = text.astype(pd.CategoricalDtype(sorted(text.unique())))",
        ]
    elif t.cluster:
        lines += [f'frame[{t.cluster!r}] = pd.factorize(frame[{t.cluster!r}], sort=True)[0].astype("int64")']
    for owned in spec.fields:
        lines += owned.encoding_code(spec)
    others = spec.covariates()
    if named := [c for c in spec.categories if c in others and c != t.cluster]:
        lines += [
            f"for column in {named!r}:",
            "    text = frame[column].dropna().astype(str).str.strip()",
            "    frame[column] = text.reindex(frame.index).astype(pd.CategoricalDtype(sorted(text.unique())))",
        ]
    if others:
        lines += [
            f"for column in {others!r}:",
            '    if frame[column].dtype.kind == "b":',
            '        frame[column] = frame[column].astype("int64")',
            '    elif frame[column].dtype.kind not in "iuf" and not isinstance(frame[column].dtype, pd.CategoricalDtype):',
            "        text = frame[column].dropna().astype(str).str.strip()",
            "        frame[column] = text.reindex(frame.index).astype(pd.CategoricalDtype(sorted(text.unique())))",
        ]
    lines += ['print(f"{len(frame):,}행")']
    return "\n".join(lines)


def _binary(column: str, treated: object) -> str:
    if isinstance(treated, bool):
        words = ["True", "true", "1", "1.0"] if treated else ["False", "false", "0", "0.0"]
        return f'frame[{column!r}] = frame[{column!r}].astype(str).str.strip().isin({words!r}).astype("int64")'
    if isinstance(treated, str):
        return f'frame[{column!r}] = (frame[{column!r}].astype(str).str.strip() == {treated!r}).astype("int64")'
    return f'frame[{column!r}] = (pd.to_numeric(frame[{column!r}]) == {treated!r}).astype("int64")'


_COMPARE = f"""report = json.loads(Path("report.json").read_text(encoding="utf-8"))
known = {{e["method"]: e for e in report["estimates"]}}
rows = []
for method, numbers in reproduced.items():
    for key, value in numbers.items():
        expected = known[method][key]
        same = bool(np.isclose(value, expected, rtol={TOLERANCE}, atol=1e-9))
        rows.append({{"방법": method, "수": key, "노트북": value, "보고서": expected, "같음": same}})
comparison = pd.DataFrame(rows)
primary = next(e["method"] for e in report["estimates"] if e["primary"])
assert primary in reproduced, "결론에 쓰는 추정이 노트북에 없습니다."
assert comparison["같음"].all(), comparison[~comparison["같음"]]
comparison"""
