"""플랫폼 쪽: 표는 기록을 옮길 뿐이고, 기록은 풀이와 문제가 어긋나지 않으며, 도구가 없으면 왜인지 말합니다."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from lxml import html as lxml_html
from scipy.stats import norm

from benchmarks import tool_adapters, tool_worlds, tools
from benchmarks.tool_worlds import problems
from book.atlas import read_atlas
from book.extensions.tool_comparison import FEW, UNDRAWN, cells, name_of, read_record, table, undrawn
from book.page import ROOT, PageError, read_page

RECORD = read_record()
PAGE = read_page(ROOT / "guides" / "platforms.md")


def _rows(record):
    return {
        (tool, problem): row
        for tool, found in record["tools"].items()
        for problem, row in found.get("problems", {}).items()
    }


def test_the_table_shows_the_record_cell_by_cell():
    tree = lxml_html.fromstring(f"<div>{table(RECORD)}</div>")
    shown = [[c.text_content() for c in row.xpath("./th|./td")] for row in tree.xpath("//tbody/tr[td][th]")]
    expected = [
        [name_of(tool, tool["problems"][problem]), *cells(tool["problems"][problem])]
        for problem in RECORD["problems"]
        for tool in RECORD["tools"].values()
        if problem in tool.get("problems", {}) and not undrawn(tool["problems"][problem])
    ]
    assert shown == expected and len(shown) >= 20
    marked = tree.xpath("//tr[@class='missed']")
    assert len(marked) == sum(row["draws"] < FEW and not undrawn(row) for row in _rows(RECORD).values())


def test_a_pair_without_draws_is_said_so_and_one_that_stopped_is_shown():
    row = {"how": "선형회귀", "asks": "식의 꼴", "lines": 3, "draws": 0}
    stopped = row | {"failed": 2, "error": "ValueError: 멈춤"}
    record = {"date": "2026-12-01", "together": "", "problems": {"dose": {"label": "용량", "truth": "효과"}}}
    record["tools"] = {
        "a": {"label": "가", "problems": {"dose": row}},
        "b": {"label": "나", "problems": {"dose": stopped}},
    }
    tree = lxml_html.fromstring(f"<div>{table(record)}</div>")
    shown, said = (row.text_content() for row in tree.xpath("//tbody/tr[not(@class='group')]"))
    assert "나 · 선형회귀" in shown and "ValueError: 멈춤" in shown and said == f"가: {UNDRAWN}"


def test_every_tool_answers_or_says_why_in_every_problem():
    assert set(RECORD["tools"]) == set(tools.LABELS) and list(RECORD["problems"]) == list(problems())
    for name, tool in RECORD["tools"].items():
        if "missing" in tool:
            continue
        assert set(tool["problems"]) | set(tool["silent"]) == set(problems()), name
        assert not set(tool["problems"]) & set(tool["silent"]), name
        if name != tools.OURS:
            assert f"{name}=={tool['version']}" in tools.environments()[name]["requires"], (
                "핀과 다른 버전으로 쟀습니다."
            )


def test_the_record_agrees_with_the_code_that_made_it():
    for (tool, problem), row in _rows(RECORD).items():
        assert row["lines"] == tools.lines_of(tool, problem) and (row["how"], row["asks"]) == tools.HOW[tool, problem]
        assert callable(getattr(tool_adapters, f"{tool}_{problem}"))
        if row["draws"]:
            assert row["seconds"] >= 0 and (row["coverage"] is None or 0 <= row["coverage"] <= 1)


def test_a_share_and_its_error_are_counted_from_the_draws():
    seeds = [tools.FIRST_SEED + k for k in range(4)]
    answers = {("one_unit", s): [1.5, low, 2.0, 3.0] for s, low in zip(seeds, (1.0, 1.0, 1.0, 1.9), strict=True)}
    answers["one_unit", seeds[-1] + 1] = ["ValueError: 없음", None, None, 0.1]
    row = tools.summary(tools.OURS, "one_unit", answers)
    assert (row["draws"], row["failed"], row["coverage"], row["coverage_error"]) == (4, 1, 0.75, 0.171)
    assert (row["truth"], row["bias"], row["seconds"]) == (1.5, 0.0, 3.0)


def test_targeting_by_the_true_effect_takes_all_the_gain_and_its_reverse_loses():
    seed = tools.FIRST_SEED
    effect = problems()["targeting"].make(seed)[1]["effect"].to_numpy()
    wide = [list(effect - 1), list(effect + 1)]
    right = tools.summary("econml", "targeting", {("targeting", seed): [list(effect), *wide, 1.0]})
    wrong = tools.summary("econml", "targeting", {("targeting", seed): [list(-effect), *wide, 1.0]})
    assert right["gain"] == 1 and right["coverage"] == 1 and wrong["gain"] < 0 < right["gain_everyone"] < 1


def test_a_tool_that_averages_over_groups_is_held_to_that_average():
    frame, cells_truth = problems()["staggered"].make(3)
    on = frame[frame["t"] == 1]
    assert tools.staggered_lift(on["week"] - on["start"]).mean() == pytest.approx(cells_truth)
    late = {start: tools.staggered_lift(np.arange(10 - start + 1)).mean() for start in (4, 6, 8)}
    started = frame[frame["start"] > 0].drop_duplicates("unit")["start"]
    assert tools.truth_of("doubleml", "staggered", 3) == pytest.approx(started.map(late).mean())
    assert tools.truth_of("pyfixest", "staggered", 3) == cells_truth


@pytest.mark.parametrize("name", ["confounded", "encouragement", "one_unit"])
def test_the_naive_answer_is_wrong_where_the_problem_is_hard(name):
    gaps = []
    for seed in range(20):
        frame, truth = problems()[name].make(seed)
        seen = frame[frame["unit"] == 0] if name == "one_unit" else frame
        gaps.append(abs(seen.loc[seen["t"] == 1, "y"].mean() - seen.loc[seen["t"] == 0, "y"].mean() - truth))
    assert np.mean(gaps) > 0.3


def _slope(frame, *columns):
    design = np.column_stack([np.ones(len(frame)), frame[["t", *tool_adapters.X]], *columns])
    return np.linalg.lstsq(design, frame["y"], rcond=None)[0][1]


def test_the_right_shape_mends_the_straight_line_and_the_square_alone_does_not_mend_the_dose():
    draws = [problems()["confounded"].make(seed)[0] for seed in range(20)]
    assert np.mean([_slope(frame) for frame in draws]) - 1 > 0.3
    assert abs(np.mean([_slope(frame, frame["x2"] ** 2) for frame in draws]) - 1) < 0.05
    doses = [problems()["dose"].make(seed) for seed in range(20)]
    bias = {
        name: np.mean([2 * _slope(frame, shape(frame["x2"])) - truth for frame, truth in doses])
        for name, shape in {"square": np.square, "sine": lambda v: np.sin(2 * v)}.items()
    }
    assert bias["square"] > 0.4 and abs(bias["sine"]) < 0.08


def test_one_slope_misses_the_bent_response_even_with_perfect_nuisances(monkeypatch):
    monkeypatch.setattr(tool_worlds, "ROWS", 400_000)
    frame, truth = problems()["dose"].make(0)
    # 접힌 정규분포의 평균: 처치의 참 조건부 기댓값입니다.
    mean, sd = 2 + 0.6 * frame["x1"] + 0.4 * np.sin(2 * frame["x2"]), 0.8
    expected = sd * np.sqrt(2 / np.pi) * np.exp(-((mean / sd) ** 2) / 2) + mean * (1 - 2 * norm.cdf(-mean / sd))
    rest = frame["t"] - expected
    response = 2 * np.log1p(frame["t"])
    assert abs(rest.mean()) < 0.01 and 0.02 < 2 * (rest * response).mean() / (rest**2).mean() - truth < 0.06


def test_every_problem_is_answered_by_a_tool_that_is_not_ours():
    answered = {problem for (tool, problem), row in _rows(RECORD).items() if tool != tools.OURS and row["draws"]}
    assert answered == set(RECORD["problems"])


def test_a_seed_gives_the_same_data():
    for problem in problems().values():
        (first, truth), (again, same) = problem.make(5), problem.make(5)
        pd.testing.assert_frame_equal(first, again)
        assert truth.equals(same) if isinstance(truth, pd.DataFrame) else truth == same


def test_a_missing_environment_says_how_to_make_it(tmp_path):
    with pytest.raises(tools.ToolError, match="benchmarks.tools --tools econml"):
        tools.python_of("econml", tmp_path, make=False)
    with pytest.raises(tools.ToolError, match="모르는 도구"):
        tools.python_of("nothing", tmp_path)


def test_an_environment_that_cannot_be_made_says_the_reason_of_the_resolver(tmp_path, monkeypatch):
    failing = subprocess.CompletedProcess([], 1, "", "No solution found: numpy<1 conflicts")
    monkeypatch.setattr(tools.subprocess, "run", lambda *a, **k: failing)
    with pytest.raises(tools.ToolError, match="numpy<1 conflicts"):
        tools.python_of("econml", tmp_path)
    monkeypatch.setattr(tools.subprocess, "run", lambda *a, **k: (_ for _ in ()).throw(FileNotFoundError()))
    with pytest.raises(tools.ToolError, match="uv가 없습니다"):
        tools.python_of("econml", tmp_path)


def test_the_reason_that_pins_do_not_fit_together_is_the_resolvers(monkeypatch):
    asked = {}

    def run(command, **how):
        asked.update(how)
        return subprocess.CompletedProcess(
            command, 1, "", "error: no\n  cause: Because a==1 depends on b<2, a fails.\n more"
        )

    monkeypatch.setattr(tools.subprocess, "run", run)
    assert tools.together() == "Because a==1 depends on b<2, a fails."
    assert {line.split("==")[0] for line in asked["input"].split()} == set(tools.environments())
    record = RECORD | {"together": "a < b"}
    assert "a &lt; b" in table(record) and "함께 깔 수 있습니다" in table(record | {"together": ""})


def test_a_tool_that_is_not_installed_is_counted_as_stopped_and_named(tmp_path):
    frame, _ = problems()["confounded"].make(1)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    job = {"id": 0, "problem": "confounded", "path": str(tmp_path / "rows.csv"), "seed": 1}
    (tmp_path / "jobs.json").write_text(json.dumps([job]), encoding="utf-8")
    (tmp_path / "causalml.py").write_text("raise ModuleNotFoundError(\"No module named 'causalml'\")", encoding="utf-8")
    ask = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.path.insert(1, {str(ROOT)!r}); "
    ask += f"from benchmarks.tool_adapters import main; main(['causalml', {str(tmp_path / 'jobs.json')!r}])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    number, answer = json.loads(done.stdout)
    assert number == 0 and "causalml" in answer[0] and answer[1:3] == [None, None]


@pytest.mark.parametrize("content", [None, "other: 1", "tools: {}"])
def test_a_missing_or_broken_record_says_how_to_make_it(tmp_path, content):
    path = tmp_path / "tools.yml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(PageError, match=r"benchmarks\.tools"):
        read_record(path)


def test_a_changed_pin_or_answer_draws_anew(monkeypatch):
    before = tools.fingerprint("econml")
    pins = tools.environments()
    pins["econml"]["requires"][0] = "econml==0.0.1"
    monkeypatch.setattr(tools, "environments", lambda: pins)
    assert tools.fingerprint("econml") != before and tools.fingerprint("dowhy") != tools.fingerprint("doubleml")


def test_absence_is_said_only_where_no_name_is_found(monkeypatch):
    monkeypatch.setattr(tools, "public_names", lambda python, tool: {"SyntheticControl"})
    assert tools.silence("dowhy", "one_unit", None) == tools.UNMEASURED
    monkeypatch.setattr(tools, "public_names", lambda python, tool: {"CausalModel"})
    assert tools.silence("dowhy", "one_unit", None) == tools.NONE
    assert tools.silence("dowhy", "dose", None) == tools.UNMEASURED


def test_companies_of_the_page_are_read_as_the_atlas_says():
    marks = {entry["link"]: entry["read"] for entry in read_atlas()}
    words = {"full": "전문", "part": "일부", "abstract": "초록", "second_hand": "남의 요약"}
    rows = [line for line in PAGE.text.splitlines() if line.startswith("|") and "](https://" in line]
    assert len(rows) >= 9
    for line in rows:
        link = line.split("](", 1)[1].split(")", 1)[0]
        assert line.rstrip(" |").rsplit("|", 1)[1].strip().startswith(words[marks[link]]), line


def test_the_site_shows_the_table(site_dir):
    tree = lxml_html.fromstring((site_dir / "guides" / "platforms.html").read_bytes())
    heads = tree.xpath("//article//table[contains(@class, 'scorecard')]//tr[@class='group']")
    assert [h.text_content().split(" · ")[0] for h in heads] == [p["label"] for p in RECORD["problems"].values()]
    assert yaml.safe_load(tools.TARGET.read_text(encoding="utf-8"))["problems"] == RECORD["problems"]
