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


def test_commands_refuse_it_too(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"config.yaml: __use_yte__ is not allowed: Snakemake would run Python"):
        read_config(with_code(tmp_path, tmp_path / "ran"))
    assert not (tmp_path / "ran").exists()
