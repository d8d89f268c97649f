"""The numbers behind figures, read back from their CSV files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s.experiments.settings import invented

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Columns that are names, however they look.
NAMES = ["task", "title", "source", "citation", "licence", "rows_from", "setting", "panel", "bar", "stopping"]
NAMES += ["method", "supervisor", "student", "chain", "labels", "difficulty", "puzzle", "fen", "prompt", "answer"]
NAMES += ["cutoff", "kind", "schedule", "role", "actor", "start", "supervisor_start", "who", "assistant", "tested"]


def read(path: Path) -> pd.DataFrame:
    """The numbers behind a figure; names stay names, also those that look like a number or like nothing."""
    import pandas as pd

    names = [name for name in pd.read_csv(path, nrows=0).columns if name in NAMES]
    return pd.read_csv(path, dtype=dict.fromkeys(names, "object"), keep_default_na=False, na_values=[""])


def drawn(figure: str, path: Path, experiment: Mapping[str, Any]) -> Figure:
    """A figure from its CSV file. experiment: its settings, as JSON. UserError for an unknown figure."""
    from w2s import figures
    from w2s.engine import artifacts

    module, table = figures.module(figure), read(path)
    about = {**experiment, "commit": artifacts.git_commit()}
    drawn: Figure = module.draw(table, about | {"note": synthetic(table, about)})
    return drawn


def synthetic(table: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """What a figure's footer says of synthetic data; empty where they are real. about: the experiment as JSON."""
    return note(set(table["setting"]) if "setting" in table else {"nlp"}, about)


def synthetic_of_all(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> str:
    """The same of several figures together."""
    settings = {str(name) for table in tables.values() if "setting" in table for name in table["setting"]}
    return note(settings, about)


def note(settings: set[str], about: Mapping[str, Any]) -> str:
    """The same of some settings."""
    found = invented(about, settings)
    return f"smoke scale ({', '.join(found)}): illustrates the method, not the paper's numbers" if found else ""
