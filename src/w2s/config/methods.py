"""How students are trained on their labels: the section ``methods`` of the config (paper, Sections 3 and 4.3, App. B).

A method is an objective (``w2s.training.objectives``, or the user's own) and whatever else it changes about naive
finetuning, each change one key. A key that is left out changes nothing and stands in no run's identity.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from w2s.config.ladder import Adapters
from w2s.config.parameters import Value
from w2s.config.schema import Entries, Name, Positive, Rate, Strict
from w2s.config.section import refuse_twice, refuse_unknown

RESERVED = "truth"  # stands for ground truth in figures
TASKS_COMPARED = 3  # by default: a comparison of all methods is many runs


def _within(low: float, high: float, *, above: bool = False, below: bool = False) -> AfterValidator:
    """A number of a range, its ends allowed unless ``above`` and ``below`` say otherwise."""
    words = f"{'above ' if above else ''}{low:g} to {'below ' if below else ''}{high:g}"

    def check(value: float) -> float:
        if not (low < value if above else low <= value) or not (value < high if below else value <= high):
            raise ValueError(f"{value:g} is not allowed; allowed: {words}")
        return value

    return AfterValidator(check)


Times = Annotated[float, _within(0, 1e4, above=True)]  # a learning rate, as a multiple of the rung's own


class Keep(Strict):
    """Only some examples of each class: those on which the supervisor is most confident (App. B).

    neighbours: instead, those whose nearest neighbours have the most similar labels. Neighbours are near in the hidden
    states of the student's base model.
    """

    share: Annotated[float, _within(0, 1, above=True)]  # of the strong half's examples of each (weak) class
    epochs: Annotated[float, _within(0, 1000, above=True)] | None = None  # over them; null: as many as without
    neighbours: Positive | None = None  # how many; null: by the supervisor's confidence


class HeadFirst(Strict):
    """LP-FT (App. B): the head alone is trained first, on the frozen base model; then everything."""

    epochs: Annotated[float, _within(0, 1000, above=True)] = 1.0
    learning_rate_times: Times = 1.0


class Average(Strict):
    """Weight averaging (App. B): predictions come from an exponential moving average of the weights."""

    decay: Annotated[float, _within(0, 1, below=True)] = 0.99


class Consistency(Strict):
    """Consistency under augmentation (App. B): the same prediction for a text with some of its tokens left out."""

    weight: Annotated[float, _within(0, 100)] = 1.0  # of the divergence, beside the objective
    dropped: Annotated[float, _within(0, 0.9)] = 0.1  # share of the tokens that may be left out
    tail: Positive = 4  # last tokens, which never are: the answer that is asked about, and the cue


class Large(Strict):
    """What large students are trained with instead: the paper's alpha_max of its largest ones (Appendix A.4)."""

    compute: Rate  # FLOP of pretraining, from which on a student is large
    parameters: Entries[str, Value]


SOURCES = ("relabelled_by", "labels")  # keys that say which artifact a run's labels come from


class Method(Strict):
    """One method: an objective with its parameters, and what else differs from naive finetuning.

    labels: of ``ensemble``, the mean of all supervisors of the student's rung; of ``zero_shot``, no supervisor's, but
    what the student's own base model answers without examples.
    """

    objective: str  # of w2s.training.objectives, or module:function of the user's own
    parameters: Entries[str, Value] = Field(default_factory=dict)
    large: Large | None = None  # other parameters for large students
    keep: Keep | None = None
    relabelled_by: Name | None = None  # its labels are the predictions of the student of this method
    labels: Literal["ensemble", "zero_shot"] | None = None  # whose; null: the supervisor's
    balanced: Literal[True] | None = None  # log odds of labels relative to their median: half are of either class
    ground_truth: Annotated[float, _within(0, 1)] | None = None  # share of the labels that are replaced by the truth
    label_noise: Annotated[float, _within(0, 1)] | None = None  # share of the labels that are flipped
    head_first: HeadFirst | None = None
    adapters: Adapters | None = None  # LoRA in place of all weights
    learning_rate_times: Times | None = None
    weight_decay: Annotated[float, _within(0, 1e4)] | None = None  # instead of training.weight_decay
    dropout: Annotated[float, _within(0, 1, below=True)] | None = None  # of what linear layers read
    average: Average | None = None
    consistency: Consistency | None = None

    def changes(self) -> dict[str, Any]:
        """What runs' specs say of it beside the objective: the keys that are set."""
        beside = {"objective", "parameters", "large", *SOURCES}
        return self.model_dump(mode="json", exclude=beside, exclude_none=True)

    def parameters_at(self, compute: float) -> dict[str, Value]:
        """The objective's parameters for a student of this pretraining compute, in FLOP."""
        if self.large is None or compute < self.large.compute:
            return self.parameters
        return self.parameters | self.large.parameters

    def beside(self) -> list[str]:
        """The keys that are set beside the objective and its parameters."""
        return [*self.changes(), *(name for name in SOURCES if getattr(self, name) is not None)]


class Comparison(Strict):
    """What the figure of all methods compares."""

    tasks: tuple[str, ...] | None = Field(None, min_length=1)  # the first three by default
    methods: tuple[Name, ...] | None = Field(None, min_length=1)  # all by default
    pairs: tuple[tuple[str, str], ...] | None = Field(None, min_length=1)  # (supervisor, student); nlp.example's

    @model_validator(mode="after")
    def _nothing_twice(self) -> Comparison:
        for name in ("tasks", "methods", "pairs"):
            refuse_twice(f"comparison.{name}", getattr(self, name) or ())
        return self


def check(methods: dict[str, Method]) -> None:
    """ValueError for a name that figures need for something else, and for methods that name each other in circles."""
    if RESERVED in methods:
        raise ValueError(f"methods: {RESERVED!r} is taken: it stands for ground truth in figures")
    naive = methods.get("naive")
    if naive is not None and naive.objective != "naive":
        raise ValueError("methods.naive.objective: figures take 'naive' for naive finetuning; allowed: naive")
    if naive is not None and naive.beside():
        raise ValueError("methods.naive: figures take 'naive' for naive finetuning; allowed: objective: naive alone")
    for name, method in methods.items():
        if method.relabelled_by is not None:
            refuse_unknown(f"methods.{name}.relabelled_by", method.relabelled_by, methods)
        if method.relabelled_by is not None and method.labels is not None:
            raise ValueError(f"methods.{name}: relabelled_by and labels both say whose labels; leave one of them out")
    for name in methods:
        chain, at = [name], methods[name].relabelled_by
        while at is not None:
            if at in chain:
                raise ValueError(f"methods.{name}.relabelled_by: a circle, {' by '.join([*chain, at])}")
            chain.append(at)
            at = methods[at].relabelled_by


def refuse_same(methods: dict[str, Method]) -> None:
    """ValueError if two methods come to the same runs, which can have one path only."""
    seen: dict[str, str] = {}
    for name, method in methods.items():
        content = repr(method)
        if content in seen:
            raise ValueError(f"methods.{name}: is the same as methods.{seen[content]}; leave one of them out")
        seen[content] = name
