"""드라마에 쓰인 노래 사례: 알려진 정답, 그리고 쪽이 하는 통계의 주장."""

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

SONGS = generator("pydata_music_staggered")
KNOWN = truth("pydata_music_staggered")
PAGE = read_page(ROOT / "case_studies" / "pydata_music_staggered.md")
HERE = page_functions(
    PAGE,
    "grid",
    "demean",
    "twfe",
    "two_way",
    "impute",
    "cluster_error",
    "cohort_means",
    "group_time",
    "placebo",
    "imputation_effect",
)


def panel(**world):
    d = SONGS.generate(**world)
    names = ("log_streams", "featured", "effect", "first_week", "catalogue")
    Y, D, E, g, old = (HERE["grid"](d, name) for name in names)
    return Y, D, E, g[:, 0], old[:, 0], np.arange(1, 61) - np.nan_to_num(g, nan=999)


def test_the_card_tells_the_truth_of_the_file():
    Y, D, E, g, old, since = panel(**SONGS.DEFAULTS)
    assert E[D == 1].mean() == pytest.approx(KNOWN["ATT"], abs=1e-4)
    for kind, name in [(1, "catalogue_13"), (0, "new_13")]:
        assert E[(D == 1) & (since < 13) & (old[:, None] == kind)].mean() == pytest.approx(KNOWN[name], abs=1e-4)


def test_effect_is_zero_before_and_without_a_feature():
    d = SONGS.generate(seed=5, n=200)
    assert (d.loc[d["featured"] == 0, "effect"] == 0).all()
    np.testing.assert_allclose(d["log_streams"] - d["log_streams_0"], d["effect"], atol=1.1e-4)
    early = SONGS.generate(seed=5, n=200, trailer=3)
    before = (early["first_week"] - early["week"]).between(1, 3)
    assert (early.loc[before, "effect"] > 0).all() and (early["effect"] > 0).sum() == before.sum() + early[
        "featured"
    ].sum()


def test_trends_are_parallel_unless_asked():
    """쓰이기 전의 변화는 쓰일 노래와 쓰이지 않을 노래가 같고, trend를 주면 그만큼 벌어집니다."""
    for trend in (0.0, 0.01):
        Y, D, E, g, old, since = panel(seed=8, n=40_000, trend=trend)
        later = g > 40
        rise = (Y[later, 35:40].mean() - Y[later, :5].mean()) - (
            Y[np.isnan(g), 35:40].mean() - Y[np.isnan(g), :5].mean()
        )
        assert rise == pytest.approx(35 * trend, abs=0.006)


def test_imputation_is_least_squares_on_the_cells_that_were_not_treated():
    import statsmodels.formula.api as smf

    d = SONGS.generate(seed=2, n=40)
    Y, D = HERE["grid"](d, "log_streams"), HERE["grid"](d, "featured")
    value, effect, v = HERE["impute"](Y, 1 - D, D)
    fit = smf.ols("log_streams ~ C(song_id) + C(week)", d[d["featured"] == 0]).fit()
    expected = (d["log_streams"] - fit.predict(d))[d["featured"] == 1].mean()
    assert value == pytest.approx(expected, abs=1e-9)
    assert (v * Y).sum() == pytest.approx(value, abs=1e-9)
    np.testing.assert_allclose(v.sum(axis=1), 0, atol=1e-9)


def test_weights_of_the_regression_and_its_bias():
    """무게의 합은 1이고 무게로 섞은 효과가 회귀의 기댓값입니다. 사그라지면 부풀고 자라면 쪼그라듭니다."""
    for shape, sign in [("fade", 1), ("grow", -1)]:
        Y, D, E, *_ = panel(seed=4, n=8_000, shape=shape)
        r = HERE["demean"](D)
        share = r / (r * r).sum()
        assert share[D == 1].sum() == pytest.approx(1)
        expected = (share * E).sum()
        assert HERE["twfe"](Y, D)[0] == pytest.approx(expected, abs=0.006)
        assert sign * (expected - E[D == 1].mean()) > 0.015


def test_pyfixest_gives_the_same_numbers():
    import pyfixest as pf

    d = SONGS.generate(seed=6, n=120)
    Y, D, E, g, old, since = panel(seed=6, n=120)
    fixed = pf.feols("log_streams ~ featured | song_id + week", d, vcov={"CRV1": "song_id"})
    assert fixed.coef()["featured"] == pytest.approx(HERE["twfe"](Y, D)[0], abs=1e-8)
    two = pf.did2s(
        d,
        yname="log_streams",
        first_stage="~ 0 | song_id + week",
        second_stage="~ i(featured, ref=0)",
        treatment="featured",
        cluster="song_id",
    )
    value, effect, v = HERE["impute"](Y, 1 - D, D)
    assert two.coef().iloc[0] == pytest.approx(value, abs=1e-6)
    assert HERE["cluster_error"](v, effect, D, since, old) == pytest.approx(two.se().iloc[0], rel=0.15)


def test_group_time_is_unbiased_and_noisier():
    values = []
    for k in range(60):
        Y, D, E, g, old, since = panel(seed=900 + k)
        values.append([HERE["group_time"](Y, g) - E[D == 1].mean(), HERE["impute"](Y, 1 - D, D)[0] - E[D == 1].mean()])
    second, first = np.array(values).T
    assert abs(second.mean()) < 3.5 * second.std() / np.sqrt(len(second))
    assert second.std() > 1.3 * first.std()


def test_the_placebo_hears_a_trend_and_measures_it():
    """뜨는 세상에서 가짜 처치가 본 추세는 평균하면 참값이고, 그 추세를 빼면 치우침의 대부분이 사라집니다."""
    slopes, left = [], []
    for k in range(80):
        Y, D, E, g, old, since = panel(seed=300 + k, trend=0.003)
        fake, _, rise = HERE["placebo"](Y, since)
        slopes.append(fake / rise)
        left.append(HERE["impute"](Y, 1 - D, D)[0] - E[D == 1].mean())
    assert np.mean(slopes) == pytest.approx(0.003, abs=0.0003)
    assert np.mean(left) > 0.02


def test_leaving_out_the_last_weeks_tells_a_trailer_from_a_trend():
    """시작만 앞당기면 예고편도 추세도 울립니다. 직전 네 주를 빼면 예고편은 조용하고 추세는 남습니다."""

    def rings(skip, **world):
        out = []
        for k in range(40):
            Y, *_, since = panel(seed=9_000 + k, **world)
            value, se, _ = HERE["placebo"](Y, since, lead=12, skip=skip)
            out.append(abs(value) > 1.96 * se)
        return np.mean(out)

    assert rings(0, trailer=4) > 0.9 and rings(0, trend=0.003) > 0.9
    assert rings(4, trailer=4) < 0.2 and rings(4, trend=0.003) > 0.6
    assert rings(4, trailer=6) > 0.5  # 뺀 주보다 먼저 나간 예고편은 다시 섞입니다


def test_the_memo_takes_the_cost_off():
    assert "net = memo[[" in PAGE.text and 'net.loc["옛 노래", "값"]' in PAGE.text
    Y, D, E, g, old, since = panel(**SONGS.DEFAULTS)
    for kind, sign in ((1, 1), (0, -1)):
        cells = (D == 1) & (since < 13) & (old[:, None] == kind)
        songs = (~np.isnan(g) & (old == kind)).sum()
        gain = (np.exp(Y[cells]) * (1 - np.exp(-E[cells]))).sum() / songs * 5 / 1e4
        assert sign * (gain - 300) > 100


def test_the_alarm_of_the_page_is_one_of_the_twenty():
    """본문의 자료에서는 가짜 처치가 울립니다. 평행 추세가 참인 세상에서 울리는 비율은 5% 안팎입니다."""
    fake, error, _ = HERE["placebo"](*[panel(**SONGS.DEFAULTS)[i] for i in (0, 5)])
    assert fake < 0 and abs(fake) > 1.96 * error
    rings = []
    for k in range(300):
        Y, *_, since = panel(seed=20_000 + k)
        value, se, _ = HERE["placebo"](Y, since)
        rings.append(abs(value) > 1.96 * se)
    assert 0.015 < np.mean(rings) < 0.09


def test_the_effect_is_not_gone_after_three_months():
    """'석 달 안에 사라진다'가 아닙니다: 13주째의 참 효과는 3% 남짓이고, 큰 자료에서 대체 추정도 그만큼 봅니다."""
    assert SONGS.effect_path("fade", [13])[0] == pytest.approx(0.0286, abs=1e-3)
    Y, D, E, g, old, since = panel(seed=15, n=6_000)
    cells = ((D == 1) & (since == 13)) * 1.0
    value = HERE["impute"](Y, 1 - D, cells)[0]
    assert value == pytest.approx(E[cells == 1].mean(), abs=0.012) and value > 0.015
    assert "석 달 안에 사라지고" not in PAGE.text


def test_the_headline_is_the_imputation_of_the_whole_table():
    d = SONGS.generate(seed=6, n=120)
    Y, D, E, g, old, since = panel(seed=6, n=120)
    value, effect, v = HERE["impute"](Y, 1 - D, D)
    half = 1.96 * HERE["cluster_error"](v, effect, D, since, old)
    assert HERE["imputation_effect"](d) == pytest.approx((value, value - half, value + half))


def test_the_memo_is_the_streams_between_the_two_worlds():
    """쪽의 값 = 늘어난 재생 × 한 번의 값. 참 효과를 넣으면 두 세상의 재생 차이와 같고, 옛 노래만 비용을 넘습니다."""
    d = SONGS.generate(seed=16, n=8_000)
    Y, D, E, g, old, since = panel(seed=16, n=8_000)
    Y0, used, worth = HERE["grid"](d, "log_streams_0"), ~np.isnan(g), {}
    for kind in (1, 0):
        cells = (D == 1) & (since < 13) & (old[:, None] == kind)
        by_formula = (np.exp(Y) * (1 - np.exp(-E)))[cells].sum()
        assert by_formula == pytest.approx((np.exp(Y) - np.exp(Y0))[cells].sum(), rel=1e-3)
        worth[kind] = by_formula / (used & (old == kind)).sum() * 5 / 1e4
    assert worth[1] > 300 > worth[0]
