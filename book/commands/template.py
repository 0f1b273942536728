"""설계 하나의 틀을 폴더로 씁니다: make template DESIGN=experiment OUT=내분석

명세, 걸음마다 나눈 노트북, 의사결정 메모, 검토 점검표, 본보기 자료가 들어 있어 그대로 돌고, 노트북의 첫 셀과 명세의 열 이름만 고치면
내 자료의 분석이 됩니다. 재료는 ``book/templates``와 ``data/example_설계.yml``입니다.
"""

from book.stopping import stop_cleanly
from book.yaml_text import read_yaml

if __name__ == "__main__":
    stop_cleanly("멈췄습니다. 쓰다 만 폴더는 지우고 같은 명령을 다시 하세요.")

import argparse
import sys
from pathlib import Path

import pandas as pd

from book.catalog import read_catalog
from book.files import explain
from book.page import ROOT, PageError

SOURCES = ROOT / "book" / "templates"
FILES = ("analysis.ipynb", "data.csv", "memo.md", "review.md", "spec.yml")


def designs() -> dict[str, str]:
    """틀이 있는 설계: 이름 → 한국어 이름(노트북 제목의 쌍점 앞). 점검표(review.yml)의 차례입니다."""
    names = [name for name in _questions() if name != "common"]
    return {name: _title(name) for name in names}


def _title(design: str) -> str:
    first = (SOURCES / f"{design}.py").read_text(encoding="utf-8").splitlines()[1]
    return first.removeprefix("# # ").partition(":")[0]


def _questions() -> dict[str, list[str]]:
    return read_yaml((SOURCES / "review.yml").read_text(encoding="utf-8"))


def example(design: str) -> tuple[str, pd.DataFrame]:
    """(명세의 글, 본보기 자료). 자료에서 정답 열은 뺍니다."""
    text = (ROOT / "data" / f"example_{design}.yml").read_text(encoding="utf-8")
    source = read_yaml(text)["data"]
    frame = pd.read_csv(ROOT / "data" / source["path"])
    columns = read_catalog()[Path(source["path"]).stem]["columns"]
    frame = frame.drop(columns=[name for name, card in columns.items() if card["role"] == "truth" and name in frame])
    if query := source.get("sql"):
        import duckdb

        with duckdb.connect() as connection:
            frame = connection.register("data", frame).execute(f"SELECT * FROM ({query}) ORDER BY ALL").df()
    lines = [line for line in text.splitlines() if not line.startswith("  sql:")]
    return "\n".join(lines).replace(f"path: {source['path']}", "path: data.csv") + "\n", frame


def review(design: str, label: str) -> str:
    """검토 점검표(마크다운)."""
    asked = _questions()
    lines = [f"# 검토 점검표: {label}", "", "분석하지 않은 사람이 명세, 노트북, 메모만 보고 답합니다.", ""]
    for title, questions in (("모든 설계에서", asked["common"]), (f"{label}에서", asked[design])):
        lines += [f"## {title}", "", *(f"- [ ] {question}" for question in questions), ""]
    lines += [
        "## 무너뜨려 본 문장",
        "",
        "| 문장 | 무너뜨려 본 세상 | 결과(섬, 고침, 지움) |",
        "|---|---|---|",
        "|  |  |  |",
        "",
    ]
    return "\n".join(lines)


def write(design: str, out: Path) -> list[str]:
    """틀을 ``out``에 쓰고 파일의 이름을 돌려줍니다.

    Raises
    ------
    PageError
        그런 설계가 없거나, ``out``에 이미 파일이 있을 때.
    """
    import jupytext

    known = designs()
    if design not in known:
        said = f"'{design}' 설계의 틀이 없습니다." if design else "어느 설계인지 적지 않았습니다."
        listed = "\n".join(f"  {name}: {label}" for name, label in known.items())
        raise PageError(f"{said} 다음 가운데 하나를 DESIGN에 적으세요.\n{listed}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PageError(f"{out}에 이미 파일이 있습니다. 덮어쓰지 않으려고 멈췄습니다. OUT에 새 폴더를 적으세요.")
    text, frame = example(design)
    notebook = jupytext.reads((SOURCES / f"{design}.py").read_text(encoding="utf-8"), fmt="py:percent")
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata.pop("jupytext", None)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in {
        "spec.yml": text,
        "data.csv": frame.to_csv(index=False, lineterminator="\n"),
        "analysis.ipynb": jupytext.writes(notebook, fmt="ipynb"),
        "memo.md": (SOURCES / "memo.md").read_text(encoding="utf-8"),
        "review.md": review(design, known[design]),
    }.items():
        (out / name).write_text(content, encoding="utf-8")
    return sorted(path.name for path in out.iterdir())


def main(argv: list[str] | None = None) -> int:
    """쓰지 못하면 1을 돌려줍니다."""
    parser = argparse.ArgumentParser(prog="make template", description="설계 하나의 틀을 폴더로 씁니다.")
    parser.add_argument("design", nargs="?", default="", help="설계의 이름. 비우면 있는 것을 알려 줍니다")
    parser.add_argument("out", nargs="?", default="", help="쓸 폴더(비우면 template_설계)")
    args = parser.parse_args(argv)
    out = Path(args.out or f"template_{args.design}")
    try:
        files = write(args.design, out)
    except PageError as error:
        print(error)
        return 1
    except OSError as error:
        print(explain(error))
        return 1
    print(f"{out}에 썼습니다: {', '.join(files)}")
    print(f"  1. {out}/analysis.ipynb를 처음부터 실행해 보고, 첫 셀을 내 자료로 바꿉니다.")
    print(f"  2. {out}/spec.yml의 열 이름을 바꾸고 `make analyze SPEC={out}/spec.yml OUT={out}/report`를 돌립니다.")
    print(f"  3. {out}/memo.md를 채우고, 분석하지 않은 사람에게 {out}/review.md를 부탁합니다.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
