"""Outside of a checkout: the wheel, a study made by ``w2s init``, and a workflow that has this one as a module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.test_dag import checkout, edit_config, planned
from tests.workflow.test_dag import snakemake as in_checkout
from w2s import figures

pytestmark = pytest.mark.xdist_group(__name__)  # what these tests share is made once

FIGURE = "figures/table1.pdf"  # needs data, no training
ARTIFACTS = re.compile(r"results/\S+-[0-9a-f]{10}(?=[\s/])")
MODULE = """\
import w2s

configfile: "config/ours.yaml"

rule ours:
    input:
        "{figure}",

module elicitation:
    snakefile: w2s.snakefile()
    config: config["elicitation"]
    {more}

use rule * from elicitation as elicit_*

rule copied:
    input:
        "{figure}",
    output:
        "paper/{{name}}.pdf",
    shell:
        "cp {{input}} {{output}}"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the sources, which is gone afterwards."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    sources.mkdir()
    for name in ("Snakefile", "config.yaml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources / name)
    for name in ("config", "docs", "envs", "profiles", "rules", "src"):
        ignored = shutil.ignore_patterns("*.egg-info", "__pycache__")
        shutil.copytree(ROOT / name, sources / name, symlinks=True, ignore=ignored)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder)]
    done = subprocess.run([*build, str(sources)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(sources)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path) -> Path:
    """Of an environment that has this package from the wheel, and what it needs from the environment of the tests."""
    venv = wheel.parent / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    python = venv / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    done = subprocess.run([*install, "--force-reinstall"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return python


def call(python: Path, folder: Path, *command: str, check: bool = True) -> str:
    """The output of a module of the environment, run in a folder as with the environment activated."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment["PATH"] = f"{python.parent}:{environment['PATH']}"
    words = [str(python), "-m", *command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    output = done.stdout + done.stderr
    assert not check or done.returncode == 0, output[-4000:]
    return output


def snakemake(python: Path, folder: Path, *arguments: str, check: bool = True) -> str:
    return call(python, folder, "snakemake", "--cores", "2", *arguments, check=check)


@pytest.fixture(scope="module")
def study(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with the tiny experiment, and Table 1 drawn."""
    folder = tmp_path_factory.mktemp("studies")
    call(python, folder, "w2s", "init", "my-study")
    tiny = checkout(folder / "checkout")
    shutil.copy(tiny / "config.yaml", folder / "my-study" / "config.yaml")
    shutil.rmtree(tiny)
    snakemake(python, folder / "my-study", FIGURE)
    return folder / "my-study"


def test_a_wheel_holds_the_workflows_files_as_they_are_in_the_checkout(wheel: Path) -> None:
    names = ["Snakefile", "config.yaml", "rules/caption.rst", "profiles/shared.yaml", "docs/deviations.md"]
    patterns = ("rules/*.smk", "config/*", "config/ladders/*", "envs/*", "profiles/*/*")
    names += [str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()]
    with zipfile.ZipFile(wheel) as content:
        assert {name for name in names if "__pycache__" not in name} <= {
            name.removeprefix("w2s/workflow/") for name in content.namelist()
        }
        for name in names:
            if "__pycache__" not in name:
                assert content.read(f"w2s/workflow/{name}") == (ROOT / name).read_bytes(), name


def test_a_study_plans_what_a_checkout_does(python: Path, study: Path, tmp_path: Path) -> None:
    ours = in_checkout(checkout(tmp_path / "checkout"), "-n", "figures/fig5.pdf", "figures/fig3.pdf")
    theirs = snakemake(python, study, "-n", "--forceall", "figures/fig5.pdf", "figures/fig3.pdf")
    assert set(ARTIFACTS.findall(theirs)) == set(ARTIFACTS.findall(ours)) != set()
    assert planned(theirs) == planned(ours)


def test_a_bare_call_draws_every_figure_and_a_report_can_be_asked_for(python: Path, study: Path) -> None:
    jobs = planned(snakemake(python, study, "-n"))
    assert jobs["study"] == 1
    assert jobs["draw"] > 20
    of_report = planned(snakemake(python, study, "-n", "report/report.html"))
    assert of_report == jobs - Counter(study=1) + Counter(report=1)


def test_a_study_is_run_by_the_installed_package(python: Path, study: Path) -> None:
    assert (study / FIGURE).read_bytes().startswith(b"%PDF")
    (manifest, _) = (json.loads(path.read_text()) for path in study.glob("results/nlp/*/data-*/manifest.json"))
    assert manifest["made_with"]["commit"] == "unknown"
    assert "Nothing to be done" in snakemake(python, study, FIGURE)
    (study / "config" / "mine.yaml").write_text("nlp: {tasks: [sciq]}\n")
    jobs = planned(snakemake(python, study, "-n", "figures/mine/table1.pdf"))
    assert jobs == {"experiment": 1, "tabulate": 1, "draw_of_experiment": 1}


def test_snakemakes_report_has_each_picture_and_its_numbers_with_captions(python: Path, study: Path) -> None:
    snakemake(python, study, FIGURE, "--report", "report.html")
    text = (study / "report.html").read_text()
    results = json.JSONDecoder().raw_decode(text, text.index('{"results/figures'))[0]
    assert {file: record["labels"] for file, record in results.items()} == {
        "results/figures/tiny/table1.csv": {"figure": "Table 1", "shows": "numbers"},
        "figures/table1.svg": {"figure": "Table 1", "shows": "picture"},
    }
    assert all(figures.module("table1").CAPTION in record["caption"] for record in results.values())
    assert '{"NLP tasks": {"tiny": ["results/figures/tiny/table1.csv", "figures/table1.svg"]}}' in text


def test_init_overwrites_nothing(python: Path, study: Path) -> None:
    before = {path: path.read_bytes() for path in study.rglob("*.yaml")}
    said = call(python, study.parent, "w2s", "init", "my-study", check=False)
    assert said.count("\n") == 1
    assert said.startswith("w2s: my-study/Snakefile: is there already")
    assert {path: path.read_bytes() for path in study.rglob("*.yaml")} == before


@pytest.fixture
def other(study: Path, tmp_path: Path) -> Path:
    """Another workflow, beside the study's results, with the study's config as a section of its own."""
    folder = tmp_path / "other"
    (folder / "config").mkdir(parents=True)
    shutil.copytree(study / "results", folder / "results")
    shutil.copytree(study / "profiles", folder / "profiles")
    config = {"elicitation": yaml.safe_load((study / "config.yaml").read_text()), "of": "ours"}
    (folder / "config" / "ours.yaml").write_text(yaml.safe_dump(config))
    write(folder)
    return folder


def write(folder: Path, more: str = "") -> None:
    (folder / "Snakefile").write_text(MODULE.format(figure=FIGURE, more=more))


def test_another_workflow_plans_the_same_jobs_under_its_own_names(python: Path, study: Path, other: Path) -> None:
    jobs = planned(snakemake(python, study, "-n", "figures/fig5.pdf"))
    output = snakemake(python, other, "-n", "figures/fig5.pdf")
    assert planned(output) == {f"elicit_{rule}": count for rule, count in jobs.items()}
    assert "localrules directive" not in output


def test_another_workflow_draws_a_figure_and_uses_it(python: Path, other: Path) -> None:
    (other / "results/figures/tiny/table1.csv").unlink()
    output = snakemake(python, other, "paper/data-sets.pdf")
    assert set(planned(output)) == {"elicit_tabulate", "elicit_draw", "copied"}
    assert (other / "paper/data-sets.pdf").read_bytes() == (other / FIGURE).read_bytes()
    assert "Nothing to be done" in snakemake(python, other, "-n")  # its own first rule, not all figures


@pytest.mark.parametrize("more", ['prefix: "elsewhere"', 'replace_prefix: {"results/": "there/"}'])
def test_a_prefix_is_refused_in_one_line(python: Path, other: Path, more: str) -> None:
    write(other, more)
    output = snakemake(python, other, "-n", check=False)
    (said,) = (line for line in output.splitlines() if "prefix and replace_prefix are not supported" in line)
    assert "snakemake --directory" in said
    assert "Traceback" not in output


def test_a_module_without_a_config_of_its_own_reads_config_yaml(python: Path, study: Path, other: Path) -> None:
    shutil.copy(study / "config.yaml", other / "config.yaml")
    edit_config(other, lambda config: config["nlp"].update(tasks=["sciq"]))
    text = (other / "Snakefile").read_text()
    (other / "Snakefile").write_text(text.replace('    config: config["elicitation"]\n', ""))
    assert planned(snakemake(python, other, "-n", "figures/fig5.pdf"))["elicit_finetune"] == 2 + 2 * 2
