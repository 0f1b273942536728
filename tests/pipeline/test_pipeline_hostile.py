"""짓궂은 이름과 너무 큰 것: 줄을 나누는 글자, 따옴표, $, 끝나지 않는 SQL, 십만 열. 무엇도 추적을 남기거나 명세를 바꾸지 않습니다."""

import csv
import re
import time

import duckdb
import nbformat
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from causal_pipeline import analyze, command, figures, read_spec, reading, tables
from causal_pipeline.draft import draft
from causal_pipeline.errors import DataError
from causal_pipeline.model import Picture
from causal_pipeline.wording import one_line, quoted

BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
SPEC = """\
name: hostile
question: 효과가 얼마입니까?
data: {path: rows.csv}
treatment: {column: t, kind: binary, randomized: true}
outcome: {column: y}
estimand: ATE
seed: 1
"""


def rows(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    t = np.arange(n) % 2
    return pd.DataFrame({"t": t, "y": (t + rng.normal(size=n)).round(3)})


def drafted(folder, mark: str) -> str:
    """열 이름과 값에 ``mark``를 넣은 자료의 초안."""
    evil = f"{mark}seed: 7{mark}name: evil{mark}- x"
    rng = np.random.default_rng(0)
    columns = {
        f"user_id{evil}": np.arange(120),
        f"coupon{evil}": np.where(np.arange(120) % 2 == 0, f"A{evil}", f"B{evil}"),
        f"past{evil}": rng.normal(size=120).round(2),
        f"region{evil}": np.where(np.arange(120) % 3 == 0, f"서울{evil}", f"부산{evil}"),
        f"after{evil}": rng.normal(size=120).round(2),
        f"sales{evil}": rng.normal(size=120).round(2),
    }
    pd.DataFrame(columns).to_csv(folder / "rows.csv", index=False, quoting=csv.QUOTE_ALL)
    return draft(folder / "rows.csv", f"rows{mark}.csv")


def swapped(value, mark: str):
    """명세의 모든 글자에서 ``mark``를 #으로 바꾼 것."""
    if isinstance(value, dict):
        return {swapped(k, mark): swapped(v, mark) for k, v in value.items()}
    if isinstance(value, list):
        return [swapped(v, mark) for v in value]
    return re.sub("[#_]+", "#", value.replace(mark, "#")) if isinstance(value, str) else value


@pytest.mark.parametrize("mark", BREAKS, ids=[ascii(b) for b in BREAKS])
def test_a_break_in_a_name_or_a_value_adds_nothing_to_the_draft(tmp_path, mark):
    plain, text = yaml.safe_load(drafted(tmp_path, "_")), drafted(tmp_path, mark)
    made = yaml.safe_load(text)
    assert list(made) == list(plain) and made["seed"] == plain["seed"] and made["name"] == plain["name"]
    assert "_seed" in str(plain) and swapped(made, mark) == swapped(plain, "_")
    assert made["treatment"]["column"].startswith(f"coupon{mark}seed: 7") and made["data"]["path"] == f"rows{mark}.csv"
    assert not set("".join(BREAKS)) - {"\n"} & set(text)


@pytest.mark.parametrize("mark", ["\n", "\u2028", '"', "'", "`", "$", "{", "#"])
def test_the_draft_of_such_names_is_read_back(tmp_path, mark):
    text = drafted(tmp_path, mark).replace(f"rows{mark}.csv", "rows.csv").replace("TODO: ", "")
    text = re.sub(r"^  path: .*$", "  path: rows.csv", text, flags=re.MULTILINE)
    (tmp_path / "spec.yml").write_text(text, encoding="utf-8")
    table = tables.load(read_spec(tmp_path / "spec.yml"))
    assert len(table.frame) == 120 and any(name.startswith(f"coupon{mark}") for name in table.frame)


@pytest.mark.parametrize("value", [*BREAKS, "yes", "1", "2026-01-01", "a: b", "# x", "", " ", "가" * 20_000, "\u200b"])
def test_what_is_quoted_is_one_line_and_comes_back(value):
    for text in (value, f"a{value}b: c{value}"):
        line = quoted(text)
        assert not set("".join(BREAKS)) & set(line)
        assert yaml.safe_load(f"key: {line}\nnext: 1\n") == {"key": text, "next": 1}
        assert yaml.safe_load(f"# {one_line(text)}\nnext: 1\n") == {"next": 1}
        if len(text) < 128:  # 더 긴 이름은 YAML의 한 줄 묶음에서 열쇠가 되지 못합니다
            nested = {text: [text, 1, True, None, "a, b]"], "end": {"k": text}}
            assert yaml.safe_load(f"key: {quoted(nested)}") == {"key": nested}
            assert not set("".join(BREAKS)) & set(quoted(nested))


# --- 따옴표 ---


@pytest.mark.parametrize("table", ['or"der', "or'der", 'a"; DROP TABLE x; --', "두 말"])
def test_quotes_in_the_name_of_a_table(tmp_path, table):
    frame = rows()
    name = '"' + table.replace('"', '""') + '"'
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as con:
        con.register("seen", frame)
        con.execute(f"CREATE TABLE {name} AS SELECT * FROM seen")
        con.execute("CREATE TABLE x AS SELECT 1 AS a")
    spec = SPEC.replace("{path: rows.csv}", f"{{path: rows.duckdb, table: {quoted(table)}}}")
    (tmp_path / "spec.yml").write_text(spec, encoding="utf-8")
    analyze(tmp_path / "spec.yml", tmp_path / "report")
    cells = nbformat.read(tmp_path / "report" / "reproduce.ipynb", as_version=4).cells
    code = next(c.source for c in cells if c.cell_type == "code")
    space: dict = {}
    exec(code.replace('Path("../rows', f'Path("{tmp_path}/rows').replace("'../rows", f"'{tmp_path}/rows"), space)  # noqa: S102
    assert space["raw"].equals(frame)


def test_the_sql_of_the_remedy_knows_quotes_in_the_name_of_a_table(tmp_path):
    frame = rows().assign(y=lambda f: [f"{v:,}원" for v in range(1000, 1000 + len(f))])
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as con:
        con.register("seen", frame)
        con.execute('CREATE TABLE "or""der" AS SELECT * FROM seen')
    spec = SPEC.replace("{path: rows.csv}", "\n  path: rows.duckdb\n  table: 'or\"der'")
    (tmp_path / "spec.yml").write_text(spec, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        tables.load(read_spec(tmp_path / "spec.yml"))
    assert caught.value.code == "number_as_text"
    sql = re.search("`(sql: .*?)`", caught.value.remedy).group(1)
    (tmp_path / "spec.yml").write_text(spec.replace("table: 'or\"der'", sql), encoding="utf-8")
    assert tables.load(read_spec(tmp_path / "spec.yml")).frame["y"].tolist() == list(range(1000, 1120))


# --- 너무 큰 것 ---


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.t, a.y FROM data a, data b, data c, data d, data e, data f",
        "WITH RECURSIVE r(t, y) AS (SELECT 0, 0 UNION ALL SELECT 1 - t, y + 1 FROM r) SELECT * FROM r",
    ],
    ids=["조인", "되풀이"],
)
def test_an_sql_without_an_end_is_stopped(tmp_path, monkeypatch, capsys, sql):
    assert 60 <= reading.SQL_SECONDS <= 600
    monkeypatch.setattr(reading, "SQL_SECONDS", 0.5)
    rows(2000).to_csv(tmp_path / "rows.csv", index=False)
    spec = SPEC.replace("{path: rows.csv}", f"\n  path: rows.csv\n  sql: {quoted(sql)}")
    (tmp_path / "spec.yml").write_text(spec, encoding="utf-8")
    begun = time.monotonic()
    code = command.main(["analyze", str(tmp_path / "spec.yml"), "--out", str(tmp_path / "report"), "--quiet"])
    said = capsys.readouterr().err
    assert code == 3 and said.startswith("[sql_too_slow] 5번째 줄:") and "0초" in said, said
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_hundred_thousand_columns_are_refused_before_the_values_are_read(tmp_path, monkeypatch, capsys, kind):
    wide = [f"x{i}" for i in range(100_000 if kind == "csv" else reading.MAX_COLUMNS + 1)]
    path = tmp_path / f"rows.{kind}"
    if kind == "csv":
        path.write_text(",".join(wide) + "\n" + ",".join("1" * len(wide)) + "\n")
    else:
        pq.write_table(pa.table({name: [1] for name in wide}), path)
    (tmp_path / "spec.yml").write_text(SPEC.replace("rows.csv", path.name), encoding="utf-8")
    monkeypatch.setattr(pd, "read_csv", lambda *_, **__: pytest.fail("값을 읽었습니다"))
    for command_line in (
        ["analyze", str(tmp_path / "spec.yml"), "--out", str(tmp_path / "out")],
        ["analyze", "--init", str(path)],
    ):
        begun = time.monotonic()
        assert command.main([*command_line, "--quiet"]) == 3
        said = capsys.readouterr().err
        assert said.startswith("[too_many_columns]") and f"{len(wide):,}개" in said and "뒤바뀐" in said
        assert time.monotonic() - begun < 3
    assert not (tmp_path / "out").exists() and not (tmp_path / "rows.yml").exists()


# --- 그림의 글자 ---


@pytest.mark.parametrize("word", ["$", "$x^$", "값 $10 ~ $20_", r"\$ \frac{", "$$", "a\nb", "{x}"])
def test_a_label_is_drawn_as_it_is_written(word):
    """달러 기호가 든 이름을 수식으로 읽으면 그리다 멈추거나 다른 글자가 됩니다."""
    one = {
        "labels": [word, "b"],
        "values": [1.0, 2.0],
        "lows": [0.0, 1.0],
        "highs": [2.0, 3.0],
        "unit": word,
        "primary": 0,
    }
    pictures = [
        Picture("forest", word, word, one),
        Picture("balance", word, word, {"labels": [word, "b"], "before": [0.2, 0.1], "after": [0.1, 0.0], "threshold": 0.1}),
        Picture("event_study", word, word, {"times": [-1, 0], "values": [0.0, 1.0], "lows": [0.0, 0.5], "highs": [0.1, 1.5], "unit": word}),
        Picture("dose", word, word, {"dose": [0.0, 1.0], "lows": [0.0, 0.5], "highs": [1.0, 2.0], "values": [0.5, 1.0], "x_label": word, "y_label": word}),
    ]  # fmt: skip
    assert all(figures.draw(picture).startswith("data:image/svg+xml;base64,") for picture in pictures)
