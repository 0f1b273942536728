"""'천만 행을 한 번만 줄여' 사례의 빠르기 표를 한 번의 실행으로 다시 잽니다(data/benchmarks/netflix_compress_once.yml).

    python -m benchmarks.compress_once                    # DuckDB와 회귀 라이브러리
    python -m benchmarks.compress_once --spark 파이썬      # Spark까지. pyspark가 깔린 환경의 파이썬(requirements-scale.txt)
    python -m benchmarks.compress_once --ray 파이썬        # EconML의 교차 적합을 Ray로 나눈 것만 재어 표에 더합니다

한 가지를 잴 때마다 새 프로세스를 띄웁니다. 그래서 시간에 서로의 캐시가 섞이지 않고, 최대 메모리도 저마다 잽니다.
쪽이 다루는 식은 쪽에 적힌 함수 그대로입니다.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from book.page import ROOT, read_page
from book.page_code import page_functions

RESULT = ROOT / "data" / "benchmarks" / "netflix_compress_once.yml"
SEED = 11
SIZES = (1_000_000, 10_000_000, 40_000_000, 100_000_000)
LIBRARY_ROWS = 1_000_000
LIBRARIES = ("compressed", "statsmodels", "pyfixest", "linearmodels")
RAY_ROWS = 200_000
RAY_COLUMNS, RAY_FOLDS = 20, 5
FORMULA = "minutes ~ new_home + C(country) + C(device) + C(tenure)"


def _page() -> dict:
    """쪽에 적힌 함수들."""
    return page_functions(
        read_page(ROOT / "case_studies" / "netflix_compress_once.md"),
        "person_sums",
        "compress",
        "fit_sums",
        "cell_effects",
        "additive",
    )


def _duckdb(path: str, members: int) -> float:
    """회원-주의 표를 파케이로 쓰고 걸린 시간을 돌려줍니다."""
    import duckdb

    from causal_practice import generator

    started = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute("SET threads=2")
        connection.execute("SET preserve_insertion_order=false")
        generator("netflix_compress_once").write_table(connection, "weeks", SEED, members)
        connection.execute(f"COPY weeks TO '{path}' (FORMAT parquet)")
    return time.perf_counter() - started


def measure_compress(path: str) -> dict:
    """DuckDB로 줄이고 400칸의 효과와 군집 오차를 내는 시간(초)."""
    import ibis

    page = _page()
    connection = ibis.duckdb.connect()
    connection.raw_sql("SET threads=2")
    table = connection.read_parquet(path)
    started = time.perf_counter()
    sums = page["compress"](table).execute()
    compressed = time.perf_counter()
    effects = page["cell_effects"](sums)
    return {
        "compress": compressed - started,
        "effects": time.perf_counter() - compressed,
        "cells": len(effects),
        "rows": int(sums["n"].sum()),
    }


def measure_spark(path: str) -> dict:
    """Spark(local[2])로 같은 식을 돌리는 시간(초). 켜는 시간은 따로 적습니다."""
    import ibis
    from pyspark.sql import SparkSession

    page = _page()
    started = time.perf_counter()
    session = (
        SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "6g")
        .config("spark.sql.shuffle.partitions", "8").config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )  # fmt: skip
    session.sparkContext.setLogLevel("ERROR")
    ready = time.perf_counter()
    sums = page["compress"](ibis.pyspark.connect(session).read_parquet(path)).execute()
    done = time.perf_counter()
    page["compress"](ibis.pyspark.connect(session).read_parquet(path)).execute()
    digest = [int(v) for v in sums.drop(columns=["country", "device", "tenure", "new_home"]).sum()]
    return {"start": ready - started, "compress": done - ready, "again": time.perf_counter() - done, "digest": digest}


def measure_library(name: str, path: str) -> dict:
    """칸을 나누지 않은 회귀(나라, 기기, 가입 기간의 더미)를 회원으로 묶은 오차까지 내는 시간(초)과 계수, 오차."""
    import ibis
    import pandas as pd

    if name == "compressed":
        page = _page()
        connection = ibis.duckdb.connect()
        connection.raw_sql("SET threads=2")
        table = connection.read_parquet(path)
        started = time.perf_counter()
        sums = page["compress"](table).execute()
        fit = page["fit_sums"](page["additive"](sums), sums)
        return {
            "seconds": time.perf_counter() - started,
            "value": float(fit["b"][1]),
            "error": float(fit["cluster"][1]),
        }
    columns = ["member_id", "country", "device", "tenure", "new_home", "minutes"]
    frame = pd.read_parquet(path, columns=columns)
    frame = frame.astype(dict.fromkeys(columns[:-1], "int64") | {"minutes": float})
    started = time.perf_counter()
    if name == "statsmodels":
        import statsmodels.formula.api as smf

        fit = smf.ols(FORMULA, frame).fit(cov_type="cluster", cov_kwds={"groups": frame["member_id"]})
        value, error = fit.params["new_home"], fit.bse["new_home"]
    elif name == "pyfixest":
        import pyfixest as pf

        fit = pf.feols(FORMULA, frame, vcov={"CRV1": "member_id"})
        value, error = fit.coef()["new_home"], fit.se()["new_home"]
    else:
        from linearmodels.panel import PooledOLS

        week = frame.groupby("member_id").cumcount()
        fit = PooledOLS.from_formula(
            f"minutes ~ 1 + {FORMULA.split('~')[1]}", frame.set_index([frame["member_id"], week])
        ).fit(cov_type="clustered", cluster_entity=True)
        value, error = fit.params["new_home"], fit.std_errors["new_home"]
    return {"seconds": time.perf_counter() - started, "value": float(value), "error": float(error)}


def measure_ray(rows: str) -> dict:
    """EconML의 LinearDML(LightGBM, 겹 다섯)을 그냥 돌릴 때와 Ray로 겹을 나눌 때의 시간(초). 값은 같아야 합니다."""
    import warnings

    import numpy as np
    import ray
    from econml.dml import LinearDML
    from lightgbm import LGBMRegressor

    warnings.filterwarnings("ignore")
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(int(rows), RAY_COLUMNS))
    t = X[:, 0] + np.abs(X[:, 1]) + rng.normal(size=len(X))
    y = 2 * t + np.sin(X[:, 0]) + X[:, 2] ** 2 + rng.normal(size=len(X))

    def fit(**options) -> tuple[float, float]:
        models = [
            LGBMRegressor(n_estimators=100, num_leaves=31, n_jobs=1, random_state=0, verbose=-1) for _ in range(2)
        ]
        started = time.perf_counter()
        found = LinearDML(model_y=models[0], model_t=models[1], cv=RAY_FOLDS, random_state=0, **options).fit(
            y, t, X=None, W=X
        )
        return time.perf_counter() - started, float(found.intercept_)

    plain, value = fit()
    started = time.perf_counter()
    ray.init(num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ready = time.perf_counter() - started
    (first, _), (again, ray_value) = fit(use_ray=True), fit(use_ray=True)
    ray.shutdown()
    return {"plain": plain, "start": ready, "first": first, "again": again, "value": value, "ray_value": ray_value}


def _write(body: dict) -> None:
    RESULT.parent.mkdir(exist_ok=True)
    note = "# benchmarks/compress_once.py가 만듭니다. 손으로 고치지 않습니다. 시간은 초, 메모리는 MB입니다.\n"
    RESULT.write_text(note + yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _fresh(python: str, *arguments: str) -> dict:
    """새 프로세스에서 하나를 잽니다. ``memory_mb``가 더해집니다."""
    done = subprocess.run(
        [python, "-m", "benchmarks.compress_once", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}을(를) 재지 못했습니다:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spark", help="pyspark가 깔린 환경의 파이썬")
    parser.add_argument("--ray", help="ray와 econml이 깔린 환경의 파이썬. 이것만 재고 나머지 줄은 그대로 둡니다")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), help="줄일 표의 행 수")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        kind, *rest = args.one
        found = {"compress": measure_compress, "spark": measure_spark, "library": measure_library, "ray": measure_ray}[
            kind
        ](*rest)
        found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found))
        return 0
    body = yaml.safe_load(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    if args.ray:
        found = _fresh(args.ray, "--one", "ray", str(RAY_ROWS))
        if abs(found["ray_value"] / found["value"] - 1) > 1e-8:
            sys.exit(f"Ray로 나눈 값이 다릅니다: {found['value']} {found['ray_value']}")
        times = {k: round(v, 2) for k, v in found.items() if k in ("plain", "start", "first", "again")}
        _write(
            body
            | {
                "ray": {"rows": RAY_ROWS, "columns": RAY_COLUMNS, "folds": RAY_FOLDS}
                | times
                | {"value": found["value"], "memory_mb": round(found["memory_mb"])}
            }
        )
        print(times)
        return 0
    engines, libraries = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for rows in args.sizes:
            path = str(Path(folder) / f"{rows}.parquet")
            made = _duckdb(path, rows // 4)
            duck = min(
                (_fresh(sys.executable, "--one", "compress", path) for _ in range(3)), key=lambda r: r["compress"]
            )
            row = {"rows": rows, "file_mb": round(Path(path).stat().st_size / 2**20), "made": round(made, 2),
                   "duckdb": round(duck["compress"], 3), "effects": round(duck["effects"], 3), "duckdb_mb": round(duck["memory_mb"])}  # fmt: skip
            if args.spark:
                spark = _fresh(args.spark, "--one", "spark", path)
                row |= {
                    "spark_start": round(spark["start"], 2),
                    "spark": round(spark["compress"], 2),
                    "spark_again": round(spark["again"], 2),
                }
            engines.append(row)
            print(row, flush=True)
            if rows == LIBRARY_ROWS:
                for name in LIBRARIES:
                    libraries[name] = {k: (round(v, 3) if k != "memory_mb" else round(v)) if k in ("seconds", "memory_mb") else v
                                       for k, v in _fresh(sys.executable, "--one", "library", name, path).items()}  # fmt: skip
                    print(name, libraries[name], flush=True)
            os.unlink(path)
    kept = {"ray": body["ray"]} if "ray" in body else {}
    _write(
        {
            "cores": os.cpu_count(),
            "seed": SEED,
            "engines": engines,
            "library_rows": LIBRARY_ROWS,
            "libraries": libraries,
        }
        | kept
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
