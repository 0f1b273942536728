"""책의 노트북이 함께 쓰는 작은 패키지."""

import io
import math
import os
import warnings

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import yaml

import causal_practice
from causal_practice import (
    answers,
    check_answer,
    claims,
    draw_graph,
    generator,
    glue,
    load,
    record_claim,
    record_validation,
    set_style,
    truth,
)
from causal_practice.data import card, catalog, data_dir


@pytest.fixture
def published(monkeypatch):
    """노트북에 남기는 기록을 가로챕니다."""
    seen = []
    monkeypatch.setattr(claims, "_publish", lambda data, metadata=None: seen.append((data, metadata)))
    return seen


@pytest.fixture
def data(tmp_path, monkeypatch):
    """임시 데이터 폴더: 자료 하나와 생성기 하나."""
    (tmp_path / "generators").mkdir()
    (tmp_path / "toy.csv").write_text("unit_id,y,y0\n1,2.0,1.0\n2,3.0,2.5\n", encoding="utf-8")
    cards = {
        "toy": {
            "columns": {"unit_id": {"role": "id"}, "y": {"role": "outcome"}, "y0": {"role": "truth"}},
            "truth": {"ATT": -0.47},
        },
        "no_file": {"columns": {}, "truth": {}},
    }
    (tmp_path / "catalog.yml").write_text(yaml.safe_dump(cards), encoding="utf-8")
    (tmp_path / "generators" / "toy.py").write_text(
        "DEFAULTS = {'seed': 1}\ndef generate(seed=1):\n    return seed\n", encoding="utf-8"
    )
    monkeypatch.setenv("CAUSAL_PRACTICE_DATA", str(tmp_path))
    return tmp_path


def test_the_public_names_are_all_documented():
    for name in causal_practice.__all__:
        thing = getattr(causal_practice, name)
        if callable(thing):
            assert thing.__doc__, name


# --- 데이터 ---


def test_load_hides_the_truth_until_asked(data):
    assert list(load("toy").columns) == ["unit_id", "y"]
    assert list(load("toy", with_truth=True).columns) == ["unit_id", "y", "y0"]
    assert len(load("toy")) == 2


def test_truth_is_a_copy(data):
    truth("toy")["ATT"] = 0.0
    assert truth("toy") == {"ATT": -0.47}


def test_an_unknown_name_suggests_the_nearest(data):
    with pytest.raises(KeyError, match="혹시 toy"):
        load("toyy")
    with pytest.raises(KeyError, match="있는 이름: no_file, toy"):
        load("전혀 다른 이름")


def test_a_missing_file_says_how_to_make_it(data):
    with pytest.raises(FileNotFoundError, match="make data NAME=no_file"):
        load("no_file")


def test_an_edited_catalogue_is_read_again(data):
    assert card("toy")["truth"]["ATT"] == -0.47
    path = data / "catalog.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("-0.47", "-0.5"), encoding="utf-8")
    os.utime(path, ns=(1, 1))  # 수정 시각이 달라지기만 하면 됩니다
    assert card("toy")["truth"]["ATT"] == -0.5


def test_generator_runs_and_rejects_bad_names(data):
    assert generator("toy").generate(**generator("toy").DEFAULTS) == 1
    with pytest.raises(FileNotFoundError, match="data/generators/other.py"):
        generator("other")
    for name in ("../toy", "Toy", "toy.py", ""):
        with pytest.raises(ValueError, match="데이터 이름이 아닙니다"):
            generator(name)


def test_the_data_folder_is_found_beside_the_package_or_the_notebook(tmp_path, monkeypatch):
    monkeypatch.delenv("CAUSAL_PRACTICE_DATA", raising=False)
    assert (data_dir() / "catalog.yml").is_file()
    monkeypatch.setattr("causal_practice.data.__file__", str(tmp_path / "elsewhere" / "causal_practice" / "data.py"))
    (tmp_path / "work" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(FileNotFoundError, match="CAUSAL_PRACTICE_DATA"):
        data_dir()
    (tmp_path / "work" / "data" / "catalog.yml").write_text("{}")
    assert data_dir() == tmp_path / "work" / "data"


def test_every_data_set_of_the_book_loads():
    for name, info in catalog().items():
        frame = load(name)
        hidden = {column for column, detail in info["columns"].items() if detail["role"] == "truth"}
        assert isinstance(frame, pd.DataFrame) and len(frame) == info["rows"], name
        assert not hidden & set(frame.columns), name


# --- 값 묶기와 주장 ---


def test_glue_accepts_numbers_and_text(published):
    glue("a", 1.5)
    glue("b", np.float64(2.0))
    glue("c", "글자")
    assert [data["application/papermill.record/text/plain"] for data, _ in published] == ["1.5", "2.0", "'글자'"]
    assert published[0][1]["scrapbook"]["name"] == "a"


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float64("nan")])
def test_glue_rejects_nan(published, value):
    with pytest.raises(ValueError, match="앞 계산을 확인"):
        glue("x", value)
    assert not published


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, True])
def test_glue_rejects_what_prose_cannot_show(published, value):
    with pytest.raises(TypeError, match="수나 글자만"):
        glue("x", value)


CLAIM = {
    "estimand": "ATT",
    "truth": -0.5,
    "naive": 0.1,
    "estimate": -0.48,
    "interval": (-0.6, -0.4),
    "unit": "주문/28일",
}


def test_a_claim_is_recorded(published):
    record_claim("main", **CLAIM)
    ((data, _),) = published
    assert data[claims.CLAIM_MIME] == {
        "name": "main", "estimand": "ATT", "unit": "주문/28일", "truth": -0.5, "naive": 0.1, "estimate": -0.48, "low": -0.6, "high": -0.4,
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"interval": (-0.4, -0.6)},
        {"estimate": 0.0},
        {"truth": math.nan},
        {"naive": math.inf},
        {"interval": (-0.6, math.nan)},
    ],
)
def test_an_impossible_claim_is_refused(published, change):
    with pytest.raises(ValueError, match="record_claim"):
        record_claim("main", **(CLAIM | change))
    assert not published


VALIDATION = {"method": "IPW", "truth": -0.5, "draws": 200, "bias": 0.01, "coverage": 0.94}


def test_a_validation_is_recorded(published):
    record_validation("ipw", **VALIDATION)
    ((data, _),) = published
    assert data[claims.VALIDATION_MIME] == {"name": "ipw", "nominal": 0.95, "assumptions_hold": True, **VALIDATION}


@pytest.mark.parametrize(
    "change", [{"coverage": 1.2}, {"coverage": -0.1}, {"draws": 1}, {"nominal": 1.0}, {"bias": math.nan}]
)
def test_an_impossible_validation_is_refused(published, change):
    with pytest.raises(ValueError, match="record_validation"):
        record_validation("ipw", **(VALIDATION | change))


def test_outside_a_notebook_nothing_happens(capsys):
    glue("a", 1.0)
    record_claim("main", **CLAIM)
    assert capsys.readouterr().out == ""


# --- 자기 점검 ---


def answer(capsys, *args, **kwargs) -> str:
    check_answer("연습 1", *args, **kwargs)
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(("given", "shown"), [(1.0, 1), (2.0, 0), (..., 0)])
def test_the_reading_follows_a_right_answer_only(published, capsys, given, shown):
    check_answer("연습 1", given, 1.0, reading="까닭은 **이것**입니다.")
    capsys.readouterr()
    texts = [data["text/markdown"] for data, _ in published if "text/markdown" in data]
    assert texts == ["까닭은 **이것**입니다."] * shown


@pytest.mark.parametrize(
    ("given", "expected", "tol"),
    [
        (1.0, 1.0, 0.0),
        (np.float64(1.04), 1.0, 0.05),
        (np.array(3), 3, 0.0),
        ("성향 점수", "성향점수", 0.0),
        ("att", "ATT", 0.0),
        ({"x", "z"}, {"z", "x"}, 0.0),
        (["z", "x"], {"z", "x"}, 0.0),
        ((1.0, 2.04), [1.0, 2.0], 0.05),
        (pd.Series([1.0, 2.0]), [1.0, 2.0], 0.0),
        # 하나만 든 것
        ([1.0], 1.0, 0.0),
        (np.array([[1.0]]), 1.0, 0.0),
        (pd.Series([1.0]), 1.0, 0.0),
        (pd.DataFrame({"효과": [1.0]}), 1.0, 0.0),
        ({1.0}, 1.0, 0.0),
        (["ATT"], "ATT", 0.0),
        # 글자로 적은 수
        ("3.2", 3.2, 0.0),
        (" −1,200.5 원", -1200.5, 0.0),
        ("약 3.2개", 3.2, 0.0),
        ("3.2%", 3.2, 0.0),
        ("3.2%", 0.032, 0.0),
        ("3.2, 4", [3.2, 4], 0.0),
        ("[3.2]", 3.2, 0.0),
        # 뜻이 같은 말
        ("아니오", "아니요", 0.0),
        ("아뇨.", "아니요", 0.0),
        (False, "아니요", 0.0),
        ("네", "예", 0.0),
        (np.True_, "예", 0.0),
        ("예", True, 0.0),
        ("'ATT'", "ATT", 0.0),
        ("ＡＴＴ입니다", "ATT", 0.0),
        ("시점, 음성 대조", {"음성 대조", "시점"}, 0.0),
        ("가 라", {"가", "라"}, 0.0),
        (pd.Index(["x", "z"]), {"x", "z"}, 0.0),
    ],
)
def test_right_answers(capsys, published, given, expected, tol):
    assert answer(capsys, given, expected, tol) == "연습 1: 정답입니다."
    assert published[0][0][answers.ANSWER_MIME]["status"] == "right"


def test_no_answer_yet(capsys, published):
    assert "아직 답이 없습니다. answer_1에" in answer(capsys, ..., 1.0)
    assert published[0][0][answers.ANSWER_MIME]["status"] == "empty"


def test_a_known_mistake_is_named(capsys, published):
    wrong = {"ATE와 혼동": (2.0, "대조군까지 평균했습니다.")}
    assert "대조군까지 평균했습니다" in answer(capsys, 2.0, 1.0, tol=0.1, wrong=wrong)
    assert published[0][0][answers.ANSWER_MIME] == {
        "label": "연습 1", "status": "wrong", "wrong_answers_rejected": 1, "tolerance_share": 0.1,
        "rules": {"expected": 1.0, "tol": 0.1, "decimals": None, "wrong": [[2.0, "대조군까지 평균했습니다."]]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "shipped"),
    [
        ({"나", "가"}, {"any": ["가", "나"]}),
        (np.array([1 / 3, 2]), [0.3333333333, 2.0]),
        ([np.float64(0.25), "가"], [0.25, "가"]),
        (np.True_, True),
        (math.inf, None),
    ],
)
def test_the_rules_travel_to_the_site(published, expected, shipped):
    """사이트의 답 칸이 읽는 것입니다(book/extensions/answer_box.py). 두 번째 실행에서도 같아야 합니다."""
    check_answer("연습 1", ..., expected, wrong={"없는 값": (math.nan, "")})
    rules = published[0][0][answers.ANSWER_MIME]["rules"]
    assert rules["expected"] == shipped and rules["wrong"] == [[None, ""]]


@pytest.mark.parametrize(
    ("given", "expected", "hint"),
    [
        (-2.0, 2.0, "부호가 반대"),
        (200.0, 2.0, "백분율로 적은"),
        (0.02, 2.0, "비율로 적은"),
        (2000.0, 2.0, "1,000배"),
        (0.002, 2.0, "1,000분의 1"),
        (20.0, 2.0, "만 원을 천 원으로"),
        (0.2, 2.0, "천 원을 만 원으로"),
        (20000.0, 2.0, "만 원을 원으로"),
        (0.0002, 2.0, "원을 만 원으로"),
        (-200.0, 2.0, "부호도 반대"),
        (0.4, 0.4237, "더 많은 자리까지"),
        (0.42, 0.4237, "더 많은 자리까지"),
        (12, 12.97, "더 많은 자리까지"),
        (math.nan, 2.0, "nan이거나 무한대"),
        ("둘", 2.0, "답은 수 하나"),
        ("2만 원", 2.0, "단위를 떼고"),
        (None, 2.0, "답은 수 하나"),
        (True, 1.0, "답은 수 하나"),
        (2.0, "둘", "답은 글자"),
        (1, "예", "답은 글자"),
        ("몰라", "둘", "보기에 없는 말"),
        (3.0, 2.0, "추정 대상과 단위"),
        (0.0, 2.0, "추정 대상과 단위"),
        (2.0, 0.0, "추정 대상과 단위"),
        ([1.0], [1.0, 2.0], "차례대로 2개"),
        ([1.0, -2.0], [1.0, 2.0], "2번째 값이 다릅니다. 부호가"),
        ({1.0, 2.0}, [1.0, 2.0], "차례대로 2개"),
        (3, 2.5, "더 많은 자리까지"),
        (np.array([1.0, 2.0]), 2.0, "답은 수 하나"),
        (object(), 2.0, "답은 수 하나"),
        (len, {"x", "z"}, "꼴로 모두"),
        ({"x"}, {"x", "z"}, "1개가 빠졌습니다"),
        ({"x", "y"}, {"x", "z"}, "1개는 답이 아닙니다. 1개가 빠졌습니다"),
    ],
)
def test_wrong_answers_never_raise(capsys, published, given, expected, hint):
    assert hint in answer(capsys, given, expected)


def test_a_wrong_word_lists_the_choices_without_telling_the_answer(capsys, published):
    wrong = {"반대": ("커진다", "반대입니다."), "그대로": ("그대로다", "그대로가 아닙니다.")}
    said = answer(capsys, "조금", "작아진다", wrong=wrong)
    assert '"그대로다", "작아진다", "커진다"' in said
    assert "보기에 없는" not in answer(capsys, "커진다", "작아진다", wrong=wrong)


def test_the_answer_rounded_as_asked_is_right_and_one_step_off_is_wrong(capsys, published):
    rng = np.random.default_rng(0)
    for decimals in range(4):
        for value in rng.uniform(-30, 30, 50):
            asked = round(value, decimals)
            assert "정답입니다" in answer(capsys, asked, value, decimals=decimals)
            assert "아직 아닙니다" in answer(capsys, asked + 1.1 * 10.0**-decimals, value, decimals=decimals)
    assert "소수점 둘째 자리까지" in answer(capsys, 2.6, 2.5714, decimals=2)


def test_unhashable_members_never_raise(capsys, published):
    assert "아직 아닙니다" in answer(capsys, [["x"], ["z"]], {"x", "z"})


def test_a_careless_question_is_refused(published):
    with pytest.raises(ValueError, match="정답으로 받아들여집니다"):
        check_answer("연습 1", ..., 1.0, tol=0.5, wrong={"가까운 값": (1.2, "")})
    with pytest.raises(ValueError, match="정답으로 받아들여집니다"):
        check_answer("연습 1", ..., 1.02, decimals=1, wrong={"가까운 값": (1.05, "")})
    for bad in (-1, 7, 1.5, True):
        with pytest.raises(ValueError, match="decimals는"):
            check_answer("연습 1", ..., 1.0, decimals=bad)
    with pytest.raises(ValueError, match="decimals는"):
        check_answer("연습 1", ..., 1.0, tol=0.1, decimals=1)
    with pytest.raises(ValueError, match="tol은 0 이상"):
        check_answer("연습 1", ..., 1.0, tol=-1)
    with pytest.raises(TypeError, match="정답은"):
        check_answer("연습 1", 1.0, object())


# --- 그림 ---


def test_style_draws_korean_without_missing_glyphs():
    with mpl.rc_context():
        set_style()
        figure, axis = plt.subplots()
        axis.set_title("처치 효과 -1.5%")
        axis.plot([-1, 1], [-1, 1])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            figure.canvas.draw()
        plt.close(figure)
        assert mpl.rcParams["font.family"] == ["NanumGothic"] and mpl.rcParams["axes.unicode_minus"] is False


def test_set_style_twice_registers_fonts_once():
    from matplotlib import font_manager

    with mpl.rc_context():
        set_style()
        before = len(font_manager.fontManager.ttflist)
        set_style()
        assert len(font_manager.fontManager.ttflist) == before


def test_a_graph_has_every_node_and_arrow():
    axis = draw_graph(
        [("x", "t"), ("x", "y"), ("t", "y"), ("u", "y")], labels={"t": "처치"}, highlight=["t", "y"], hidden=["u"]
    )
    texts = [text for text in axis.texts if text.get_text()]
    assert {text.get_text() for text in texts} == {"x", "처치", "y", "u"}
    arrows = [text.arrow_patch for text in axis.texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == 4
    styles = {text.get_text(): text.get_bbox_patch().get_linestyle() for text in texts}
    assert styles["u"] == "--" and styles["x"] == "-"
    assert sum(arrow.get_linestyle() == "--" for arrow in arrows) == 1
    plt.close("all")


def test_arrows_end_at_the_boxes_whatever_the_resolution():
    """그림은 화면과 다른 해상도로 저장됩니다. 상자의 자리가 옛것이면 화살촉이 상자에 묻히거나 못 미칩니다."""
    set_style()
    figure, axis = plt.subplots(figsize=(7.4, 3.8), dpi=70)
    names = {"a": "앞 구간의 5분", "b": "이번 구간의 취소", "c": "시각과 요일"}
    draw_graph(
        [("a", "b"), ("c", "b"), ("c", "a")],
        labels=names,
        positions={"a": (0, 1.1), "b": (3.4, -0.6), "c": (1.7, -1.7)},
        ax=axis,
    )
    drawn = []
    for target, text in zip("bba", [t for t in axis.texts if not t.get_text()], strict=True):
        arrow = text.arrow_patch

        def draw(renderer, arrow=arrow, target=target, original=arrow.draw):
            drawn.append((names[target], arrow.get_transform().transform(arrow.get_path().vertices)))
            original(renderer)

        arrow.draw = draw
    figure.savefig(io.BytesIO(), dpi=140)
    figure.set_dpi(140)
    figure.canvas.draw()
    boxes = {t.get_text(): t.get_bbox_patch().get_window_extent() for t in axis.texts if t.get_text()}
    assert len(drawn) >= 3
    for target, points in drawn[:3]:
        gaps = {
            name: min(max(box.x0 - x, x - box.x1, box.y0 - y, y - box.y1) for x, y in points)
            for name, box in boxes.items()
        }
        assert min(gaps.values()) > -1, "화살표가 상자에 묻혔습니다."
        assert gaps[target] < 10, "화살촉이 상자에 못 미칩니다."
    plt.close(figure)


def test_a_given_axis_and_positions_are_used():
    figure, axis = plt.subplots()
    assert draw_graph([("a", "b")], positions={"a": (0, 0), "b": (1, 0)}, ax=axis) is axis
    assert {text.get_position() for text in axis.texts if text.get_text()} == {(0, 0), (1, 0)}
    plt.close(figure)


def test_a_cycle_is_named():
    with pytest.raises(ValueError, match="순환이 있습니다: a → b → a"):
        draw_graph([("a", "b"), ("b", "a")])


def test_colours_can_be_told_apart_from_white():
    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name, colour in causal_practice.COLORS.items():
        if name != "muted":
            assert 1.05 / (luminance(colour) + 0.05) >= 3, f"{name}: 흰 바탕에서 흐립니다."
