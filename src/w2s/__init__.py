"""Weak-to-strong generalization, replicated: Burns et al. 2023 (arXiv 2312.09390) as a workflow.

A setting is a folder: ``nlp``, ``chess``, ``reward``, ``vision``. Dependencies point one way: ``config, graph`` <-
``engine`` <- ``models`` <- ``training`` <- settings <- ``experiments`` <- ``figures, claims`` <- ``report, jobs`` <-
``bench`` <- ``cli``.
For notebooks there are ``w2s.load``, ``w2s.plan``, ``w2s.draw`` and ``w2s.pgr`` (``w2s.api``, docs/api.md), for other
workflows ``w2s.snakefile`` (docs/study.md).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from w2s.api import draw, load, pgr, plan, snakefile

__all__ = ["draw", "load", "pgr", "plan", "snakefile"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The names of ``w2s.api``, imported when they are used: jobs and commands do without."""
    if name in __all__:
        return getattr(import_module("w2s.api"), name)
    raise AttributeError(f"module 'w2s' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
