# %% [markdown]
# # 패널의 용량: 같은 대상에게 때마다 다른 양을 주었을 때
#
# 본보기 자료로 처음부터 끝까지 돕니다. 내 자료로 바꾸려면 바로 아래 셀만 고칩니다. 걸음마다 읽을 곳은 4주차와 8주차 장입니다.
# 대상마다 **변하지 않는** 차이와 모두에게 함께 온 때의 차이를 지웁니다. 대상마다 다르게 변하는 교란은 남습니다.

# %%
DATA = "data.csv"  # 자료 파일. 대상 하나의 한 시점이 한 행
WHO, WHEN = "seller_id", "week"  # 대상과 시점의 열
DOSE, FROM, TO = "ad_spend", 10.0, 20.0  # 용량의 열, 견줄 두 값
OUTCOME, UNIT = "sales", "만 원"  # 결과의 열, 단위

# %%
import numpy as np
import pandas as pd
from linearmodels.panel import PanelOLS

rows = pd.read_csv(DATA)[[WHO, WHEN, DOSE, OUTCOME]]
table = rows.dropna()
assert not table.duplicated([WHO, WHEN]).any(), "같은 대상의 같은 시점이 두 번 있습니다. 먼저 하나로 모으세요."
naive = np.polyfit(table[DOSE], table[OUTCOME], 1)[0]
print(f"대상 {table[WHO].nunique():,}개, 시점 {table[WHEN].nunique()}개(빈칸으로 뺀 {len(rows) - len(table):,}행)")
for value in (FROM, TO):
    told = f"{value:g}은(는) 본 적 없는 용량입니다. 본 값의 안에서 견줍니다."
    assert table[DOSE].min() <= value <= table[DOSE].max(), told
print(f"솔깃한 비교: 한 단위에 {naive:+.3f}{UNIT}")

# %% [markdown]
# ## 1. 손으로: 두 번 뺍니다
#
# 대상의 평균과 시점의 평균을 빼고(빈 시점이 있으면 번갈아 되풀이하고), 남은 것끼리 기울기를 구합니다.


# %%
def within(values):
    """대상과 시점의 평균을 뺀 것."""
    left = values.astype(float)
    for _ in range(200):
        before = left
        left = left - left.groupby(table[WHO]).transform("mean")
        left = left - left.groupby(table[WHEN]).transform("mean")
        if (left - before).abs().max() < 1e-10:
            break
    return left


dose, outcome = within(table[DOSE]), within(table[OUTCOME])
slope = (dose * outcome).sum() / (dose**2).sum()
left = (dose**2).sum() / ((table[DOSE] - table[DOSE].mean()) ** 2).sum()
print(f"한 단위에 {slope:+.3f}{UNIT}. 두 번 빼고 남은 용량의 변동 {left:.1%}. 적으면 몇 대상이 답을 정합니다.")

# %% [markdown]
# ## 2. 라이브러리로, 대상으로 묶은 표준오차
#
# 같은 대상의 오차는 시점 사이에 이어지므로 대상으로 묶습니다. 대상이 서른보다 적거나, 대상이 많아도 용량이 몇 곳에서만
# 크게 움직였으면 구간이 좁게 나옵니다. 그때는 파이프라인의 보고서를 함께 봅니다.
# `linearmodels`의 기본값은 지운 대상의 수까지 자유도에서 빼므로, 시점이 몇 안 되면 표준오차가 크게 부풉니다. 그래서 두 선택을 끕니다.

# %%
CLUSTERED = {"cov_type": "clustered", "cluster_entity": True, "auto_df": False, "count_effects": False}
panel = table.set_index([WHO, WHEN])
fit = PanelOLS(panel[OUTCOME], panel[[DOSE]], entity_effects=True, time_effects=True).fit(**CLUSTERED)
step = TO - FROM
effect, (low, high) = step * fit.params[DOSE], step * fit.conf_int().loc[DOSE]
print(f"{FROM:g}에서 {TO:g}으로: {effect:+.2f}{UNIT} [{low:+.2f}, {high:+.2f}]")

# %% [markdown]
# ## 3. 다음 시점의 용량이 지금의 결과를 '움직이는가'
#
# 움직이면 결과를 보고 용량을 정했거나, 대상마다 다르게 변하는 무엇이 둘을 함께 움직입니다. 움직이지 않아도 그런 것이 없다는 증명은 아닙니다.

# %%
ahead = table.sort_values([WHO, WHEN]).assign(next_dose=lambda f: f.groupby(WHO)[DOSE].shift(-1)).dropna()
ahead = ahead.set_index([WHO, WHEN])
lead = PanelOLS(ahead[OUTCOME], ahead[[DOSE, "next_dose"]], entity_effects=True, time_effects=True).fit(**CLUSTERED)
print(f"다음 시점의 용량: 한 단위에 {lead.params['next_dose']:+.3f}{UNIT} (p = {lead.pvalues['next_dose']:.2f})")

# %% [markdown]
# ## 4. 결정에 쓸 줄
#
# 이 답은 **그 시점**의 효과이고 기울기가 어디서나 같다고 본 것입니다. 다음 시점까지 이어지는 효과와 많이 줄 때 무뎌지는 것은 따로 봅니다.

# %%
third = table[DOSE].rank(pct=True)
for name, part in (("적게 준 절반", table[third <= 0.5]), ("많이 준 절반", table[third > 0.5])):
    some = part.set_index([WHO, WHEN])
    half = PanelOLS(some[OUTCOME], some[[DOSE]], entity_effects=True, time_effects=True, check_rank=False).fit(
        **CLUSTERED
    )
    print(f"{name}: 한 단위에 {half.params[DOSE]:+.3f}{UNIT} (표준오차 {half.std_errors[DOSE]:.3f})")
