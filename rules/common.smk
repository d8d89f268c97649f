# What every stage's rule asks of the plan. Keys are looked up; nothing is computed here.
from w2s.plan import canonical


def planned(wildcards):
    try:
        return experiments.artifact(wildcards.key)
    except UserError as mistake:
        raise WorkflowError(str(mistake)) from None


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
