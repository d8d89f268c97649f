"""The reward setting's section of the config (Section 5.2.2, Appendix A.3)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from w2s.config.ladder import OwnRung, Rung
from w2s.config.schema import Name, Positive, Rate, Revision, Seed, Share, Strict
from w2s.config.section import LadderSection, Packing, Pair, refuse_twice, refuse_unknown
from w2s.config.shift import OtherTest, Shift

WORLD_TASKS = ("hh", "hh_helpful", "hh_harmless")  # whose raw schema the micro-world's dialogues have
DPO = "dpo"  # the method of students trained by direct preference optimisation
PartialShare = Annotated[float, Field(ge=0, lt=1)]


class PairTask(Strict):
    """One task of the setting; a bare name in the config is short for ``{name: ...}``."""

    name: str
    folder: str | None = None  # inside reward.directory; the task's usual name by default
    revision: Revision | None = None  # of its hub repository; the one that ships by default
    train: str | None = None  # split (file name without ending, * stands for anything) to train on
    test: str | None = None  # split to test on; "none" cuts the test set from the training rows


class Dialogues(Strict):
    """The micro-world's dialogues (see ``w2s.reward.world``)."""

    seed: Seed = 0
    pairs: Positive = 4_000  # to train on, both halves together
    test: Positive = 1_000  # to test on
    people: int = Field(40, ge=8)
    words: int = Field(120, ge=8)  # of each invented kind
    zipf: float = Field(0.8, ge=0)  # frequency ~ rank ** -zipf in the corpus
    noise: PartialShare = 0.05  # share of pairs whose label is the wrong way round


class PairSizes(Strict):
    """How many pairs a task may have; null takes all there are."""

    train: Positive | None = None  # both halves together
    test: Positive | None = None
    validation_share: PartialShare = 0.0  # of a half; from both alike, by group; nothing stops early here
    test_share: Share = 0.1  # of the training rows, by group, where a task has no test split


class RewardPretraining(Packing):
    """What all rungs of an own ladder share."""

    corpus: Literal["world", "tasks"] = "world"  # "tasks": the text of the tasks' training halves
    documents: Positive = 60_000  # of a world corpus
    vocabulary: int = Field(512, gt=256)  # tokens of the byte-level BPE tokenizer


class RewardTraining(Strict):
    """Finetuning as in Appendix A.3: 1 epoch, batch 220, no early stopping; the rest is ours."""

    epochs: Rate = 1
    batch: Positive = 220
    weight_decay: float = Field(0.0, ge=0)
    max_length: Positive = 1024  # tokens of prefix and completion; longer ones lose their beginning
    evaluations_per_epoch: Positive = 20
    batches: Literal["by_length"] | None = None  # of pairs of similar length: less padding; random ones by default
    cue: str = ""  # what stands behind every completion where its reward is read
    head: str = Field(" good", min_length=1)  # the head starts as this word's unembedding row (any token would do)


class Generative(Strict):
    """Generative finetuning (Section 5.2.2): the language model's loss on completions, preferences ignored."""

    epochs: Rate = 1
    batch: Positive = 64  # completions a step
    weight_decay: float = Field(0.0, ge=0)
    rate: Rate = 1.0  # learning rate, times the rung's own of finetuning
    supervisors: tuple[str, ...] | None = Field(None, min_length=1)  # of Figures 10, 17, 18; those of the setting
    rungs: tuple[str, ...] | None = Field(None, min_length=1)  # that are finetuned so; all of the ladder


class Dpo(Strict):
    """Direct preference optimisation (arXiv 2305.18290): the student is a language model, its reward its own."""

    beta: Rate = 0.1  # reward per nat that a completion's log probability gains on the base model's
    rate: Rate = 1.0  # learning rate, times the rung's own of finetuning
    pairs: tuple[tuple[str, str], ...] | None = Field(None, min_length=1)  # (supervisor, student); example's


class Example(Pair):
    """The one task and pair of Figure 2: by default the first task, the weakest and the largest rung."""

    task: str | None = None


class RewardShift(Shift):
    """Other test sets, by default the kinds of dialogues that HH-RLHF mixes."""

    USUAL = (
        OtherTest(task="hh", other="hh_helpful"),
        OtherTest(task="hh", other="hh_harmless"),
        OtherTest(task="hh_helpful", other="hh_harmless"),
        OtherTest(task="hh_harmless", other="hh_helpful"),
    )


class Reward(LadderSection):
    """The reward setting: preference pairs x ladder."""

    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # the experiment's by default
    source: Literal["world", "directory", "hub"] = "world"
    directory: str | None = None  # with source directory: one folder a task, in the hub's own columns
    world: Dialogues = Dialogues()
    tasks: tuple[PairTask, ...] = Field((PairTask(name=WORLD_TASKS[0]),), min_length=1)
    sizes: PairSizes = PairSizes()
    example: Example = Example()
    methods: tuple[Name, ...] = Field(("naive",), min_length=1)
    generative: Generative | None = Generative()
    dpo: Dpo | None = Dpo()
    shift: RewardShift | None = None  # other test sets
    pretraining: RewardPretraining = RewardPretraining()
    training: RewardTraining = RewardTraining()

    @field_validator("tasks", mode="before")
    @classmethod
    def _bare_names(cls, tasks: object) -> object:
        if isinstance(tasks, (list, tuple)):
            return [{"name": task} if isinstance(task, str) else task for task in tasks]
        return tasks

    @property
    def vocabulary(self) -> int:
        """Tokens of the tokenizer that own rungs share."""
        return self.pretraining.vocabulary

    @model_validator(mode="after")
    def _rows_are_somewhere(self) -> Reward:
        if self.source == "directory" and not self.directory:
            raise ValueError("source is 'directory', so directory must name one")
        for task in self.tasks:
            self._check_rows("tasks", task)
        for number, test in enumerate((self.shift and self.shift.tests) or ()):
            self._check_rows(f"shift.tests[{number}]", self.tested(test))
        own = any(isinstance(rung, OwnRung) for rung in self.ladder)
        if own and self.pretraining.corpus == "world" and self.source != "world":
            raise ValueError("pretraining.corpus: 'world' needs source 'world'; allowed: tasks")
        return self

    def _check_rows(self, key: str, task: PairTask) -> None:
        if self.source == "world" and task.name not in WORLD_TASKS:
            raise ValueError(f"{key}: the micro-world has no {task.name!r}; allowed: {', '.join(WORLD_TASKS)}")
        for name, only_with in (("folder", "directory"), ("revision", "hub")):
            if getattr(task, name) is not None and self.source != only_with:
                raise ValueError(f"{key}: {task.name}: {name} has an effect only with source {only_with!r}")
        if self.source == "world" and (task.train or task.test):
            raise ValueError(
                f"{key}: {task.name}: train and test cannot be set with the micro-world, which has its own"
            )

    @model_validator(mode="after")
    def _figures_name_what_there_is(self) -> Reward:
        refuse_twice("tasks", self.all_tasks())
        refuse_twice("methods", self.methods)
        refuse_unknown("example.task", self.example.task, self.all_tasks())
        if self.generative:
            supervising, rungs = ([rung.name for rung in some] for some in (self.supervising(), self.ladder))
            for key, named, there in (
                ("generative.supervisors", self.generative.supervisors, supervising),
                ("generative.rungs", self.generative.rungs, rungs),
            ):
                refuse_twice(key, named or ())
                for name in named or ():
                    refuse_unknown(key, name, there)
            if not self.generative_pairs():
                raise ValueError("generative: no pair is left; rungs should name one as large as a supervisor")
        if self.dpo:
            refuse_twice("dpo.pairs", self.dpo.pairs or ())
            self.refuse_unpaired("dpo.pairs", self.dpo.pairs or ())
        if self.shift:
            self.shift.check(self.all_tasks(), [*self.methods, *([DPO] if self.dpo else [])])
            self.refuse_unpaired("shift.pairs", self.shift.pairs or ())
        return self

    def all_tasks(self) -> list[str]:
        """Names of all tasks, in the config's order."""
        return [task.name for task in self.tasks]

    def data_sets(self) -> list[str]:
        """Names of the data sets that are sure to be there: the tasks, and all that can be made up."""
        return [*self.all_tasks(), *(WORLD_TASKS if self.source == "world" else ())]

    def tested(self, test: OtherTest) -> PairTask:
        """The data set of another test set, as the experiment has it or by its name alone, with the test's split."""
        found = {task.name: task for task in self.tasks}.get(test.other) or PairTask(name=test.other)
        return found.model_copy(update={"test": test.test}) if test.test else found

    def example_task(self) -> str:
        """The task of Figure 2."""
        return self.example.task or self.tasks[0].name

    def dpo_pairs(self) -> list[tuple[Rung, Rung]]:
        """(supervisor, student) of students that are trained by direct preference optimisation too."""
        if self.dpo is None:
            return []
        named = self.dpo.pairs or [self.example_pair()]
        return [(weak, strong) for weak, strong in self.pairs() if (weak.name, strong.name) in named]

    def generative_rungs(self) -> list[Rung]:
        """The rungs that are finetuned generatively, weakest first; none where the config leaves that out."""
        if self.generative is None:
            return []
        named = self.generative.rungs
        return [rung for rung in self.ladder if named is None or rung.name in named]

    def generative_pairs(self) -> list[tuple[Rung, Rung]]:
        """(supervisor, student) of Figures 10, 17 and 18: students that are finetuned generatively first."""
        if self.generative is None:
            return []
        named, students = self.generative.supervisors, self.generative_rungs()
        return [
            (weak, strong)
            for weak, strong in self.pairs()
            if strong in students and (named is None or weak.name in named)
        ]
