# %% [markdown]
# # 관측 자료의 보정: 담당자나 시스템이 보고 정했을 때
#
# 본보기 자료로 처음부터 끝까지 돕니다. 내 자료로 바꾸려면 바로 아래 셀만 고칩니다. 걸음마다 읽을 곳은 5주차 장입니다.
# 정한 사람이 **본 것이 모두 BEFORE에 있어야** 답이 됩니다. 자료로는 확인할 수 없으니 먼저 사람에게 묻습니다.

# %%
DATA = "data.csv"  # 자료 파일
TREATMENT, CONTROL, TREATED = "extra_clean", 0, 1  # 처치의 열, 견줄 두 값
OUTCOME, UNIT = "defects", "개/천 개"  # 결과의 열, 단위
# 처치를 정할 때 본 것. 모두 처치보다 먼저 정해졌어야 합니다. 글자도 됩니다
BEFORE = ["hours_since_service", "supplier_b", "particles_before"]
NO_EFFECT = "incoming_defects"  # 처치가 바꿀 수 없는 결과(음성 대조). 없으면 None
VALUE, COST = -1200.0, 3500.0  # 결과 한 단위의 값과 처치 한 번의 비용(같은 돈 단위). 나쁜 결과이면 값이 음수입니다
SEED = 1

# %%
import numpy as np
import pandas as pd
import statsmodels.api as sm
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

whole = pd.read_csv(DATA)
absent = {TREATMENT, OUTCOME, *BEFORE, *([NO_EFFECT] if NO_EFFECT else [])} - set(whole)
assert not absent, f"자료에 없는 열: {absent}. 있는 열: {list(whole)}"
table = whole[whole[TREATMENT].isin([CONTROL, TREATED])]
table = table.dropna(subset=[OUTCOME, *BEFORE]).reset_index(drop=True)
t, y = (table[TREATMENT] == TREATED).to_numpy(int), table[OUTCOME].to_numpy(float)
assert 0 < t.sum() < len(t), f"{TREATMENT}의 값은 {list(whole[TREATMENT].unique())}입니다. 두 값을 그대로 적으세요."
before = pd.get_dummies(table[BEFORE], drop_first=True, dtype=float).astype(float)  # 글자는 갈래마다 0/1 열로
X = before.to_numpy()
print(f"{len(whole):,}행 가운데 {len(table):,}행을 씁니다. 처치 {t.mean():.1%}")
print(f"솔깃한 비교: {y[t == 1].mean() - y[t == 0].mean():+.2f}{UNIT}")

# %% [markdown]
# ## 1. 겹치는가, 고르게 되는가
#
# 성향점수가 0이나 1에 가까운 행이 많으면 견줄 상대가 없는 것입니다. 그 대상에 대해서는 답하지 않습니다.
# 가중치를 준 뒤의 표준화한 차이는 0.1 아래여야 합니다.

# %%
propensity = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
folds = list(StratifiedKFold(5, shuffle=True, random_state=SEED).split(X, t))
e = np.empty(len(t))
for train, test in folds:
    e[test] = propensity.fit(X[train], t[train]).predict_proba(X[test])[:, 1]
print(f"성향점수: 5% 아래 {np.mean(e < 0.05):.1%}, 95% 위 {np.mean(e > 0.95):.1%}")
e = np.clip(e, 0.01, 0.99)
w = np.where(t == 1, 1 / e, 1 / (1 - e))
for name in before:
    x, sd = before[name].to_numpy(), before[name].std()
    raw = (x[t == 1].mean() - x[t == 0].mean()) / sd
    after = (np.average(x[t == 1], weights=w[t == 1]) - np.average(x[t == 0], weights=w[t == 0])) / sd
    print(f"{name}: 표준화한 차이 {raw:+.2f} → {after:+.2f}")
if np.mean((e < 0.05) | (e > 0.95)) > 0.1:
    print("견줄 상대가 없는 행이 열에 하나를 넘습니다. 아래의 ATE 대신 받은 대상의 효과(ATT)를 묻거나 대상을 좁히세요.")

# %% [markdown]
# ## 2. 효과(ATE)
#
# 결과 모델과 성향점수를 함께 쓰는 이중 강건 추정입니다. 모델은 다른 겹에서 맞춥니다(교차 적합).
# 선형 모델과 부스팅의 답이 오차보다 크게 다르면, 어느 쪽 가정이 틀렸는지부터 찾습니다. 주된 답은 미리 정한 선형 모델입니다.


# %%
def doubly_robust(target, make_model):
    """(추정값, 표준오차). 결과 모델은 겹 밖에서 맞춥니다. target이 빈 행은 뺍니다."""
    mu, seen = np.empty((2, len(t))), ~np.isnan(target)
    for train, test in folds:
        for arm in (0, 1):
            rows = train[(t[train] == arm) & seen[train]]
            mu[arm, test] = make_model().fit(X[rows], target[rows]).predict(X[test])
    score = mu[1] - mu[0] + t / e * (target - mu[1]) - (1 - t) / (1 - e) * (target - mu[0])
    return score[seen].mean(), score[seen].std(ddof=1) / np.sqrt(seen.sum())


effect, error = doubly_robust(y, LinearRegression)
boosted, boosted_error = doubly_robust(y, lambda: HistGradientBoostingRegressor(random_state=SEED))
low, high = effect - 1.96 * error, effect + 1.96 * error
print(f"이중 강건(선형) {effect:+.2f}{UNIT} [{low:+.2f}, {high:+.2f}]")
print(f"이중 강건(부스팅) {boosted:+.2f}{UNIT} (표준오차 {boosted_error:.2f})")

# %% [markdown]
# ## 3. 음성 대조와 민감도
#
# 처치가 바꿀 수 없는 결과에서 효과가 나오면 빠진 교란 요인이 있습니다. 나오지 않아도 **그 결과와 같은 교란 요인**이 없다는 뜻일 뿐입니다.
# 강건성 값은 처치와 결과의 남은 분산을 똑같이 그만큼 설명하는 숨은 요인이 있어야 답(또는 구간의 끝)이 0이 된다는 뜻입니다.

# %%
if NO_EFFECT:
    control, control_error = doubly_robust(table[NO_EFFECT].to_numpy(float), LinearRegression)
    print(f"음성 대조 {control:+.2f} [{control - 1.96 * control_error:+.2f}, {control + 1.96 * control_error:+.2f}]")
linear = sm.OLS(y, sm.add_constant(np.column_stack([t, X]))).fit()


def robustness(t_value):
    f = abs(t_value) / np.sqrt(linear.df_resid)
    return (np.sqrt(f**4 + 4 * f**2) - f**2) / 2


print(
    f"강건성 값: 추정값 {robustness(linear.tvalues[1]):.1%}, 구간의 끝 {robustness(max(0, abs(linear.tvalues[1]) - 1.96)):.1%}"
)

# %% [markdown]
# ## 4. 결정에 쓸 줄

# %%
for name, value in (("가운데", effect), ("한쪽 끝", low), ("다른 끝", high)):
    print(f"{name}: 처치 한 번의 순이득 {VALUE * value - COST:+,.0f}")
