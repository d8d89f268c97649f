# What rules ask the plan. Nothing is computed here: see src/w2s/jobs/targets.py.
import sys
from functools import cache

from w2s.bench import protocol
from w2s.graph.artifact import canonical
from w2s.jobs import targets
from w2s.report import listed

DEFAULT = experiments.default.experiment.experiment


def or_one_line(ask, *arguments):
    """The answer of the plan; a user's mistake ends the workflow with one line, not with a traceback."""
    try:
        return ask(*arguments)
    except UserError as mistake:
        sys.exit(f"w2s: {mistake}")


# Artifacts, by the key in their path.


@cache  # every job asks a dozen times
def found(key, names):
    return or_one_line(targets.artifact, experiments, key, names)


def planned(wildcards):
    return found(wildcards.key, tuple(wildcards))


def manifests_of_parents(wildcards):
    return [parent.manifest for parent in planned(wildcards).parents.values()]


def stage(wildcards):
    return planned(wildcards).stage.name


def spec(wildcards):
    return canonical(planned(wildcards).spec)


def parents(wildcards):
    return [f"{role}={parent.path}" for role, parent in planned(wildcards).parents.items()]


def environment(wildcards):
    return canonical(planned(wildcards).environment)


def directory_of(wildcards):
    return planned(wildcards).path


def message(wildcards):
    return planned(wildcards).message


def priority(wildcards):
    return planned(wildcards).priority


def estimate(wildcards):
    return experiments.resources.recorded(planned(wildcards))


def mem_mb(wildcards, attempt):
    return experiments.resources.asked(planned(wildcards), attempt).mem_mb


def runtime(wildcards, attempt):
    return experiments.resources.asked(planned(wildcards), attempt).runtime


def gpu(wildcards):
    return experiments.resources.asked(planned(wildcards)).gpu


# Figures and pages, by their names and that of an experiment (without one: the default experiment).


def figure_runs(wildcards):
    return [run.manifest for run in or_one_line(experiments.figure, wildcards.figure, wildcards.experiment)]


def figure_code(wildcards):
    return or_one_line(experiments.code, wildcards.figure)


def figure_category(wildcards):
    return listed.category(or_one_line(experiments.figure, wildcards.figure, wildcards.get("experiment")))


def picture_labels(wildcards):
    return {"figure": listed.label(wildcards.figure), "shows": "picture"}


def numbers_labels(wildcards):
    return {"figure": listed.label(wildcards.figure), "shows": "numbers"}


def comparison_labels(wildcards):
    return {"page": listed.label(wildcards.figure), "shows": "page"}


def differences_labels(wildcards):
    return {"page": listed.label(wildcards.figure), "shows": "table"}


def picture_caption(wildcards):
    return or_one_line(listed.of_picture, wildcards.figure)


def numbers_caption(wildcards):
    return or_one_line(listed.of_numbers, wildcards.figure)


def experiment_json(wildcards):
    return or_one_line(targets.experiment_json, experiments, wildcards.experiment)


def experiment_file(wildcards):
    return or_one_line(targets.experiment_file, experiments, wildcards.get("experiment"))


def claim_tables(wildcards):
    return or_one_line(targets.claim_tables, experiments, wildcards.get("experiment"))


def claim_code(wildcards):
    return experiments.claim_code()


def report_parts(wildcards):
    return or_one_line(targets.report_parts, experiments, wildcards.get("experiment"))


def report_code(wildcards):
    return experiments.report_code()


def compared_parts(wildcards):
    names = (wildcards.first, wildcards.second)
    return or_one_line(targets.compared_parts, experiments, names, wildcards.get("figure"))


def compared_experiments(wildcards):
    names = (wildcards.first, wildcards.second)
    return [or_one_line(targets.experiment_file, experiments, name) for name in names]


def compared_figures(wildcards):
    return [targets.pictures(experiments, name) for name in (wildcards.first, wildcards.second)]


def comparison_code(wildcards):
    return experiments.comparison_code()


def bench_artifacts(wildcards):
    plan = or_one_line(experiments.plan, wildcards.get("experiment"))
    return [artifact.manifest for artifact in or_one_line(protocol.needed, plan)]
