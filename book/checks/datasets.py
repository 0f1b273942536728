"""데이터의 검사: 카드, 범위, 그리고 모든 생성기가 지키는 약속. `make check-case`와 시험(test_generators.py)이 함께 부릅니다."""

import inspect
import random

import numpy as np

from book.catalog import make, problems, range_problems, read_catalog
from book.page import PageError
from causal_practice import generator

OTHER_SEEDS = (1, 2)
NAN = float("nan")


def check(name: str) -> list[str]:
    """데이터 하나에서 고칠 것을 ``파일:줄: 무엇이 — 고치는 법`` 꼴로 모읍니다.

    카드와 CSV(:func:`book.catalog.problems`)를 먼저 보고, 만들 수 있으면 생성기의 약속을 봅니다: 다른 씨앗의 값도 카드의
    범위 안에 있고, 같은 씨앗은 같은 표를, 다른 씨앗은 다른 표를 내며, 전역 씨앗을 건드리지 않고, 있을 수 없는 인자를
    한국어로 거절합니다.
    """
    found = problems(name)
    try:
        return found + _generator_problems(name)
    except PageError as error:
        return found if str(error) in found else [*found, str(error)]


def _generator_problems(name: str) -> list[str]:
    first = make(name)  # 읽지 못하거나 멈추는 생성기는 여기서 까닭을 알립니다
    module, columns = generator(name), read_catalog().get(name, {}).get("columns") or {}
    file, defaults = f"data/generators/{name}.py", module.DEFAULTS
    line = inspect.getsourcelines(module.generate)[1]
    found = []
    np.random.seed(0)
    random.seed(0)
    expected = np.random.random(), random.random()
    np.random.seed(0)
    random.seed(0)
    mine = make(name)
    if (np.random.random(), random.random()) != expected:
        found.append(f"{file}:{line}: 전역 씨앗을 씁니다 — np.random.default_rng(seed)로 만든 난수만 쓰세요.")
    if not mine.equals(first):
        found.append(f"{file}:{line}: 같은 씨앗인데 다른 표가 나옵니다 — 모든 난수를 default_rng(seed)에서 뽑으세요.")
    card = read_catalog().get(name, {})
    if "seed" in card and "seed" in defaults and card["seed"] != defaults["seed"]:
        found.append(
            f"{file}:{line}: DEFAULTS의 seed는 {defaults['seed']}인데 카드는 {card['seed']}입니다 — `make data NAME={name}`으로 카드를 다시 쓰세요."
        )
    if "seed" not in defaults:
        return [*found, f"{file}:{line}: DEFAULTS에 seed가 없습니다 — generate의 씨앗을 DEFAULTS에도 적으세요."]
    for seed in OTHER_SEEDS:
        other = make(name, seed=seed)
        if other.equals(mine) and seed != defaults["seed"]:
            found.append(f"{file}:{line}: 씨앗을 바꾸어도 같은 표가 나옵니다 — seed를 난수에 넘기세요.")
        for column in other.columns.intersection([c for c, d in columns.items() if isinstance(d, dict)]):
            if {"range", "values"} & columns[column].keys():
                found += range_problems(name, column, columns[column], other[column], f"씨앗 {seed}의 표")
    return found + [f"{file}:{line}: {problem}" for problem in refusal_problems(module)]


def refusal_problems(module, extra: list[dict] = ()) -> list[str]:
    """있을 수 없는 인자를 받아들이거나, 까닭 없이 멈추는 곳.

    Parameters
    ----------
    extra : list of dict
        NaN과 ±10억 말고도 거절해야 하는 인자. 기본값의 위에 덮어씁니다.
    """
    names = [parameter for parameter in inspect.signature(module.generate).parameters if parameter != "seed"]
    if not names:
        return ["generate가 씨앗만 받습니다 — 행의 수나 효과처럼 세상을 바꿔 볼 인자를 두세요."]
    found = []
    for wrong in [*({name: value} for name in names for value in (NAN, -1e9, 1e9)), *extra]:
        said = ", ".join(f"{key}={value!r}" for key, value in wrong.items())
        cure = f'{next(iter(wrong))}의 범위를 보고 ValueError("…여야 합니다. 받은 값: …")를 내세요'
        try:
            module.generate(**module.DEFAULTS | wrong)
        except ValueError as error:
            if "야 합니다" not in str(error):
                found.append(
                    f"{said}을(를) 거절하는 말이 '{str(error)[:60]}'입니다 — '…여야 합니다'로 까닭을 적으세요."
                )
        except Exception as error:  # 어떤 오류로 멈출지 모릅니다
            found.append(f"{said}을(를) 넣으면 {type(error).__name__}로 멈춥니다 — {cure}.")
        else:
            found.append(f"있을 수 없는 {said}을(를) 받아들였습니다 — {cure}.")
    return found
