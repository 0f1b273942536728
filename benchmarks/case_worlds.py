"""사례의 세상마다 자료를 새로 뽑아 표로 적는 명령의 뼈대. 사례마다의 파일이 한 벌의 셈과 끝에 찍을 것만 적습니다."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd


def draw_worlds(
    about: str, worlds: Iterable, one: Callable, tools: dict, result: Path, draws: int, first: int, more: Iterable = ()
) -> pd.DataFrame:
    """세상마다 씨앗 ``first``부터 뽑은 행들. 벌 수를 줄이지 않았을 때만 ``result``에 씁니다.

    Parameters
    ----------
    about : str
        명령의 설명. 첫 줄만 씁니다.
    one : callable
        (세상, 씨앗, ``tools``) → 한 행.
    tools : dict
        쪽에서 꺼낸 함수들.
    draws : int
        세상마다의 벌 수. ``--draws``로 줄일 수 있습니다.
    more : iterable of dict
        끝에 붙일 행.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--draws", type=int, default=draws)
    asked = parser.parse_args().draws
    rows = [one(world, first + k, tools) for world in worlds for k in range(asked)]
    frame = pd.DataFrame([*rows, *more])
    if asked == draws:
        frame.to_csv(result, index=False, lineterminator="\n")
    return frame
