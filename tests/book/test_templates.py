"""설계의 틀: 쓴 그대로 돌고, 노트북의 답이 정답을 포함하고 파이프라인의 답과 같은 자리에 있습니다."""

import json
import os
import re
import subprocess
import sys
from functools import cache, partial

import nbformat
import pytest
import yaml
from forked import Forked

from book.commands import template
from book.page import ROOT, PageError
from causal_pipeline.designs import registered
from causal_pipeline.spec import parse_spec
from causal_practice import truth

DESIGNS = template.designs()
# 본보기의 알려진 정답. 카드에 없는 것은 정답 열에서 셉니다.
KNOWN = {
    "adjustment": truth("template_case")["ATE"],
    "instrument": truth("uber_email_cace")["LATE"],
    "difference_in_differences": truth("pydata_music_staggered")["ATT"],
    "repeated_cross_sections": truth("branch_visits")["ATT"],
    "dose_panel": 10 * truth("seller_weeks")["ATE"],
}
_ANSWER = re.compile(r"[+-]\d[\d.,]*[^\[\n]{0,12} \[([+-][\d.,]+), ([+-][\d.,]+)\]")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """설계마다 쓴 폴더."""
    root = tmp_path_factory.mktemp("templates")
    for name in DESIGNS:
        assert template.main([name, str(root / name)]) == 0
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """폴더의 노트북을 돌리는 함수. 노트북들이 부르는 꾸러미를 한 번만 부르고, 폴더마다 한 번만 돌립니다."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    env.pop("PYTHONPATH", None)
    server = Forked(tmp_path_factory.mktemp("empty"), env, "-W", "error::FutureWarning")
    yield cache(partial(said_by, server))
    server.close()


def said_by(server: Forked, folder) -> str:
    """노트북의 셀을 차례로 돌려 찍힌 글. 되풀이는 적게 합니다."""
    notebook = nbformat.read(folder / "analysis.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    code = code.replace("REPEATS, SEED = 200, 1", "REPEATS, SEED = 40, 1")
    done = server.run("-c", code, cwd=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_every_design_of_the_pipeline_has_a_template_and_its_questions():
    assert set(DESIGNS) == {kind.name for kind in registered()}
    asked = yaml.safe_load((template.SOURCES / "review.yml").read_text(encoding="utf-8"))
    assert set(asked) == {"common", *DESIGNS} and all(len(questions) >= 3 for questions in asked.values())
    assert all(question.endswith("?") for questions in asked.values() for question in questions)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_folder_holds_everything_and_no_truth(folders, name):
    folder = folders / name
    assert sorted(path.name for path in folder.iterdir()) == sorted(template.FILES)
    spec = parse_spec((folder / "spec.yml").read_text(encoding="utf-8"), folder)
    assert spec.name and "sql" not in (folder / "spec.yml").read_text(encoding="utf-8")
    header = (folder / "data.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert not {"effect", "kind", "slope", "appeal", "condition"} & set(header)
    assert not any(column.endswith(("_0", "_1")) for column in header)
    review = (folder / "review.md").read_text(encoding="utf-8")
    assert review.count("- [ ]") >= 12 and DESIGNS[name] in review


@pytest.mark.parametrize("name", DESIGNS)
def test_the_notebook_runs_as_written_and_its_interval_holds_the_known_truth(folders, run, name):
    said = run(folders / name)
    answers = [tuple(float(v.replace(",", "")) for v in found) for found in _ANSWER.findall(said)]
    assert answers and all(low < high for low, high in answers), said
    if name in KNOWN:
        assert any(low <= KNOWN[name] <= high for low, high in answers), (KNOWN[name], said)


@pytest.mark.parametrize("name", ["experiment", "discontinuity", "dose", "synthetic_control"])
def test_where_the_card_has_no_single_truth_the_pipeline_says_the_same(folders, run, name):
    """카드에 하나로 적힌 정답이 없는 넷은 같은 폴더의 명세로 돌린 파이프라인과 견줍니다."""
    folder = folders / name
    done = subprocess.run(
        [sys.executable, "-m", "causal_pipeline", "analyze", "spec.yml", "--out", "report", "--quiet"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    best = next(e for e in report["estimates"] if e["primary"])
    low, high = (float(v.replace(",", "")) for v in _ANSWER.findall(run(folder))[-1 if name != "dose" else 0])
    assert low < best["value"] < high and best["low"] < (low + high) / 2 < best["high"]


def test_nothing_is_overwritten_and_a_wrong_name_lists_the_right_ones(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("내 것", encoding="utf-8")
    assert template.main(["dose", str(tmp_path)]) == 1
    assert "이미 파일이 있습니다" in capsys.readouterr().out and [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    for wrong in ("regression", ""):
        with pytest.raises(PageError, match="experiment: ") as told:
            template.write(wrong, tmp_path / "new")
        assert "DESIGN" in str(told.value)
    assert not (tmp_path / "new").exists()


def test_a_panel_that_writes_never_treated_as_zero_stops_and_its_setting_gives_the_same_answer(tmp_path):
    """받지 않은 대상을 0으로 적은 표. 설정하지 않으면 멈추고, 설정하면 본보기와 같은 값입니다."""
    import pandas as pd

    folder = tmp_path / "did"
    assert template.main(["difference_in_differences", str(folder)]) == 0
    frame = pd.read_csv(folder / "data.csv")
    few = frame[frame["song_id"] <= 40].copy()
    few.to_csv(folder / "data.csv", index=False)
    book = nbformat.read(folder / "analysis.ipynb", as_version=4)
    cells = [cell.source for cell in book.cells if cell.cell_type == "code"][:3]
    code = "\n".join(cells)
    few["first_week"] = few["first_week"].fillna(0)
    few.to_csv(folder / "zero.csv", index=False)

    def said(text):
        env = os.environ | {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
        return subprocess.run([sys.executable, "-c", text], cwd=folder, env=env, capture_output=True, text=True, check=False)  # fmt: skip

    zero = code.replace('"data.csv"', '"zero.csv"')
    assert "NEVER" in said(zero).stderr
    told = said(zero.replace("NEVER = None", "NEVER = 0"))
    assert told.returncode == 0 and told.stdout == said(code).stdout


def _told(design, folder, frame, **settings):
    """틀의 노트북을 ``frame``으로 돌립니다. 첫 셀의 설정은 왼쪽의 이름(사이는 밑줄 둘)으로 바꿉니다."""
    assert template.main([design, str(folder)]) == 0
    frame.to_csv(folder / "data.csv", index=False)
    book = nbformat.read(folder / "analysis.ipynb", as_version=4)
    code = "\n".join(cell.source for cell in book.cells if cell.cell_type == "code")
    for name, value in settings.items():
        code, changed = re.subn(
            rf"(?m)^{name.replace('__', ', ')} = .*$", f"{name.replace('__', ', ')} = {value}", code
        )
        assert changed == 1, name
    env = os.environ | {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def test_a_blank_in_a_check_costs_no_row_and_a_sharp_line_has_no_endless_z(tmp_path):
    """처치 전의 값은 점검에만 쓰므로, 빈칸이 있어도 주된 답이 그대로입니다."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(3)
    score = rng.uniform(50, 90, 3000)
    helped = (score >= 70).astype(int)
    frame = pd.DataFrame({"score": score, "helped": helped, "prior_sales": rng.normal(100, 9, 3000)})
    frame["sales"] = frame["prior_sales"] + score + 20 * helped
    full = _told("discontinuity", tmp_path / "full", frame)
    frame.loc[::3, "prior_sales"] = np.nan
    blank = _told("discontinuity", tmp_path / "blank", frame)
    assert full.returncode == blank.returncode == 0, blank.stderr[-2000:]
    assert full.stdout.splitlines()[-1] == blank.stdout.splitlines()[-1]
    assert "prior_sales의 뜀 +nan" not in blank.stdout and "모두 규칙대로" in full.stdout
    low, high = (float(v) for v in _ANSWER.findall(full.stdout)[-1])
    assert low < 20 < high


def test_the_clustered_error_of_a_short_panel_is_the_one_by_hand(tmp_path):
    """시점이 둘이면 라이브러리의 기본값은 표준오차를 1.4배로 부풉니다. 변화끼리의 샌드위치를 손으로 센 것과 견줍니다."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(4)
    dose = rng.uniform(0, 30, (80, 2))
    sales = rng.normal(0, 20, (80, 1)) + 2 * dose + rng.normal(0, 9, (80, 2))
    who, when = np.meshgrid(np.arange(80), [1, 2], indexing="ij")
    frame = pd.DataFrame({"seller_id": who.ravel(), "week": when.ravel(), "ad_spend": dose.ravel()})
    frame["sales"] = sales.ravel()
    done = _told("dose_panel", tmp_path / "panel", frame)
    low, high = (float(v) for v in _ANSWER.findall(done.stdout)[0])
    x, y = (v[:, 1] - v[:, 0] - (v[:, 1] - v[:, 0]).mean() for v in (dose, sales))
    slope = x @ y / (x @ x)
    by_hand = 10 * np.sqrt(((x * (y - slope * x)) ** 2).sum()) / (x @ x)
    assert (high - low) / (2 * 1.975) == pytest.approx(by_hand, rel=0.05)


def test_one_treated_group_gives_no_interval_and_a_short_past_is_no_passed_test(tmp_path):
    """받은 집단이 하나이면 다시 뽑아도 같은 집단이라 멈추고, 처치 앞이 짧으면 앞선 추세를 재지 않습니다."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(5)
    branch, week = np.repeat(np.arange(8), 40), np.tile([4, 5], 160)
    people = {"age": rng.integers(20, 60, 320), "regular": rng.integers(0, 2, 320)}
    frame = pd.DataFrame({"branch": branch, "week": week, **people})
    frame["first_week"] = np.where(branch < 4, 5.0, np.nan)
    frame["spend"] = branch + 3 * (frame["week"] >= frame["first_week"]) + rng.normal(0, 1, 320)
    four = _told("repeated_cross_sections", tmp_path / "four", frame, REPEATS__SEED="40, 1")
    assert four.returncode == 0 and "시험하지 못했습니다" in four.stdout, four.stderr[-2000:]
    one = frame[(frame["branch"] == 0) | (frame["branch"] >= 4)]
    assert "저마다 둘은" in _told("repeated_cross_sections", tmp_path / "one", one).stderr
    always = frame.assign(first_week=frame["first_week"].fillna(0))
    assert "처치 앞이 없으므로" in _told("repeated_cross_sections", tmp_path / "always", always).stderr
