"""실행 결과가 바뀐 쪽을 Sphinx가 다시 읽게 합니다.

Sphinx는 원고(.md)의 수정 시각만 봅니다. 데이터가 바뀌어 결과가 달라진 쪽도 다시 읽도록,
쪽마다 실행 열쇠를 기억해 두었다가 달라진 쪽을 알려 줍니다.
"""

import json
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def _keys(app: Sphinx) -> dict[str, str]:
    path = Path(app.config.execution_keys_file) if app.config.execution_keys_file else None
    return json.loads(path.read_text()) if path and path.is_file() else {}


def _outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    seen = getattr(env, "execution_keys", {})
    now = _keys(app)
    env.execution_keys = now
    return [name for name in env.found_docs if seen.get(name) != now.get(name)]


def setup(app: Sphinx) -> dict:
    # "" 로 다시 만들게 하지 않습니다: 이 값은 경로일 뿐이고, 무엇을 다시 읽을지는 열쇠가 정합니다.
    app.add_config_value("execution_keys_file", "", "", str)
    app.connect("env-get-outdated", _outdated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
