"""설계의 등록부. 이 폴더에 놓인 파일에서 ``Design``의 하위 클래스를 찾습니다. 이름을 적어 둔 목록은 없습니다."""

from functools import cache
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules

from causal_pipeline.designs.base import Design
from causal_pipeline.model import Field


@cache
def registered() -> tuple[type[Design], ...]:
    """있는 설계들. 규칙표의 차례(``precedence``)대로입니다.

    Raises
    ------
    ValueError
        두 설계의 이름이나 차례가 같거나, 파일 이름과 설계의 이름이 다를 때.
    """
    found = []
    for info in iter_modules(__path__):
        module = import_module(f"{__name__}.{info.name}")
        for kind in vars(module).values():
            if (
                isinstance(kind, type)
                and issubclass(kind, Design)
                and kind.__module__ == module.__name__
                and not isabstract(kind)
            ):
                if kind.name != info.name:
                    raise ValueError(
                        f"causal_pipeline/designs/{info.name}.py: 설계의 이름이 '{kind.name}'입니다. 파일 이름과 같게 하세요."
                    )
                found.append(kind)
    for what in ("name", "precedence"):
        values = [getattr(kind, what) for kind in found]
        if twice := sorted({v for v in values if values.count(v) > 1}):
            raise ValueError(f"causal_pipeline/designs: {what}이(가) {twice[0]}인 설계가 둘입니다.")
    return tuple(sorted(found, key=lambda kind: kind.precedence))


@cache
def field_types() -> dict[str, type[Field]]:
    """설계들이 명세에 보태는 이름 → 그 클래스.

    Raises
    ------
    ValueError
        서로 다른 클래스가 한 이름을 쓸 때.
    """
    found: dict[str, type[Field]] = {}
    for kind in registered():
        for owned in kind.fields:
            if found.setdefault(owned.key, owned) is not owned:
                raise ValueError(
                    f"causal_pipeline/designs: 명세의 '{owned.key}'을(를) 두 클래스가 쓰고 있습니다. 하나로 모아 한 층 아래에 두세요."
                )
    return found


def get(name: str) -> type[Design]:
    """이름이 ``name``인 설계.

    Raises
    ------
    KeyError
        그런 설계가 없을 때.
    """
    for kind in registered():
        if kind.name == name:
            return kind
    raise KeyError(f"'{name}' 설계가 없습니다. 있는 것: {', '.join(kind.name for kind in registered())}")
