"""도구변수의 식: 공변량을 뺀 잔차, 2단계 최소제곱, 앤더슨-루빈, 유효 F, 과대식별 검정, LIML. 재현 노트북에도 실립니다.

``ry``, ``rd``는 공변량을 뺀 결과와 처치의 잔차(shape (n,)), ``rz``는 도구 하나의 잔차, ``RZ``는 도구 여럿의 잔차(shape (n, m))입니다.
``parameters``는 추정한 계수의 수이고, 작은 표본의 보정에만 씁니다.
"""

import numpy as np

from causal_pipeline.shown import arm_spread, critical_value, error_and_critical

# --- 식(재현 노트북에 그대로 실립니다) ---


def linear_residual(v: np.ndarray, X: np.ndarray, w: np.ndarray | float = 1.0) -> np.ndarray:
    """절편과 ``X``로 예측한 것을 뺀 잔차에 √w를 곱한 것. 잔차끼리 곱하면 표본 가중치 ``w``가 한 번씩 들어갑니다."""
    s = np.sqrt(np.broadcast_to(w, len(v)))
    Z = np.column_stack([np.ones(len(v)), X]) * s[:, None]
    return v * s - Z @ np.linalg.lstsq(Z, v * s, rcond=None)[0]


def moment_error(g: np.ndarray, clusters: np.ndarray | None, parameters: int, arms: np.ndarray | None = None) -> float:
    """적률 Σg의 표준오차. ``parameters``는 추정한 계수의 수, ``arms``는 군집째 정한 도구의 값입니다(``shown.arm_spread``)."""
    n, by_arm = len(g), arm_spread(g, clusters, arms)
    if by_arm is not None:
        return n * by_arm[0]
    if clusters is None:
        return float(np.sqrt((g**2).sum() * n / max(n - parameters, 1)))
    sums = np.bincount(clusters, weights=g)
    k = len(sums)
    return float(np.sqrt((sums**2).sum() * k / max(k - 1, 1) * (n - 1) / max(n - parameters, 1)))


def anderson_rubin(
    ry: np.ndarray,
    rd: np.ndarray,
    rz: np.ndarray,
    clusters: np.ndarray | None,
    parameters: int,
    arms: np.ndarray | None = None,
) -> tuple[float, float]:
    """앤더슨-루빈 95% 구간: 그 효과를 뺀 결과가 도구와 얽히지 않는 값들.

    도구가 하나이면 이차부등식으로 풀립니다. 도구가 약하면 구간이 한쪽이나 양쪽으로 끝없이 갑니다(±무한대로 냅니다). ``arms``(행마다의
    도구의 값)를 주고 군집째 도구를 정했으면, 도구의 값마다의 군집의 수에 맞춘 분산과 자유도를 씁니다.
    """
    # (Σz(y−βd))² ≤ c²·Var. 분산은 β의 이차식이므로 세 점에서 재어 계수를 얻습니다.
    zy, zd, zz = rz @ ry, rz @ rd, rz @ rz
    gy, gd = rz * (ry - zy / zz * rz), rz * (rd - zd / zz * rz)
    c2 = error_and_critical(gy - zy / zd * gd, clusters, arms)[1] ** 2
    v0, vp, vm = (moment_error(gy - beta * gd, clusters, parameters, arms) ** 2 for beta in (0.0, 1.0, -1.0))
    va, vb = (vp + vm) / 2 - v0, (vp - vm) / 2
    a, b, c = zd**2 - c2 * va, -2 * zy * zd - c2 * vb, zy**2 - c2 * v0
    if a > 0:
        root = np.sqrt(max(b * b - 4 * a * c, 0.0))
        return float((-b - root) / (2 * a)), float((-b + root) / (2 * a))
    return -np.inf, np.inf


def two_stage(
    ry: np.ndarray,
    rd: np.ndarray,
    rz: np.ndarray,
    clusters: np.ndarray | None,
    parameters: int,
    arms: np.ndarray | None = None,
) -> tuple[float, float, float, float]:
    """2단계 최소제곱의 (효과, 표준오차, 아래, 위). 구간은 앤더슨-루빈이고, 그 구간에 끝이 없으면 보통의 구간입니다."""
    value = (rz @ ry) / (rz @ rd)
    g = rz * (ry - value * rd)
    se = moment_error(g, clusters, parameters, arms) / abs(rz @ rd)
    low, high = anderson_rubin(ry, rd, rz, clusters, parameters, arms)
    if not (np.isfinite(low) and np.isfinite(high)):
        half = error_and_critical(g, clusters, arms)[1] * se
        low, high = value - half, value + half
    return float(value), se, float(low), float(high)


def ratio_scores(u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Σwu / Σwv의 점수. 평균이 비율입니다."""
    value = (w @ u) / (w @ v)
    return value + len(u) * w * (u - value * v) / (w @ v)


# --- 도구가 여럿일 때 ---


def cluster_sums(G: np.ndarray, clusters: np.ndarray | None) -> np.ndarray:
    """행마다의 점수(n, m)를 군집마다 더한 것. 군집이 없으면 그대로입니다."""
    if clusters is None:
        return G
    return np.column_stack([np.bincount(clusters, weights=g) for g in G.T])


def small_sample(n: int, clusters: np.ndarray | None, parameters: int) -> float:
    """분산에 곱하는 작은 표본의 보정(``moment_error``와 같습니다)."""
    if clusters is None:
        return n / max(n - parameters, 1)
    k = int(clusters.max()) + 1
    return k / max(k - 1, 1) * (n - 1) / max(n - parameters, 1)


def effective_f(
    rd: np.ndarray, RZ: np.ndarray, clusters: np.ndarray | None, parameters: int, worst: float = 0.1
) -> tuple[float, float]:
    """(유효 F, 임곗값). Montiel Olea와 Pflueger(2013)의 식이고, 도구가 하나이면 유효 F는 강건 F와 같습니다.

    유효 F는 π̂'(Z'Z)π̂ / tr(V̂ Z'Z)입니다. 임곗값은 2단계 최소제곱의 (Nagar) 치우침이 최악의 경우의 ``worst``를 넘는다는 가설을
    5%에서 기각하는 값으로, 유효 자유도 K의 비중심 카이제곱의 분위수를 K로 나눈 것입니다(치우침의 한계를 1로 둔 보수적인 꼴).
    """
    from scipy import stats

    gram = RZ.T @ RZ
    slope = np.linalg.solve(gram, RZ.T @ rd)
    sums = cluster_sums(RZ * (rd - RZ @ slope)[:, None], clusters)
    root = np.linalg.cholesky(np.linalg.inv(gram))
    spread = small_sample(len(rd), clusters, parameters) * root.T @ (sums.T @ sums) @ root
    total, x = np.trace(spread), 1 / worst
    largest = np.linalg.eigvalsh(spread).max()
    k = total**2 * (1 + 2 * x) / ((spread**2).sum() + 2 * x * total * largest)
    return float(slope @ gram @ slope / total), float(stats.ncx2.ppf(0.95, k, x * k) / k)


def anderson_rubin_set(
    ry: np.ndarray, rd: np.ndarray, RZ: np.ndarray, clusters: np.ndarray | None, parameters: int
) -> tuple[float, float]:
    """도구가 여럿일 때의 앤더슨-루빈 95% 집합을 품는 가장 좁은 구간. 끝이 없으면 ±무한대, 어느 값도 남지 않으면 NaN입니다.

    효과를 b로 보고 y − b·d를 도구들에 회귀한 계수가 모두 0인지를 강건 F로 시험해, 기각하지 않는 b를 모읍니다.
    """
    from scipy import stats

    m = RZ.shape[1]
    inverse = np.linalg.inv(RZ.T @ RZ)
    a, b = RZ.T @ ry, RZ.T @ rd
    sums_y, sums_d = (cluster_sums(RZ * (v - RZ @ (inverse @ (RZ.T @ v)))[:, None], clusters) for v in (ry, rd))
    units = len(sums_y)
    factor = small_sample(len(ry), clusters, parameters)
    edge = m * stats.f.ppf(0.95, m, max(units - 1, 1))

    of_y, of_yd, of_d = (
        factor * left.T @ right for left, right in ((sums_y, sums_y), (sums_y, sums_d), (sums_d, sums_d))
    )
    of_yd = of_yd + of_yd.T

    def excess(beta):
        beta = np.atleast_1d(beta)[:, None]
        v, spread = a - beta * b, of_y - beta[..., None] * of_yd + beta[..., None] ** 2 * of_d
        return (v * np.linalg.solve(spread, v[..., None])[..., 0]).sum(axis=1) - edge

    if b @ np.linalg.solve(of_d, b) <= edge:
        return -np.inf, np.inf
    q = RZ @ (inverse @ b)
    centre = (q @ ry) / (q @ rd)
    scale = np.sqrt(((ry - centre * rd) ** 2).sum() / max(len(ry) - parameters, 1) / (q @ q))
    grid = centre + scale * np.tan(np.linspace(-np.pi / 2, np.pi / 2, 1203)[1:-1])
    inside = excess(grid) <= 0
    if not inside.any():
        return np.nan, np.nan
    ends = []
    for at, step in ((int(inside.argmax()), -1), (len(grid) - 1 - int(inside[::-1].argmax()), 1)):
        within, out = grid[at], grid[at + step] if 0 <= at + step < len(grid) else grid[at] + step * 1e6 * scale
        for _ in range(60):
            middle = (within + out) / 2
            within, out = (middle, out) if excess(middle)[0] <= 0 else (within, middle)
        ends.append(float(within))
    return ends[0], ends[1]


def two_stage_many(
    ry: np.ndarray, rd: np.ndarray, RZ: np.ndarray, clusters: np.ndarray | None, parameters: int
) -> tuple[float, float, float, float]:
    """도구 여럿의 2단계 최소제곱의 (효과, 표준오차, 아래, 위).

    유효 F가 임곗값을 넘으면 보통의 강건 구간입니다. 넘지 못하면 앤더슨-루빈의 구간을 쓰고, 그 구간이 비었거나 끝이 없으면 보통의
    구간을 둡니다. 도구가 여럿일 때 앤더슨-루빈의 구간은 도구들이 서로 어긋나기만 해도 좁아지므로 늘 쓰지는 않습니다.
    """
    q = RZ @ np.linalg.solve(RZ.T @ RZ, RZ.T @ rd)
    value = (q @ ry) / (q @ rd)
    se = moment_error(q * (ry - value * rd), clusters, parameters) / abs(q @ rd)
    half = critical_value(len(ry), clusters) * se
    strength, needed = effective_f(rd, RZ, clusters, parameters + RZ.shape[1] - 1)
    low, high = anderson_rubin_set(ry, rd, RZ, clusters, parameters + RZ.shape[1] - 1)
    if strength >= needed or not (np.isfinite(low) and np.isfinite(high)):
        low, high = value - half, value + half
    return float(value), se, float(low), float(high)


def hansen_j(ry: np.ndarray, rd: np.ndarray, RZ: np.ndarray, clusters: np.ndarray | None) -> tuple[float, float]:
    """과대식별 검정(Hansen, 1982)의 (J, p값). 2단계 최소제곱의 잔차로 무게를 정한 GMM이고, (군집) 이분산에 강건합니다."""
    from scipy import stats

    q = RZ @ np.linalg.solve(RZ.T @ RZ, RZ.T @ rd)
    sums = cluster_sums(RZ * (ry - (q @ ry) / (q @ rd) * rd)[:, None], clusters)
    weight, a, b = np.linalg.pinv(sums.T @ sums), RZ.T @ ry, RZ.T @ rd
    g = a - (b @ weight @ a) / (b @ weight @ b) * b
    j = float(g @ weight @ g)
    return j, float(stats.chi2.sf(j, RZ.shape[1] - 1))


def limited_information(ry: np.ndarray, rd: np.ndarray, RZ: np.ndarray) -> np.ndarray:
    """LIML의 도구 한 줄(Anderson과 Rubin, 1949), shape (n,). 이것을 도구로 쓴 비율이 LIML입니다.

    처치의 첫 단계에서 ``κ``만큼의 잔차를 뺀 것입니다. 약한 도구가 많을 때 2단계 최소제곱과 달리 단순 비교 쪽으로 쏠리지 않습니다.
    """
    both = np.column_stack([ry, rd])
    left = both - RZ @ np.linalg.solve(RZ.T @ RZ, RZ.T @ both)
    kappa = np.linalg.eigvals(np.linalg.solve(left.T @ left, both.T @ both)).real.min()
    return rd - kappa * left[:, 1]
