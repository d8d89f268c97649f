# The entry point: load and validate the experiment, then look every job up in its plan. Nothing here decides what is
# run: a figure names its runs (src/w2s/figures), and a run names its parents (the settings' plans).
import os
from pathlib import Path

from w2s.jobs.interrupts import Interrupts

is_module = not workflow.modifier.is_main_snakefile()  # of another workflow, whose output and Ctrl-C are its own
interrupts = Interrupts()
if workflow.is_main_process and not is_module:
    interrupts.install()  # before the imports below, which take a while

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from w2s.config.files import read_config
from w2s.engine import tracking, warm
from w2s.errors import UserError
from w2s.jobs import installation
from w2s.jobs.display import install
from w2s.jobs.neighbours import share_records
from w2s.jobs.planning import plan_what_is_missing
from w2s.jobs.scheduling import wake_once
from w2s.jobs.targets import shell_prefix
from w2s.jobs.workflow import Workflow

min_version("9.19")  # the first that reads profile.yaml
share_records()
wake_once()
plan_what_is_missing()

folder = Path(workflow.current_basedir.get_path_or_uri(secret_free=True))
display = install(workflow) if workflow.is_main_process and not is_module else None
interrupts.display = display
if workflow.is_main_process and is_module:
    warm.start()

for signs, of in (("{}", "braces"), (os.pathsep, "a colon")):  # Python would take a colon's path for two
    if set(workflow.basedir) & set(signs):
        raise WorkflowError(f"{workflow.basedir}: Snakemake cannot work in a folder with {of} in its path; rename it")


try:
    installation.refuse_prefix(workflow)
    # Runs nothing, and refuses what `configfile:` would run. Snakemake has read those of the command line already.
    if not workflow.modifier.skip_configfile:
        for path in (Path("config.yaml"), *workflow.overwrite_configfiles):
            read_config(path)
except UserError as mistake:
    raise WorkflowError(str(mistake)) from None


configfile: "config.yaml"


try:
    experiments = Workflow(config, look=workflow.is_main_process)
    if workflow.is_main_process:
        tracking.check(experiments.default.experiment.execution.tracker)
except UserError as mistake:
    raise WorkflowError(str(mistake)) from None

library = installation.library(folder, conda=installation.uses_conda(workflow))
shell.prefix(shell_prefix(library, experiments.default.experiment.execution))


wildcard_constraints:
    task="[a-z0-9_]+",
    rung=r"[a-z0-9][a-z0-9._-]*(\+generative)?",
    labels="[a-z0-9][a-z0-9._+-]*",
    method="[a-z0-9][a-z0-9._-]*",
    seed="-?[0-9]+",
    key="[0-9a-f]{10}",
    figure="[A-Za-z]+[0-9]*",
    experiment="[A-Za-z0-9][A-Za-z0-9._-]*",
    method_file="[A-Za-z_][A-Za-z0-9_]*",
    first="[A-Za-z0-9][A-Za-z0-9._-]*?",  # ends at the first -vs-
    second="[A-Za-z0-9][A-Za-z0-9._-]*",


rule all:
    input:
        lambda wildcards: [f"figures/{name}.pdf" for name in or_one_line(experiments.drawable)],


include: "rules/common.smk"
include: "rules/make.smk"
include: "rules/figures.smk"
include: "rules/report.smk"
include: "rules/bench.smk"


onstart:
    interrupts.running = True
    warm.start()  # warm processes for this workflow's jobs: see src/w2s/engine/warm.py
    if display:
        display.start(workflow, experiments)


onsuccess:
    if display:
        display.finish(success=True)


onerror:
    if display:
        display.finish(success=False)
