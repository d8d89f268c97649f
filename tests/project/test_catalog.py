"""What the Snakemake workflow catalog reads: its file, the workflow's layout and config/README.md."""

from __future__ import annotations

import re

import yaml

from tests.conftest import ROOT
from w2s.config.files import read_yaml


def test_the_catalog_finds_what_it_looks_for() -> None:
    words = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in words
    assert "workflow" in words
    assert (ROOT / "Snakefile").is_file()
    assert list((ROOT / "rules").glob("*.smk"))
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    rules = [path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk")]
    assert usage["software-stack-deployment"] == {
        "conda": any("conda:" in text for text in rules),
        "apptainer": any("container:" in text for text in rules),
        "apptainer+conda": False,
    }
    assert usage["report"] == any("report(" in text for text in rules)


def test_the_configuration_is_described_key_by_key() -> None:
    page = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    rows = [re.findall(r"`([a-z0-9_]+)`", line.split("|")[1]) for line in page.splitlines() if line.startswith("| `")]
    assert {key for row in rows for key in row} == set(read_yaml(ROOT / "config.yaml"))
