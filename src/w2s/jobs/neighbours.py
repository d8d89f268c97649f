"""Let two workflows that run in one directory share Snakemake's records.

The profiles turn Snakemake's lock on the directory off, since each artifact has a lock of its own. Two workflows may
then finish the same job at the same moment: one removes its mark (`.snakemake/incomplete`) between the other's looking
for it and reading it, which Snakemake takes for a failure of the job. A mark that is gone says that the neighbour
recorded the job, so nothing is lost.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def share_records() -> None:
    """Make Snakemake's file records tolerate marks that another workflow removes. Calling it again changes nothing."""
    try:
        from snakemake.persistence.file import FilePersistence
    except ImportError:  # a later Snakemake that keeps its records elsewhere
        return
    for name in ("_get_recorded_starttime", "_mark_incomplete"):
        method = getattr(FilePersistence, name, None)
        if method is not None and not hasattr(method, "__wrapped__"):
            setattr(FilePersistence, name, _or_none(method))


def _or_none(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def tolerant(*arguments: Any, **keywords: Any) -> Any:
        try:
            return method(*arguments, **keywords)
        except FileNotFoundError:
            return None

    return tolerant
