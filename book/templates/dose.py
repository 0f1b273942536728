# %% [markdown]
# # 용량: 얼마나 많이 주었는지가 다를 때
#
# 본보기 자료로 처음부터 끝까지 돕니다. 내 자료로 바꾸려면 바로 아래 셀만 고칩니다. 걸음마다 읽을 곳은 6주차와 7주차 장입니다.
# 용량을 동전으로 정했으면 그대로 답이 되고, 사람이 정했으면 **본 것이 모두 BEFORE에** 있어야 합니다.

# %%
DATA = "data.csv"  # 자료 파일
DOSE, FROM, TO = "push", 0.0, 4.0  # 용량의 열, 견줄 두 값
OUTCOME, UNIT = "spend", "천 원"  # 결과의 열, 단위
# 용량을 정하기 전에 잰 수. 범주의 번호는 0/1 열로 나눕니다
BEFORE = ["months", "past_spend", "visits", "library", "wishlist"]
VALUE, COST = 0.3, 0.05  # 결과 한 단위의 값과 용량 한 단위의 비용(같은 돈 단위). 돈이 없으면 1과 0

# %%
import numpy as np
import pandas as pd
import statsmodels.api as sm

rows = pd.read_csv(DATA)
table = rows.dropna(subset=[DOSE, OUTCOME, *BEFORE])
d, y = table[DOSE].to_numpy(float), table[OUTCOME].to_numpy(float)
X = table[BEFORE].to_numpy(float) - table[BEFORE].to_numpy(float).mean(axis=0)
print(
    f"{len(table):,}행(빈칸으로 뺀 {len(rows) - len(table):,}행), 용량의 5%·50%·95% 분위수 {np.quantile(d, [0.05, 0.5, 0.95])}"
)
for value in (FROM, TO):
    share = np.mean(np.abs(d - value) <= 0.1 * (d.max() - d.min()))
    print(f"{value:g} 둘레의 행 {share:.1%}. 적으면 그 용량에 대해서는 식이 지어낸 답입니다.")

# %% [markdown]
# ## 1. 곡선을 허락한 회귀
#
# 용량과 그 제곱, 그리고 배정 전의 값과 용량의 곱을 넣습니다. 두 용량에서의 평균 결과의 차이가 답입니다. 구간은 델타 방법입니다.


# %%
def design(dose):
    """용량의 열 둘과 배정 전의 값, 둘의 곱."""
    dose = np.broadcast_to(dose, len(X)).astype(float)
    return np.column_stack([np.ones(len(X)), dose, dose**2, X, X * dose[:, None]])


fit = sm.OLS(y, design(d)).fit(cov_type="HC1")
change = (design(TO) - design(FROM)).mean(axis=0)
effect, error = change @ fit.params, np.sqrt(change @ fit.cov_params() @ change)
low, high = effect - 1.96 * error, effect + 1.96 * error
print(f"{FROM:g}에서 {TO:g}으로: {effect:+.2f}{UNIT} [{low:+.2f}, {high:+.2f}]")

# %% [markdown]
# ## 2. 용량을 세 토막으로 나누어 다시
#
# 제곱으로 모자란 곡선이면 토막마다의 기울기가 회귀와 어긋납니다. 어긋나면 곡선을 더 자유롭게 두고, 견줄 두 값을 자료가 많은 곳으로 옮깁니다.

# %%
cuts = np.unique(np.quantile(d, [0, 1 / 3, 2 / 3, 1]))
for left, right in zip(cuts[:-1], cuts[1:], strict=True):
    inside = (d >= left) & (d <= right)
    slope = sm.OLS(y[inside], sm.add_constant(np.column_stack([d[inside], X[inside]]))).fit(cov_type="HC1")
    print(f"{left:g}~{right:g}: 한 단위에 {slope.params[1]:+.3f}{UNIT} (표준오차 {slope.bse[1]:.3f})")

# %% [markdown]
# ## 3. 결정에 쓸 줄
#
# 마지막 한 단위가 비용만큼 벌지 못하는 곳에서 멈춥니다. 한꺼번에 두 값을 견주면 그 자리를 놓칩니다.

# %%
for value in np.linspace(FROM, TO, 5):
    step = (design(value + 1e-3) - design(value)).mean(axis=0) / 1e-3
    margin, margin_error = step @ fit.params, np.sqrt(step @ fit.cov_params() @ step)
    print(f"용량 {value:g}: 한 단위 더의 순이득 {VALUE * margin - COST:+.3f} ± {1.96 * VALUE * margin_error:.3f}")
