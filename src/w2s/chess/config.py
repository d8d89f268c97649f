"""The chess setting's section of the config (Sections 4.1 and 4.3.1, Appendices A.2 and C.1)."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from w2s.config.ladder import OwnRung
from w2s.config.schema import Entries, Name, Positive, Rate, Revision, Seed, Strict
from w2s.config.section import LadderSection, NotNegative, Packing, refuse_twice, refuse_unknown

WORDS = 814  # of the closed vocabulary (w2s.chess.notation)
Column = Literal["PuzzleId", "FEN", "Moves", "Rating", "GameUrl", "GameId", "game_moves", "ctx", "target"]
CLOSED = ("squares", "position")  # notations with that vocabulary
CHAIN = (0, 2, 3, 4)  # rungs above the first that a chain goes through (paper, Figure 4)


class Games(Strict):
    """What an own ladder is pretrained on: generated endgames, or files of games."""

    source: Literal["endgames", "files"] = "endgames"
    count: Positive = 80_000  # generated ones
    seed: Seed = 0  # of generation
    paths: tuple[str, ...] = ()  # .pgn or .pgn.zst; globs are allowed
    least_elo: NotNegative = 1800  # of both players (paper, Appendix A.2)
    limit: Positive | None = None  # games of files to read
    plies: Positive | None = None  # cut games into pieces of so many, each from its own position; None: whole games

    @model_validator(mode="after")
    def _files_are_named(self) -> Games:
        _check_place(self.source, "paths", "files", bool(self.paths))
        return self


class Puzzles(Strict):
    """What is finetuned and tested on: generated endgames, files, or a data set on the hub."""

    source: Literal["endgames", "files", "hub"] = "endgames"
    count: Positive = 5_000  # generated ones
    seed: Seed = 0  # of generation
    paths: tuple[str, ...] = ()  # .csv, .jsonl (both also .zst) or .parquet; globs are allowed
    hub: str | None = None  # Lichess/chess-puzzles or EleutherAI/lichess-puzzles, or one with their columns
    revision: Revision | None = None
    files: str = "*.parquet"  # of the hub's repository
    limit: Positive | None = None  # puzzles of files or of the hub to read
    columns: Entries[Column, str] = Field(default_factory=dict)  # of one that is called otherwise: here -> there

    @model_validator(mode="after")
    def _place_is_named(self) -> Puzzles:
        _check_place(self.source, "paths", "files", bool(self.paths))
        _check_place(self.source, "hub", "hub", self.hub is not None)
        if self.source == "hub" and not self.revision:
            raise ValueError(f"revision: missing; {self.hub!r} is on the hub, so a commit of it should be named")
        return self


def _check_place(source: str, key: str, needed_by: str, there: bool) -> None:
    """ValueError if a source lacks its place. A place that the source does not read does no harm: overlays inherit."""
    if source == needed_by and not there:
        raise ValueError(f"source is {source!r}, so {key} must name one")


class PuzzleSizes(Strict):
    """Puzzles in each part. steps: fresh slices for bootstrapping chains, named ``step2``, ``step3``, ..."""

    weak: Positive = 50_000
    strong: Positive = 50_000
    steps: NotNegative = 2
    step: Positive = 50_000
    test: Positive = 5_000
    validation: NotNegative = 0  # beside the strong half, not out of it


class ChessSizes(PuzzleSizes):
    """The same with the training sets of easy-to-hard generalization (Appendix C.1), drawn apart from the test set."""

    subset: Positive | None = None  # puzzles of each; null: there are none
    fewer: Entries[str, Positive] = Field(default_factory=dict)  # subset -> puzzles, where it has fewer


class ChessPretraining(Packing):
    """Pretraining on games. vocabulary: of the byte-level BPE tokenizer that pgn and fen need."""

    vocabulary: int | None = Field(None, gt=256)


class ChessTraining(Strict):
    """Finetuning as in Appendix A.2: 5 epochs, batch 32, no early stopping; the rest is ours."""

    epochs: Rate = 5
    batch: Positive = 32
    weight_decay: float = Field(0.0, ge=0)
    max_length: Positive = 1024  # tokens; longer prompts lose their beginning
    evaluations_per_epoch: NotNegative = 1  # rows of history.csv an epoch; 0: one at the end


class Chess(LadderSection):
    """The chess setting: puzzles x ladder, naive and bootstrapped students."""

    model_config = ConfigDict(serialize_by_alias=True)

    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # the experiment's by default
    notation: Literal["pgn", "fen", "squares", "position"] = "pgn"
    games: Games = Games()
    puzzles: Puzzles = Puzzles()
    sizes: ChessSizes = ChessSizes()
    chain_rungs: tuple[tuple[Name, ...], ...] | None = Field(None, alias="chains")  # as in Figure 4 by default
    easy: tuple[int, ...] = (800, 900, 1000, 1100, 1200, 1300)  # below these ratings: the easy subsets
    hard: int = 2000  # from here on puzzles are hard
    shots: NotNegative = 0  # solved puzzles before the prompt of a model that is not finetuned
    pretraining: ChessPretraining = ChessPretraining()
    training: ChessTraining = ChessTraining()

    @property
    def vocabulary(self) -> int:
        """Tokens that own rungs know: the notation's words, or of the tokenizer that is trained."""
        return WORDS if self.notation in CLOSED else self.pretraining.vocabulary or 0

    @model_validator(mode="after")
    def _notation_fits(self) -> Chess:
        own = [rung.name for rung in self.ladder if isinstance(rung, OwnRung)]
        if own and not self.vocabulary:
            raise ValueError(f"pretraining.vocabulary: missing; own rungs need a tokenizer for {self.notation!r}")
        if self.notation == "pgn" and self.puzzles.source == "endgames":
            closed = ", ".join(("fen", *CLOSED))
            raise ValueError(f"notation: 'pgn' needs whole games, and endgames have none; allowed: {closed}")
        if self.notation in CLOSED and len(own) < len(self.ladder):
            raise ValueError(f"notation: {self.notation!r} is for own rungs; open models take pgn or fen")
        if own and self.notation == "pgn" and self.games.source == "endgames":
            raise ValueError("games.source: endgames do not begin at the usual start, which pgn needs; allowed: files")
        if self.games.plies is not None and self.notation != "squares":
            raise ValueError(
                f"games.plies: {self.notation!r} needs whole games or writes the position before every move; "
                "allowed: null, or notation squares"
            )
        return self

    @model_validator(mode="after")
    def _chains_are_in_order(self) -> Chess:
        rungs = [rung.name for rung in self.ladder]
        heads = [rung.name for rung in self.ladder if rung.truth]
        refuse_twice("chains", self.chain_rungs or ())
        for number, chain in enumerate(self.chain_rungs or ()):
            key = f"chains.{number}"
            for name in chain:
                refuse_unknown(key, name, rungs)
            if len(chain) < 2 or sorted(chain, key=rungs.index) != list(chain) or len(set(chain)) < len(chain):
                raise ValueError(f"{key}: {list(chain)} is no chain; allowed: two rungs or more, weakest first")
            refuse_unknown(key, chain[0], heads)
        longest = max(map(len, self.chains()), default=0)
        if longest > 2 + self.sizes.steps:
            raise ValueError(
                f"sizes.steps: {self.sizes.steps} is too few; the longest chain has {longest} rungs and needs "
                f"{longest - 2} fresh slices after the strong half"
            )
        return self

    @model_validator(mode="after")
    def _subsets_are_known(self) -> Chess:
        refuse_twice("easy", self.easy)
        for name in self.sizes.fewer:
            refuse_unknown("sizes.fewer", name, self.all_subsets())
        return self

    def chains(self) -> list[tuple[str, ...]]:
        """Bootstrapping chains (Section 4.3.1), each from its supervisor to its last student.

        By default from every supervising rung i over i + 2 and i + 3 to i + 4, ending where the ladder ends.
        """
        if self.chain_rungs is not None:
            return list(self.chain_rungs)
        names = [rung.name for rung in self.ladder]
        starts = [names.index(rung.name) for rung in self.supervising()]
        chains = [tuple(names[start + up] for up in CHAIN if start + up < len(names)) for start in starts]
        return [chain for chain in chains if len(chain) > 1]

    def all_subsets(self) -> list[str]:
        """Names that training sets of easy-to-hard generalization can have, the unrestricted one first."""
        return ["all", "hard", *(f"below-{rating}" for rating in self.easy)]

    def subsets(self) -> dict[str, int]:
        """Training sets of easy-to-hard generalization: name -> puzzles; empty where the config has none."""
        if self.sizes.subset is None:
            return {}
        return {name: self.sizes.fewer.get(name, self.sizes.subset) for name in self.all_subsets()}
