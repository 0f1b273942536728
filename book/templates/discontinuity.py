# %% [markdown]
# # 회귀 불연속: 점수가 선을 넘으면 받을 때
#
# 본보기 자료로 처음부터 끝까지 돕니다. 내 자료로 바꾸려면 바로 아래 셀만 고칩니다. 걸음마다 읽을 곳은 11주차 장입니다.
# 답은 **선 바로 둘레**의 효과입니다. 선에서 먼 대상에는 쓰지 않습니다.

# %%
DATA = "data.csv"  # 자료 파일
SCORE, CUTOFF = "score", 70.0  # 점수의 열과 선. 선 이상이면 받을 수 있습니다
TREATMENT = "helped"  # 실제로 받았는지(0/1). 없고 모두 규칙대로 받았으면 SCORE >= CUTOFF로 열을 먼저 만듭니다
OUTCOME, UNIT = "sales", "만 원"  # 결과의 열, 단위
BEFORE = ["prior_sales"]  # 점수가 정해지기 전에 잰 수. 점검에만 쓰므로 빈칸이 있어도 됩니다
BANDWIDTH = 8.0  # 선에서 이만큼 안의 행만 씁니다. 결과를 보기 전에 정합니다

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

rows = pd.read_csv(DATA)
table = rows.dropna(subset=[SCORE, TREATMENT, OUTCOME])
near = table[(table[SCORE] - CUTOFF).abs() < BANDWIDTH]
x = near[SCORE].to_numpy(float) - CUTOFF
above = (x >= 0).astype(float)
print(
    f"{len(table):,}행 가운데 선 둘레 {len(near):,}행(아래 {(above == 0).sum():,}, 위 {(above == 1).sum():,}). 빈칸으로 뺀 {len(rows) - len(table):,}행"
)

# %% [markdown]
# ## 1. 점수를 고른 흔적이 있는가
#
# 선 바로 위와 아래의 수가 크게 다르면 누군가 점수를 맞춘 것입니다. 그러면 여기서 멈춥니다. 점수가 성긴 눈금이면(정수, 5점마다) 눈금의
# 이웃끼리 견주어야 하므로 이 검정을 그대로 쓰지 않습니다.

# %%
step = BANDWIDTH / 4
below_count, above_count = int(((-step <= x) & (x < 0)).sum()), int(((0 <= x) & (x < step)).sum())
sorting = stats.binomtest(above_count, above_count + below_count, 0.5).pvalue
print(f"선 아래 {below_count}행, 위 {above_count}행, p = {sorting:.3f}")

# %% [markdown]
# ## 2. 선에서의 뜀
#
# 선의 양쪽에서 직선을 따로 긋고, 선에서 만나는 높이의 차이를 잽니다. 선에 가까운 행에 가중치를 더 줍니다(삼각 커널).
# 선을 넘어도 받지 않은 대상이 있으면, 결과의 뜀을 처치의 뜀으로 나눈 것이 효과입니다.


# %%
def jump(values, width=BANDWIDTH, at=0.0):
    """(at에서의 뜀, 표준오차). 양쪽의 직선, 삼각 커널. 빈칸은 뺍니다."""
    inside = (np.abs(x - at) < width) & np.isfinite(values)
    u = x[inside] - at
    up = (u >= 0).astype(float)
    design = np.column_stack([np.ones_like(u), up, u, up * u])
    fit = sm.WLS(values[inside], design, weights=1 - np.abs(u) / width).fit(cov_type="HC1")
    return fit.params[1], fit.bse[1]


y, t = near[OUTCOME].to_numpy(float), near[TREATMENT].to_numpy(float)
(reduced, reduced_error), (first, first_error) = jump(y), jump(t)
effect = reduced / first
_, error = jump(y - effect * t)  # 비율의 오차: 효과를 뺀 결과의 뜀의 오차를 처치의 뜀으로 나눕니다
error /= abs(first)
low, high = effect - 1.96 * error, effect + 1.96 * error
sharp = "모두 규칙대로 받았습니다" if first_error < 1e-9 else f"z = {first / first_error:.1f}"
print(f"결과의 뜀 {reduced:+.2f}{UNIT}, 처치의 뜀 {first:+.2f}({sharp})")
print(f"효과 {effect:+.2f}{UNIT} [{low:+.2f}, {high:+.2f}]")

# %% [markdown]
# ## 3. 다른 밴드폭, 다른 선, 처치 전의 값
#
# 밴드폭을 반으로 줄여도 답이 비슷한지, 가짜 선에서는 뛰지 않는지, 처치 전의 값도 뛰지 않는지 봅니다. 직선이 아닌 관계를 넓은 밴드폭으로
# 그으면 뜀이 지어집니다.

# %%
for width in (BANDWIDTH / 2, BANDWIDTH):
    print(f"밴드폭 {width:g}: {jump(y, width)[0] / jump(t, width)[0]:+.2f}{UNIT}")
for name in BEFORE:
    value, se = jump(near[name].to_numpy(float))
    print(f"{name}의 뜀 {value:+.2f} (z = {value / se:+.1f})")
for at in (-BANDWIDTH / 2, BANDWIDTH / 2):  # 한쪽의 행만 들어옵니다
    value, se = jump(y, BANDWIDTH / 2, at)
    print(f"가짜 선 {CUTOFF + at:g}: 결과의 뜀 {value:+.2f} (z = {value / se:+.1f})")
fig, ax = plt.subplots(figsize=(7, 3.5))
bins = np.floor(x / (BANDWIDTH / 8))
centres = pd.DataFrame({"x": x, "y": y}).groupby(bins).mean()
ax.scatter(centres["x"] + CUTOFF, centres["y"])
ax.axvline(CUTOFF, color="grey", ls="--")
ax.set(xlabel="score", ylabel="outcome")
plt.show()

# %% [markdown]
# ## 4. 결정에 쓸 줄
#
# 선을 옮기는 결정에는 선 둘레의 효과가 바로 쓰입니다. 모두에게 주는 결정에는 쓰지 않습니다.

# %%
print(f"주된 답: 선 둘레에서 선을 넘어 받은 대상의 효과 {effect:+.2f}{UNIT} [{low:+.2f}, {high:+.2f}]")
