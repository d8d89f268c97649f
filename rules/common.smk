# What every stage's rule asks of the plan. Keys are looked up; nothing is computed here.
# Outputs are update(...)d: Snakemake would delete what is there before a job starts, which may be what another
# workflow has just made. Commands write aside and rename, so nothing needs to be out of the way.
import sys
from functools import cache

from w2s.graph.artifact import canonical, fingerprint_of

DEFAULT = experiments.default.experiment.experiment


def or_one_line(ask, *arguments):
    """What the plan answers; a user's mistake ends the workflow with one line, not with a traceback."""
    try:
        return ask(*arguments)
    except UserError as mistake:
        sys.exit(f"w2s: {mistake}")


@cache  # every job asks a dozen times
def found(key, names):
    artifact = or_one_line(experiments.artifact, key)
    if not set(names) <= {key, *artifact.path.split("/"), *artifact.words}:
        asked = " ".join(name for name in names if name != key)
        sys.exit(f"w2s: key {key} belongs to {artifact.path}, not to {asked}")
    return artifact


def planned(wildcards):
    """The artifact with this key, whose readable path must be the one that was asked for."""
    return found(wildcards.key, tuple(wildcards))


def manifests_of_parents(wildcards):
    return [parent.manifest for parent in planned(wildcards).parents.values()]


def spec(wildcards):
    return canonical(planned(wildcards).spec)


def parents(wildcards):
    return [f"{role}={parent.path}" for role, parent in planned(wildcards).parents.items()]


def environment(wildcards):
    return canonical(planned(wildcards).environment)


def priority(wildcards):
    return planned(wildcards).priority


def mem_mb(wildcards, attempt):
    return experiments.resources.asked(planned(wildcards), attempt).mem_mb


def runtime(wildcards, attempt):
    return experiments.resources.asked(planned(wildcards), attempt).runtime


def gpu(wildcards):
    return experiments.resources.asked(planned(wildcards)).gpu


def estimate(wildcards):
    return experiments.resources.recorded(planned(wildcards))


# What every job that makes an artifact asks a scheduler for. Of place each has one: a limit of one in an allocation
# (profiles/slurm) makes the members of a pack take turns.
ASKED = {"mem_mb": mem_mb, "runtime": runtime, "gpu": gpu, "place": 1}


def figure_runs(wildcards):
    return [run.manifest for run in or_one_line(experiments.figure, wildcards.figure, wildcards.experiment)]


def figure_code(wildcards):
    return or_one_line(experiments.code, wildcards.figure)


def figure_caption(wildcards):
    return or_one_line(experiments.caption, wildcards.figure)


def claim_tables(wildcards):
    name = wildcards.get("experiment", DEFAULT)
    return [f"results/figures/{name}/{figure}.csv" for figure in or_one_line(experiments.claim_tables, name)]


def figures_of(experiment):
    """Where an experiment's pictures are."""
    return "figures" if experiment == DEFAULT else f"figures/{experiment}"


def report_parts(wildcards):
    """Tables and pictures of every figure that the experiment can have, and the documentation of deviations."""
    name = wildcards.get("experiment", DEFAULT)
    drawn = or_one_line(experiments.drawable, name)
    tables = [f"results/figures/{name}/{figure}.csv" for figure in drawn]
    pictures = [f"{figures_of(name)}/{figure}.{kind}" for figure in drawn for kind in ("svg", "png")]
    return tables + pictures + sorted(map(str, Path("docs").glob("*.md")))


def report_code(wildcards):
    return experiments.report_code()


def compared_parts(wildcards):
    """Tables and pictures of the figures that both experiments can have."""
    names = (wildcards.first, wildcards.second)
    figures = or_one_line(experiments.shared, *names, wildcards.get("figure"))
    tables = [f"results/figures/{name}/{figure}.csv" for name in names for figure in figures]
    return tables + [
        f"{figures_of(name)}/{figure}.{kind}" for name in names for figure in figures for kind in ("svg", "png")
    ]


def compared_experiments(wildcards):
    return [experiment_file_of(name) for name in (wildcards.first, wildcards.second)]


def compared_figures(wildcards):
    return [figures_of(name) for name in (wildcards.first, wildcards.second)]


def comparison_code(wildcards):
    return experiments.comparison_code()


def claim_code(wildcards):
    return experiments.claim_code()


def json_of(name):
    plan = or_one_line(experiments.plan, name)
    return canonical(plan.experiment.model_dump(mode="json", exclude={"execution"}))


def experiment_json(wildcards):
    return json_of(wildcards.get("experiment", DEFAULT))


def experiment_file_of(name):
    """A file that holds the whole experiment, its content's hash in its name: a changed setting redraws."""
    return f"results/figures/{name}/experiment-{fingerprint_of(json_of(name))}.json"


def experiment_file(wildcards):
    return experiment_file_of(wildcards.get("experiment", DEFAULT))
