"""잠금 파일에서 쪽이 불러올 수 있는 패키지만 고릅니다.

쪽의 열쇠에 잠금 파일을 통째로 넣으면 사이트의 테마나 주피터랩의 버전만 바뀌어도 모든 쪽을 다시 실행합니다(두 코어에서 4분 남짓).
쪽의 숫자는 쪽이 불러올 수 있는 것에서만 나오므로, 그것의 버전만 넣습니다. 지문은 같은 버전의 다른 파일일 뿐이라 넣지 않습니다.
"""

import re

SECTIONS = ("# --- 분석 ---", "# --- 자료만 읽는 패키지 ---")  # requirements.txt에서 쪽이 쓰는 묶음
RUNNERS = {"ipykernel", "nbclient"}  # 셀을 실행하고 출력을 적는 것
NOT_IN_PAGES = {"jupyterlab"}  # 사람이 여는 도구입니다. 쪽은 부르지 않습니다
_ENTRY = re.compile(r"^([A-Za-z0-9_.-]+)==([^\\\n]+)((?:.*\n(?=[ \\]))*.*)", re.MULTILINE)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def page_requirements(requirements: str) -> set[str]:
    """``requirements.txt``의 글에서 쪽이 직접 쓰는 묶음에 적힌 패키지와, 셀을 실행하는 것."""
    names: set[str] = set()
    for section in SECTIONS:
        for line in requirements.partition(section)[2].splitlines():
            if line.startswith("# ---"):
                break
            if match := re.match(r"[A-Za-z0-9_.-]+", line):
                names.add(_normal(match.group()))
    return (names - NOT_IN_PAGES) | RUNNERS


def page_packages(lock: str, roots: set[str]) -> list[str]:
    """``roots``와 그것에 딸린 패키지의 버전. uv가 잠금에 적은 ``# via``(무엇이 불러 왔는지)를 거슬러 찾습니다.

    Parameters
    ----------
    lock : str
        ``requirements.lock``의 글.
    roots : set of str
        쪽이 직접 쓰는 패키지.

    Returns
    -------
    list of str
        ``"numpy==2.4.6 ; python_full_version < '3.13'"``처럼 버전과 조건. 이름의 차례입니다.
    """
    versions: dict[str, list[str]] = {}
    parents: dict[str, set[str]] = {}
    for name, version, rest in _ENTRY.findall(lock):
        name = _normal(name)
        versions.setdefault(name, []).append(f"{name}=={version.strip()}")
        via = re.findall(r"^    #(?: via|  )? +([A-Za-z0-9_.-]+)$", rest, re.MULTILINE)
        parents.setdefault(name, set()).update(map(_normal, via))
    chosen = roots & versions.keys()
    while more := {name for name in versions.keys() - chosen if parents[name] & chosen}:
        chosen |= more
    return sorted(line for name in chosen for line in versions[name])
