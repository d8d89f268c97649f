# What every stage's rule asks of the plan. Keys are looked up; nothing is computed here.
import sys

from w2s.plan import canonical

DEFAULT = experiments.default.experiment.experiment


def or_one_line(ask, *arguments):
    """What the plan answers; a user's mistake ends the workflow with one line, not with a traceback."""
    try:
        return ask(*arguments)
    except UserError as mistake:
        sys.exit(f"w2s: {mistake}")


def planned(wildcards):
    return or_one_line(experiments.artifact, wildcards.key)


def manifests_of_parents(wildcards):
    return [parent.manifest for parent in planned(wildcards).parents.values()]


def spec(wildcards):
    return canonical(planned(wildcards).spec)


def parents(wildcards):
    return [f"{role}={parent.path}" for role, parent in planned(wildcards).parents.items()]


def environment(wildcards):
    return canonical(planned(wildcards).environment)


def message(wildcards):
    return planned(wildcards).message


def priority(wildcards):
    return planned(wildcards).priority


def figure_runs(wildcards):
    return [run.manifest for run in or_one_line(experiments.figure, wildcards.figure, wildcards.experiment)]


def figure_code(wildcards):
    return experiments.code(figures.module_name(wildcards.figure))


def experiment_json(wildcards):
    plan = or_one_line(experiments.plan, wildcards.experiment)
    return canonical(plan.experiment.model_dump(mode="json"))
