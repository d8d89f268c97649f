"""Where the workflow's files are, in a checkout and in an installed package, and what depends on which it is.

``w2s/workflow`` holds the Snakefile, rules, environments, profiles, configs and pages of the documentation: links to
the top level in a checkout, copies in a wheel.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from w2s.errors import UserError
from w2s.graph.lock import PACKAGE

FILES = PACKAGE / "workflow"
SNAKEFILE = FILES / "Snakefile"
DOCS = FILES / "docs"
LIBRARY = Path("work/library")
FOLDERS = ("results", "figures", "report", "bench", "logs")  # that rules write to


def library(folder: Path, *, conda: bool) -> Path | None:
    """What commands need on PYTHONPATH to find this package; None if their Python has it installed.

    folder: of the Snakefile. conda: whether jobs run in conda environments, which have everything but this package.
    """
    source = folder / "src"
    if (source / PACKAGE.name).is_dir():
        return source.resolve()
    if not conda:
        return None
    # Not the folder that the package is installed in: the environment would take all other packages from there too.
    link = LIBRARY.absolute() / PACKAGE.name
    if not link.exists() or link.resolve() != PACKAGE:
        link.parent.mkdir(parents=True, exist_ok=True)
        aside = link.with_name(f"{link.name}-{os.getpid()}")
        aside.symlink_to(PACKAGE)
        aside.replace(link)
    return link.parent


def uses_conda(workflow: Any) -> bool:
    """Whether Snakemake was called with ``--sdm conda``."""
    return "CONDA" in {method.name for method in workflow.deployment_settings.deployment_method}


def refuse_prefix(workflow: Any) -> None:
    """UserError where a ``module`` statement moves the paths of its rules: a run's path is part of its identity."""
    moved = workflow.modifier.path_modifier.replace_prefix
    for folder in FOLDERS:
        if str(moved(f"{folder}/file")) != f"{folder}/file":
            raise UserError(
                f"module: prefix and replace_prefix are not supported ({folder}/ would move); leave them out, and "
                "choose another folder with `snakemake --directory`"
            )
