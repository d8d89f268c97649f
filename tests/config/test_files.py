"""Config files say what they seem to say, or what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from w2s.config.files import read_yaml
from w2s.errors import UserError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3: 'a' is already in line 1; allowed once"),
        ("nlp:\n  tasks: [{name: boolq, test: x}]\n  methods: [naive]\n  tasks: [cola]\n", "a.yaml:4: 'tasks' is"),
        ("rungs:\n  - name: a\n    tokens: 1\n    tokens: 2\n", "a.yaml:4: 'tokens' is already in line 3"),
        ("nlp: {tasks: [a], tasks: [b]}\n", "a.yaml:1: 'tasks' is already in line 1"),
        ("seeds: [1, 010]\n", "a.yaml:1: 010 is read by YAML as another number (of base 8 or 60); write it"),
        ("a: {b: 1:30}\n", "a.yaml:1: 1:30 is read by YAML as another number"),
        ("a: &x\n  b: [*x]\n", "a.yaml:1: it holds an alias (*) of itself"),
        ("a: [1\n", "a.yaml: not valid YAML"),
        ("- 1\n", "a.yaml: should be a mapping"),
        ("", "a.yaml: should be a mapping"),
    ],
)
def test_a_file_that_does_not_say_one_thing_is_one_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_yaml(tmp_path / "a.yaml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_json_is_read_with_tabs_and_without_keys_twice(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{\n\t"a": "\\t",\t"b": 1\n}')
    assert read_yaml(tmp_path / "a.json") == {"a": "\t", "b": 1}
    (tmp_path / "a.json").write_text('{\n\t"a": 1,\n\t"a": 2\n}')
    with pytest.raises(UserError, match=r"a.json:3: 'a' is already in line 2; allowed once"):
        read_yaml(tmp_path / "a.json")


def test_what_yaml_can_say_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: &x {b: 1}\nc: {<<: *x, d: 1.0e-3}\ne: null\nf: [*x, 0, '010']\n")
    expected = {"a": {"b": 1}, "c": {"b": 1, "d": 1e-3}, "e": None, "f": [{"b": 1}, 0, "010"]}
    assert read_yaml(tmp_path / "a.yaml") == expected
