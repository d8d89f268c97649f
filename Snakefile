# The front door: read the experiment, then look every job up in its plan. Nothing here decides what is run:
# a figure names its runs (src/w2s/figures), a run names its parents (src/w2s/plan.py).
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from w2s import unlock
from w2s.engine import warm
from w2s.errors import UserError
from w2s.jobs.workflow import Workflow

min_version("9.19")  # the first that knows profile.yaml


configfile: "config.yaml"


try:
    experiments = Workflow(config, look=workflow.is_main_process)
except UserError as mistake:
    raise WorkflowError(str(mistake)) from None


# The library of this checkout, for jobs in a conda environment too (which Snakemake strips of PYTHONPATH); and how
# jobs are run, unless the caller's environment says otherwise.
variables = experiments.default.experiment.execution.variables()
settings = " ".join(f"{name}=${{{{{name}:-{value}}}}}" for name, value in variables.items())
shell.prefix(f"export PYTHONPATH={Path(workflow.basedir).resolve() / 'src'} {settings}; ")


wildcard_constraints:
    setting="nlp|chess|reward|vision",
    task="[a-z0-9_]+",
    rung=r"(?!corpus-|games-|dialogues-)[a-z0-9][a-z0-9._-]*",
    written=r"[a-z0-9][a-z0-9._-]*\+generative",
    start=r"[a-z0-9][a-z0-9._-]*(\+generative)?",
    labels=r"none|truth|(from|chain|flipped)-[a-z0-9._-]+(\+generative)?",
    method="[a-z0-9][a-z0-9._-]*",
    seed="-?[0-9]+",
    key="[0-9a-f]{10}",
    figure="[A-Za-z]+[0-9]*",
    experiment="[A-Za-z0-9][A-Za-z0-9._-]*",
    first=r"(?:(?!-vs-)[A-Za-z0-9._-])+",
    second="[A-Za-z0-9][A-Za-z0-9._-]*",


localrules:
    all,
    experiment,
    open_model,  # may fetch weights: computing nodes often have no network


rule all:
    default_target: True
    input:
        lambda wildcards: [f"figures/{name}.pdf" for name in or_one_line(experiments.drawable)],


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/models.smk"
include: "rules/runs.smk"
include: "rules/studies.smk"
include: "rules/vision.smk"
include: "rules/prompting.smk"
include: "rules/probing.smk"
include: "rules/reward.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


if workflow.is_main_process and not workflow.dryrun:
    unlock.claim()  # a killed workflow's lock does not stop the next call


onstart:
    warm.start()  # warm processes for this workflow's jobs: see src/w2s/warm.py
