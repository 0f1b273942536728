"""이 책을 돌릴 환경이 갖추어졌는지 살피고, 모자란 것과 고칠 방법을 한국어로 알려 줍니다."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

OLDEST, TOO_NEW = (3, 11), (3, 14)
CORE = ("dowhy", "econml", "pandas", "numpy", "scipy", "scikit-learn", "statsmodels", "matplotlib", "networkx")
_SECTION = "# --- 분석 ---"


def _requirements_file() -> Path | None:
    places = [Path(__file__).resolve().parent.parent, Path.cwd(), Path.cwd().parent]
    return next((p / "requirements.txt" for p in places if (p / "requirements.txt").is_file()), None)


def analysis_requirements(text: str) -> list[str]:
    """``requirements.txt``에서 분석에 쓰는 묶음의 줄만 돌려줍니다(주석은 뺍니다)."""
    lines = text.partition(_SECTION)[2].splitlines()
    found = []
    for line in lines:
        if line.startswith("# ---"):
            break
        if requirement := line.partition("#")[0].strip():
            found.append(requirement)
    return found


def package_problems(requirements: list[str], installed=version) -> list[str]:
    """요구하는 판과 설치된 판을 견줍니다.

    Parameters
    ----------
    requirements : list of str
        ``dowhy==0.14``처럼 pip이 읽는 줄.
    installed : callable
        꾸러미 이름을 받아 판을 돌려주는 함수. 없으면 ``PackageNotFoundError``를 냅니다.

    Returns
    -------
    list of str
        문제와 고치는 법. 비어 있으면 괜찮습니다.
    """
    from packaging.requirements import Requirement

    problems = []
    for line in requirements:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue  # 다른 파이썬 판이나 다른 기계의 줄
        try:
            have = installed(wanted.name)
        except PackageNotFoundError:
            problems.append(f"{wanted.name}이(가) 없습니다. → pip install '{line}'")
            continue
        if not wanted.specifier.contains(have, prereleases=True):
            problems.append(
                f"{wanted.name} {have}은(는) 이 책의 판({wanted.specifier})이 아닙니다. → pip install '{line}'"
            )
    return problems


def font_problems() -> list[str]:
    """그림의 한글 글꼴을 찾고, 한글과 숫자를 그려 빠진 글자가 없는지 봅니다."""
    import warnings

    from causal_practice.plotting import set_style

    try:
        set_style()
        import matplotlib.pyplot as plt

        figure, axis = plt.subplots(figsize=(1, 1))
        axis.set_title("가나다 -1.5%")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            figure.canvas.draw()
        plt.close(figure)
    except ImportError as error:
        return [f"그림을 준비하지 못했습니다({error}). → pip install koreanize-matplotlib matplotlib"]
    missing = [str(w.message) for w in caught if "missing from" in str(w.message)]
    return ["한글 글꼴이 빠져 네모로 보입니다. → pip install --force-reinstall koreanize-matplotlib"] if missing else []


def data_problems() -> list[str]:
    """데이터 폴더를 찾을 수 있는지 봅니다."""
    from causal_practice.data import data_dir

    try:
        data_dir()
    except FileNotFoundError:
        return ["data 폴더를 찾지 못했습니다. → 저장소 폴더에서 주피터를 다시 여세요."]
    return []


def check_environment() -> bool:
    """파이썬, 꾸러미의 판, 한글 글꼴, 데이터 폴더를 살펴 결과를 찍습니다.

    Returns
    -------
    bool
        모두 괜찮으면 참. 문제가 있어도 오류를 내지 않고 고칠 방법을 찍습니다.
    """
    here = sys.version_info[:2]
    problems = []
    if not OLDEST <= here < TOO_NEW:
        problems.append(
            f"파이썬 {here[0]}.{here[1]}은(는) 시험하지 않았습니다. → 3.11, 3.12, 3.13 가운데 하나를 쓰세요."
        )
    source = _requirements_file()
    wanted = analysis_requirements(source.read_text(encoding="utf-8")) if source else list(CORE)
    problems += package_problems(wanted) + font_problems() + data_problems()
    if source is None:
        print("참고: requirements.txt를 찾지 못해 꾸러미가 있는지만 보았습니다.")
    for problem in problems:
        print("고칠 것:", problem)
    if not problems:
        print(f"준비가 끝났습니다. 꾸러미 {len(wanted)}개, 한글 글꼴, 데이터 폴더가 모두 제자리에 있습니다.")
    return not problems


if __name__ == "__main__":
    sys.exit(0 if check_environment() else 1)
