"""가중치: 센 수는 되풀이한 표와 한 자리까지 같고, 표본 가중치는 statsmodels의 WLS와 같으며, 정보가 있는 표본에서도 모집단의 답을 냅니다."""

import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from causal_pipeline import analyze, designs, peers, report, tables, weighting
from causal_pipeline.designs.discontinuity import bandwidth, density_jump, jump
from causal_pipeline.designs.experiment import lee_bounds, lin_scores
from causal_pipeline.errors import DataError, PipelineError, Refusal, SpecError
from causal_pipeline.group_time import imputation, two_way
from causal_pipeline.identify import identify
from causal_pipeline.inference import kish
from causal_pipeline.shown import additive_fit, repeat_rows, standard_error, weighted
from causal_pipeline.spec import parse_spec
from tests.book.forked import Forked
from tests.pipeline.test_pipeline_field import DESIGNS, light  # noqa: F401

SAMPLING, FREQUENCY = (f"weights: {{column: wt, kind: {kind}}}\n" for kind in ("sampling", "frequency"))
ONE_ROW = ("experiment", "adjustment", "dose", "instrument", "discontinuity", "repeated_cross_sections")
WITH_SAMPLING = (*ONE_ROW, "difference_in_differences")


def made(design: str, seed: int = 5) -> tuple[str, pd.DataFrame]:
    """설계의 명세와, 가중치 ``wt``를 붙인 자료(패널이면 대상마다 하나)."""
    text, make = DESIGNS[design]
    frame, rng = make(), np.random.default_rng(seed)
    if "cross_sections" in text:  # 칸마다 한 사람뿐이면 가중치가 할 일이 없습니다
        frame = pd.concat(
            [frame.assign(y=frame["y"] + rng.normal(size=len(frame))) for _ in range(3)], ignore_index=True
        )
    count = rng.integers(1, 5, frame["u"].nunique())[frame["u"]] if "panel:" in text else rng.integers(1, 5, len(frame))
    return text, frame.assign(wt=count.astype(float))


def fitted(text: str, frame: pd.DataFrame):
    spec = parse_spec(text)
    frame = tables.prepare(spec, frame)[0]
    if spec.treatment.kind == "binary":
        spec = replace(spec, treatment=replace(spec.treatment, control=0, treated=1))
    found = identify(spec, frame)
    return designs.get(found.design)(spec, found, frame)


# --- 센 수 ---


@pytest.mark.parametrize("design", ONE_ROW)
def test_counts_are_the_table_with_its_rows_repeated(design, light):  # noqa: F811
    text, frame = made(design)
    expanded = frame.loc[np.repeat(frame.index, frame["wt"].astype(int))].reset_index(drop=True)
    more = "unit: row\n"  # 되풀이한 행을 묻는 점검을 지나게 합니다
    counted = analyze(parse_spec(text + FREQUENCY), frame=frame)
    written = analyze(parse_spec(text + more), frame=expanded.assign(row=np.arange(len(expanded))))
    for one, other in zip(counted.estimates, written.estimates, strict=True):
        assert (one.method, one.n) == (other.method, other.n)
        assert (one.value, one.se, one.low, one.high) == pytest.approx(
            (other.value, other.se, other.low, other.high), rel=1e-9, abs=1e-12
        )
    checks = {c.name: (c.status, c.value) for c in written.checks}
    assert all(checks[c.name] == (c.status, c.value) for c in counted.checks) and counted.rows == len(expanded)
    assert any("되풀이했습니다" in notice for notice in counted.notices)


def test_a_repeated_unit_gets_a_name_of_its_own():
    frame = pd.DataFrame({"id": ["a", "b", "c"], "wt": [2, 0, 3], "y": [1.0, 2.0, 3.0]})
    out = repeat_rows(frame, "wt", "id")
    assert out["y"].tolist() == [1.0, 1.0, 3.0, 3.0, 3.0] and out["id"].nunique() == 5
    assert repeat_rows(frame, "wt")["id"].tolist() == ["a", "a", "c", "c", "c"]


def test_counts_may_be_lost_with_their_rows(light):  # noqa: F811
    text, frame = made("adjustment")
    frame["m"] = frame["m"].where(frame.index % 9 != 4)
    expanded = frame.loc[np.repeat(frame.index, frame["wt"].astype(int))].reset_index(drop=True)
    drop = text.replace("path: a.csv", "path: a.csv, missing: drop")
    counted = tables.from_frame(parse_spec(drop + FREQUENCY), frame)
    written = tables.from_frame(parse_spec(drop + "unit: row\n"), expanded.assign(row=np.arange(len(expanded))))
    assert counted.losses == written.losses and len(counted.frame) == len(written.frame)


# --- 표본 가중치: 다른 셈과 같은지 ---


@pytest.mark.parametrize("design", WITH_SAMPLING)
def test_the_size_of_the_weights_does_not_matter_and_equal_ones_do_nothing(design, light):  # noqa: F811
    text, frame = made(design)
    plain, equal = (fitted(t, f).primary for t, f in ((text, frame), (text + SAMPLING, frame.assign(wt=7.0))))
    assert (equal.value, equal.se) == pytest.approx((plain.value, plain.se), rel=1e-12)
    one, thousand = (fitted(text + SAMPLING, f).primary for f in (frame, frame.assign(wt=frame["wt"] * 1000)))
    assert (one.value, one.se) == pytest.approx((thousand.value, thousand.se), rel=1e-7)
    assert abs(one.value - plain.value) > 1e-6


def test_an_experiment_is_the_weighted_regression_with_its_sandwich():
    text, frame = made("experiment")
    found = {e.method: e for e in fitted(text + SAMPLING, frame).estimates}
    fit = sm.WLS(frame["y"], sm.add_constant(frame["t"]), weights=frame["wt"]).fit(cov_type="HC1")
    n = len(frame)
    assert found["difference"].value == pytest.approx(fit.params["t"], rel=1e-10)
    assert found["difference"].se * np.sqrt((n - 1) / (n - 2)) == pytest.approx(fit.bse["t"], rel=1e-10)
    # 센 수로 잘못 읽으면 표준오차가 좁아집니다
    assert found["difference"].se > 1.2 * sm.GLM(frame["y"], sm.add_constant(frame["t"]), freq_weights=frame["wt"]).fit().bse["t"]  # fmt: skip


def test_lin_is_the_interacted_weighted_regression():
    r = np.random.default_rng(2)
    n = 4000
    X, a, w = r.normal(size=(n, 2)), r.integers(0, 2, n).astype(bool), r.uniform(0.5, 3, n)
    y = X @ [1, 0.5] + a * (1 + X[:, 0]) + r.normal(size=n)
    w = w / w.mean()
    psi = lin_scores(y, a, np.full(n, 0.5), X, w)
    C = X - w @ X / n
    fit = sm.WLS(y, np.column_stack([np.ones(n), a, C, C * a[:, None]]), weights=w).fit(cov_type="HC1")
    assert psi.mean() == pytest.approx(fit.params[1], rel=1e-10)
    # 공변량의 모집단 평균을 표본에서 잰 만큼만 더 넓습니다
    assert fit.bse[1] < standard_error(psi) < 1.3 * fit.bse[1]


def test_an_instrument_is_the_weighted_two_stages():
    from linearmodels.iv import IV2SLS

    text, frame = made("instrument")
    text = text.replace("instrument: z", "instrument: z\nconfounders: [x]\ntiming: {x: before}")
    ours = fitted(text + SAMPLING, frame).primary
    exog = sm.add_constant(frame[["x"]])
    fit = IV2SLS(frame["y"], exog, frame["t"], frame["z"], weights=frame["wt"]).fit(cov_type="robust", debiased=True)
    assert ours.value == pytest.approx(fit.params["t"], rel=1e-9)
    assert ours.se == pytest.approx(fit.std_errors["t"], rel=1e-9)


def test_a_jump_is_the_weighted_local_regression():
    r = np.random.default_rng(4)
    x = r.uniform(-1, 1, 900)
    y, w = x + (x >= 0) + r.normal(size=900), r.uniform(0.5, 3, 900)
    h = bandwidth(x, y, w / w.mean())
    value, se, _ = jump(x, y, h, 1, w=w)
    right = (x >= 0).astype(float)
    fit = sm.WLS(y, sm.add_constant(np.column_stack([right, x, right * x])), weights=w * np.clip(1 - np.abs(x) / h, 0, None)).fit(cov_type="HC2")  # fmt: skip
    assert value == pytest.approx(fit.params[1], rel=1e-9) and se == pytest.approx(fit.bse[1], rel=1e-6)


def test_a_panel_is_the_weighted_fixed_effects():
    from linearmodels.panel import PanelOLS

    r = np.random.default_rng(6)
    Y, start, w = r.normal(size=(60, 5)).cumsum(axis=1), np.where(np.arange(60) < 25, 3, 5), r.uniform(0.5, 3, 60)
    value, influence = two_way(Y, start, w)
    frame = pd.DataFrame({"y": Y.ravel(), "i": np.repeat(np.arange(60), 5), "t": np.tile(np.arange(5), 60), "w": np.repeat(w, 5)})  # fmt: skip
    frame["d"] = (frame["t"] >= start[frame["i"]]).astype(float)
    data = frame.set_index(["i", "t"])
    fit = PanelOLS(data["y"], data[["d"]], entity_effects=True, time_effects=True, weights=data["w"]).fit(
        cov_type="clustered", cluster_entity=True, auto_df=False, count_effects=False, debiased=False
    )
    assert value == pytest.approx(fit.params["d"], rel=1e-8)
    assert np.sqrt((influence**2).sum()) / 60 == pytest.approx(fit.std_errors["d"], rel=1e-6)
    lam, delta = additive_fit(np.ones_like(Y, dtype=bool), Y.sum(axis=1), w @ Y, w)
    clean = sm.WLS(frame["y"], pd.get_dummies(frame[["i", "t"]].astype(str), dtype=float), weights=frame["w"]).fit()
    assert (lam[:, None] + delta[None, :]).ravel() == pytest.approx(clean.fittedvalues.to_numpy(), abs=1e-8)
    effect, part = imputation(Y, start, w)
    moved = Y.copy()
    moved[3, 1] += 1e-4  # 영향함수의 무게가 결과에 대한 미분과 같은지
    fine = frame["t"].lt(pd.Series(start).loc[frame["i"]].to_numpy())
    two = sm.WLS(frame["y"][fine], pd.get_dummies(frame[["i", "t"]].astype(str), dtype=float)[fine], weights=frame["w"][fine]).fit()  # fmt: skip
    gap = (frame["y"] - two.predict(pd.get_dummies(frame[["i", "t"]].astype(str), dtype=float)))[~fine]
    assert effect == pytest.approx(np.average(gap, weights=frame["w"][~fine]), rel=1e-6)
    assert abs(part.mean()) < 1e-9 and imputation(moved, start, w)[0] != effect


@pytest.mark.parametrize(("design", "near"), [("experiment", 1e-8), ("adjustment", peers.FAR), ("instrument", 1e-8), ("difference_in_differences", 1e-6)])  # fmt: skip
def test_the_libraries_agree_with_weights(design, near, light):  # noqa: F811
    text, frame = made(design)
    found = fitted(text + SAMPLING, frame)
    (peer,) = peers.peers(found)
    assert abs(peer.gap) < near and 0.7 < peer.se / found.primary.se < 1.4


# --- 정보가 있는 표본 ---


def chosen(r, n=1500):
    """효과가 큰 대상을 더 많이 뽑은 실험. 모집단의 효과는 1입니다."""
    v, t = r.normal(size=n), r.integers(0, 2, n)
    frame = pd.DataFrame({"t": t, "v": v, "y": v + (1 + v) * t + r.normal(size=n)})
    p = np.clip(0.12 + 0.75 / (1 + np.exp(-1.5 * v)), 0, 1)
    keep = r.random(n) < p
    return frame[keep].assign(wt=1 / p[keep]).reset_index(drop=True)


def test_an_informative_sample_gives_the_populations_answer_in_its_proportion():
    hits, plain = [], []
    for seed in range(400):
        frame = chosen(np.random.default_rng(seed))
        a, n = (frame["t"] == 1).to_numpy(), len(frame)
        w = frame["wt"].to_numpy() / frame["wt"].mean()
        for into, v in ((hits, w), (plain, np.ones(n))):
            psi = lin_scores(frame["y"].to_numpy(), a, np.full(n, np.average(a, weights=v)), np.zeros((n, 0)), v)
            into.append(abs(psi.mean() - 1) < 1.96 * standard_error(psi))
    assert 0.925 < np.mean(hits) < 0.975, np.mean(hits)
    assert np.mean(plain) < 0.3


def test_the_report_says_whose_answer_it_is_and_how_many_are_left():
    frame = chosen(np.random.default_rng(1))
    text = DESIGNS["experiment"][0]
    with_weights, without = (analyze(parse_spec(text + more), frame=frame) for more in (SAMPLING, ""))
    assert "가중치가 대표하는 모집단에서는" in report.html(with_weights)
    assert any("표본이 아니라 가중치가 대표하는 모집단" in note for note in with_weights.identification.notes)
    check = next(c for c in with_weights.checks if c.name == "weights")
    arms = [kish(frame["wt"][frame["t"] == k].to_numpy()) / (frame["t"] == k).sum() for k in (0, 1)]
    assert check.value == pytest.approx(min(arms)) and f"{kish(frame['wt'].to_numpy()):,.0f}개" in check.message
    assert with_weights.primary.low < 1 < with_weights.primary.high and without.primary.low > 1
    assert not any(c.name == "weights" for c in without.checks)


@pytest.mark.parametrize(("heavy", "letter"), [(1, "A"), (20, "B"), (3000, "C")])
def test_the_grade_falls_when_few_rows_carry_the_weight(heavy, letter):
    r = np.random.default_rng(3)
    frame = pd.DataFrame({"t": np.arange(600) % 2, "wt": 1.0}).assign(y=lambda f: f["t"] + r.normal(size=600))
    frame.loc[:9, "wt"] = float(heavy)
    found = analyze(parse_spec(DESIGNS["experiment"][0] + SAMPLING), frame=frame)
    assert found.grade.letter == letter, found.grade
    assert letter == "A" or any("유효표본" in reason for reason in found.grade.reasons)


def test_the_density_of_an_oversampled_side_is_the_populations():
    r = np.random.default_rng(8)
    x = r.uniform(-1, 1, 6000)
    keep = r.random(6000) < np.where(x >= 0, 0.9, 0.45)
    x = x[keep]
    plain, with_w = density_jump(x), density_jump(x, np.where(x >= 0, 1 / 0.9, 1 / 0.45))
    assert abs(plain[0] / plain[1]) > 4 and abs(with_w[0] / with_w[1]) < 2.5


def test_lee_bounds_with_equal_weights_are_the_counted_ones():
    y1, y0 = np.arange(10.0), np.arange(8.0) - 1
    low, high = lee_bounds(y1, y0, 1.0, 0.8, np.ones(10), np.ones(8))
    assert (low, high) == (y1[:8].mean() - y0.mean(), y1[2:].mean() - y0.mean())
    heavy = np.where(np.arange(10) < 2, 3.0, 1.0)
    assert lee_bounds(y1, y0, 1.0, 0.8, heavy, np.ones(8))[1] != high


def test_a_policy_and_its_groups_are_of_the_population(light):  # noqa: F811
    frame = chosen(np.random.default_rng(2), 4000)
    text = DESIGNS["experiment"][0] + "modifiers: [v]\nmoney: {value_per_outcome: 1, cost_per_treatment: 0.5}\n"
    with_weights, without = (analyze(parse_spec(text + more), frame=frame) for more in (SAMPLING, ""))
    assert with_weights.heterogeneity.found and without.heterogeneity.found
    assert without.policy.share - with_weights.policy.share > 0.1  # 효과가 큰 대상을 더 많이 뽑았습니다
    assert with_weights.policy.treat_all == pytest.approx(0.5, abs=0.3)
    psi, w = np.random.default_rng(0).normal(size=50), np.random.default_rng(1).uniform(1, 2, 50)
    assert weighted(psi, w).mean() == pytest.approx(np.average(psi, weights=w))


# --- 잘못 ---

BAD = [
    ("weights_negative", lambda w: w.where(w.index != 3, -1.0), SAMPLING, "4번째 행"),
    ("weights_zero", lambda w: w * 0, SAMPLING, "모두 0"),
    ("weights_infinite", lambda w: w.where(w.index != 3, np.inf), SAMPLING, "4번째 행"),
    ("missing_values", lambda w: w.where(w.index != 3), SAMPLING, "'wt' 1개"),
    ("not_numeric", lambda w: pd.Series("많음", index=w.index), SAMPLING, "가중치 'wt'"),
    ("weights_not_counts", lambda w: w + 0.5, FREQUENCY, "frequency"),
    ("weights_too_many", lambda w: w * 100_000, FREQUENCY, "2,000,000행"),
]


@pytest.mark.parametrize(("code", "spoil", "more", "said"), BAD, ids=[b[0] for b in BAD])
def test_weights_that_cannot_be_are_told_with_their_line(code, spoil, more, said):
    text, frame = made("experiment")
    with pytest.raises(DataError) as caught:
        tables.from_frame(parse_spec(text + more), frame.assign(wt=spoil(frame["wt"])))
    assert caught.value.code == code and said in caught.value.message, caught.value
    assert caught.value.line == len(text.splitlines()) + 1


def test_rows_of_no_weight_leave_and_it_is_said():
    text, frame = made("experiment")
    zero = frame.assign(wt=frame["wt"].where(frame.index % 5 != 0, 0.0))
    table = tables.from_frame(parse_spec(text + SAMPLING), zero)
    assert len(table.frame) == 120 and any("0인 30행을 뺐습니다" in n for n in table.notices)
    same = tables.from_frame(parse_spec(text + SAMPLING), frame.assign(wt=3))
    assert any("가중하지 않은 것과 같습니다" in n for n in same.notices)


def test_a_weight_of_a_unit_is_one_number():
    text, frame = made("difference_in_differences")
    with pytest.raises(DataError, match="시점마다 다릅니다"):
        tables.from_frame(parse_spec(text + SAMPLING), frame.assign(wt=frame["wt"] + frame["w"]))


@pytest.mark.parametrize(
    ("code", "old", "new", "more", "lines"),
    [("weights_role", "", "", "confounders: [wt]\n", ("confounders(9번째 줄)", "weights.column(8번째 줄)")),
     ("sample_of_counts", "path: a.csv", "path: a.csv, sample: 50", "", ("data.sample(3번째 줄)", "weights.kind(8번째 줄)")),
     ("counts_of_units", ", randomized: true", "", "panel: {unit: u, time: w}\n", ("weights.kind(8번째 줄)", "panel(9번째 줄)"))],
)  # fmt: skip
def test_names_that_do_not_go_with_weights_are_told_with_both_lines(code, old, new, more, lines):
    text = DESIGNS["experiment"][0]
    with pytest.raises(SpecError) as caught:
        parse_spec(text.replace(old, new) + FREQUENCY + more)
    assert caught.value.code == code and all(line in caught.value.message for line in lines), caught.value


@pytest.mark.parametrize("design", ["synthetic_control", "dose_panel"])
def test_where_weights_have_no_meaning_they_are_refused_with_their_line(design):
    text, frame = made(design)
    with pytest.raises(Refusal) as caught:
        fitted(text + SAMPLING, frame)
    assert (caught.value.code, caught.value.line) == ("field_not_used", len(text.splitlines()) + 1)
    assert "weights를 지우" in caught.value.remedy


def test_every_design_uses_weights_or_refuses_them():
    """조용히 넘기는 설계가 없는지: 쓰는 것은 위의 시험이, 쓰지 않는 것은 ignores가 말합니다."""
    refusing = {kind.name for kind in designs.registered() if "weights" in kind.ignores}
    assert refusing | set(WITH_SAMPLING) == set(DESIGNS) and not refusing & set(WITH_SAMPLING)


# --- 재현 노트북 ---


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory):
    """재현 노트북의 코드를 돌릴 프로세스. 노트북들이 부르는 꾸러미는 한 번만 부릅니다."""
    server = Forked(tmp_path_factory.mktemp("notebooks"), dict(os.environ), "-W", "ignore")
    yield server
    server.close()


@pytest.mark.parametrize("kind", ["sampling", "frequency"])
@pytest.mark.parametrize("design", WITH_SAMPLING)
def test_the_notebook_gives_the_same_numbers(tmp_path, design, kind, light, notebooks):  # noqa: F811
    text, frame = made(design)
    more = f"weights: {{column: wt, kind: {kind}}}\n"
    frame.to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "spec.yml").write_text(text + more, encoding="utf-8")
    try:
        analyze(tmp_path / "spec.yml", tmp_path / "report")
    except PipelineError as error:
        assert (design, kind, error.code) == ("difference_in_differences", "frequency", "counts_of_units")
        return
    assert parse_spec((tmp_path / "report" / "spec.yml").read_text(encoding="utf-8"), tmp_path) == parse_spec(text + more, tmp_path)  # fmt: skip
    cells = json.loads((tmp_path / "report" / "reproduce.ipynb").read_text(encoding="utf-8"))["cells"]
    # 라이브러리와 견주는 칸(econml)은 느리므로 여기서는 돌리지 않습니다
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code" and "from econml" not in "".join(c["source"]))  # fmt: skip
    ran = notebooks.run("-c", code, cwd=tmp_path / "report")
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_what_the_notebook_is_told_of_weights():
    text, _ = made("experiment")
    assert weighting.code(parse_spec(text)) == "" == weighting.argument(parse_spec(text))
    assert "row_weights(frame, 'wt')" in weighting.code(parse_spec(text + SAMPLING))
    assert weighting.encoding_code(parse_spec(text)) == []
