"""Snakemake runs Python in config files that ask for it; this workflow's config.yaml is refused before that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflow.test_dag import checkout, snakemake
from w2s.config.files import read_config
from w2s.errors import UserError


def with_code(folder: Path, trace: Path) -> Path:
    path = folder / "config.yaml"
    text = path.read_text() if path.exists() else "seeds: [0]\n"
    path.write_text(f"__use_yte__: true\n{text}\nnote: ?__import__('pathlib').Path({str(trace)!r}).touch()\n")
    return path


def test_a_config_with_code_is_one_line_and_runs_nothing_even_on_a_dry_run(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    with_code(folder, tmp_path / "ran")
    said = snakemake(folder, "-n", "figures/fig5.pdf", check=False)
    assert "config.yaml: __use_yte__ is not allowed" in said
    assert "Traceback" not in said
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("more.yaml", "__use_yte__: true\nseeds: ?[3]\n", "more.yaml: __use_yte__ is not allowed"),
        ("more.yaml", "seeds: [1]\nseeds: [2]\n", "more.yaml:2: 'seeds'"),
        ("more.json", '{"seeds": [1],\n"seeds": [2]}', "more.json:2: 'seeds' is already in line 1; allowed once"),
    ],
    ids=["code", "a key twice", "a key twice in JSON"],
)
def test_files_of_the_command_line_are_checked_too(name: str, text: str, said: str, tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    (folder / name).write_text(text)
    output = snakemake(folder, "-n", "figures/fig5.pdf", "--configfile", name, check=False)
    assert said in output
    assert "Traceback" not in output


def test_a_file_of_the_command_line_without_faults_is_used(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    (folder / "more.json").write_text('{"experiment": "more"}')
    output = snakemake(folder, "-n", "figures/fig5.pdf", "--configfile", "more.json")
    assert "numbers behind fig5 of more" in output


def test_commands_refuse_it_too(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"config.yaml: __use_yte__ is not allowed: Snakemake would run Python"):
        read_config(with_code(tmp_path, tmp_path / "ran"))
    assert not (tmp_path / "ran").exists()
