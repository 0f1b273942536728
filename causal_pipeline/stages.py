"""단계의 결과를 보관합니다. 멈췄다 다시 하면 끝난 단계는 읽어 옵니다. 피클은 쓰지 않고 JSON만 씁니다."""

import hashlib
import importlib.metadata
import json
import os
import sys
import types
import typing
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from causal_pipeline.errors import OutputError, cause
from causal_pipeline.model import Spec, plain
from causal_pipeline.stopping import unfinished

LIBRARIES = (
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "statsmodels",
    "dowhy",
    "econml",
    "lightgbm",
    "linearmodels",
    "networkx",
    "duckdb",
    "pyarrow",
    "openpyxl",
)


@cache
def versions() -> dict[str, str]:
    """파이썬과 라이브러리의 판."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@cache
def code_digest() -> str:
    """파이프라인의 코드와 틀에서 만든 지문."""
    folder = Path(__file__).parent
    h = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".py", ".yml", ".j2"}):
        h.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return h.hexdigest()


def run_key(spec: Spec, data_digest: str) -> str:
    """명세, 자료, 코드, 판이 모두 같을 때에만 같은 열쇠."""
    given = plain(spec) | {"fields": {owned.key: plain(owned) for owned in spec.fields}}
    for place in ("lines", "folder"):
        given.pop(place)
    parts = [
        json.dumps(given, ensure_ascii=False, sort_keys=True, default=str),
        data_digest,
        code_digest(),
        json.dumps(versions(), sort_keys=True),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def from_json(kind: Any, value: Any) -> Any:
    """``plain``이 만든 값을 자료형 ``kind``로 되돌립니다."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if value is None or kind is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return from_json(next((k for k in inside if is_dataclass(k)), Any), value)
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{f.name: from_json(hints[f.name], value[f.name]) for f in fields(kind) if f.name in value})
    if origin is tuple:
        if len(inside) == 2 and inside[1] is Ellipsis:
            return tuple(from_json(inside[0], v) for v in value)
        return tuple(from_json(k, v) for k, v in zip(inside, value, strict=True))
    if origin is list:
        return [from_json(inside[0], v) for v in value]
    if origin is dict:
        return {k: from_json(inside[1], v) for k, v in value.items()}
    return value


def write_atomic(path: Path, data: bytes) -> None:
    """다 쓴 뒤에 이름을 바꿉니다. 도중에 꺼져도 반쪽 파일이 남지 않습니다."""
    with unfinished(path.with_name(f".{path.name}.{os.getpid()}.tmp")) as temporary:
        write_durably(temporary, data)
        temporary.replace(path)


def write_durably(path: Path, data: bytes) -> None:
    """디스크에 다 적힐 때까지 기다립니다."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


class Store:
    """끝난 단계의 보관함. ``folder``가 없으면 보관하지 않고 값의 모양만 같게 합니다."""

    def __init__(self, folder: Path | None, key: str):
        self.folder, self.key = folder, key

    def get(self, name: str, kind: Any) -> tuple[bool, Any]:
        """보관한 값이 있으면 (True, 값). 열쇠가 다르거나 읽을 수 없으면 (False, None)."""
        if self.folder is None:
            return False, None
        try:
            stored = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
            if stored["key"] != self.key:
                return False, None
            return True, from_json(kind, stored["value"])
        except (OSError, ValueError, KeyError, TypeError):
            return False, None

    def put(self, name: str, kind: Any, value: Any) -> Any:
        """값을 보관하고, 보관한 것에서 되돌린 값을 돌려줍니다(처음 돌릴 때와 이어 돌릴 때가 같아집니다)."""
        text = json.dumps({"key": self.key, "value": plain(value)}, ensure_ascii=False)
        if self.folder is not None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                write_atomic(self.folder / f"{name}.json", text.encode())
            except OSError as error:
                raise OutputError(
                    "out_write_failed",
                    f"단계의 결과를 쓰지 못했습니다({cause(error)}).",
                    "디스크의 남은 자리와 쓰기 권한을 보세요. 앞 단계는 남아 있어 다시 하면 이어집니다.",
                ) from None
        return from_json(kind, json.loads(text)["value"])
