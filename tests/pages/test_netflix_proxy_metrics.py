"""대리 지표의 기울기 사례: 알려진 정답, 그리고 쪽이 하는 통계의 주장."""

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

PROXY = generator("netflix_proxy_metrics")
KNOWN = truth("netflix_proxy_metrics")
PAGE = read_page(ROOT / "case_studies" / "netflix_proxy_metrics.md")
NAMES = ("bucket_gaps", "raw_parts", "jack_parts", "slope", "bucket_noise", "liml", "programmes", "fake_gaps")
CODE = page_functions(PAGE, *NAMES, make=PROXY)
bucket_gaps, raw_parts, jack_parts, slope, bucket_noise, liml, programmes, fake_gaps = (CODE[n] for n in NAMES)
OMEGA = 2e6 / 5_000 * PROXY.NOISE


def naive_and_jive(a, b):
    return [slope(part(a, b), part(a, a)) for part in (raw_parts, jack_parts)]


@pytest.fixture(scope="module")
def many():
    """기본 세상의 실험 2만 건: 참 효과와 조각의 차이."""
    tau, gaps = programmes(np.random.default_rng(1), 1, n=20_000)
    return tau[0], gaps[0]


def test_the_card_tells_the_truth_of_the_population():
    tau = PROXY.effects(np.random.default_rng(0), (2_000_000,))
    spread = tau.std(axis=0)
    corr = np.corrcoef(tau.T)
    assert np.polyfit(tau[:, 0], tau[:, 2], 1)[0] == pytest.approx(KNOWN["ATE"], abs=2e-3)
    np.testing.assert_allclose(spread, [0.02, 0.012, 0.01], rtol=5e-3)
    assert (
        corr[0, 2] == pytest.approx(-0.5, abs=5e-3)
        and corr[1, 2] == pytest.approx(0.7, abs=5e-3)
        and corr[0, 1] == pytest.approx(-0.3, abs=5e-3)
    )


def test_buckets_carry_the_covariance_of_users():
    d = PROXY.generate(seed=2, n=2_000)
    inside = [d["clicks_var"].mean(), d["days_var"].mean(), d["clicks_days_cov"].mean()]
    np.testing.assert_allclose(inside, [1.0, 1.44, 0.72], rtol=0.01)
    s, y = bucket_gaps(d, "clicks"), bucket_gaps(d, "days")
    assert bucket_noise(s, y).mean() == pytest.approx(OMEGA[0, 2], rel=0.03)
    np.testing.assert_allclose(s.mean(1).var() - OMEGA[0, 0], 400, rtol=0.15)
    assert (d.groupby(["experiment", "arm"])["users"].sum() == 5_000).all()


def test_simulation_on_the_page_matches_the_generator(many):
    _, gaps = many
    d = PROXY.generate(seed=4, n=8_000)
    wide = np.stack([bucket_gaps(d, c).mean(1) for c in PROXY.METRICS], axis=-1)
    np.testing.assert_allclose(np.cov(wide.T), np.cov(gaps.mean(1).T), rtol=0.12, atol=15)


def test_naive_has_the_wrong_sign_and_the_jackknife_the_right_one(many):
    _, gaps = many
    naive, jive = naive_and_jive(gaps[..., 0], gaps[..., 2])
    user = PROXY.NOISE[0, 2] / PROXY.NOISE[0, 0]
    assert user == pytest.approx(0.72)
    assert naive[0] == pytest.approx(0.235, abs=0.02)
    assert abs(jive[0] - KNOWN["ATE"]) < 4 * jive[1] and jive[1] < 0.025


def test_naive_is_the_weak_instrument_mixture(many):
    _, gaps = many
    s, y = gaps[..., 0], gaps[..., 2]
    F = raw_parts(s, s).mean() / OMEGA[0, 0]
    tc = (raw_parts(s, y).mean() - OMEGA[0, 2]) / (raw_parts(s, s).mean() - OMEGA[0, 0])
    mixed = (1 - 1 / F) * tc + OMEGA[0, 2] / OMEGA[0, 0] / F
    assert slope(raw_parts(s, y), raw_parts(s, s))[0] == pytest.approx(mixed, abs=1e-12)
    assert F == pytest.approx(2.0, abs=0.06)


def test_jackknife_equals_subtracting_the_bucket_noise():
    d = PROXY.generate(seed=6, n=50)
    s, y = bucket_gaps(d, "clicks"), bucket_gaps(d, "days")
    top, low = (raw_parts(s, v) - bucket_noise(s, v) for v in (y, s))
    # 가운데로 옮기는 평균이 같으므로 항마다 같습니다.
    np.testing.assert_allclose(jack_parts(s, y), top, atol=1e-8)
    np.testing.assert_allclose(jack_parts(s, s), low, atol=1e-8)


def test_hand_equals_linearmodels():
    from linearmodels.iv import IV2SLS, IVJIVE, IVLIML

    d = PROXY.generate(seed=7, n=60, users=50_000)
    s, y = bucket_gaps(d, "clicks"), bucket_gaps(d, "days")
    which = np.repeat(np.arange(60), 10)
    frame = (y.reshape(-1, 1), np.ones((600, 1)), s.reshape(-1, 1), np.eye(60)[which][:, 1:])
    (naive, naive_se), (jive, jive_se) = naive_and_jive(s, y)
    for method, value, error in ((IV2SLS, naive, naive_se), (IVJIVE, jive, jive_se), (IVLIML, float(liml(s, y)), None)):
        fit = method(*frame).fit(cov_type="clustered", clusters=which[:, None])
        assert value == pytest.approx(fit.params.iloc[1], abs=1e-8)
        if error is not None:
            assert error == pytest.approx(fit.std_errors.iloc[1], rel=1e-6)


def test_liml_is_right_only_without_direct_effects():
    for direct, low, high in ((0.0, -0.28, -0.22), (0.00866, -0.42, -0.32)):
        _, g = programmes(np.random.default_rng(5), 60, n=3_000 // 10, direct=direct)
        assert low < np.median(liml(g[..., 0], g[..., 2])) < high


def test_more_tests_do_not_help_and_more_users_do():
    rng = np.random.default_rng(8)
    found = {}
    for n, users in ((300, 5_000), (5_000, 5_000), (300, 500_000)):
        _, g = programmes(rng, 20, n=n, users=users)
        found[n, users] = np.median(slope(raw_parts(g[..., 0], g[..., 2]), raw_parts(g[..., 0], g[..., 0]))[0])
    assert found[5_000, 5_000] == pytest.approx(found[300, 5_000], abs=0.05) and found[5_000, 5_000] > 0.2
    assert found[300, 500_000] == pytest.approx(-0.25, abs=0.03)


def test_stored_by_success_breaks_and_a_fresh_half_mends(many):
    tau, gaps = many
    z = gaps[..., 0].mean(1) / np.sqrt(OMEGA[0, 0])
    early = gaps[:, :5, 0].mean(1) / np.sqrt(2 * OMEGA[0, 0])
    kept, fresh = abs(z) > 1.96, abs(early) > 1.96
    assert (
        slope(jack_parts(gaps[kept][..., 0], gaps[kept][..., 2]), jack_parts(gaps[kept][..., 0], gaps[kept][..., 0]))[0]
        > 0.05
    )
    late = gaps[fresh][:, 5:]
    value, error = slope(jack_parts(late[..., 0], late[..., 2]), jack_parts(late[..., 0], late[..., 0]))
    assert abs(value + 0.25) < 4 * error and error < 0.07
    assert np.polyfit(tau[kept, 0], tau[kept, 2], 1)[0] == pytest.approx(-0.25, abs=0.03)


def test_someone_elses_covariance_misleads_the_total_covariance():
    d = PROXY.generate(seed=9, n=6_000, new_share=0.15)
    s, y = bucket_gaps(d, "clicks"), bucket_gaps(d, "days")
    size = d[d["arm"] == 1].groupby("experiment")["users"].sum().to_numpy()
    pooled = [np.average(d[c], weights=d["users"]) * 2e6 / size for c in ("clicks_days_cov", "clicks_var")]
    wrong, right = {}, {}
    for name, w in (("size", size), ("plain", np.ones(len(size)))):
        wrong[name] = slope(w * (raw_parts(s, y) - pooled[0]), w * (raw_parts(s, s) - pooled[1]))
        right[name] = slope(w * jack_parts(s, y), w * jack_parts(s, s))
        assert abs(right[name][0] + 0.25) < 4 * right[name][1]
        assert wrong[name][0] + 0.25 > 4 * wrong[name][1]
    # 무게가 없으면 작은 실험이 커져 더 어긋나고, JIVE는 덜 정밀할 뿐입니다.
    assert wrong["plain"][0] > 0.2 > 0 > wrong["size"][0]
    assert right["size"][1] < 0.06 < right["plain"][1]


def test_fake_experiments_show_the_slope_of_users():
    d = PROXY.generate(seed=10, n=3_000)
    s, y = fake_gaps(d, "clicks"), fake_gaps(d, "days")
    assert slope(raw_parts(s, y), raw_parts(s, s))[0] == pytest.approx(0.72, abs=0.06)
    left = jack_parts(s, y)
    assert abs(left.mean()) < 4 * left.std() / np.sqrt(len(left))


def test_default_errors_of_buckets_are_too_small():
    _, g = programmes(np.random.default_rng(13), 500, users=50_000)
    a, b = (v - v.mean((-2, -1), keepdims=True) for v in (g[..., 0], g[..., 2]))
    value, grouped = slope(jack_parts(a, b), jack_parts(a, a))
    push = (a.sum(-1, keepdims=True) - a) / 9 * (b - value[:, None, None] * a)
    plain = np.sqrt((push**2).sum((-2, -1))) / abs(10 * jack_parts(a, a).sum(-1))
    assert (abs(value + 0.25) < 1.96 * plain).mean() < 0.9 < 0.92 < (abs(value + 0.25) < 1.96 * grouped).mean()


def test_the_money_of_the_memo_is_the_gap_between_changes(many):
    """클릭이 20회 더 는 개편과 그대로인 개편의 접속일 차이에 값을 곱하면 참 기울기의 돈입니다."""
    tau, _ = many
    more, same = (tau[abs(tau[:, 0] - at) < 4][:, 2].mean() for at in (20, 0))
    assert 0.1 * (more - same) == pytest.approx(0.1 * 20 * KNOWN["ATE"], abs=0.08)
