"""명세가 든 폴더: 하나가 멈춰도 나머지는 돌고, 끝난 것은 다시 하지 않으며, 여러 번 본 것을 셈합니다."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from lxml import html as lxml_html
from statsmodels.stats.multitest import multipletests

from book.page import ROOT
from causal_pipeline import command, many
from causal_pipeline.errors import DataError, OutputError, SpecError
from causal_pipeline.many import Row

SPEC = """\
name: {name}
question: {name}의 효과가 얼마입니까?
data: {{path: rows.csv}}
treatment: {{column: t, kind: binary, randomized: true}}
outcome: {{column: {outcome}, unit: 회}}
estimand: ATE
seed: 1
"""


@pytest.fixture
def folder(tmp_path):
    """효과가 있는 명세, 돈을 적은 명세, 효과가 없는 명세, 열을 틀린 명세."""
    desk = tmp_path / "specs"
    desk.mkdir()
    rng = np.random.default_rng(0)
    t = np.arange(200) % 2
    frame = pd.DataFrame({"t": t, "real": 2 * t + rng.normal(size=200), "none": rng.normal(size=200)})
    frame.to_csv(desk / "rows.csv", index=False)
    for name, outcome, more in [
        ("a_none", "none", ""),
        ("b_real", "real", ""),
        ("c_money", "real", "money: {value_per_outcome: 100, cost_per_treatment: 50}\n"),
        ("d_wrong", "reel", ""),
    ]:
        (desk / f"{name}.yml").write_text(SPEC.format(name=name, outcome=outcome) + more, encoding="utf-8")
    return desk


def test_a_folder_is_run_and_gathered(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert command.main(["analyze", "--specs", str(folder), "--out", str(out), "--quiet", "--workers", "2"]) == 0
    said = capsys.readouterr()
    assert "3개에서 추정이 나왔고" in said.out and "d_wrong.yml [column_unknown]" in said.err
    stored = json.loads((out / many.ROWS).read_text(encoding="utf-8"))
    assert [row["file"] for row in stored["rows"]] == ["c_money.yml", "b_real.yml", "a_none.yml", "d_wrong.yml"]
    money, real = stored["rows"][:2]
    assert money["gain"] == pytest.approx(100 * money["value"] - 50) and real["gain"] is None
    page = lxml_html.fromstring((out / many.INDEX).read_text(encoding="utf-8"))
    links = page.xpath("//table//a/@href")
    assert len(links) == 3 and all((out / link).is_file() for link in links)
    marks = [row.xpath("./td")[5].text_content() for row in page.xpath("(//table)[1]/tbody/tr")]
    assert marks == ["남음", "남음", "우연일 수 있음"]
    assert "column_unknown" in page.xpath("(//table)[2]")[0].text_content()
    assert not page.xpath("//script | //link | //img")


def test_what_is_finished_is_not_run_again(folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first = many.analyze_many(folder, out, workers=1)
    from causal_pipeline import run

    calls = []
    real = run.analyze
    monkeypatch.setattr(run, "analyze", lambda spec, **k: calls.append(spec.name) or real(spec, **k))
    assert many.analyze_many(folder, out, workers=1) == first and calls == ["d_wrong"]
    path = folder / "b_real.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("seed: 1", "seed: 2"), encoding="utf-8")
    (out / "a_none" / "row.json").write_text("{", encoding="utf-8")  # 반쪽 파일이면 다시 합니다
    many.analyze_many(folder, out, workers=1)
    assert calls == ["d_wrong", "a_none", "b_real", "d_wrong"]
    many.analyze_many(folder, out, workers=1, force=True)
    assert len(calls) == 8


def test_one_that_breaks_does_not_stop_the_others(folder, tmp_path, monkeypatch):
    from causal_pipeline import run

    real = run.analyze

    def broken(spec, **k):
        if spec.name == "b_real":
            raise RuntimeError("boom")
        return real(spec, **k)

    monkeypatch.setattr(run, "analyze", broken)
    rows = many.analyze_many(folder, tmp_path / "out", workers=1)
    assert [row.code for row in rows] == ["", "", "unexpected", "column_unknown"]


def test_an_interrupted_run_goes_on(folder, tmp_path, monkeypatch):
    from causal_pipeline import run

    real, seen = run.analyze, []

    def stop_at_third(spec, **k):
        seen.append(spec.name)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(spec, **k)

    monkeypatch.setattr(run, "analyze", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        many.analyze_many(folder, tmp_path / "out", workers=1)
    many.analyze_many(folder, tmp_path / "out", workers=1)
    assert seen == ["a_none", "b_real", "c_money", "c_money", "d_wrong"]


def test_told_to_stop_it_stops_with_its_processes(folder, tmp_path):
    """멈추라는 신호에 자식까지 거두고, 다시 하면 이어서 끝납니다."""
    out = tmp_path / "out"
    line = [
        sys.executable,
        "-m",
        "causal_pipeline",
        "analyze",
        "--specs",
        str(folder),
        "--out",
        str(out),
        "--quiet",
        "--workers",
        "2",
    ]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    started = subprocess.Popen(line, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while not list(out.glob("*/.stages/*")) and time.monotonic() < end:
        time.sleep(0.05)
    started.send_signal(signal.SIGTERM)
    said = started.communicate(timeout=20)[1]  # 자식이 남아 있으면 표준 오류가 닫히지 않습니다
    assert (
        started.returncode == 128 + signal.SIGTERM and "이어집니다" in said and not re.search("Traceback|leaked", said)
    )
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "3개에서 추정이 나왔고" in done.stdout


def row(p, grade="A", **more) -> Row:
    return Row(f"{p}{grade}{more}.yml", grade=grade, value=1.0, low=0.0, high=2.0, p=p, **more)


def test_the_corrections_are_the_known_ones():
    p = np.random.default_rng(0).uniform(size=40) ** 3
    rows = [row(float(v)) for v in p]
    seen = many.family(rows)
    for name, method in (("holm", "holm"), ("bh", "fdr_bh")):
        assert [seen[name][r.file] for r in rows] == pytest.approx(multipletests(p, method=method)[1])
    assert seen["small"] == (p < 0.05).sum() and seen["expected"] == 2.0


def test_when_nothing_works_the_page_says_that_it_is_chance():
    small = []
    for seed in range(200):
        p = np.random.default_rng(seed).uniform(size=100)
        seen = many.family([row(float(v)) for v in p])
        small.append((seen["chance"] < 0.05, sum(v < 0.05 for v in seen["holm"].values()) > 0))
    assert np.mean(small, axis=0) == pytest.approx([0.05, 0.05], abs=0.04)


def test_the_order_is_that_of_the_decision():
    rows = [
        row(0.5),
        row(0.01),
        row(1e-9, "C"),
        row(0.3, gain_low=-5.0),
        row(0.2, gain_low=7.0),
        Row("z.yml", code="x"),
    ]
    assert [many.ranked(rows).index(r) for r in rows] == [3, 2, 4, 1, 0, 5]


@pytest.mark.parametrize("case", ["missing", "empty", "same", "twice"])
def test_bad_folders_are_told(folder, tmp_path, case):
    empty = tmp_path / "empty"
    empty.mkdir()
    (folder / "b_real.yaml").write_text("name: b", encoding="utf-8")
    given = {
        "missing": (tmp_path / "no", "out"),
        "empty": (empty, "out"),
        "same": (folder, folder),
        "twice": (folder, "out"),
    }[case]
    with pytest.raises((SpecError, OutputError)) as caught:
        many.analyze_many(given[0], tmp_path / given[1])
    assert (
        caught.value.code
        == {"missing": "specs_missing", "empty": "specs_empty", "same": "out_is_spec_folder", "twice": "specs_twice"}[
            case
        ]
    )
    assert not (tmp_path / "out").exists()


def test_other_libraries_are_compared_in_a_folder_too(folder, tmp_path):
    """견주지 않고 돌린 것이 남아 있어도, 견주라고 하면 다시 돌립니다."""
    for path in folder.glob("*.yml"):
        if path.stem != "b_real":
            path.unlink()
    out = tmp_path / "out"
    page = out / "b_real" / "report.html"
    many.analyze_many(folder, out, workers=1)
    plain = page.read_text(encoding="utf-8")
    many.analyze_many(folder, out, workers=1, peers=True)
    compared = page.read_text(encoding="utf-8")
    assert "다른 라이브러리" in compared and "다른 라이브러리" not in plain
    before = page.stat().st_mtime_ns
    many.analyze_many(folder, out, workers=1, peers=True)
    assert page.stat().st_mtime_ns == before


# --- 한 대를 넘어갈 때 ---

SCALE = pytest.mark.skipif(
    "BOOK_SCALE_PYTHON" not in os.environ,
    reason="Spark와 Ray의 환경이 없습니다. `make test-scale`이 만들어 돌립니다(자바 17 필요)",
)


def scale(*arguments):
    """`make scale`의 환경에서 파이프라인의 명령을 돌립니다."""
    done = subprocess.run(
        [os.environ["BOOK_SCALE_PYTHON"], "-m", "causal_pipeline", "analyze", *map(str, arguments), "--quiet"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    return done


@SCALE
def test_ray_gives_the_same_rows(folder, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    many.analyze_many(folder, here, workers=1)
    done = scale("--specs", folder, "--out", there, "--ray", "local")
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = (json.loads((out / many.ROWS).read_text(encoding="utf-8")) for out in (here, there))
    for row in [*one["rows"], *two["rows"]]:
        row.pop("key")
    assert one == two and (there / "c_money" / "report.html").is_file()


@SCALE
def test_spark_reads_the_same_table(folder, tmp_path):
    """파일 셋으로 나뉜 폴더를 Spark로 읽어도, 한 파일을 DuckDB로 읽은 것과 같은 수가 나옵니다. 점이 든 이름도 읽습니다."""
    frame = pd.read_csv(folder / "rows.csv").rename(columns={"real": "매출.합"})
    frame = frame.sort_values(list(frame.columns), ignore_index=True)
    frame.to_parquet(folder / "one.parquet", index=False)
    lake = folder / "자료 호수"  # 빈칸과 한글이 든 이름
    lake.mkdir()
    for k in (2, 0, 1):
        frame.iloc[k::3].to_parquet(lake / f"part-{k}.parquet", index=False)
    (lake / "_SUCCESS").write_text("")
    sql = "SELECT * FROM data WHERE none IS NOT NULL"
    found = []
    for name, data in (
        ("duck", f"path: one.parquet, sql: {sql!r}"),
        ("spark", f"path: 자료 호수, engine: spark, sql: {sql!r}"),
    ):
        spec = SPEC.format(name="x", outcome="매출.합").replace("path: rows.csv", data)
        (folder / f"{name}.yml").write_text(spec, encoding="utf-8")
        done = scale(folder / f"{name}.yml", "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr[-2000:]
        result = json.loads((tmp_path / name / "report.json").read_text(encoding="utf-8"))
        found.append({key: value for key, value in result.items() if key not in {"spec", "steps", "seconds"}})
    assert found[0]["estimates"] == found[1]["estimates"] and found[0]["grade"] == found[1]["grade"]


@SCALE
@pytest.mark.parametrize(
    ("sql", "code"), [("DROP VIEW data", "spark_failed"), ("SELECT nothing FROM data", "spark_failed"), ("SELECT t, t FROM data", "header_duplicate"),
     ("SELECT d.* FROM data d JOIN parquet.`{folder}/other.parquet` o ON d.t = o.t", "spark_failed"),
     ("SELECT *, (SELECT max(t) FROM csv.`{folder}/rows.csv`) m FROM data", "spark_failed"),
     ("SELECT * FROM data WHERE EXISTS (SELECT 1 FROM parquet.`{folder}/other.parquet`)", "spark_failed")]
)  # fmt: skip
def test_what_spark_refuses_is_said_in_korean(folder, tmp_path, sql, code):
    for name in ("rows", "other"):
        pd.read_csv(folder / "rows.csv").to_parquet(folder / f"{name}.parquet", index=False)
    text = SPEC.format(name="x", outcome="real").replace(
        "path: rows.csv", f"path: rows.parquet, engine: spark, sql: {sql.format(folder=folder)!r}"
    )
    (folder / "x.yml").write_text(text, encoding="utf-8")
    done = scale(folder / "x.yml", "--out", tmp_path / "x")
    assert done.returncode == 3 and f"[{code}]" in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("path: rows.csv, engine: spark", "spark_parquet_only"),
        ("path: rows.parquet, table: data, engine: spark", "spark_parquet_only"),
        ("path: rows.parquet, sample: 50, engine: spark", "spark_sample"),
        ("path: empty, engine: spark", "data_is_folder"),
        ("path: rows.parquet, engine: spark", "spark_missing"),
    ],
)
def test_spark_is_refused_with_the_how(folder, monkeypatch, data, code):
    from causal_pipeline.run import analyze

    (folder / "empty").mkdir()
    pd.read_csv(folder / "rows.csv").to_parquet(folder / "rows.parquet", index=False)
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    (folder / "x.yml").write_text(
        SPEC.format(name="x", outcome="real").replace("path: rows.csv", data), encoding="utf-8"
    )
    with pytest.raises((SpecError, DataError)) as caught:
        analyze(folder / "x.yml")
    assert caught.value.code == code


@SCALE
def test_the_callers_spark_stays_as_it_was(folder):
    """부른 쪽이 켜 둔 Spark의 시간대와 이름, data라는 뷰가 그대로입니다."""
    pd.read_csv(folder / "rows.csv").to_parquet(folder / "rows.parquet", index=False)
    text = SPEC.format(name="x", outcome="real").replace("path: rows.csv", "path: rows.parquet, engine: spark")
    (folder / "x.yml").write_text(text, encoding="utf-8")
    code = f"""
from pyspark.sql import SparkSession
from causal_pipeline.run import analyze
spark = SparkSession.builder.appName("mine").config("spark.sql.session.timeZone", "Asia/Seoul").getOrCreate()
spark.sql("SELECT 1 AS mine").createOrReplaceTempView("data")
print(analyze({str(folder / "x.yml")!r}).primary.n > 0)
print(spark.conf.get("spark.sql.session.timeZone"), spark.table("data").columns, spark.conf.get("spark.app.name"))
"""
    env = os.environ | {"PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [os.environ["BOOK_SCALE_PYTHON"], "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.stdout.split("\n")[:2] == ["True", "Asia/Seoul ['mine'] mine"], done.stderr[-1500:]


def test_without_ray_the_way_is_shown(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(OutputError, match="make scale") as caught:
        many.analyze_many(folder, tmp_path / "out", ray="local")
    assert caught.value.code == "ray_missing"


def test_the_mark_of_a_folder_is_that_of_its_files(tmp_path):
    from causal_pipeline.reading import file_digest

    (tmp_path / "part-0.parquet").write_bytes(b"one")
    first = file_digest(tmp_path)
    (tmp_path / "_SUCCESS").write_text("")
    assert file_digest(tmp_path) == first
    (tmp_path / "part-1.parquet").write_bytes(b"two")
    assert file_digest(tmp_path) != first
