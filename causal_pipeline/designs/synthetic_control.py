"""통제집단합성법: 처치받은 대상이 하나일 때, 처치받지 않은 대상들의 가중평균으로 짝을 만듭니다."""

import inspect
from dataclasses import dataclass

import numpy as np

from causal_pipeline.designs import common
from causal_pipeline.designs.difference_in_differences import start_times
from causal_pipeline.errors import DataError
from causal_pipeline.model import Check, Estimate, Picture, Sensitivity, Step

# 위약의 순위로 5%를 말하려면 견줄 대상이 19개는 있어야 합니다.
FEW_DONORS, TOO_FEW_DONORS = 19, 5
FEW_BEFORE, TOO_FEW_BEFORE = 10, 4
# 처치받은 대상의 처치 전 오차를 위약들의 오차의 중앙값에 견준 배수.
FIT_WARN, FIT_FAIL = 1.5, 2.5


@dataclass
class Fit:
    """``y``는 처치받은 대상(시점), ``D``는 견줄 대상들(시점, 대상), ``T0``은 처치 앞 시점의 수."""

    times: np.ndarray
    name: object
    donors: np.ndarray
    y: np.ndarray
    D: np.ndarray
    T0: int
    effects: dict[str, float]
    placebos: dict[str, np.ndarray]
    before: float
    placebo_before: np.ndarray
    weights: np.ndarray
    ratio: float
    placebo_ratio: np.ndarray
    dropped: int


def fit(spec, ident, frame) -> Fit:
    """짝을 만들고 견줄 대상마다 위약을 냅니다(같은 자료에서는 한 번만)."""
    return common.remember(frame, ("synthetic_control", *common.spec_key(spec, ident)), lambda: _fit(spec, frame, spec.outcome.column))


# --- 가중치(재현 노트북에 그대로 실립니다) ---


def simplex_weights(A, b, ridge=0.0):
    """‖b − Aw‖² + ridge·‖w‖²을 줄이는, 음이 아니고 합이 1인 가중치."""
    import numpy as np
    from scipy.optimize import nnls

    # 합이 1이라는 조건을 아주 무거운 한 줄로 넣습니다.
    heavy = 1e3 * max(np.abs(A).max(), np.abs(b).max(), 1e-12) * np.sqrt(len(b))
    rows = [A, np.full((1, A.shape[1]), heavy)]
    goal = [b, [heavy]]
    if ridge > 0:
        rows.append(np.sqrt(ridge) * np.eye(A.shape[1]))
        goal.append(np.zeros(A.shape[1]))
    w = nnls(np.vstack(rows), np.concatenate(goal), maxiter=100 * A.shape[1])[0]
    return w / w.sum()


def synthetic_path(y, D, T0):
    """처치 앞의 결과를 가장 가깝게 따라가는 가중평균의 길과 가중치."""
    centre = D[:T0].mean()
    w = simplex_weights(D[:T0] - centre, y[:T0] - centre)
    return D @ w, w


def shifted_path(y, D, T0):
    """높이는 달라도 되고 움직임만 따라가는 길(절편이 있는 통제집단합성법)."""
    w = simplex_weights(D[:T0] - D[:T0].mean(axis=0), y[:T0] - y[:T0].mean())
    return D @ w + (y[:T0].mean() - D[:T0].mean(axis=0) @ w), w


def synthetic_difference(y, D, T0):
    """합성이중차분법의 효과(Arkhangelsky 외, 2021)."""
    import numpy as np

    after = len(y) - T0
    noise = np.diff(D[:T0], axis=0).std(ddof=1)
    zeta = after**0.25 * noise
    unit = simplex_weights(D[:T0] - D[:T0].mean(axis=0), y[:T0] - y[:T0].mean(), ridge=zeta**2 * T0)
    before, later = D[:T0].T, D[T0:].mean(axis=0)
    time = simplex_weights(before - before.mean(axis=0), later - later.mean(), ridge=(1e-6 * noise) ** 2 * D.shape[1])
    return (y[T0:].mean() - time @ y[:T0]) - unit @ (later - before @ time)


def _all_effects(y, D, T0) -> tuple[dict[str, float], float, float, np.ndarray]:
    path, w = synthetic_path(y, D, T0)
    gap = y - path
    effects = {
        "synthetic": float(gap[T0:].mean()),
        "shifted": float((y - shifted_path(y, D, T0)[0])[T0:].mean()),
        "synthetic_difference": float(synthetic_difference(y, D, T0)),
        "difference": float((y[T0:].mean() - y[:T0].mean()) - (D[T0:].mean() - D[:T0].mean())),
    }
    before = float(np.sqrt((gap[:T0] ** 2).mean()))
    return effects, before, float(np.sqrt((gap[T0:] ** 2).mean()) / max(before, 1e-300)), w


def _fit(spec, frame, outcome) -> Fit:
    p = spec.panel
    wide = frame.pivot_table(index=p.time, columns=p.unit, values=outcome, aggfunc="mean", observed=True).sort_index()
    starts = start_times(spec, frame).reindex(wide.columns)
    name = starts.dropna().index[0]
    whole = wide.dropna(axis=1)
    times = whole.index.to_numpy()
    T0 = int(np.searchsorted(times, float(starts[name]))) - p.anticipation
    if name not in whole.columns or T0 < 2 or T0 >= len(times):
        raise DataError(
            "too_short_before_treatment",
            "처치받은 대상의 처치 앞 시점이 둘 이상 있고 처치 뒤 시점이 하나 이상 있어야 하며, 그 결과에 빈칸이 없어야 합니다.",
            "panel.start와 panel.time의 단위를 확인하고, 처치 앞의 자료를 더 넣으세요.",
            spec.lines.get("panel"),
        )
    D = whole.drop(columns=name)
    if D.shape[1] < 2:
        raise DataError("no_donor", "견줄 대상이 둘도 되지 않습니다.", "처치받지 않은 대상을 자료에 더 넣으세요.", spec.lines.get("panel"))
    y, values = whole[name].to_numpy(dtype=float), D.to_numpy(dtype=float)
    effects, before, ratio, w = _all_effects(y, values, T0)
    kept = {key: [] for key in effects}
    placebo_before, placebo_ratio = [], []
    for j in range(values.shape[1]):
        other, b, r, _ = _all_effects(values[:, j], np.delete(values, j, axis=1), T0)
        for key, value in other.items():
            kept[key].append(value)
        placebo_before.append(b)
        placebo_ratio.append(r)
    return Fit(
        times, name, D.columns.to_numpy(), y, values, T0, effects, {k: np.array(v) for k, v in kept.items()}, before,
        np.array(placebo_before), w, ratio, np.array(placebo_ratio), wide.shape[1] - whole.shape[1],
    )  # fmt: skip


def placebo_quantile(values, level=0.95) -> float:
    """위약 J개에서, 하나 더 뽑은 것이 이보다 작을 확률이 ``level`` 이상인 값. J가 작으면 가장 큰 것입니다."""
    ordered = np.sort(np.abs(values))
    k = int(np.ceil(level * (len(ordered) + 1)))
    return float(ordered[min(k, len(ordered)) - 1])


# --- 점검 ---


def check(spec, ident, frame) -> list[Check]:
    """견줄 대상과 처치 앞 시점의 수, 처치 전의 맞음, 처치 시점을 앞당겨 본 위약, 그래프의 독립."""
    f = fit(spec, ident, frame)
    return [*_size_checks(f), _fit_check(f), *_backdating_check(f), *common.graph_checks(spec, ident, frame)]


def _size_checks(f: Fit) -> list[Check]:
    donors, before = len(f.donors), f.T0
    status = "ok" if donors >= FEW_DONORS else "warn" if donors >= TOO_FEW_DONORS else "fail"
    found = [
        Check(
            "donors",
            "견줄 대상의 수",
            status,
            f"견줄 대상은 {donors}개입니다."
            + ("" if status == "ok" else f" {FEW_DONORS}개보다 적으면 위약의 순위로 95% 구간을 만들 수 없어 구간이 좁게 나옵니다.")
            + (f" 빈칸이 있는 대상 {f.dropped}개는 뺐습니다." if f.dropped else ""),
            float(donors),
            float(FEW_DONORS),
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]
    status = "ok" if before >= FEW_BEFORE else "warn" if before >= TOO_FEW_BEFORE else "fail"
    found.append(
        Check(
            "periods_before",
            "처치 앞 시점의 수",
            status,
            f"처치 앞 시점은 {before}개입니다." + ("" if status == "ok" else " 시점이 적으면 잡음을 따라간 짝이 만들어집니다."),
            float(before),
            float(FEW_BEFORE),
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    )
    return found


def _fit_check(f: Fit) -> Check:
    value = f.before / max(np.median(f.placebo_before), 1e-300)
    status = "ok" if value <= FIT_WARN else "warn" if value <= FIT_FAIL else "fail"
    return Check(
        "pre_fit",
        "처치 전의 맞음",
        status,
        f"처치 전 오차(RMSPE)는 {common.show(f.before)}이고 견줄 대상들의 중앙값의 {value:.2f}배입니다."
        + ("" if status == "ok" else " 견줄 대상들의 가중평균으로는 이 대상을 흉내 내지 못합니다."),
        float(value),
        FIT_WARN,
        {"ok": None, "warn": "B", "fail": "C"}[status],
    )


def backdate(y, D, T0, hold) -> float:
    """처치를 ``hold``시점 앞당겼다고 보고 낸 가짜 효과를 그 앞의 오차로 나눈 것."""
    path, _ = synthetic_path(y[:T0], D[:T0], T0 - hold)
    gap = y[:T0] - path
    return float(gap[T0 - hold :].mean() / max(np.sqrt((gap[: T0 - hold] ** 2).mean()), 1e-300))


def _backdating_check(f: Fit) -> list[Check]:
    hold = max(1, f.T0 // 4)
    if f.T0 - hold < 3:
        return []
    mine = backdate(f.y, f.D, f.T0, hold)
    others = np.array([backdate(f.D[:, j], np.delete(f.D, j, axis=1), f.T0, hold) for j in range(f.D.shape[1])])
    p = float((1 + (np.abs(others) >= abs(mine)).sum()) / (len(others) + 1))
    # 순위의 p값은 1/(J+1)보다 작아질 수 없어, 가장 튀는 하나일 때를 깨진 것으로 봅니다.
    smallest = 1 / (len(others) + 1)
    status = "fail" if p <= max(0.03, smallest) and len(others) >= FEW_DONORS else "warn" if p <= 0.1 else "ok"
    return [
        Check(
            "backdating",
            "앞당긴 처치",
            status,
            f"처치가 {hold}시점 먼저 있었다고 보면 가짜 효과는 앞 오차의 {mine:+.2f}배이고, 견줄 대상들 가운데 이만큼 큰 몫(p값)은 {p:.3f}입니다."
            + (" 처치 앞부터 이미 벌어지고 있었습니다." if status == "fail" else ""),
            p,
            0.03,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]


# --- 추정 ---


def interval(effect, placebos, before, placebo_before) -> tuple[float, float, float]:
    """위약을 처치 앞 오차로 나누어 잰 95% 구간과, 그 구간의 반쪽을 1.96으로 나눈 오차."""
    scaled = placebos / np.maximum(placebo_before, 1e-300)
    half = placebo_quantile(scaled) * before
    return effect - half, effect + half, half / 1.96


def estimate(spec, ident, frame) -> list[Estimate]:
    """통제집단합성법(주된 추정), 절편을 넣은 것, 합성이중차분법, 고른 이중차분법. 구간은 위약의 순위입니다."""
    f = fit(spec, ident, frame)
    labels = {
        "synthetic": ("통제집단합성법", "처치받은 대상이 다른 대상들의 사이에 있지 않을 때"),
        "shifted": ("절편을 넣은 통제집단합성법", "높이의 차이가 시간에 따라 변할 때"),
        "synthetic_difference": ("합성이중차분법", "처치 앞 시점이 적거나, 앞뒤의 시점이 닮지 않았을 때"),
        "difference": ("견줄 대상 모두와의 이중차분법", "추세가 나란하지 않을 때"),
    }
    out = []
    for name, (label, fails) in labels.items():
        if name == "synthetic":
            low, high, error = interval(f.effects[name], f.placebos[name], f.before, f.placebo_before)
        else:
            half = placebo_quantile(f.placebos[name])
            low, high, error = f.effects[name] - half, f.effects[name] + half, half / 1.96
        out.append(Estimate(name, label, f.effects[name], float(low), float(high), float(error), f.D.size + len(f.y), fails, name == "synthetic", "ATT"))
    change = float(f.y[f.T0 :].mean() - f.y[: f.T0].mean())
    spread = np.abs(f.D[f.T0 :].mean(axis=0) - f.D[: f.T0].mean(axis=0)).std(ddof=1)
    out.append(
        Estimate("naive", "처치 앞뒤의 차이", change, change - 1.96 * spread, change + 1.96 * spread, float(spread), len(f.y), "처치가 없어도 결과가 움직일 때")
    )
    return out


# --- 흔들어 보기 ---


def stress(spec, ident, frame, estimates) -> tuple[list[Check], list[Sensitivity]]:
    """추정량끼리의 견줌, 대상을 바꾼 위약, 견줄 대상을 하나씩 빼기, 음성 대조군."""
    f = fit(spec, ident, frame)
    main = next(e for e in estimates if e.primary)
    errors = {name: float((f.placebos[name] - f.placebos["synthetic"]).std(ddof=1)) for name in f.effects if name != "synthetic"}
    left, left_check = _leave_one_out(f, main)
    return [common.agreement_check(estimates, errors), _placebo(f, main), left_check, _negative(spec, frame, f, main)], [left, _scale(f, main)]


def _placebo(f: Fit, main) -> Check:
    """구간이 0을 비켜 가는데 위약의 순위는 그렇지 않으면등급을 낮춥니다."""
    p = float((1 + (f.placebo_ratio >= f.ratio).sum()) / (len(f.placebo_ratio) + 1))
    bad = (main.low > 0 or main.high < 0) and p > 0.1
    return Check(
        "placebo",
        "대상을 바꾼 위약",
        "warn" if bad else "ok",
        f"처치 뒤 오차를 앞 오차로 나눈 비는 {f.ratio:.1f}이고, 견줄 대상 {len(f.donors)}개를 처치받았다고 보았을 때 이만큼 큰 몫(p값)은 {p:.3f}입니다.",
        p,
        0.1,
        "B" if bad else None,
    )


def _leave_one_out(f: Fit, main) -> tuple[Sensitivity, Check]:
    used = np.flatnonzero(f.weights > 0.01)
    numbers = {}
    for j in used:
        path, _ = synthetic_path(f.y, np.delete(f.D, j, axis=1), f.T0)
        numbers[str(f.donors[j])] = float((f.y - path)[f.T0 :].mean())
    values = list(numbers.values()) or [main.value]
    significant = main.low > 0 or main.high < 0
    flips = significant and min(values) < 0 < max(values)
    outside = any(not main.low <= v <= main.high for v in values)
    largest = float(f.weights.max())
    message = (
        f"무게가 실린 대상 {len(used)}개를 하나씩 빼면 추정값은 {common.show(min(values))}에서 {common.show(max(values))} 사이입니다(가장 큰 무게 {largest:.2f})."
    )
    bad = flips or outside
    return (
        Sensitivity("leave_one_out", "견줄 대상을 하나씩 빼기", float(max(abs(v - main.value) for v in values)), message, numbers),
        Check("leave_one_out", "견줄 대상을 하나씩 빼기", "warn" if bad else "ok", message, largest, None, "B" if bad else None),
    )


def _negative(spec, frame, f: Fit, main) -> Check:
    if not spec.negative_outcomes:
        return common.negative_control_check(spec, [], 0.0)
    results = []
    for name in spec.negative_outcomes:
        other = _fit(spec, frame, name)
        _, _, error = interval(other.effects["synthetic"], other.placebos["synthetic"], other.before, other.placebo_before)
        results.append((name, other.effects["synthetic"], error, float(other.y[: other.T0].std() or 1.0)))
    return common.negative_control_check(spec, results, main.value / max(f.y[: f.T0].std(), 1e-12))


def _scale(f: Fit, main) -> Sensitivity:
    value = abs(main.value) / max(f.before, 1e-300)
    needed = placebo_quantile(f.placebos["synthetic"] / np.maximum(f.placebo_before, 1e-300))
    message = f"추정값은 처치 전 오차의 {value:.1f}배입니다. 처치받지 않은 대상들에서는 95%가 {needed:.1f}배 안에 듭니다."
    return Sensitivity("scaled_effect", "처치 전 오차에 견준 효과", float(value), message, {"위약의 95%": float(needed)})


# --- 그림과 재현 ---


def pictures(spec, ident, frame, estimates) -> list[Picture]:
    """추정값, 실제와 합성의 길."""
    f = fit(spec, ident, frame)
    path, _ = synthetic_path(f.y, f.D, f.T0)
    gaps = []
    for j in range(f.D.shape[1]):
        other, _ = synthetic_path(f.D[:, j], np.delete(f.D, j, axis=1), f.T0)
        gaps.append((f.D[:, j] - other).tolist())
    return [
        common.forest(estimates, spec.outcome.unit),
        Picture(
            "paths",
            "실제와 합성한 짝",
            "처치받은 대상의 실제 결과와 견줄 대상들의 가중평균. 세로선 뒤가 처치 뒤입니다.",
            {
                "times": [float(t) if np.issubdtype(type(t), np.number) else str(t) for t in f.times],
                "treated": f.y.tolist(),
                "observed": f.y.tolist(),
                "synthetic": path.tolist(),
                "start": float(f.times[f.T0]),
                "unit": spec.outcome.unit,
                "placebos": gaps,
            },
        ),
    ]


def steps(spec, ident, frame, estimates) -> list[Step]:
    """scipy의 음이 아닌 최소제곱으로 가중치를, 견줄 대상마다의 위약으로 구간을 냅니다."""
    f = fit(spec, ident, frame)
    p = spec.panel
    name = f.name.item() if hasattr(f.name, "item") else f.name
    return [
        Step(
            "시점을 행, 대상을 열로 놓습니다.",
            "import numpy as np\nimport pandas as pd\nfrom scipy.optimize import nnls\n\nreproduced = {}\n"
            f"wide = frame.pivot_table(index={p.time!r}, columns={p.unit!r}, values={spec.outcome.column!r}, aggfunc='mean', observed=True).sort_index().dropna(axis=1)\n"
            f"y = wide[{name!r}].to_numpy(dtype=float)\ndonors = wide.drop(columns={name!r})\nD, T0 = donors.to_numpy(dtype=float), {f.T0}",
        ),
        Step(
            "처치 앞의 결과를 가장 가깝게 따라가는 가중평균을 찾습니다.",
            "\n\n".join(inspect.getsource(x) for x in (simplex_weights, synthetic_path))
            + "\n\npath, w = synthetic_path(y, D, T0)\nprint(pd.Series(w, index=donors.columns).round(3).loc[lambda s: s > 0.01])\n"
            "value = (y - path)[T0:].mean()\nbefore = np.sqrt(((y - path)[:T0] ** 2).mean())\nvalue",
        ),
        Step(
            "견줄 대상마다 같은 일을 되풀이해, 처치 앞 오차로 나눈 위약의 95% 자리로 구간을 만듭니다.",
            "scaled = []\nfor j in range(D.shape[1]):\n    rest = np.delete(D, j, axis=1)\n    gap = D[:, j] - synthetic_path(D[:, j], rest, T0)[0]\n"
            "    scaled.append(abs(gap[T0:].mean()) / np.sqrt((gap[:T0] ** 2).mean()))\n"
            "k = min(int(np.ceil(0.95 * (len(scaled) + 1))), len(scaled))\nhalf = np.sort(scaled)[k - 1] * before\n"
            'reproduced["synthetic"] = {"value": value, "low": value - half, "high": value + half}\nreproduced["synthetic"]',
        ),
    ]
