"""What a task is: data about a data set, one formatter, and how its rows look with another answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from w2s.engine.hub import Hub
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.relabel import Relabel
from w2s.nlp.world import Topic


@dataclass(frozen=True, slots=True)
class Task:
    """A data set of Table 1.

    name: in configs and paths; title: in the paper. folder: its usual name in a directory of data sets.
    train, test: the splits that the paper's numbers would come from (hidden test labels: validation instead).
    columns: what the formatter reads. relabel: the same row with another answer (None: not checked).
    per_question: several candidates share a question and are equalised, as many right as wrong ones (A.1).
    group: in words, what stays on one side of every split. instruction: the paper's prompt (Table 2), if any;
    our_instruction: one in its style where it has none. topic: what the micro-world knows of it (None: nothing).
    """

    name: str
    title: str
    formatter: Callable[[Row], list[Candidate]]
    columns: tuple[str, ...]
    folder: str
    relabel: Relabel | None = None
    hub: Hub | None = None
    train: str = "train"
    test: str = "test"
    per_question: bool = False
    group: str = ""
    source: str = ""
    citation: str = ""
    licence: str = ""
    instruction: str = ""
    our_instruction: str = ""
    topic: Topic | None = None


GLUE = Hub("nyu-mll/glue", "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c")
SUPER_GLUE = Hub("aps/super_glue", "3de24cf8022e94f4ee4b9d55a6f539891524d646")
ETHICS_NOTE = (
    "parquet conversion of a script-based repository; seen on one stored page of the hub. "
    "Its validation split is the authors' plain test set, its test split the adversarially filtered one"
)


def ethics(config: str) -> Hub:
    """A subset of ETHICS on the hub."""
    revision = "6deab74c03e30f13540266e373ce31f8466169f8"
    return Hub("hendrycks/ethics", revision, f"{config}/{{split}}/*.parquet", ETHICS_NOTE)
