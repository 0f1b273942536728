"""YAML을 빠르게 읽어도 값은 ``yaml.safe_load``와 같고, 파일이 바뀌면 다시 읽습니다."""

import os

import pytest
import yaml

from book.page import ROOT
from book.yaml_text import LOADER, read_kept, read_yaml


@pytest.mark.parametrize(
    "name", ["_config.yml", "guides/glossary.yml", "guides/false_alarms.yml", "reviews/guides/pipeline.yml"]
)
def test_the_values_are_those_of_safe_load(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert repr(read_yaml(text)) == repr(yaml.safe_load(text))


def test_only_plain_values_are_read_and_a_fault_has_its_line():
    with pytest.raises(yaml.YAMLError):
        read_yaml("a: !!python/object/apply:os.getcwd []")
    with pytest.raises(yaml.YAMLError) as told:
        read_yaml("a: 1\nb: [1,\n")
    assert told.value.problem_mark.line >= 1


def test_libyaml_is_there():
    """없으면 값은 같지만 빌드와 시험이 CPU 200초쯤 더 씁니다."""
    assert LOADER is yaml.CSafeLoader


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(tmp_path):
    path = tmp_path / "a.yml"
    path.write_text("a: 1\n", encoding="utf-8")
    first = read_kept(path)
    assert first == {"a": 1} and read_kept(path) is first
    path.write_text("a: 2\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))  # 같은 크기라도 고친 때가 다르면
    assert read_kept(path) == {"a": 2}
    path.write_text("a: 33\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))  # 고친 때가 같아도 크기가 다르면
    assert read_kept(path) == {"a": 33}
