"""YAML을 읽습니다. 파이썬으로만 읽는 ``yaml.safe_load``는 데이터 카드 하나에 CPU 0.7초가 들어, libyaml이 있으면 그것으로 읽습니다."""

from functools import lru_cache
from pathlib import Path

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str):
    """YAML 글을 값으로. ``yaml.safe_load``와 같은 값이고 여섯 배쯤 빠릅니다.

    Raises
    ------
    yaml.YAMLError
        읽지 못했을 때. ``problem_mark.line``에 줄(0부터)이 있습니다.
    """
    return yaml.load(text, LOADER)


def read_kept(path: Path):
    """YAML 파일의 값. 파일이 그대로이면 읽어 둔 것을 돌려주므로, 받은 쪽에서 고치지 않습니다.

    Raises
    ------
    OSError
        파일이 없거나 읽을 수 없을 때.
    yaml.YAMLError
        읽지 못했을 때.
    """
    state = path.stat()
    return _kept(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _kept(path: Path, modified_ns: int, size: int):
    return read_yaml(path.read_text(encoding="utf-8"))
