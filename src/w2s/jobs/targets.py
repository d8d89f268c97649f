"""What the rules need beyond single look-ups in the plan: the files behind figures and pages, and the shell's set-up.

Light, as the plan is. An experiment's name may be None: the default experiment.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from w2s.config.execution import Execution
from w2s.errors import UserError
from w2s.graph.artifact import Artifact, canonical, fingerprint_of
from w2s.jobs import installation
from w2s.jobs.workflow import Workflow

PICTURES = ("svg", "png")  # the kinds that a page shows or links to


def shell_prefix(library: Path | None, execution: Execution) -> str:
    """What precedes every command, in Snakemake's format (braces are doubled). The library's path may have any name.

    It puts the library on the path, since Snakemake strips PYTHONPATH in conda environments, and says how jobs are
    executed unless the caller's environment already does.
    """
    variables = [f"{name}=${{{{{name}:-{value}}}}}" for name, value in execution.variables().items()]
    if library is not None:
        variables.insert(0, "PYTHONPATH=" + shlex.quote(str(library)).replace("{", "{{").replace("}", "}}"))
    return f"export {' '.join(variables)}; "


def artifact(workflow: Workflow, key: str, names: Sequence[str]) -> Artifact:
    """The artifact with a key. names: parts of the path that was asked for, which must be those of its own path."""
    found = workflow.artifact(key)
    if not set(names) <= {key, *found.path.split("/"), *found.path_parts}:
        asked = " ".join(name for name in names if name != key)
        raise UserError(f"key {key} belongs to {found.path}, not to {asked}")
    return found


def experiment_json(workflow: Workflow, name: str | None) -> str:
    """An experiment without the part that only says how it is executed."""
    return canonical(workflow.plan(name).experiment.model_dump(mode="json", exclude={"execution"}))


def experiment_file(workflow: Workflow, name: str | None) -> str:
    """The file that holds an experiment. Its name has the content's hash, so a changed experiment is drawn again."""
    fingerprint = fingerprint_of(experiment_json(workflow, name))
    return f"results/figures/{_named(workflow, name)}/experiment-{fingerprint}.json"


def pictures(workflow: Workflow, name: str | None) -> str:
    """The folder of an experiment's pictures."""
    named = _named(workflow, name)
    return "figures" if named == _named(workflow, None) else f"figures/{named}"


def claim_tables(workflow: Workflow, name: str | None) -> list[str]:
    """The tables that test the paper's claims."""
    return [_table(workflow, name, figure) for figure in workflow.claim_tables(name)]


def report_parts(workflow: Workflow, name: str | None) -> list[str]:
    """Tables and pictures of every figure that an experiment can have, and the pages of the documentation."""
    pages = sorted(os.path.relpath(path.resolve()) for path in installation.DOCS.glob("*.md"))
    return _tables_and_pictures(workflow, [name], workflow.drawable(name)) + pages


def compared_parts(workflow: Workflow, names: tuple[str, str], figure: str | None) -> list[str]:
    """Tables and pictures of the figures that two experiments can both have, or of one such figure."""
    return _tables_and_pictures(workflow, names, workflow.shared(*names, figure))


def _named(workflow: Workflow, name: str | None) -> str:
    return name or workflow.default.experiment.experiment


def _table(workflow: Workflow, name: str | None, figure: str) -> str:
    return f"results/figures/{_named(workflow, name)}/{figure}.csv"


def _tables_and_pictures(workflow: Workflow, names: Sequence[str | None], figures: Sequence[str]) -> list[str]:
    tables = [_table(workflow, name, figure) for name in names for figure in figures]
    folders = [pictures(workflow, name) for name in names]
    return tables + [f"{folder}/{figure}.{kind}" for folder in folders for figure in figures for kind in PICTURES]
