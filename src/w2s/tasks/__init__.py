"""The tasks of Table 1: each is data plus one formatter. Light: no torch, no tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from w2s.tasks import formatters
from w2s.tasks.formatters import Candidate, Row


@dataclass(frozen=True, slots=True)
class Task:
    """A data set of Table 1.

    folder: its usual name in a directory of data sets. train, test: the splits of the hub that the paper's
    numbers would come from (a hidden test set is replaced by validation). columns: what the formatter reads.
    per_question: several candidates share a question and are equalised, as many right as wrong ones (A.1).
    """

    name: str
    formatter: Callable[[Row], list[Candidate]]
    columns: tuple[str, ...]
    folder: str
    train: str = "train"
    test: str = "test"
    per_question: bool = False


TASKS = {
    task.name: task
    for task in (
        Task("anli", formatters.anli, ("premise", "hypothesis", "label"), "anli", "train_r2", "test_r2"),
        Task("boolq", formatters.boolq, ("passage", "question", "answer"), "boolq", test="validation"),
        Task("cola", formatters.cola, ("sentence", "label"), "glue.cola", test="validation"),
        Task(
            "dream",
            formatters.dream,
            ("dialogue_id", "dialogue", "question", "choice", "answer"),
            "dream",
            per_question=True,
        ),
        Task("ethics_deontology", formatters.ethics_deontology, ("scenario", "excuse", "label"), "ethics.deontology"),
        Task("ethics_justice", formatters.ethics_justice, ("scenario", "label"), "ethics.justice"),
        Task(
            "multirc",
            formatters.multirc,
            ("paragraph", "question", "answer", "label"),
            "super_glue.multirc",
            test="validation",
            per_question=True,
        ),
        Task(
            "sciq",
            formatters.sciq,
            ("question", "correct_answer", "distractor1", "distractor2", "distractor3"),
            "sciq",
            per_question=True,
        ),
        Task("sst2", formatters.sst2, ("sentence", "label"), "glue.sst2", test="validation"),
        Task("wic", formatters.wic, ("word", "sentence1", "sentence2", "label"), "super_glue.wic", test="validation"),
    )
}
