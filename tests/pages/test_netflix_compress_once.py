"""한 번만 줄이기 사례: 알려진 정답, 줄인 회귀와 온전한 회귀의 일치."""

import json
import os
import subprocess

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest
import yaml

from benchmarks.compress_once import LIBRARIES, RESULT
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

HOME = generator("netflix_compress_once")
PAGE = read_page(ROOT / "case_studies" / "netflix_compress_once.md")
F = page_functions(PAGE, "person_sums", "compress", "fit_sums", "additive", "cell_effects", "shrink")


def sums_of(frame: pd.DataFrame) -> pd.DataFrame:
    """쪽의 식으로 줄인 표."""
    return F["compress"](ibis.memtable(frame)).execute()


def test_same_seed_same_table_whatever_the_threads():
    tables = []
    for threads in (1, 4):
        with duckdb.connect() as connection:
            connection.execute(f"SET threads={threads}")
            HOME.write_table(connection, "weeks", seed=3, members=20_000)
            tables.append(connection.execute("SELECT * FROM weeks ORDER BY member_id, week").df())
    pd.testing.assert_frame_equal(*tables)
    assert not HOME.generate(seed=3, members=500).equals(HOME.generate(seed=4, members=500))


def test_a_table_name_cannot_smuggle_sql():
    with duckdb.connect() as connection, pytest.raises(ValueError, match="이름이어야 합니다"):
        HOME.write_table(connection, "weeks; DROP TABLE x", seed=1, members=100)


def test_the_card_tells_the_truth():
    cells = HOME.cells()
    assert (cells["share"] * cells["effect"]).sum() == pytest.approx(truth("netflix_compress_once")["ATE"], abs=1e-4)
    assert cells["share"].sum() == pytest.approx(1) and len(cells) == 400


@pytest.fixture(scope="module")
def big():
    """회원 40만 명의 표(회원마다 네 열)."""
    d = HOME.generate(seed=3, members=400_000)
    return d, d["minutes"].to_numpy(float).reshape(-1, 4)


def test_opening_depends_on_the_country_alone_and_weeks_share_only_the_habit(big):
    d, _ = big
    people = d.iloc[::4]
    rate = people.groupby("country")["new_home"].mean()
    np.testing.assert_allclose(rate, np.array(HOME.OPEN) / 1024, atol=0.03)
    left = people["new_home"] - np.take(HOME.OPEN, people["country"]) / 1024
    for column in ("device", "tenure"):
        assert abs(np.corrcoef(left, people[column])[0, 1]) < 0.006
    base = (
        np.take(HOME.BASE, d["country"])
        + np.take(HOME.DEVICE_BASE, d["device"])
        + np.take(HOME.TENURE_BASE, d["tenure"])
    )
    rest = (d["minutes"] - base - d["new_home"] * d["effect"]).to_numpy(float).reshape(-1, 4)
    expected = HOME.MEMBER_SD**2 / (HOME.MEMBER_SD**2 + HOME.WEEK_SD**2)
    off_diagonal = np.corrcoef(rest.T)[np.triu_indices(4, 1)]
    np.testing.assert_allclose(off_diagonal, expected, atol=0.006)
    assert abs(rest.mean()) < 1.0


def test_compressed_regression_equals_the_full_one():
    """계수와 세 가지 표준오차가 상대 오차 1e-8 안에서 같다."""
    import statsmodels.api as sm

    d = HOME.generate(seed=9, members=8_000)
    s = sums_of(d)
    mine = F["fit_sums"](F["additive"](s), s)
    dummies = pd.get_dummies(d[["country", "device", "tenure"]].astype(str), drop_first=True)
    X = np.column_stack([np.ones(len(d)), d["new_home"], dummies]).astype(float)
    full = sm.OLS(d["minutes"].to_numpy(float), X)
    np.testing.assert_allclose(mine["b"], full.fit().params, rtol=1e-8)
    np.testing.assert_allclose(mine["iid"], full.fit().bse, rtol=1e-8)
    np.testing.assert_allclose(mine["hc1"], full.fit(cov_type="HC1").bse, rtol=1e-8)
    np.testing.assert_allclose(
        mine["cluster"], full.fit(cov_type="cluster", cov_kwds={"groups": d["member_id"]}).bse, rtol=1e-8
    )


def test_members_with_unequal_weeks_are_compressed_exactly_too():
    import statsmodels.api as sm

    d = HOME.generate(seed=10, members=6_000).sample(frac=0.7, random_state=1)
    s = sums_of(d)
    mine = F["fit_sums"](F["additive"](s), s)
    dummies = pd.get_dummies(d[["country", "device", "tenure"]].astype(str), drop_first=True)
    X = np.column_stack([np.ones(len(d)), d["new_home"], dummies]).astype(float)
    full = sm.OLS(d["minutes"].to_numpy(float), X).fit(cov_type="cluster", cov_kwds={"groups": d["member_id"]})
    np.testing.assert_allclose(mine["b"], full.params, rtol=1e-8)
    np.testing.assert_allclose(mine["cluster"], full.bse, rtol=1e-8)


def test_cell_effects_are_differences_of_means(big):
    d, _ = big
    cells = F["cell_effects"](sums_of(d))
    one = d[(d["country"] == 0) & (d["device"] == 1) & (d["tenure"] == 2)]
    gap = one.groupby("new_home")["minutes"].mean().diff().iloc[-1]
    assert cells.loc[(0, 1, 2), "effect"] == pytest.approx(gap)
    person = one.groupby(["new_home", "member_id"])["minutes"].mean().groupby("new_home")
    error = np.sqrt((person.var(ddof=1) / person.size()).sum())
    assert cells.loc[(0, 1, 2), "error"] == pytest.approx(error, rel=1e-6)


def test_shrinking_helps_where_noise_is_large_and_never_hurts_much():
    rng = np.random.default_rng(4)
    for sigma, gain in ((20.0, 0.6), (1.0, 1.02)):
        true = rng.normal(8, 7, 400)
        effect = pd.Series(true + rng.normal(0, sigma, 400))
        soft, spread = F["shrink"](effect, pd.Series(np.full(400, sigma)), pd.Series(np.full(400, 1 / 400)))
        assert np.mean((soft - true) ** 2) < gain**2 * np.mean((effect - true) ** 2)
        assert 3 < spread < 11


def test_the_benchmark_was_made_by_one_run_and_its_methods_agree():
    bench = yaml.safe_load(RESULT.read_text(encoding="utf-8"))
    assert set(bench["libraries"]) == set(LIBRARIES)
    rows = {row["rows"]: row for row in bench["engines"]}
    assert rows[10_000_000]["duckdb"] + rows[10_000_000]["effects"] < 5
    values = np.array([[v["value"], v["error"]] for v in bench["libraries"].values()])
    np.testing.assert_allclose(values[:, 0], values[0, 0], rtol=1e-8)
    np.testing.assert_allclose(values[:, 1], values[0, 1], rtol=0.03)
    for row in bench["engines"]:
        assert row["rows"] % 4 == 0 and row["duckdb"] > 0 and row["spark"] > 0
    assert (
        bench["ray"]["again"] < bench["ray"]["plain"] and bench["ray"]["rows"] == 200_000 and bench["ray"]["folds"] == 5
    )


@pytest.mark.skipif(
    "BOOK_SCALE_PYTHON" not in os.environ,
    reason="Spark 환경이 없습니다. `make test-scale`이 만들어 돌립니다(자바 17 필요)",
)
def test_spark_gives_the_same_sums(tmp_path):
    """같은 Ibis 식을 Spark(local)와 DuckDB에서 돌린다."""
    d = HOME.generate(seed=6, members=5_000)
    path = tmp_path / "weeks.parquet"
    d.to_parquet(path)
    done = subprocess.run(
        [os.environ["BOOK_SCALE_PYTHON"], "-m", "benchmarks.compress_once", "--one", "spark", str(path)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    spark = json.loads(done.stdout.strip().splitlines()[-1])["digest"]
    duck = sums_of(d).drop(columns=["country", "device", "tenure", "new_home"]).sum()
    assert spark == [int(v) for v in duck]


def test_the_fading_of_an_effect_is_a_difference_within_members():
    """같은 회원의 두 주는 독립이 아니므로, 회원마다 뺀 값의 오차가 두 주의 오차를 더한 것과 다릅니다."""
    d = HOME.generate(seed=21, members=40_000)
    signed = d[d["week"].isin([1, 4])].assign(
        minutes=lambda x: np.where(x["week"] == 4, 1, -1) * x["minutes"].astype(int)
    )
    one = (signed["country"] == 0) & (signed["device"] == 1) & (signed["tenure"] == 2)
    cell = F["cell_effects"](sums_of(signed[one])).iloc[0]
    person = signed[one].groupby(["new_home", "member_id"])["minutes"].sum().groupby("new_home")
    assert 2 * cell["effect"] == pytest.approx(person.mean().diff().iloc[-1])
    assert 2 * cell["error"] == pytest.approx(np.sqrt((person.var(ddof=1) / person.size()).sum()), rel=1e-6)


def test_a_rule_is_judged_on_the_half_that_did_not_choose():
    """고른 절반에서 추정하면 부풀고, 고르지 않은 절반에서 추정하면 편향이 없습니다."""
    known = HOME.cells().set_index(["country", "device", "tenure"])
    tools = page_functions(
        PAGE,
        "person_sums",
        "compress",
        "cell_effects",
        "shrink",
        "rules",
        "weighted",
        "opened_weight",
        "chosen_effect",
        "chosen_truth",
        COST=5,
        known=known,
    )
    lake = ibis.duckdb.connect()
    fresh, same = [], []
    for k in range(12):
        HOME.write_table(lake.con, "draw", seed=300 + k, members=40_000)
        draw = lake.table("draw")
        halves = [
            tools["cell_effects"](tools["compress"](draw.filter(draw.member_id % 2 == i)).execute()) for i in (0, 1)
        ]
        fresh.append(tools["chosen_effect"](halves)[0] - tools["chosen_truth"](halves))
        same.append(tools["chosen_effect"]([halves[0], halves[0]])[0] - tools["chosen_truth"]([halves[0], halves[0]]))
    assert abs(np.mean(fresh)) < 4 * np.std(fresh) / np.sqrt(12)
    assert np.mean(same) > np.mean(fresh) + 1


def test_a_treatment_that_changes_within_a_member_cannot_be_compressed_this_way():
    """x가 회원 안에서 바뀌면 회원마다 한 줄로 줄이는 순간 처치가 사라집니다. 온전한 회귀에는 남아 있습니다."""
    d = load("netflix_compress_once")
    changed = d.assign(new_home=((d["week"] + d["member_id"]) % 2).astype(int))
    assert changed.groupby("member_id")["new_home"].nunique().min() == 2
    sums = sums_of(changed)
    assert set(sums["new_home"]) == {1}  # 회원마다 가장 큰 값만 남아 견줄 쪽이 없습니다
    assert sums["n"].sum() == len(d)
