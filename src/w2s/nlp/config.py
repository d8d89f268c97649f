"""The NLP setting's section of the config (Section 4.1, Appendix A.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.config.methods import TASKS_COMPARED, Comparison
from w2s.config.schema import Positive, Rate, Revision, Seed, Share, Strict
from w2s.config.section import LadderSection, Packing, Pair, refuse_twice, refuse_unknown
from w2s.config.shift import OtherTest, Shift
from w2s.config.user_code import REFERENCE
from w2s.microworld import WorldSize
from w2s.nlp.difficulty.config import Difficulty
from w2s.nlp.errors.config import Errors
from w2s.nlp.fewer.config import FewerLabels
from w2s.nlp.probing.config import Probing
from w2s.nlp.prompting.config import Prompting
from w2s.nlp.sandwiching.config import Sandwiching

REPRESENTATIVE = 8  # data sets in the paper's Figures 6 and 13a
OWN_NAME = re.compile(r"[a-z0-9_]+")


def _reference(name: str) -> str:
    if not REFERENCE.fullmatch(name):
        raise ValueError(f"{name!r} is not allowed; allowed: module:function, of a file in the project's folder")
    return name


Own = Annotated[str, AfterValidator(_reference)]


class TaskChoice(Strict):
    """One task of the experiment; a bare name in the config is short for ``{name: ...}``."""

    name: str
    folder: str | None = None  # inside data.directory; the task's usual name by default
    revision: Revision | None = None  # of its hub repository; the pinned one by default
    train: str | None = None  # split (file name without ending) to train on
    test: str | None = None  # split to test on; "none" cuts the test set from the training rows
    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # of its runs; the experiment's by default
    medians: bool = True  # whether the medians over tasks (Figures 3, 5, 8, 13b) take it
    corpus_only: bool = False  # no run has it: its texts are part of a corpus of tasks' texts, and nothing else
    formatter: Own | None = None  # of a task of the user's own: module:function, rows into examples
    directory: str | None = None  # of such a task: where its rows are, <split>.parquet, .jsonl or .csv
    per_question: bool = False  # of such a task: several answers to a question, equalised
    relabel: Own | None = None  # of such a task: module:function, a row with another answer, to find leaks
    title: str | None = None  # of such a task, in Table 1

    @model_validator(mode="after")
    def _own_tasks_have_rows(self) -> TaskChoice:
        own = self.formatter is not None
        if own and not OWN_NAME.fullmatch(self.name):
            raise ValueError(f"name: {self.name!r} is not allowed; allowed: lower-case letters, digits and _")
        if own and self.name in (MEDIAN, INTERVAL):
            raise ValueError(f"name: {self.name!r} is taken: figures' tables have rows of this name; choose another")
        if own and self.directory is None:
            raise ValueError(f"{self.name}: directory: missing; it should hold train.jsonl (.parquet, .csv)")
        if own and (self.folder or self.revision):
            raise ValueError(f"{self.name}: folder and revision are for tasks that ship; allowed: directory")
        for key in ("directory", "per_question", "relabel", "title"):
            if not own and getattr(self, key):
                raise ValueError(f"{self.name}: {key} has an effect only with a formatter of your own")
        return self


class Sizes(Strict):
    """How many examples a task may have after formatting and balancing; null takes all there are."""

    train: Positive | None = None  # both halves together
    test: Positive | None = None
    validation_share: Share = 0.2  # of a half; taken from both halves alike, by group
    test_share: Share = 0.2  # of the training rows, by group, where a task has no test split


class Data(Strict):
    """Where rows come from: the micro-world, the hub, or a directory with one folder a task in hub schema."""

    source: Literal["world", "directory", "hub"] = "world"
    directory: str | None = None
    world: WorldSize = WorldSize()
    sizes: Sizes = Sizes()

    @model_validator(mode="after")
    def _directory_is_named(self) -> Data:
        if self.source == "directory" and not self.directory:
            raise ValueError("source is 'directory', so directory must name one")
        return self


class Pretraining(Packing):
    """What all rungs of an own ladder share: corpus, tokenizer and the packed training recipe."""

    # tasks: the texts of the experiment's halves, unlabelled; all-texts: those of the whole training splits
    corpus: Literal["world", "tasks", "all-texts"] = "world"
    documents: Positive = 220_000  # of a world corpus
    statements: float = Field(0.3, ge=0, le=1)  # share of plain statements among them
    answers: tuple[str, str] = (" no", " yes")  # no and yes, as they close its quizzes
    vocabulary: int = Field(1024, gt=256)  # tokens of the byte-level BPE tokenizer: every byte, the end, and more


class Training(Strict):
    """Finetuning as in Appendix A.1; what the paper leaves out is listed in docs/deviations.md."""

    epochs: Rate = 2
    batch: Positive = 32
    weight_decay: float = Field(0.0, ge=0)
    max_length: Positive = 512  # tokens; longer texts lose their beginning
    evaluations_per_epoch: Positive = 10
    evaluation_examples: Positive | None = None  # of the test set, at these evaluations; predictions cover all
    batches: Literal["by_length"] | None = None  # of texts of similar length: less padding; random ones by default
    early_stopping: Literal["students", "all", "none"] = "students"
    answers: tuple[str, str] = (" no", " yes")  # label 0, 1: head rows start as these words' unembeddings

    @model_validator(mode="after")
    def _answers_differ(self) -> Training:
        if self.answers[0] == self.answers[1]:
            raise ValueError(f"answers: {self.answers[0]!r} is named twice, allowed once")
        return self


class Example(Pair):
    """The one task and pair of Figure 2: by default the first task, the weakest and the largest rung."""

    task: str | None = None


class NlpShift(Shift):
    """Other test sets, by default of data sets that ask about the same things in another way."""

    USUAL = (
        OtherTest(task="sciq", other="openbookqa"),
        OtherTest(task="sciq", other="boolq"),
        OtherTest(task="ethics_justice", other="ethics_deontology"),
    )


class Nlp(LadderSection):
    """The NLP setting: tasks x ladder x methods."""

    tasks: tuple[TaskChoice, ...] = Field(min_length=1)
    representative: tuple[str, ...] | None = Field(None, min_length=1)  # tasks of Figures 6 and 13a; the first eight
    example: Example = Example()
    methods: tuple[str, ...] = Field(min_length=1)
    comparison: Comparison = Comparison()
    pretraining: Pretraining = Pretraining()
    training: Training = Training()
    difficulty: Difficulty | None = None  # Figures 21 and 22
    errors: Errors | None = None  # Figures 25, 26 and 27
    sandwiching: Sandwiching | None = None
    fewer_labels: FewerLabels | None = None  # learning curves in the number of weak labels
    shift: NlpShift | None = None  # other test sets
    prompting: Prompting = Prompting()
    probing: Probing = Probing()

    @field_validator("tasks", mode="before")
    @classmethod
    def _bare_names(cls, tasks: object) -> object:
        if isinstance(tasks, (list, tuple)):
            return [{"name": task} if isinstance(task, str) else task for task in tasks]
        return tasks

    @model_validator(mode="after")
    def _figures_name_what_there_is(self) -> Nlp:
        tasks = self.all_tasks()
        refuse_twice("tasks", [task.name for task in self.tasks])
        if len(tasks) < len(self.tasks) and self.pretraining.corpus == "world":
            raise ValueError("tasks: corpus_only has no effect with pretraining.corpus 'world'; leave such tasks out")
        refuse_twice("methods", self.methods)
        refuse_twice("representative", self.representative or ())
        for name in self.representative or ():
            refuse_unknown("representative", name, tasks)
        refuse_unknown("example.task", self.example.task, tasks)
        for name in self.comparison.tasks or ():
            refuse_unknown("comparison.tasks", name, tasks)
        self.refuse_unpaired("comparison.pairs", self.comparison.pairs or ())
        if not self.median_tasks():
            raise ValueError("tasks: none has medians: true, so there is nothing to take medians over")
        supervising = [rung.name for rung in self.supervising()]
        self.prompting.refuse(tasks, supervising)
        self.probing.refuse(tasks, [rung.name for rung in self.ladder], supervising)
        return self

    @model_validator(mode="after")
    def _studies_name_what_there_is(self) -> Nlp:
        ladder = [rung.name for rung in self.ladder if rung.truth]
        if self.difficulty:
            self.difficulty.check(self.all_tasks(), ladder)
            if self.difficulty.judge:
                refuse_unknown("difficulty.judge.rung", self.difficulty.judge.rung, [rung.name for rung in self.ladder])
        if self.errors:
            supervising = [rung.name for rung in self.supervising()]
            self.errors.check(self.all_tasks(), supervising, ladder, self.methods)
        if self.sandwiching:
            self.sandwiching.check(self.all_tasks(), self.growing_pairs(), self.methods)
        if self.fewer_labels:
            self.fewer_labels.check(self.all_tasks(), self.growing_pairs(), self.methods)
        if self.shift:
            self.shift.check(self.all_tasks(), self.methods)
            self.refuse_unpaired("shift.pairs", self.shift.pairs or ())
        return self

    @property
    def vocabulary(self) -> int:
        """Tokens of the tokenizer that own rungs share."""
        return self.pretraining.vocabulary

    def all_tasks(self) -> list[str]:
        """Names of all tasks that have runs, in the config's order."""
        return [task.name for task in self.tasks if not task.corpus_only]

    def median_tasks(self) -> list[str]:
        """Names of the tasks that medians are taken over."""
        return [task.name for task in self.tasks if task.medians and not task.corpus_only]

    def tested(self, test: OtherTest) -> TaskChoice:
        """The data set of another test set, as the experiment has it or by its name alone, with the test's split."""
        found = {task.name: task for task in self.tasks}.get(test.other) or TaskChoice(name=test.other)
        return found.model_copy(update={"test": test.test}) if test.test else found

    def compared_tasks(self) -> list[str]:
        """Names of the tasks of the figure that compares all methods."""
        return list(self.comparison.tasks or self.all_tasks()[:TASKS_COMPARED])

    def compared_methods(self, methods: Iterable[str]) -> list[str]:
        """Methods of that figure: by default those of other figures, then all others of the experiment's."""
        return list(self.comparison.methods or dict.fromkeys([*self.methods, *sorted(methods)]))

    def compared_pairs(self) -> list[tuple[str, str]]:
        """(supervisor, student) of that figure."""
        return list(self.comparison.pairs or [self.example_pair()])

    def representative_tasks(self) -> list[str]:
        """Names of the tasks of Figures 6 and 13a."""
        return list(self.representative or self.all_tasks()[:REPRESENTATIVE])
