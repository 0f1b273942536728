# %% [markdown]
# # 반복 횡단면의 이중차분: 때마다 다른 사람을 보았을 때
#
# 본보기 자료로 처음부터 끝까지 돕니다. 내 자료로 바꾸려면 바로 아래 셀만 고칩니다. 걸음마다 읽을 곳은 8주차 장과 심화입니다.
# 처치는 집단(점포, 지역)마다 어느 시점부터 시작되고, 사람은 시점마다 새로 뽑힙니다. 평행 추세에 더해 **오는 사람이 처치 때문에 바뀌지
# 않았다**고 믿어야 합니다.

# %%
DATA = "data.csv"  # 자료 파일. 한 사람이 한 행
GROUP, WHEN = "branch", "week"  # 처치가 정해진 집단과 시점(정수)
START = "first_week"  # 그 집단이 처음 처치받은 시점. 받지 않은 집단은 빈칸
OUTCOME, UNIT = "spend", "천 원"  # 결과의 열, 단위
PEOPLE = ["age", "regular"]  # 처치와 상관없이 정해진 사람의 특성(구성이 바뀌었는지 봅니다)
REPEATS, SEED = 200, 1  # 집단을 다시 뽑는 횟수와 씨앗

# %%
import numpy as np
import pandas as pd

rows = pd.read_csv(DATA)
table = rows.dropna(subset=[GROUP, WHEN, OUTCOME])
starts = table.groupby(GROUP)[START].first()
print(
    f"{len(table):,}명, 집단 {len(starts)}개(받은 것 {starts.notna().sum()}개), 시점 {table[WHEN].nunique()}개, 빈칸으로 뺀 {len(rows) - len(table):,}명"
)
told = "받지 않은 집단의 START는 빈칸으로 두고, 첫 시점부터 받은 집단은 처치 앞이 없으므로 뺍니다."
assert not (starts <= table[WHEN].min()).any(), told
told = "받은 집단과 받지 않은 집단이 저마다 둘은 있어야 합니다. 하나뿐이면 다시 뽑아도 같은 집단이라 구간이 거짓으로 좁아집니다."
assert starts.notna().sum() >= 2 and starts.isna().sum() >= 2, told

# %% [markdown]
# ## 1. 사람을 칸으로 모읍니다
#
# 처치는 집단과 시점마다 정해졌으므로, 칸 하나가 관측 하나입니다. 사람의 수로 표준오차를 구하면 지나치게 작아집니다.


# %%
def cells_of(frame, column):
    """집단 × 시점의 평균과 사람 수."""
    made = (
        frame.groupby([GROUP, WHEN]).agg(y=(column, "mean"), n=(column, "size"), start=(START, "first")).reset_index()
    )
    return made.assign(on=made[WHEN] >= made["start"])


def effect_of(cells):
    """처치받지 않은 칸으로 집단과 시점의 높이를 맞추고, 처치받은 칸에서 실제 값 - 채운 값의 평균."""
    off = ~cells["on"].to_numpy()
    group, _ = pd.factorize(cells[GROUP])
    when, _ = pd.factorize(cells[WHEN])
    y, n = cells["y"].to_numpy(float), cells["n"].to_numpy(float)
    design = np.zeros((len(cells), group.max() + when.max() + 2))
    design[np.arange(len(cells)), group] = 1
    design[np.arange(len(cells)), group.max() + 1 + when] = 1
    root = np.sqrt(n)
    heights, *_ = np.linalg.lstsq(design[off] * root[off, None], y[off] * root[off], rcond=None)
    return np.average((y - design @ heights)[~off], weights=n[~off])


cells = cells_of(table, OUTCOME)
effect = effect_of(cells)
before, after = (table.loc[table[WHEN].ge(table[START]) == on, OUTCOME].mean() for on in (False, True))
print(f"솔깃한 비교(받은 칸과 나머지): {after - before:+.2f}{UNIT}")
print(f"ATT {effect:+.2f}{UNIT}")

# %% [markdown]
# ## 2. 구간: 집단을 통째로 다시 뽑습니다
#
# 받은 집단이 열 개 안팎이면 이 구간은 좁게 나옵니다. 그때는 파이프라인의 보고서를 함께 봅니다.

# %%
rng = np.random.default_rng(SEED)
parts = dict(list(cells.groupby(GROUP)))
treated, others = starts.dropna().index.to_numpy(), starts[starts.isna()].index.to_numpy()
draws = []
for _ in range(REPEATS):
    picked = np.r_[rng.choice(treated, len(treated)), rng.choice(others, len(others))]
    draws.append(effect_of(pd.concat([parts[name].assign(**{GROUP: k}) for k, name in enumerate(picked)])))
error = np.std(draws, ddof=1)
low, high = effect - 1.96 * error, effect + 1.96 * error
print(f"ATT {effect:+.2f}{UNIT} [{low:+.2f}, {high:+.2f}]")

# %% [markdown]
# ## 3. 처치 전의 추세, 그리고 오는 사람이 바뀌었는가
#
# 첫째는 처치 전의 앞 시점 둘을 처치받은 것처럼 가리고 다시 냅니다. 둘째는 사람의 특성을 결과 자리에 넣습니다. 특성이 '효과'를 보이면
# 처치와 함께 오는 사람이 바뀐 것이라, 위의 답은 사람의 변화와 섞여 있습니다.

# %%
seen = cells["start"].isna() | (cells["start"] - 2 > table[WHEN].min())  # 가리고도 처치 앞이 남는 집단
early = cells[~cells["on"] & seen]
early = early.assign(on=early[WHEN] >= early["start"] - 2)
if early["on"].any():
    print(f"앞 두 시점을 가리고 낸 '효과' {effect_of(early):+.2f}{UNIT}(0에 가까워야 합니다)")
else:
    print("처치 앞의 시점이 셋보다 적어 앞선 추세를 시험하지 못했습니다. 통과가 아닙니다.")
for name in PEOPLE:
    kept = table.dropna(subset=[name])
    print(f"{name}의 변화 {effect_of(cells_of(kept, name)):+.3f} (그 열의 표준편차 {kept[name].std():.2f})")

# %% [markdown]
# ## 4. 결정에 쓸 줄

# %%
print(f"주된 답: 받은 집단에 온 사람이 받은 뒤에 얻은 평균 효과 {effect:+.2f}{UNIT} [{low:+.2f}, {high:+.2f}]")
