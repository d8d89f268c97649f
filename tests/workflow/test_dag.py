"""What does a figure need, and what does a change re-run? Asked of Snakemake itself, by dry run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import forked
from tests.conftest import ROOT, TINY
from w2s import figures
from w2s.config.files import deep_merge, read_yaml
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.experiments.settings import STAGES
from w2s.graph.artifact import with_ancestors
from w2s.jobs.workflow import Workflow


def snakemake(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run snakemake in a copy of the checkout; its output."""
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    status, output = forked.snakemake(folder, ["--cores", "2", *arguments], environment)
    if check and status:
        raise AssertionError(output[-4000:])
    return output


def uninherited(folder: Path, *arguments: str) -> str:
    """The output of snakemake in a process of its own, where jobs have no PYTHONPATH to inherit."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    return done.stdout + done.stderr


def checkout(folder: Path) -> Path:
    """A user's checkout whose default experiment is tiny; only what is committed, no results."""
    folder.mkdir(exist_ok=True)
    for name in ("Snakefile", "config.yaml", "rules", "src", "envs", "profiles", "docs"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True)
        else:
            shutil.copy(ROOT / name, folder / name)
    edit_config(folder, lambda config: merge(config, TINY))
    return folder


def merge(config: dict[str, Any], overlay: dict[str, Any]) -> None:
    config.update(deep_merge(config, overlay))


def edit_config(folder: Path, change: Any) -> None:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    change(config)
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def planned(output: str) -> Counter[str]:
    """Rule -> number of jobs, from a dry run's closing table."""
    table = re.findall(r"^([a-z_]+)\s+(\d+)$", output, flags=re.MULTILINE)
    return Counter({rule: int(count) for rule, count in table if rule != "total"})


def needed(plan: Plan, *names: str) -> Counter[str]:
    """Stage -> number of artifacts that these figures need together: Snakemake's jobs, but for tables and pictures."""
    runs = [run for name in names for run in figures.module(name).needs(plan)]
    return Counter(one.stage.name for one in with_ancestors(runs).values())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("dag") / "checkout")


@pytest.fixture(scope="module")
def of_figure_5(copy: Path) -> str:
    """What a dry run of Figure 5 says."""
    return snakemake(copy, "-n", "figures/fig5.pdf")


def test_figure_5_needs_exactly_its_runs(of_figure_5: str) -> None:
    finetunes = 2 * (2 + 2 * 2)  # tasks x (rungs + pairs x methods), one seed
    made = {"data": 2, "corpus": 1, "pretrain": 2, "finetune": finetunes}
    assert planned(of_figure_5) == made | {"experiment": 1, "tabulate": 1, "draw": 1}


PAIRS = ("fig2", "fig3", "fig4", "fig5", "fig6", "fig8", "fig12", "fig13", "fig14", "fig15", "table1")


def test_snakemake_has_a_job_for_everything_that_figures_need_together_and_no_other(copy: Path, tiny: Plan) -> None:
    """So what figures need can be asked of the plan, below."""
    jobs = planned(snakemake(copy, "-n", *(f"figures/{name}.pdf" for name in PAIRS)))
    assert jobs == needed(tiny, *PAIRS) + Counter(experiment=1, tabulate=len(PAIRS), draw=len(PAIRS))


def test_figures_of_pairs_together_need_each_run_once(tiny: Plan) -> None:
    """NLP: nothing beyond what Figure 12 trains; chess: nothing beyond what Figure 15 does."""
    together = needed(tiny, *PAIRS)
    assert together["finetune"] == needed(tiny, "fig12")["finetune"] == 2 * (2 + 2 * 2)
    assert together["generate"] == needed(tiny, "fig15")["generate"] == 3 + 5 + 1 + 3


def test_all_figures_train_what_figure_12_does_and_what_is_their_own(copy: Path, tiny: Plan) -> None:
    """Second fold 2, cutoffs 2 x 2, easiest shares 2 x 3, flipped 2 x 6 x 2, told 2 x 2, each other method,
    of sandwiching 2 x (a student that assists, two non-experts with an assistant, a student of each), and students of
    four shares of the labels, 2 x 4 x 2.
    """
    jobs = planned(snakemake(copy, "-n"))
    config = yaml.safe_load((copy / "config.yaml").read_text())
    others = len(config["methods"]) - 2
    assert jobs["finetune"] == 2 * (2 + 2 * 2) + 2 + 4 + 6 + 24 + 4 + 2 * others + 2 * 5 + 16
    assert (jobs["levels"], jobs["judge"], jobs["flip"]) == (2, 2, 2 * 6)
    drawable = Workflow(config, copy).drawable()
    drawn = Counter(all=1, experiment=1, tabulate=len(drawable), draw=len(drawable))
    assert jobs == needed(tiny, *drawable) + drawn


@pytest.mark.parametrize(
    ("figure", "runs"),
    [
        ("fig2", 2 + 2),  # one task: truth at both rungs, one student naively and one with the best method
        ("fig3", 2 * (2 + 2)),  # naive only
        ("fig6", 2 * (2 + 2 * 2)),
        ("fig8", 2 * (1 + 2 * 2)),  # no ceilings
        ("fig13", 2 * (2 + 2)),
        ("table1", 0),  # data alone
    ],
)
def test_a_figure_needs_no_more_than_it_shows(tiny: Plan, figure: str, runs: int) -> None:
    assert needed(tiny, figure)["finetune"] == runs


@pytest.mark.parametrize(
    ("figure", "runs"),
    [
        ("fig2", 2 + 1 + 2),  # supervisor and ceiling, a naive student, the end of a chain over two rungs and its start
        ("fig3", 3 + 5),  # truth, pairs
        ("fig4", 3 + 5 + 1),  # and the one chain's end
        ("fig14", 0),  # puzzles alone
        ("fig15", 3 + 5 + 1 + 3),  # and every rung prompted
    ],
)
def test_a_chess_figure_needs_no_more_than_it_shows(tiny: Plan, figure: str, runs: int) -> None:
    jobs = needed(tiny, figure)
    assert jobs["generate"] == runs
    assert jobs["puzzles"] == 1
    assert jobs["games"] == bool(runs)


def test_easy_to_hard_shares_its_runs(tiny_config: dict[str, Any]) -> None:
    """Figure 20's models are Figure 19's, and those trained on hard puzzles."""
    config = deepcopy(tiny_config)
    config["chess"]["sizes"].update(subset=20, fewer={})
    config["chess"].update(easy=[900, 1200, 1300])
    plan = plan_of(config, "easy")
    jobs = {name: needed(plan, name)["generate"] for name in ("fig19", "fig20")}
    assert jobs == {"fig19": 3 * (1 + 3 + 1), "fig20": 3 * (1 + 2 + 1 + 1)}
    assert needed(plan, "fig19", "fig20")["generate"] == 3 * (1 + 3 + 1) + 3


def test_the_papers_experiment_has_its_runs() -> None:
    """22 data sets x (7 ground truth + 29 naive + 29 confidence) x 3 seeds, as docs/experiments.md says."""
    plan = Workflow(read_yaml(ROOT / "config.yaml"), ROOT).plan("nlp-paper")
    names = ("fig2", "fig3", "fig5", "fig6", "fig8", "fig12", "fig13", "table1")
    jobs = {figure: needed(plan, figure) for figure in names}
    assert {figure: one["finetune"] for figure, one in jobs.items()} == {
        "fig2": 3 * 4,
        "fig3": 3 * 22 * (7 + 29),
        "fig5": 3 * 1430,
        "fig6": 3 * 8 * (7 + 29 + 29),
        "fig8": 3 * 22 * (6 + 29 + 29),
        "fig12": 3 * 1430,
        "fig13": 3 * (8 * (7 + 29) + 14 * (7 + 21)),  # every curve of eight tasks, every PGR of all
        "table1": 0,
    }
    assert jobs["fig5"] == {"finetune": 3 * 1430, "open_model": 8, "data": 3 * 22}
    assert jobs["table1"] == {"data": 22}


def test_reward_figures_train_only_what_earlier_ones_have_not(tiny: Plan) -> None:
    """Two rungs, one supervisor: Figure 3 has two ground-truth runs and two students, Figures 7 and 16 no other."""
    names = ("fig3", "fig7", "fig16", "fig10", "fig17", "fig18", "fig2")
    jobs = [needed(tiny, *names[: number + 1]) for number in range(len(names))]
    # Figure 10: two ceilings and two students after generative finetuning; Figure 18: students of such a supervisor.
    assert [one["reward_model"] for one in jobs] == [4, 4, 4, 8, 8, 10, 10]
    assert [one["generative_finetuning"] for one in jobs] == [0, 0, 0, 2, 2, 2, 2]


def test_figures_2_and_3_train_runs_of_the_settings_that_they_show(tiny_config: dict[str, Any]) -> None:
    jobs = needed(plan_of(deep_merge(tiny_config, {"settings": ["chess"]}), "chess"), "fig2", "fig3")
    assert jobs["generate"]
    assert not {"finetune", "reward_model", "data", "preferences"} & set(jobs)


def test_a_checkout_may_have_any_name(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "it's a `touch x`;touch x;$(touch x)")
    path = Workflow(read_yaml(folder / "config.yaml"), folder).default.nlp.data("sciq", 0).path
    snakemake(folder, f"{path}/manifest.json")
    assert (folder / path / "examples.parquet").is_file()
    assert not list(tmp_path.rglob("x"))


@pytest.mark.parametrize(("name", "said"), [("{a}", "braces"), ("a:b", "a colon")])
def test_a_folder_with_braces_or_a_colon_is_refused_in_one_line(name: str, said: str, tmp_path: Path) -> None:
    """Jobs would take the path with a colon for two, and run the code of another checkout that is installed."""
    output = uninherited(checkout(tmp_path / name), "-n", "figures/fig5.pdf")
    assert f"Snakemake cannot work in a folder with {said} in its path" in output
    assert "Traceback" not in output


def test_jobs_are_listed_by_readable_messages(of_figure_5: str) -> None:
    student = "finetune w16 on sciq: labels from w8, confidence, seed 0"
    assert f"{student} -> results/nlp/sciq/w16/from-w8/confidence/s0-" in of_figure_5
    assert "finetune w8 on sst2: truth of the weak half, seed 0" in of_figure_5
    assert "pretrain w16" in of_figure_5


# Rule -> its outputs, and all rules that match each of these, for paths on the standard input.
MATCHES = """
import json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import OutputSettings, Quietness, ResourceSettings
with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
    rules = list(api.workflow(ResourceSettings(cores=1), snakefile=Path("Snakefile"))._workflow.rules)
def matching(path):
    return [rule for rule in rules if rule.is_producer(path)]
def outputs(rule, path):
    wildcards = rule.get_wildcards(path)
    return {str(one): [rule.name for rule in matching(str(one))] for one in rule.expand_output(wildcards)[0]}
found = {path: {rule.name: outputs(rule, path) for rule in matching(path)} for path in json.load(sys.stdin)}
print(json.dumps(found))
"""


def test_exactly_one_rule_makes_every_file_of_every_planned_artifact() -> None:
    """So no order of rules is needed, and none is chosen by chance."""
    artifacts = Workflow(read_yaml(ROOT / "config.yaml"), ROOT).known()
    done = subprocess.run(
        [sys.executable, "-c", MATCHES],
        cwd=ROOT,
        input=json.dumps([one.manifest for one in artifacts]),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    rules: dict[str, set[str]] = {}
    for one in artifacts:
        ((rule, outputs),) = found[one.manifest].items()
        assert one.manifest in outputs
        assert all(makers == [rule] for makers in outputs.values()), outputs
        rules.setdefault(one.stage.name, set()).add(rule)
    assert all(len(names) == 1 for names in rules.values()), rules
    assert set(STAGES) - set(rules) <= {"open_model"}  # smoke has no open model
    assert len(set.union(*rules.values())) == len(rules)


def test_the_template_is_no_target(copy: Path) -> None:
    assert "Target rules may not contain wildcards" in snakemake(copy, "-n", "make", check=False)


def test_one_run_can_be_asked_for_by_its_path(copy: Path, of_figure_5: str) -> None:
    path = re.search(r"results/nlp/sciq/w16/from-w8/naive/s0-[0-9a-f]{10}", of_figure_5)
    assert path is not None
    assert planned(snakemake(copy, "-n", f"{path[0]}/run.json")) == {
        "data": 1,
        "corpus": 1,
        "pretrain": 2,
        "finetune": 2,
    }


def test_a_key_under_another_readable_path_is_refused(copy: Path, of_figure_5: str) -> None:
    found = re.search(r"results/nlp/sciq/w16/from-w8/naive/s0-[0-9a-f]{10}", of_figure_5)
    assert found is not None
    output = snakemake(copy, "-n", f"{found[0]}/run.json".replace("sciq", "sst2"), check=False)
    assert f"belongs to {found[0]}" in output
    assert "Traceback" not in output


def test_jobs_find_the_library_of_their_own_checkout_without_pythonpath(copy: Path) -> None:
    """As in a conda environment, which Snakemake strips of PYTHONPATH: every command sets it for itself."""
    rule = 'rule whose:\n    output:\n        "whose.txt",\n    shell:\n        "env -u NOTHING python -c '
    rule += "'import w2s; print(w2s.__file__)' > {output}\"\n"
    (copy / "Probe").write_text((copy / "Snakefile").read_text() + "\n\n" + rule)
    said = uninherited(copy, "-s", "Probe", "whose.txt")
    assert (copy / "whose.txt").read_text().strip() == str(copy / "src/w2s/__init__.py"), said


def test_settings_on_the_command_line_reach_named_experiments(copy: Path) -> None:
    (copy / "config").mkdir(exist_ok=True)
    (copy / "config" / "naive-only.yaml").write_text("nlp: {methods: [naive]}\n")
    output = snakemake(copy, "-n", "figures/naive-only/fig5.pdf", "--config", "seeds=[0, 1]")
    assert planned(output)["finetune"] == 2 * 2 * (2 + 2)


def test_another_experiment_is_asked_for_by_name(copy: Path) -> None:
    (copy / "config").mkdir(exist_ok=True)
    (copy / "config" / "naive-only.yaml").write_text("nlp: {methods: [naive]}\n")
    output = snakemake(copy, "-n", "figures/naive-only/fig5.pdf")
    assert planned(output)["finetune"] == 2 * (2 + 2)
    assert planned(output)["draw_of_experiment"] == 1


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("figures/nosuch/fig5.pdf", "unknown experiment 'nosuch'"),
        ("figures/fig55.pdf", "unknown figure 'fig55'; did you mean 'fig5'?"),
        ("results/nlp/sciq/w8/truth/naive/s0-0123456789/run.json", "no run with key 0123456789"),
    ],
)
def test_a_wrong_target_is_one_line_not_a_traceback(copy: Path, target: str, said: str) -> None:
    output = snakemake(copy, "-n", target, check=False)
    assert said in output
    assert "Traceback" not in output


def test_a_config_mistake_is_one_line_not_a_traceback(tmp_path: Path) -> None:
    copy = checkout(tmp_path / "checkout")
    edit_config(copy, lambda config: config["nlp"].update(tasks=["scqi"]))
    output = snakemake(copy, "-n", "figures/fig5.pdf", check=False)
    assert "nlp.tasks[0]: unknown task of the micro-world 'scqi'; did you mean 'sciq'?" in output
    assert "Traceback" not in output
