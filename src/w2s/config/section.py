"""What the sections of settings share: a ladder, supervisors, pairs, pretraining. Light: no torch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated

from pydantic import Field, model_validator

from w2s.config.ladder import Rung
from w2s.config.schema import Positive, Rate, Seed, Strict
from w2s.errors import allowed

NotNegative = Annotated[int, Field(ge=0)]


class Packing(Strict):
    """How rungs of an own ladder are pretrained, whatever they read: packed blocks of one stream of tokens."""

    block: Positive = 128  # tokens a packed sequence
    batch: Positive = 16  # sequences a step
    warmup: float = Field(0.1, ge=0, lt=1)  # share of the steps, linear
    weight_decay: float = Field(0.1, ge=0)
    muon: Rate | None = None  # peak learning rate of Muon, for hidden matrices; null: AdamW for all weights
    seed: Seed = 0


class Pair(Strict):
    """The one pair that a figure shows as an example: by default the weakest supervisor and the largest rung."""

    supervisor: str | None = None
    student: str | None = None


class LadderSection(Strict):
    """A ladder of base models, weakest first, and which of them supervise which."""

    ladder: tuple[Rung, ...] = Field(min_length=2)
    example: Pair = Pair()
    supervisors: tuple[str, ...] | None = Field(None, min_length=1)  # all rungs but the largest by default

    @property
    def vocabulary(self) -> int:
        """Tokens that own rungs know."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _ladder_is_in_order(self) -> LadderSection:
        refuse_twice("ladder", [rung.name for rung in self.ladder])
        for lower, upper in zip(self.ladder, self.ladder[1:], strict=False):
            if self.compute(upper) <= self.compute(lower):
                raise ValueError(
                    f"ladder is weakest first, but rung {upper.name!r} ({self.compute(upper):.2e} FLOP) "
                    f"follows {lower.name!r} ({self.compute(lower):.2e} FLOP)"
                )
        refuse_twice("supervisors", self.supervisors or ())
        with_truth = [rung.name for rung in self.ladder if rung.truth]
        for name in self.supervisors or ():
            if name not in with_truth:
                raise ValueError(
                    f"supervisors: unknown rung (or one without truth) {name!r}; {allowed(name, with_truth)}"
                )
        supervising = [rung.name for rung in self.supervising()]
        if not supervising:
            raise ValueError("ladder: no rung below the largest has truth: true, so none can supervise")
        rungs = [rung.name for rung in self.ladder]
        refuse_unknown("example.supervisor", self.example.supervisor, supervising)
        refuse_unknown("example.student", self.example.student, rungs)
        weak, strong = self.example_pair()
        if rungs.index(strong) < rungs.index(weak):
            raise ValueError(
                f"example: student {strong!r} is smaller than its supervisor {weak!r}; allowed: as large or larger"
            )
        return self

    def compute(self, rung: Rung) -> float:
        """Pretraining compute of a rung in FLOP."""
        return rung.compute(self.vocabulary)

    def pairs(self) -> list[tuple[Rung, Rung]]:
        """(supervisor, student) for every student at least as large, as the paper's figures draw them."""
        return [(weak, strong) for weak in self.supervising() for strong in self.ladder[self.ladder.index(weak) :]]

    def refuse_unpaired(self, key: str, named: Collection[tuple[str, str]]) -> None:
        """ValueError for one of (supervisor, student) that is no pair of this ladder."""
        there = {(weak.name, strong.name) for weak, strong in self.pairs()}
        for weak, strong in named:
            if (weak, strong) not in there:
                pairs = ", ".join(f"[{one}, {other}]" for one, other in sorted(there))
                raise ValueError(f"{key}: [{weak}, {strong}] is no pair of this ladder; allowed: {pairs}")

    def supervising(self) -> list[Rung]:
        """The rungs that supervise, weakest first."""
        if self.supervisors is None:
            return [rung for rung in self.ladder[:-1] if rung.truth]
        return [rung for rung in self.ladder if rung.name in self.supervisors]

    def growing_pairs(self) -> list[tuple[str, str]]:
        """(supervisor, student) where the student is larger and has ground truth."""
        return [(weak.name, strong.name) for weak, strong in self.pairs() if weak is not strong and strong.truth]

    def example_pair(self) -> tuple[str, str]:
        """(supervisor, student): the weakest that supervises and the largest with truth, unless named."""
        largest = [rung.name for rung in self.ladder if rung.truth][-1:] or [self.ladder[-1].name]
        weakest = [rung.name for rung in self.supervising()][:1] or [self.ladder[0].name]
        return self.example.supervisor or weakest[0], self.example.student or largest[0]


def refuse_twice(key: str, values: Sequence[object]) -> None:
    """ValueError if a value is in a list more than once."""
    for value in values:
        if list(values).count(value) > 1:
            raise ValueError(f"{key}: {value!r} is named twice, allowed once")


def refuse_unknown(key: str, name: str | None, there: Collection[str]) -> None:
    """ValueError for a name (None is none) that is not there."""
    if name is not None and name not in there:
        raise ValueError(f"{key}: {name!r} is not in this experiment; {allowed(name, there)}")
