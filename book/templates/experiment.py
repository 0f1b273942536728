# %% [markdown]
# # 무작위 실험: 처치를 동전으로 정했을 때
#
# 본보기 자료로 처음부터 끝까지 돕니다. 내 자료로 바꾸려면 바로 아래 셀만 고칩니다. 걸음마다 읽을 곳은 2주차 장입니다.

# %%
DATA = "data.csv"  # 자료 파일
TREATMENT, CONTROL, TREATED = "arm", 0, 2  # 처치의 열, 견줄 두 값
OUTCOME, UNIT = "orders", "회"  # 결과의 열, 단위
BEFORE = ["alone", "cooking"]  # 배정하기 전에 잰 열. 글자도 됩니다(정밀도를 높이는 데만 씁니다)
CLUSTER = None  # 사람이 아니라 매장이나 날을 나누었으면 그 열의 이름
PLANNED = 1 / 2  # 두 집단을 합친 것 가운데 처치받기로 한 비율
VALUE, COST = 12.0, 3.0  # 결과 한 단위의 값과 처치 한 번의 비용(같은 돈 단위)

# %%
import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

table = pd.read_csv(DATA)
absent = {TREATMENT, OUTCOME, *BEFORE, *([CLUSTER] if CLUSTER else [])} - set(table)
assert not absent, f"자료에 없는 열: {absent}. 있는 열: {list(table)}"
values = table[TREATMENT].unique()
table = table[table[TREATMENT].isin([CONTROL, TREATED])].reset_index(drop=True)
treated = (table[TREATMENT] == TREATED).to_numpy()
assert treated.any() and not treated.all(), (
    f"{TREATMENT}의 값은 {list(values)}입니다. CONTROL과 TREATED를 그대로 적으세요."
)
print(f"처치 {treated.sum():,}행, 대조 {(~treated).sum():,}행")
print(table[[OUTCOME, *BEFORE]].isna().groupby(treated).mean().rename({True: "처치의 빈칸", False: "대조의 빈칸"}).T)

# %% [markdown]
# ## 1. 나눈 수가 계획과 맞는가
#
# 어긋나면(p가 0.001보다 작으면) 효과를 계산하지 말고 배정과 기록부터 찾습니다. 사람이 아니라 묶음을 나누었으면 묶음의 수로 셉니다.

# %%
units = table.groupby(CLUSTER)[TREATMENT].first() == TREATED if CLUSTER else pd.Series(treated)
mixed = CLUSTER and (table.groupby(CLUSTER)[TREATMENT].nunique() > 1).any()
assert not mixed, f"같은 {CLUSTER} 안에 처치와 대조가 섞여 있습니다. 사람마다 나눈 것이면 CLUSTER = None입니다."
mismatch = stats.binomtest(int(units.sum()), len(units), PLANNED).pvalue
print(f"나눈 단위 {len(units):,}개 가운데 처치 {units.mean():.1%}(계획 {PLANNED:.1%}), p = {mismatch:.3f}")
if min(units.sum(), (~units).sum()) < 20:
    print("한쪽의 단위가 스물이 안 됩니다. 아래의 구간은 좁게 나오기 쉬우니 배정을 다시 섞어 낸 p 값과 견주세요.")

# %% [markdown]
# ## 2. 배정 전의 값이 고른가
#
# 표준화한 차이가 0.1보다 크면 그 열을 BEFORE에 두었는지 봅니다. 우연히 생긴 차이는 아래의 회귀가 줄입니다.

# %%
# 글자는 갈래마다 0/1 열로 바꿉니다. 배정 전의 빈칸은 배정과 무관하므로 평균(글자는 첫 갈래)으로 채우고 행을 버리지 않습니다.
before = pd.get_dummies(table[BEFORE], drop_first=True, dtype=float) if BEFORE else pd.DataFrame(index=table.index)
before = before.astype(float).fillna(before.mean())
for name in before:
    one, zero = before.loc[treated, name], before.loc[~treated, name]
    print(f"{name}: 표준화한 차이 {(one.mean() - zero.mean()) / np.sqrt((one.var() + zero.var()) / 2):+.3f}")

# %% [markdown]
# ## 3. 효과
#
# 먼저 두 평균의 차이입니다. 이어서 배정 전의 값을 가운데로 옮겨 처치와 곱해 넣은 회귀로 구간을 줄입니다. 두 값이 크게 다르면 빈칸과
# 배정을 다시 봅니다. 주된 답을 어느 것으로 할지는 **결과를 보기 전에** 정합니다. 여기서는 회귀입니다.

# %%
used = table[OUTCOME].notna().to_numpy()  # 결과가 빈 행은 쓰지 못합니다. 두 집단에서 다르게 비었으면 이 답은 틀립니다
y, t = table.loc[used, OUTCOME].to_numpy(float), treated[used].astype(float)
centred = (before[used] - before[used].mean()).to_numpy()
design = np.column_stack([np.ones(len(t)), t, centred, centred * t[:, None]])
groups = pd.factorize(table.loc[used, CLUSTER])[0] if CLUSTER else None
cov = {"cov_type": "cluster", "cov_kwds": {"groups": groups}} if CLUSTER else {"cov_type": "HC2"}
model = sm.OLS(y, design).fit(use_t=True, **cov)
effect, (low, high) = model.params[1], model.conf_int()[1]
print(f"{used.sum():,}행의 평균의 차이 {y[t == 1].mean() - y[t == 0].mean():+.3f}{UNIT}")
print(f"회귀 {effect:+.3f}{UNIT} [{low:+.3f}, {high:+.3f}]")

# %% [markdown]
# ## 4. 결정에 쓸 줄
#
# 메모(memo.md)에 옮깁니다. 구간의 두 끝에서 결정이 갈리면, 더 모을 값어치가 있는지부터 셉니다.

# %%
for name, value in (("가운데", effect), ("아래 끝", low), ("위 끝", high)):
    print(f"{name}: 처치 한 번의 순이득 {VALUE * value - COST:+.2f}")
