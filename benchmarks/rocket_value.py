"""'물류 대행의 값' 사례를 다섯 세상에서 되풀이합니다(data/benchmarks/coupang_rocket_value.csv).

    python -m benchmarks.rocket_value                 # 모두(한 코어에서 1분쯤)
    python -m benchmarks.rocket_value --draws 5       # 셈이 바뀌지 않았는지 보기(쓰지 않고 찍기만)

한 행이 새로 뽑은 자료 한 벌에서 쪽의 함수를 돌린 것입니다. 시험이 몇 행을 다시 돌려 같은지 봅니다.
효과는 모두 로그에 100을 곱한 값이고, ``lost``는 늘어난 매출 가운데 미가입 판매자에게서 온 %입니다.
"""

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.case_worlds import draw_worlds
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator

RESULT = ROOT / "data" / "benchmarks" / "coupang_rocket_value.csv"
DRAWS, FIRST_SEED = 300, 200_000
WORLDS = {
    "base": {},
    "plan": {"plan": 0.5},
    "hurry": {"hurry": 1.5},
    "plan_hurry": {"plan": 0.5, "hurry": 1.5},
    "long_sale": {"lead": 2},
}
NAMES = (
    "table", "record", "groups", "windows", "log_did", "interval", "closest", "matched_did", "money_did", "money_effect",
    "simple_gap", "rivals", "taken", "placebo",
)  # fmt: skip
WAVES, LAST, NEVER = (8, 10, 12), 14, 99
WIDE = stats.norm.ppf(1 - 0.05 / 8)
KINDS_OF_ANSWER = ("value", "low", "high", "true", "plain", "adjusted", "total")
"""품목마다의 열: 매출 합의 값과 구간, 정답, 품목만 맞춘 로그, 성장까지 맞춘 로그, 품목만 맞춘 매출 합."""


def page() -> dict:
    """쪽에 적힌 함수들."""
    text = read_page(ROOT / "case_studies" / "coupang_rocket_value.md")
    known = {"KINDS": ["화장품", "생활용품", "식품", "소형가전"], "WAVES": WAVES, "REVIEW": 6, "LAST": LAST}
    return page_functions(text, *NAMES, NEVER=NEVER, **known)


def known(made: dict, until: int = LAST) -> tuple[float, np.ndarray]:
    """``until``달까지의 로그 ATT와, 매출 합의 비(전체와 품목 넷, 로그)의 정답."""
    month = np.arange(1, LAST + 1)
    here = (month >= made["start"][:, None]) & (month <= until)
    kinds = np.column_stack([np.ones(len(here)), np.eye(4)[made["category"]]])
    total = [kinds.T @ (made[name] * here).sum(axis=1) for name in ("sales", "sales_alone")]
    return float(np.log(made["sales"] / made["sales_alone"])[here].mean()), np.log(total[0] / total[1])


def stolen(made: dict) -> float:
    """끝 석 달에 가입한 판매자가 늘린 매출 가운데 미가입 판매자에게서 온 몫의 정답."""
    on = made["start"] < NEVER
    lost = (made["sales_none"] - made["sales"])[~on, 11:].sum()
    return float(lost / (made["sales"] - made["sales_alone"])[on, 11:].sum())


def one(world: str, seed: int, tools: dict) -> dict:
    """자료 한 벌의 추정값, 구간, 정답."""
    made = generator("coupang_rocket_value").paths(seed=seed, **WORLDS[world])
    data = made["sales"], made["category"], made["start"]
    (att, pay), (early, _) = known(made), known(made, 10)
    logs = tools["log_did"](*data)
    ahead, soon = tools["log_did"](*data, 4, True, 10), tools["log_did"](*data, 6, False, 10)
    rows = {"log": (*tools["interval"](*(x[..., 0] for x in logs)), att)}
    rows["future"] = (*tools["interval"](*(x[..., 0] for x in ahead)), early)
    rows["differ"] = (*tools["interval"](*(x[..., 0] - y[..., 0] for x, y in zip(ahead, soon, strict=True))), 0.0)
    rows["matched"] = (*tools["matched_did"](*data), att)
    rows["fake"] = (*tools["interval"](*(x[..., 0] for x in tools["placebo"](*data))), 0.0)
    value, psi = tools["money_did"](*data)
    rows["money"] = (*tools["interval"](value, psi)[:, 0], pay[0])
    slope, won = tools["rivals"](*data, made["market"] - 1)
    lost = tools["taken"](made["sales"], made["start"], made["market"] - 1, slope, won, np.expm1(value[0]))
    rows["lost"] = (*lost, stolen(made))
    flat = {
        f"{name}_{part}": v
        for name, r in rows.items()
        for part, v in zip(("value", "low", "high", "true"), r, strict=True)
    }
    if world == "base":
        together = tools["interval"](value, psi, WIDE)
        plain, total = (tools[name](*data, 4)[0] for name in ("log_did", "money_did"))
        for k in range(1, 5):
            parts = (*together[:, k], pay[k], plain[k], logs[0][k], total[k])
            flat |= {f"{part}_{k}": v for part, v in zip(KINDS_OF_ANSWER, parts, strict=True)}
    return {"world": world, "seed": seed} | {name: round(100 * float(v), 3) for name, v in flat.items()}


def main() -> None:
    frame = draw_worlds(__doc__, WORLDS, one, page(), RESULT, DRAWS, FIRST_SEED)
    for name in ("log", "future", "matched", "money", "lost", "fake", "differ"):
        inside = (frame[f"{name}_low"] <= frame[f"{name}_true"]) & (frame[f"{name}_true"] <= frame[f"{name}_high"])
        wrong = frame[f"{name}_value"] - frame[f"{name}_true"]
        print(
            name,
            pd.DataFrame({"편향": wrong, "포함률": 100 * inside}).groupby(frame["world"]).mean().round(1).T.to_dict(),
        )


if __name__ == "__main__":
    main()
