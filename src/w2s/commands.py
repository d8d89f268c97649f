"""The ``w2s`` command: one small subcommand a rule, and a few for people. Imports late, so help is quick."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s import gpus
from w2s.errors import UserError, allowed

if TYPE_CHECKING:
    import pandas as pd

    from w2s.experiment import Experiment
    from w2s.ladder import Rung
    from w2s.plan import Artifact, Plan
    from w2s.workflow import Workflow


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; a user's mistake is one line on stderr and exit status 1."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
        return 0
    except UserError as error:
        print(f"w2s: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (MemoryError, RuntimeError) as error:
        from w2s.memory import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        print(
            "w2s: out of memory; set W2S_TOKENS_AT_ONCE lower: results do not depend on it",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        print(f"w2s: {error.filename or 'file system'}: {error.strerror or error}", file=sys.stderr)
        return 1
    finally:
        gpus.release()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="w2s", description="Weak-to-strong generalization, replicated.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], None], help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(command=command)
        return sub

    sub = add("make", make, "make one artifact: data, a corpus, a base model or a run (what the rules call)")
    sub.add_argument("stage", help="as stages.lock lists them")
    sub.add_argument("--spec", required=True, help="the resolved spec, as JSON")
    sub.add_argument("--out", required=True, type=Path, help="its directory, ending in its key")
    sub.add_argument("--parents", nargs="*", default=[], metavar="ROLE=DIR", help="artifacts it is made from")
    sub.add_argument("--environment", default="{}", help="where its raw files are, as JSON")
    sub.add_argument("--estimate", help="what it was expected to take, as JSON, for its record")

    sub = add("experiment", experiment, "write the validated experiment that figures are drawn for")
    sub.add_argument("--json", required=True, help="the experiment, as JSON")
    sub.add_argument("--out", required=True, type=Path, help="the JSON file")

    sub = add("tabulate", tabulate, "write the tidy numbers behind a figure")
    sub.add_argument("figure")
    sub.add_argument("--experiment", required=True, type=Path, help="the validated experiment, a JSON file")
    sub.add_argument("--out", required=True, type=Path, help="the CSV file")

    sub = add("draw", draw, "draw a figure from its numbers alone")
    sub.add_argument("figure")
    sub.add_argument("--table", required=True, type=Path, help="the CSV file")
    sub.add_argument("--experiment", required=True, type=Path, help="the validated experiment, a JSON file")
    sub.add_argument("--out", required=True, nargs="+", type=Path, help="the pictures; endings say which kinds")

    sub = add("claims", claims, "say which of the paper's claims hold, by the numbers behind figures")
    sub.add_argument("tables", nargs="*", type=Path, help="<figure>.csv, the numbers behind figures")
    sub.add_argument("--experiment", required=True, type=Path, help="the validated experiment, a JSON file")
    sub.add_argument("--figures", default="figures", type=Path, help="where the pictures of figures are, for links")
    sub.add_argument("--page", required=True, type=Path, help="the HTML file")
    sub.add_argument("--out", required=True, type=Path, help="the CSV file")

    sub = add("report", report, "write one page of verdicts, figures and what they took, from what is there")
    sub.add_argument("name", nargs="?", help="an experiment by name; the default one otherwise")
    sub.add_argument("--experiment", type=Path, help="or the validated experiment, a JSON file")
    sub.add_argument("--figures", default="figures", type=Path, help="where its pictures are")
    sub.add_argument("--docs", default="docs", type=Path, help="where deviations.md is")
    sub.add_argument("--page", default="report/report.html", type=Path, help="the HTML file")

    sub = add("compare", compare, "write two experiments side by side, with the differences between their numbers")
    sub.add_argument("--experiments", required=True, nargs=2, type=Path, help="the validated experiments, JSON files")
    sub.add_argument("--figures", required=True, nargs=2, type=Path, help="where the pictures of each are")
    sub.add_argument("--only", metavar="FIGURE", help="one figure; all that both have by default")
    sub.add_argument("--page", required=True, type=Path, help="the HTML file")
    sub.add_argument("--out", required=True, type=Path, help="the CSV file")

    sub = add("explain", explain, "say what an artifact is, its parents, and how it differs from its nearest neighbour")
    sub.add_argument("path", type=Path, help="a directory under results/, or a file in it")

    sub = add("cost", cost, "say what figures will cost before anything is made: jobs, hours, memory, disk")
    _figures(sub)
    sub.add_argument("--device", help="where it would run: cpu, a100, h100, ... or as records name it")
    sub.add_argument("--check", action="store_true", help="say instead how good estimates of finished jobs were")

    sub = add("status", status, "say how far each figure is, what runs and what failed")
    _figures(sub)
    sub.add_argument("--json", action="store_true", help="counts, for programs")

    sub = add("examples", examples, "print rendered examples of tasks, as models see them")
    sub.add_argument("tasks", nargs="*", metavar="TASK", help="all of the experiment by default")
    sub.add_argument("--experiment", help="an experiment by name; the default one otherwise")
    sub.add_argument("-n", "--number", type=_positive, default=3, help="how many of each (3)")

    sub = add("fetch", fetch, "fetch what an experiment needs from the hub, for machines without network, and check it")
    sub.add_argument("experiment", nargs="?", help="an experiment by name; the default one otherwise")

    sub = add("gallery", gallery, "write the documentation's pages of figures, from the default experiment's pictures")
    sub.add_argument("--pictures", default="figures", type=Path, help="where the pictures are")

    sub = add("table", table, "print the numbers behind a figure: accuracies and PGRs by supervisor and student")
    sub.add_argument("path", type=Path, help="results/figures/<experiment>/<figure>.csv")

    sub = add("stages", stages, "compare each stage's code with stages.lock; re-lock it after a change")
    sub.add_argument("--lock", action="store_true", help="record versions and code as they are (after a version bump)")
    sub.add_argument("--unchanged", nargs="+", default=[], metavar="STAGE", help="its results did not change: re-lock")
    return parser


def _figures(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "figures", nargs="*", metavar="FIGURE", help="fig5 or figures/<experiment>/fig5.pdf; all by default"
    )
    sub.add_argument("--experiment", help="an experiment by name; the default one otherwise")


def _workflow() -> Workflow:
    """All experiments of the checkout that the command is run in."""
    from w2s.workflow import Workflow, read_yaml

    return Workflow(read_yaml(Path("config.yaml")))


def _positive(text: str) -> int:
    """A whole number from 1 up, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


# -- stages ------------------------------------------------------------------------------------------------


def make(options: argparse.Namespace) -> None:
    """Make one artifact, unless it is there already."""
    from w2s import artifacts, making, processes
    from w2s.plan import STAGE_VERSIONS, Identity

    if options.stage not in STAGE_VERSIONS:
        raise UserError(f"unknown stage {options.stage!r}; {allowed(options.stage, STAGE_VERSIONS)}")
    parents = {role: Path(directory) for role, _, directory in (one.partition("=") for one in options.parents)}
    keys = {role: artifacts.read(directory)["key"] for role, directory in parents.items()}
    spec = json.loads(options.spec)
    identity = Identity(options.stage, STAGE_VERSIONS[options.stage], spec, keys)
    with processes.building(options, identity) as build:
        if build is None:
            return
        making.make(build, parents, json.loads(options.environment))


# Columns of figures' numbers that are names, however they look.
NAMES = ["task", "title", "source", "citation", "licence", "rows_from", "setting", "panel", "bar", "stopping"]
NAMES += ["method", "supervisor", "student", "chain", "labels", "difficulty", "puzzle", "fen", "prompt", "answer"]
NAMES += ["cutoff", "kind", "schedule", "role", "actor", "start", "supervisor_start", "who", "assistant"]


# -- figures -----------------------------------------------------------------------------------------------


def tabulate(options: argparse.Namespace) -> None:
    """Read exactly the runs that the figure needs, verify them, write its numbers."""
    import pandas as pd

    from w2s import artifacts, figures
    from w2s.analysis.results import Stored
    from w2s.workflow import plan_of

    plan = plan_of(json.loads(options.experiment.read_text(encoding="utf-8")), str(options.experiment))
    rows = figures.numbers(options.figure, plan, Stored())
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.written(options.out) as file:
        pd.DataFrame(rows).to_csv(file, index=False, float_format="%.8g")
    print(f"{options.out}: {len(rows)} rows")


def experiment(options: argparse.Namespace) -> None:
    """Write the validated experiment that Snakemake hands over."""
    from w2s import artifacts

    options.out.parent.mkdir(parents=True, exist_ok=True)
    artifacts.write_json(options.out, json.loads(options.json))


def draw(options: argparse.Namespace) -> None:
    """Draw from the CSV into every file asked for."""
    from w2s import artifacts, figures

    about = json.loads(options.experiment.read_text(encoding="utf-8")) | {"commit": artifacts.git_commit()}
    module, numbers = figures.module(options.figure), read_numbers(options.table)
    figure = module.draw(numbers, about | {"note": _made_up(numbers, about)})
    for path in options.out:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}{path.suffix}")
        metadata = {".pdf": {"CreationDate": None, "Subject": module.CAPTION}, ".png": {"Description": module.CAPTION}}
        metadata[".svg"] = {"Date": None, "Description": module.CAPTION}
        try:
            figure.savefig(aside, dpi=160, metadata=metadata.get(path.suffix, {}))
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    print(", ".join(map(str, options.out)))


def claims(options: argparse.Namespace) -> None:
    """Judge the paper's claims by the tables given; write the page and the verdicts."""
    import pandas as pd

    from w2s import artifacts
    from w2s.claims import evaluate
    from w2s.report import claims as report
    from w2s.workflow import plan_of

    about = json.loads(options.experiment.read_text(encoding="utf-8"))
    numbers = {path.stem: read_numbers(path) for path in options.tables}
    rows: dict[str, list[Any]] = {name: table.to_dict("records") for name, table in numbers.items()}
    judged = evaluate.on_tables(plan_of(about, str(options.experiment)), about, rows)
    about |= {"commit": artifacts.git_commit(), "note": _note(numbers, about)}
    where = options.page.parent
    page = report.page(
        judged,
        about,
        figures={name: os.path.relpath(options.figures / f"{name}.pdf", where) for name in rows},
        tables={path.stem: os.path.relpath(path, where) for path in options.tables},
    )
    for path in (options.page, options.out):
        path.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.written(options.out) as file:
        pd.DataFrame(evaluate.rows_of(judged)).to_csv(file, index=False, float_format="%.5g")
    with artifacts.written(options.page) as file:
        file.write(page)
    print(", ".join(f"{number} {verdict}" for verdict, number in evaluate.counts(judged).items()))


def report(options: argparse.Namespace) -> None:
    """Write the report of an experiment from what is there; it says what is not."""
    from w2s import artifacts, figures
    from w2s.claims import evaluate
    from w2s.report import deviations, page, pictures
    from w2s.workflow import plan_of

    plan = _workflow().plan(options.name) if options.experiment is None else None
    if plan is None:
        described = json.loads(options.experiment.read_text(encoding="utf-8"))
        plan = plan_of(described, str(options.experiment))
    about = plan.experiment.model_dump(mode="json", exclude={"execution"})
    found, lacking = figures.available(plan)
    tables = {name: Path(f"results/figures/{about['experiment']}/{name}.csv") for name in found}
    numbers = {name: read_numbers(path) for name, path in tables.items() if path.is_file()}
    rows: dict[str, list[Any]] = {name: table.to_dict("records") for name, table in numbers.items()}
    made = page.Report(
        about | {"commit": artifacts.git_commit(), "note": _note(numbers, about)},
        evaluate.on_tables(plan, about, rows),
        [
            page.Shown(name, runs, pictures.files(name, options.figures), numbers.get(name))
            for name, runs in found.items()
        ],
        lacking,
        deviations.read(options.docs),
    )
    options.page.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.written(options.page) as file:
        file.write(made.page())
    print(f"{options.page}: {made.summary()}")


def compare(options: argparse.Namespace) -> None:
    """Write two experiments side by side, and the differences between their numbers."""
    import pandas as pd

    from w2s import artifacts, figures
    from w2s.report import comparison, pictures
    from w2s.workflow import plan_of

    sides, shown = [], []
    for described, folder in zip(options.experiments, options.figures, strict=True):
        plan = plan_of(json.loads(described.read_text(encoding="utf-8")), str(described))
        there = [name for name in figures.available(plan)[0] if options.only in (None, name)]
        paths = {name: Path(f"results/figures/{plan.experiment.experiment}/{name}.csv") for name in there}
        tables: dict[str, list[Any]] = {
            name: read_numbers(path).to_dict("records") for name, path in paths.items() if path.is_file()
        }
        shown.append([name for name in tables if any(path.is_file() for path in pictures.files(name, folder))])
        sides.append(comparison.Experiment(plan, tables, folder))
    both = [name for name in shown[0] if name in shown[1]]
    made = comparison.Comparison(sides[0], sides[1], both, artifacts.git_commit())
    for path in (options.page, options.out):
        path.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.written(options.out) as file:
        pd.DataFrame(made.rows).to_csv(file, index=False, float_format="%.5g")
    with artifacts.written(options.page) as file:
        file.write(made.page())
    print(f"{options.page}: {len(both)} figures, {len(made.rows)} differences")


def _note(numbers: dict[str, pd.DataFrame], about: dict[str, Any]) -> str:
    """The note on synthetic data for all tables together."""
    import pandas as pd

    settings = [table["setting"] for table in numbers.values() if "setting" in table]
    return _made_up(pd.DataFrame({"setting": pd.concat(settings)}), about) if settings else ""


def _made_up(numbers: pd.DataFrame, about: dict[str, Any]) -> str:
    """The footer's note on synthetic data; empty if all data are real."""
    settings = set(numbers["setting"]) if "setting" in numbers else {"nlp"}
    invented = []
    if "nlp" in settings and about["data"]["source"] == "world":
        invented.append("small synthetic world")
    if "chess" in settings and about["chess"]["puzzles"]["source"] == "endgames":
        invented.append("generated endgames")
    if "vision" in settings and about["vision"]["images"]["source"] == "digits":
        invented.append("scikit-learn's digits")
    if "reward" in settings and about["reward"]["source"] == "world":
        invented.append("synthetic dialogues")
    return f"smoke scale ({', '.join(invented)}): illustrates the method, not the paper's numbers" if invented else ""


def read_numbers(path: Path) -> pd.DataFrame:
    """The numbers behind a figure; names stay names, also those that look like a number or like nothing."""
    import pandas as pd

    names = [name for name in pd.read_csv(path, nrows=0).columns if name in NAMES]
    return pd.read_csv(path, dtype=dict.fromkeys(names, "object"), keep_default_na=False, na_values=[""])


def gallery(options: argparse.Namespace) -> None:
    """Write docs/figures/, docs/pictures/ and the galleries of README and docs/figures.md."""
    from w2s.report import gallery as module

    print(f"{len(module.write(_workflow(), options.pictures, Path()))} figures -> docs/figures/")


def table(options: argparse.Namespace) -> None:
    """Medians over tasks, means over seeds, as text tables."""

    from w2s.figures import text

    if not options.path.is_file():
        raise UserError(f"{options.path}: no such file; draw the figure first")
    try:
        tables = list(text.tables(read_numbers(options.path)))
    except (KeyError, ValueError):
        raise UserError(f"{options.path}: not the numbers behind a figure, results/figures/...csv") from None
    print("\n\n".join(tables), end="\n\n")


# -- for people --------------------------------------------------------------------------------------------


def explain(options: argparse.Namespace) -> None:
    """Say what a path is."""
    from w2s.explain import explain_path

    print(explain_path(options.path, _workflow()))


def _asked(options: argparse.Namespace, workflow: Workflow) -> dict[str, list[Artifact]]:
    """Figure, as people name it -> the runs that it reads."""
    found: dict[str, list[Artifact]] = {}
    for asked in options.figures or workflow.drawable(options.experiment):
        *folders, name = asked.removeprefix("figures/").removesuffix(".pdf").removesuffix(".png").split("/")
        experiment = folders[0] if folders else options.experiment
        found[f"{experiment}/{name}" if experiment else name] = workflow.figure(name, experiment)
    return found


def cost(options: argparse.Namespace) -> None:
    """What figures will cost."""
    from w2s import cost as module
    from w2s.plan import with_ancestors

    asked = _asked(options, _workflow())
    needed = with_ancestors(run for runs in asked.values() for run in runs)
    past = module.past(Path("results"), module.REMEMBERED)
    if options.check:
        print(module.check(needed.values(), past, options.device))
        return
    model = module.Model(past, options.device)
    print(module.table(module.summed(needed.values(), model), model, ", ".join(asked)))


def status(options: argparse.Namespace) -> None:
    """How far figures are."""
    from w2s import status as module

    workflow = _workflow()
    asked, estimate = _asked(options, workflow), workflow.resources.estimate
    print(module.as_json(asked) if options.json else module.overview(asked, lambda one: estimate(one).seconds))


def examples(options: argparse.Namespace) -> None:
    """Print the first examples of every task asked for, each with its label."""
    from w2s.errors import allowed
    from w2s.plans.chess import TASK

    plan = _workflow().plan(options.experiment)
    compared = plan.reward.tasks if plan.experiment.reward else []
    there = plan.experiment.nlp.all_tasks() + ([TASK] if plan.experiment.chess else []) + compared
    for name in options.tasks or there:
        if name not in there:
            raise UserError(
                f"unknown task {name!r} in experiment {plan.experiment.experiment!r}; {allowed(name, there)}"
            )
        show = _puzzles if name == TASK else _pairs if name in compared else _texts
        title, shown = show(plan, name, options.number)
        print(f"== {title}")
        print("\n--\n".join(shown[: options.number]), end="\n\n")


def _texts(plan: Plan, name: str, number: int) -> tuple[str, list[str]]:
    from w2s.tasks import TASKS, own
    from w2s.tasks.build import formatted
    from w2s.tasks.data import rows_of

    data = plan.data(name, plan.experiment.seeds[0])
    task = own.of_spec(data.spec) if "own" in data.spec else TASKS[name]
    rows = rows_of(task, data.spec["rows"], data.environment)
    shown: list[str] = []
    for made in formatted(task, rows.parts["train"], "train", rows.origins["train"]):
        for one in (made or [])[: max(1, number - 1)]:  # of one row not all: others look different
            shown.append(f"{one.text} [{plan.experiment.nlp.training.answers[one.label].strip()}]")
        if len(shown) >= number:
            break
    return f"{task.title} ({name}), from {rows.origins['train']}", shown


def _puzzles(plan: Plan, name: str, number: int) -> tuple[str, list[str]]:
    from itertools import islice

    from w2s.tasks.chess import notation
    from w2s.tasks.chess.data import puzzles_of

    setting, data = plan.chess.setting, plan.chess.data(plan.chess.seeds[0])
    shown = [
        f"{notation.prompt(one, setting.notation)} [{notation.answer(one, setting.notation).strip()}]"
        for one in islice(puzzles_of(data.spec["puzzles"], data.environment), number)
    ]
    return f"Chess puzzles (puzzles), from {setting.puzzles.source}, in {setting.notation}", shown


def _pairs(plan: Plan, name: str, number: int) -> tuple[str, list[str]]:
    from itertools import islice

    from w2s.tasks.reward import PREFERENCES
    from w2s.tasks.reward.build import comparisons
    from w2s.tasks.reward.data import rows_of

    task, data = PREFERENCES[name], plan.reward.data(name, plan.reward.seeds[0])
    rows = rows_of(task, data.spec["rows"], data.environment)
    found = comparisons(task, rows.parts["train"], "train", rows.origins["train"], {})
    shown = [f"{one.prefix}{one.better}\n[rather than]{one.worse}" for one in islice(found, number)]
    return f"{task.title} ({name}), from {rows.origins['train']}", shown


def fetch(options: argparse.Namespace) -> None:
    """Everything of an experiment that lies on the hub, into the local cache; every row is formatted once."""
    from w2s.ladder import OpenRung
    from w2s.models import base
    from w2s.tasks import TASKS
    from w2s.tasks.build import formatted
    from w2s.tasks.data import rows_of

    plan = _workflow().plan(options.experiment)
    experiment, fetched = plan.experiment, plan.experiment.data.source == "hub"
    shipped = [task.name for task in experiment.nlp.tasks if task.formatter is None]
    for name in shipped if experiment.data.source == "hub" else []:
        task, place = TASKS[name], plan.data(name, experiment.seeds[0]).spec["rows"]
        rows = rows_of(task, place, {})
        for part, some in rows.parts.items():
            made = sum(len(one or []) for one in formatted(task, some, part, rows.origins[part]))
            print(
                f"{name}: {rows.origins[part]} at {rows.commit}: {len(some):,} rows, {made:,} candidates",
                flush=True,
            )
    if experiment.chess and experiment.chess.puzzles.source == "hub":
        from w2s.tasks.chess.data import puzzles_of

        place = plan.chess.data(plan.chess.seeds[0]).spec["puzzles"]
        count = sum(1 for _ in puzzles_of(place, {}))
        fetched = True
        print(f"puzzles: {place['hub']} at {place['revision']}: {count:,} sound puzzles", flush=True)
    if experiment.vision:
        fetched = _fetch_vision(plan) or fetched
    for name in plan.reward.tasks if experiment.reward and experiment.reward.source == "hub" else []:
        from w2s.tasks.reward import PREFERENCES
        from w2s.tasks.reward.build import comparisons
        from w2s.tasks.reward.data import rows_of as pairs_of

        compared, place = PREFERENCES[name], plan.reward.data(name, plan.reward.seeds[0]).spec["rows"]
        found = pairs_of(compared, place, {})
        fetched = True
        for part, pairs in found.parts.items():
            count = sum(1 for _ in comparisons(compared, pairs, part, found.origins[part], {}))
            print(f"{name}: {found.origins[part]} at {found.commit}: {len(pairs):,} rows, {count:,} pairs", flush=True)
    for rung in _ladders(experiment):
        if isinstance(rung, OpenRung) and not rung.is_local:
            folder = base.fetch(rung.source, str(rung.revision), f"rung {rung.name!r}")
            described = base.describe(folder, f"rung {rung.name!r}")
            base.check_parameters(described["parameters"], rung.parameters, f"rung {rung.name!r}")
            fetched = True
            print(f"{rung.name}: {rung.source} at {rung.revision}: {described['parameters']:,} parameters", flush=True)
    said = "everything that it needs from the hub is in the local cache" if fetched else "it needs nothing from the hub"
    print(f"experiment {experiment.experiment!r}: {said}")


def _fetch_vision(plan: Plan) -> bool:
    """Images and published weights of the vision setting that do not lie here; whether there are any."""
    from w2s.models.vision import published
    from w2s.tasks.vision import images

    fetched = False
    setting, place = plan.vision.setting, plan.vision.images().spec["images"]
    if "hub" in place:
        fetched = True
        files = images.tables(place, {})
        print(f"{setting.images.name}: {place['hub']} at {place['revision']}: {len(files)} files", flush=True)
    for network in (setting.supervisor, *setting.ladder):
        if network.published and not network.published.is_local:
            fetched = True
            weights, wanted_by = plan.vision.features(network).spec["weights"], f"rung {network.name!r}"
            file = published.file_of(weights, {}, wanted_by)
            published.load(network.published.architecture, file, wanted_by)
            print(f"{network.name}: {network.published.weights}: {file}", flush=True)
    return fetched


def _ladders(experiment: Experiment) -> list[Rung]:
    """The rungs of all settings."""
    others = (experiment.chess, experiment.reward)
    return [*experiment.nlp.ladder, *(rung for setting in others if setting for rung in setting.ladder)]


def stages(options: argparse.Namespace) -> None:
    """Check or renew stages.lock."""
    from w2s import stages as module

    print(module.command(relock=options.lock, unchanged=options.unchanged))


if __name__ == "__main__":
    sys.exit(main())
