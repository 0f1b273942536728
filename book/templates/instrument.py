# %% [markdown]
# # 도구변수: 권유만 동전으로 정했을 때
#
# 본보기 자료로 처음부터 끝까지 돕니다. 내 자료로 바꾸려면 바로 아래 셀만 고칩니다. 걸음마다 읽을 곳은 11주차 장입니다.
# 답은 **권유 때문에 처치를 받은 사람**(순응자)의 효과입니다. 모두의 효과가 아닙니다.

# %%
DATA = "data.csv"  # 자료 파일
INSTRUMENT, INVITED = "mail", 1  # 무작위로 나눈 권유의 열, 권유받은 값
TREATMENT = "used"  # 실제로 받은 처치의 열. 0/1이나 받은 양
OUTCOME, UNIT = "trips", "회"  # 결과의 열, 단위
BEFORE = ["months", "trips_before", "old_app"]  # 권유하기 전에 잰 것. 글자도 됩니다
VALUE, COST = 900.0, 50.0  # 결과 한 단위의 값과 권유 한 번의 비용(같은 돈 단위)

# %%
import numpy as np
import pandas as pd
import statsmodels.api as sm
from linearmodels.iv import IV2SLS

whole = pd.read_csv(DATA)
absent = {INSTRUMENT, TREATMENT, OUTCOME, *BEFORE} - set(whole)
assert not absent, f"자료에 없는 열: {absent}. 있는 열: {list(whole)}"
table = whole.dropna(subset=[INSTRUMENT, TREATMENT, OUTCOME, *BEFORE]).reset_index(drop=True)
z, t, y = (
    (table[INSTRUMENT] == INVITED).to_numpy(float),
    table[TREATMENT].to_numpy(float),
    table[OUTCOME].to_numpy(float),
)
said = f"{INSTRUMENT}의 값은 {list(whole[INSTRUMENT].unique())[:5]}입니다. 권유받은 값을 INVITED에 적으세요."
assert 0 < z.mean() < 1 and table[INSTRUMENT].nunique() == 2, said
print(f"{len(whole):,}행 가운데 {len(table):,}행을 씁니다. 권유받음 {z.mean():.1%}, 처치의 평균 {t.mean():.3f}")
print(f"솔깃한 비교(처치가 하나 많은 사람): {np.polyfit(t, y, 1)[0]:+.2f}{UNIT}")
if not set(np.unique(t)) <= {0, 1}:
    print("처치가 0/1이 아닙니다. 아래의 답은 권유에 움직인 사람들이 한 단위 더 받을 때의 가중평균입니다.")

# %% [markdown]
# ## 1. 권유가 고르게 나뉘었는가
#
# 표준화한 차이가 0.1보다 크면 동전이 아니었을 수 있습니다. 그때 2절의 나눗셈은 쓰지 않습니다. 3절과 4절도 권유를 가른 것이 BEFORE에
# 모두 있어야 답이 됩니다.

# %%
before = pd.get_dummies(table[BEFORE], drop_first=True, dtype=float).astype(float)  # 글자는 갈래마다 0/1 열로
for name in before:
    x = before[name].to_numpy()
    print(f"{name}: 표준화한 차이 {(x[z == 1].mean() - x[z == 0].mean()) / x.std():+.3f}")

# %% [markdown]
# ## 2. 손으로: 권유의 효과 둘을 나눕니다
#
# 권유가 결과를 바꾼 크기(ITT)를, 권유가 처치를 바꾼 크기(1단계)로 나눕니다. 1단계의 F가 작으면 구간을 믿지 못합니다.

# %%
itt, first = y[z == 1].mean() - y[z == 0].mean(), t[z == 1].mean() - t[z == 0].mean()
print(f"ITT {itt:+.3f}{UNIT}, 1단계 {first:+.3f}, 나눈 값 {itt / first:+.3f}{UNIT}")

# %% [markdown]
# ## 3. 2단계 최소제곱으로
#
# 권유하기 전에 잰 값을 함께 넣어 구간을 줄입니다. F는 이분산에 강건한 것입니다.
# 앤더슨-루빈 구간은 1단계가 약해도 성립합니다. 두 구간이 크게 다르면 뒤의 것을 적습니다.

# %%
controls = sm.add_constant(before, has_constant="add")
fit = IV2SLS(pd.Series(y), controls, pd.Series(t, name=TREATMENT), pd.Series(z, name=INSTRUMENT)).fit(cov_type="robust")
effect, (low, high) = fit.params[TREATMENT], fit.conf_int().loc[TREATMENT]
print(
    f"LATE {effect:+.3f}{UNIT} [{low:+.3f}, {high:+.3f}], 1단계 F {fit.first_stage.diagnostics.loc[TREATMENT, 'f.stat']:.0f}"
)


def anderson_rubin(beta):
    """효과가 beta일 때, 처치의 몫을 뺀 결과에 권유가 남긴 효과의 |z|."""
    model = sm.OLS(y - beta * t, np.column_stack([controls, z])).fit(cov_type="HC1")
    return abs(model.tvalues[-1])


grid = np.linspace(effect - 6 * fit.std_errors[TREATMENT], effect + 6 * fit.std_errors[TREATMENT], 241)
inside = grid[[anderson_rubin(beta) < 1.96 for beta in grid]]
if inside[0] == grid[0] or inside[-1] == grid[-1]:
    print("앤더슨-루빈 구간이 살핀 범위를 벗어납니다. 1단계가 약합니다.")
else:
    print(f"앤더슨-루빈 구간 [{inside[0]:+.3f}, {inside[-1]:+.3f}]")

# %% [markdown]
# ## 4. 결정에 쓸 줄
#
# **권유할지**는 ITT로 정합니다. 권유가 처치 말고 다른 길로 결과를 바꾸어도 성립합니다. **모두에게 켤지**는 이 자료만으로 정하지 않습니다.

# %%
model = sm.OLS(y, np.column_stack([controls, z])).fit(cov_type="HC1")
for name, value in zip(("가운데", "아래 끝", "위 끝"), (model.params[-1], *model.conf_int()[-1]), strict=True):
    print(f"{name}: 권유 한 번의 순이득 {VALUE * value - COST:+,.0f}")
