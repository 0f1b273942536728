# %% [markdown]
# # 이중차분: 어떤 대상이 먼저 받았고 앞뒤의 기록이 있을 때
#
# 본보기 자료로 처음부터 끝까지 돕니다. 내 자료로 바꾸려면 바로 아래 셀만 고칩니다. 걸음마다 읽을 곳은 8주차 장입니다.
# 받지 않았다면 **같은 만큼 움직였을 것**(평행 추세)을 믿어야 합니다.

# %%
DATA = "data.csv"  # 자료 파일. 대상 하나의 한 시점이 한 행
WHO, WHEN = "song_id", "week"  # 대상과 시점의 열. 시점은 수나 날짜
START = "first_week"  # 처음 처치받은 시점의 열. 받지 않은 대상은 빈칸
NEVER = None  # 받지 않은 대상을 빈칸 대신 적은 값(0이나 9999). 빈칸이면 None
OUTCOME, UNIT = "log_streams", "로그"  # 결과의 열, 단위
REPEATS, SEED = 200, 1  # 대상을 다시 뽑는 횟수와 씨앗

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

table = pd.read_csv(DATA)
absent = {WHO, WHEN, START, OUTCOME} - set(table)
assert not absent, f"자료에 없는 열: {absent}. 있는 열: {list(table)}"
table = table[[WHO, WHEN, START, OUTCOME]].dropna(subset=[WHO, WHEN, OUTCOME]).reset_index(drop=True)
assert not table.duplicated([WHO, WHEN]).any(), "같은 대상의 같은 시점이 두 번 있습니다. 먼저 하나로 모으세요."
table[START] = table[START].mask(table[START] == NEVER)
if not pd.api.types.is_numeric_dtype(table[WHEN]):
    table[WHEN], table[START] = pd.to_datetime(table[WHEN]), pd.to_datetime(table[START])
times = np.sort(table[WHEN].unique())  # 시점은 값이 아니라 차례로 셉니다. 달마다 날수가 달라도 한 칸입니다
table[START] = table[START].mask(table[START] > times[-1])  # 자료가 끝난 뒤에 받은 대상은 여기서는 받지 않은 대상입니다
soon = table.loc[table[START] <= times[0], WHO].nunique()
assert not soon, (
    f"첫 시점이거나 그 앞에 받은 대상이 {soon}개입니다. 받지 않은 대상을 0처럼 적었으면 그 값을 NEVER에 적고, "
    "정말 그때 받았으면 앞의 기록이 없으니 빼고 몇 개인지 적으세요."
)
table["since"] = (np.searchsorted(times, table[WHEN]) - np.searchsorted(times, table[START])).astype(float)
table.loc[table[START].isna(), "since"] = np.nan
table["on"] = table["since"] >= 0
assert (table.groupby(WHO)[START].nunique(dropna=False) == 1).all(), (
    f"같은 대상의 {START}가 여럿입니다. 하나로 맞추세요."
)
starts = table.groupby(WHO)[START].first()
print(f"대상 {len(starts):,}개(받지 않은 것 {starts.isna().sum():,}개), 시점 {len(times)}개")
if starts.notna().sum() < 10:
    print("받은 대상이 열 개가 안 됩니다. 아래의 구간은 좁게 나옵니다. 하나뿐이면 통제집단합성의 틀을 쓰세요.")

# %% [markdown]
# ## 1. 채워서 빼기
#
# 처치받지 않은 칸만으로 대상의 높이와 시점의 높이를 구하고, 처치받은 칸의 "받지 않았을 값"을 채웁니다. 실제 값과의 차이가 효과입니다.
# 이미 받은 대상을 대조군으로 쓰지 않으므로, 효과가 시간에 따라 변해도 평행 추세가 맞으면 성립합니다.


# %%
def filled(frame):
    """칸마다의 효과(실제 값 - 채운 값). 대상과 시점의 높이를 번갈아 구합니다."""
    off = ~frame["on"].to_numpy()
    who, names = pd.factorize(frame[WHO])
    when, times = pd.factorize(frame[WHEN])
    y = frame[OUTCOME].to_numpy(float)
    high, season = np.zeros(len(names)), np.zeros(len(times))
    n_who = np.bincount(who[off], minlength=len(names))
    n_when = np.bincount(when[off], minlength=len(times))
    for _ in range(500):
        new = np.bincount(who[off], (y - season[when])[off], len(names)) / np.where(n_who, n_who, np.nan)
        season = np.bincount(when[off], (y - new[who])[off], len(times)) / np.where(n_when, n_when, np.nan)
        if np.nanmax(np.abs(new - high)) < 1e-8:
            break
        high = new
    return y - new[who] - season[when]


table["effect"] = filled(table)
lost = table.loc[table["on"], "effect"].isna().sum()
print(f"앞의 기록이 없어 채우지 못한 처치 칸: {lost}개")
effect = table.loc[table["on"], "effect"].mean()
print(f"ATT {effect:+.4f}{UNIT}")

# %% [markdown]
# ## 2. 구간: 대상을 통째로 다시 뽑습니다
#
# 같은 대상의 시점끼리는 닮았으므로 행이 아니라 대상을 뽑습니다. 받은 대상이 열 개 안팎이면 이 구간은 좁게 나옵니다.

# %%
rng = np.random.default_rng(SEED)
groups = dict(list(table.groupby(WHO)))
treated_names, other_names = starts.dropna().index.to_numpy(), starts[starts.isna()].index.to_numpy()
LEAD = int(np.clip(np.median(np.searchsorted(times, starts.dropna())) // 2, 1, 4))  # 앞 기록의 절반까지, 많아야 넷
hidden = table.assign(on=table["since"] >= -LEAD)  # 3절에서 볼 것: 처치 앞의 시점을 가리고 다시 채웁니다
early = np.nanmean(filled(hidden)[hidden["since"].between(-LEAD, -1).to_numpy()])
draws, early_draws = [], []
for _ in range(REPEATS):
    picked = np.r_[rng.choice(treated_names, len(treated_names)), rng.choice(other_names, len(other_names))]
    again = pd.concat([groups[name].assign(**{WHO: number}) for number, name in enumerate(picked)])
    draws.append(np.nanmean(filled(again)[again["on"].to_numpy()]))
    again["on"] = again["since"] >= -LEAD
    early_draws.append(np.nanmean(filled(again)[again["since"].between(-LEAD, -1).to_numpy()]))
error = np.std(draws, ddof=1)
low, high = effect - 1.96 * error, effect + 1.96 * error
print(f"ATT {effect:+.4f}{UNIT} [{low:+.4f}, {high:+.4f}]")

# %% [markdown]
# ## 3. 처치 전에도 벌어지고 있었는가
#
# 처치 전의 점이 0 둘레에 있어야 합니다. 다만 채운 값의 처치 전 차이는 맞출 때 쓴 칸의 잔차라서 실제보다 작게 보입니다. 그래서 점이
# 고르다는 것만으로 통과라고 적지 않고, 앞 시점 몇 개를 처치받은 것처럼 가리고 다시 채워 봅니다.

# %%
shown = table[table["since"].between(-8, 8)].groupby("since")["effect"].mean()
fig, ax = plt.subplots(figsize=(7, 3.5))
ax.plot(shown.index, shown, marker="o")
ax.axhline(0, color="grey", lw=1)
ax.axvline(-0.5, color="grey", ls="--", lw=1)
ax.set(xlabel="periods since treatment", ylabel="effect")
plt.show()
width = 1.96 * np.std(early_draws, ddof=1)
print(
    f"앞 {LEAD}시점을 가리고 채운 '효과' {early:+.4f}{UNIT} [{early - width:+.4f}, {early + width:+.4f}]. 0을 품지 않으면 평행하지 않습니다."
)

# %% [markdown]
# ## 4. 결정에 쓸 줄
#
# 효과가 시간에 따라 변하면 평균 하나로 앞날을 셈하지 않습니다. 위 그림의 끝 값으로도 세어 봅니다.

# %%
print(f"주된 답: 받은 대상이 받은 뒤에 얻은 평균 효과 {effect:+.4f}{UNIT} [{low:+.4f}, {high:+.4f}]")
