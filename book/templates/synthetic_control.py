# %% [markdown]
# # 통제집단합성: 한 곳만 받았고 다른 곳의 긴 기록이 있을 때
#
# 본보기 자료로 처음부터 끝까지 돕니다. 내 자료로 바꾸려면 바로 아래 셀만 고칩니다. 걸음마다 읽을 곳은 9주차 장입니다.
# 다른 곳을 섞은 것이 **처치가 없었을 때의 그곳**을 앞으로도 따라갔으리라고 믿어야 합니다.

# %%
DATA = "data.csv"  # 자료 파일. 곳 하나의 한 시점이 한 행(곳마다 열이 따로 있으면 pandas의 melt로 먼저 세로로 쌓습니다)
WHERE, WHEN = "region", "week"  # 곳과 시점의 열. 날짜는 2026-01-05처럼 적습니다
TREATMENT = "onehour"  # 처치받은 칸이 1
OUTCOME, UNIT = "orders", "건/천 가구"  # 결과의 열, 단위
LEFT_OUT = []  # 처치가 번졌을 이웃처럼 섞지 않을 곳

# %%
import cvxpy as cp
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

table = pd.read_csv(DATA)
absent = {WHERE, WHEN, TREATMENT, OUTCOME} - set(table)
assert not absent, f"자료에 없는 열: {absent}. 있는 열: {list(table)[:8]}"
wide = table.pivot(index=WHEN, columns=WHERE, values=OUTCOME).drop(columns=LEFT_OUT)
on = table.pivot(index=WHEN, columns=WHERE, values=TREATMENT).fillna(0)
treated = on.columns[on.max() > 0]
assert len(treated) == 1, f"처치받은 곳이 {len(treated)}개입니다. 여럿이면 이중차분의 틀을 쓰세요."
treated = treated[0]
holes = wide.columns[wide.isna().any()]
assert holes.empty, f"빈 칸이 있는 곳: {list(holes)}. 그 시점을 빼거나 그 곳을 LEFT_OUT에 적고 이유를 적으세요."
before = (on[treated] == 0).to_numpy()
assert not before[np.argmin(before) :].any(), "처치가 켜졌다 꺼집니다. 켜져 있는 기간까지만 남기세요."
print(f"{treated}: 처치 전 {before.sum()}시점, 뒤 {(~before).sum()}시점, 섞을 곳 {wide.shape[1] - 1}개")

# %% [markdown]
# ## 1. 섞는 비율
#
# 처치 전의 모습을 가장 잘 따라가는 비율을 찾습니다. 비율은 0보다 작지 않고 더하면 1입니다. 몇 곳이 거의 다 차지하면 그곳에 무슨 일이
# 있었는지부터 확인합니다.


# %%
def mixed(target, others):
    """(섞은 비율, 섞은 결과). 처치 전 시점에서 맞춥니다."""
    w = cp.Variable(others.shape[1], nonneg=True)
    loss = cp.sum_squares(target[before] - others[before] @ w)
    cp.Problem(cp.Minimize(loss), [cp.sum(w) == 1]).solve(solver=cp.CLARABEL)
    return w.value, others @ w.value


names = wide.columns.drop(treated)
weights, synthetic = mixed(wide[treated].to_numpy(), wide[names].to_numpy())
gap = wide[treated].to_numpy() - synthetic
effect, misfit = gap[~before].mean(), np.sqrt((gap[before] ** 2).mean())
print(pd.Series(weights, names).sort_values(ascending=False).head(6).round(2).to_string())
print(f"처치 전 어긋남(RMSE) {misfit:.2f}, 처치 뒤 평균 차이 {effect:+.2f}{UNIT}")

# %%
fig, ax = plt.subplots(figsize=(7, 3.5))
ax.plot(wide.index, wide[treated], label="observed")
ax.plot(wide.index, synthetic, ls="--", label="synthetic")
ax.axvline(wide.index[before][-1], color="grey", lw=1)
ax.legend()
plt.show()

# %% [markdown]
# ## 2. 받지 않은 곳에서도 같은 일을 해 봅니다
#
# 곳마다 처치받은 척하고 같은 차이를 냅니다. 진짜가 이 가운데 몇째인지가 p 값입니다. 곳이 열아홉이면 아무리 커도 0.05보다 작아질 수 없습니다.
# 처치 전에 잘 맞지 않는 곳은 뒤에서도 크게 벌어지므로, 처치 전 어긋남으로 나눈 비율을 견줍니다.

# %%
ratios, gaps = {}, {}
for name in names:
    others = wide[names.drop(name)].to_numpy()
    _, fake = mixed(wide[name].to_numpy(), others)
    difference = wide[name].to_numpy() - fake
    gaps[name] = difference[~before].mean()
    ratios[name] = np.sqrt((difference[~before] ** 2).mean() / (difference[before] ** 2).mean())
own = np.sqrt((gap[~before] ** 2).mean()) / misfit
p = (1 + sum(r >= own for r in ratios.values())) / (1 + len(ratios))
spread = np.quantile(np.abs(list(gaps.values())), 0.95)
print(f"p = {p:.3f} (곳 {len(ratios)}개). 받지 않은 곳의 95%는 차이가 ±{spread:.2f}{UNIT} 안입니다.")

# %% [markdown]
# ## 3. 때를 옮겨 봅니다
#
# 처치 전의 뒤쪽 셋 가운데 하나를 가리고 맞추어, 아직 오지 않은 처치에서 '효과'가 나오는지 봅니다.

# %%
whole_before, cut = before.copy(), int(before.sum() * 2 / 3)
before = np.arange(len(wide)) < cut
_, fake = mixed(wide[treated].to_numpy(), wide[names].to_numpy())
hidden = whole_before & ~before
print(
    f"가린 {hidden.sum()}시점의 '효과' {(wide[treated].to_numpy() - fake)[hidden].mean():+.2f}{UNIT}(0에 가까워야 합니다)"
)
before = whole_before

# %% [markdown]
# ## 4. 결정에 쓸 줄

# %%
low, high = effect - spread, effect + spread
print(f"주된 답: {treated}의 평균 효과 {effect:+.2f}{UNIT} [{low:+.2f}, {high:+.2f}]")
print("범위는 받지 않은 곳들이 같은 기간에 벌어진 크기입니다.")
