"""Which tables an experiment can have for its claims. As light as the plan: Snakemake asks for exactly these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from w2s import figures
from w2s.claims import settings, tables
from w2s.experiments.plan import Plan

SIZES = "table1"  # says how many test examples each NLP task has


def available(plan: Plan) -> tuple[list[str], dict[str, str]]:
    """(figures whose tables this experiment can have, figure or setting -> why it has none)."""
    known = set(figures.names())
    there = [name for name in settings() if getattr(plan.experiment, name, None) is not None]
    lacking = {name: f"this experiment has no {name} setting" for name in settings() if name not in there}
    wanted = [*tables(there), SIZES]
    lacking |= {name: f"this experiment has no {name}" for name in wanted if name not in known}
    found, without = figures.available(plan, [name for name in wanted if name in known])
    return list(found), lacking | {name: f"this experiment has no {name}: {why}" for name, why in without.items()}


def sizes(about: Mapping[str, Any], counted: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Setting -> task -> test examples: of NLP as Table 1 counts them, else as many as the experiment asks for.

    about: the experiment's settings; counted: rows of Table 1. The task "" stands for all that are not named.
    """
    found: dict[str, dict[str, int]] = {}
    sections = {name: section for name, section in about.items() if name != "data"} | {"nlp": about["data"]}
    for setting, section in sections.items():
        asked = section.get("sizes") if isinstance(section, Mapping) else None
        if isinstance(asked, Mapping) and asked.get("test"):
            found[setting] = {"": int(asked["test"])}
    found.setdefault("nlp", {}).update({str(row["task"]): int(row["test"]) for row in counted})
    return found
