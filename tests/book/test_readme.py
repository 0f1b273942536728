"""README가 말하는 명령, 링크, 그림이 정말 있습니다."""

import re

from book.page import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_is_a_make_target():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    assert {"book", "test"} <= named <= targets, named - targets


def test_every_public_target_is_introduced():
    described = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert described - {"clean"} <= set(re.findall(r"make ([a-z-]+)", README))


def test_every_link_and_picture_exists():
    for text, target in re.findall(r"\[([^\]]*)\]\(([^)]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
            assert text, f"{target}: 대신 읽을 글이 없습니다."


def test_pictures_are_small():
    pictures = re.findall(r"\((assets/readme/[^)]+)\)", README)
    assert pictures and sum((ROOT / name).stat().st_size for name in pictures) < 400_000
    assert {(ROOT / name).name for name in pictures} == {path.name for path in (ROOT / "assets" / "readme").iterdir()}


def test_the_whole_story_is_there():
    for part in ("In English", "make book", "make test", "함께 만들기", "MIT", "CC BY 4.0"):
        assert part in README
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert "Attribution 4.0 International" in (ROOT / "LICENSE-CONTENT").read_text(encoding="utf-8")
