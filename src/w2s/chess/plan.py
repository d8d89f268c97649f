"""The run graph of the chess setting (Sections 4.1 and 4.3.1, Appendix C.1). Pure and light."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from w2s.chess import sources
from w2s.chess.config import Chess, ChessPretraining
from w2s.chess.stages import GAMES, GENERATE, PUZZLES
from w2s.errors import LackingError, UserError, allowed
from w2s.graph.artifact import Artifact, Run, unique
from w2s.models.plan import LadderPlan, computed, needed

TASK = "puzzles"


class ChessPlan(LadderPlan[Chess]):
    """Every chess run that an experiment can ask for, made on demand and remembered. Its one task is ``puzzles``."""

    name = "chess"

    @property
    def tasks(self) -> list[str]:
        """The one task."""
        return [TASK]

    @property
    def pretraining(self) -> ChessPretraining:
        """How rungs of an own ladder are pretrained."""
        return self.config.pretraining

    # -- artifacts -----------------------------------------------------------------------------------------

    def data(self, seed: int) -> Artifact:
        """Puzzles in parts, drawn separately for each seed."""
        return self._once(("data", seed), lambda: self._new_data(seed))

    def _new_data(self, seed: int) -> Artifact:
        setting = self.config
        identity, environment = sources.puzzles(setting.puzzles, self.sources.root)
        sizes = setting.sizes.model_dump(exclude={"subset", "fewer"})
        spec: dict[str, Any] = {"puzzles": identity, "notation": setting.notation, "sizes": sizes, "seed": seed}
        if setting.subsets():
            spec |= {"subsets": setting.subsets(), "hard": setting.hard}
        message = f"chess puzzles in {setting.notation}, seed {seed}"
        return Artifact(PUZZLES, f"chess/{TASK}/data", message, spec, environment=environment)

    def corpus(self) -> Artifact:
        """Pretraining tokens of games, and the tokenizer that own rungs share."""
        return self._once(("corpus",), self._new_corpus)

    def _new_corpus(self) -> Artifact:
        setting = self.config
        games, games_at = sources.games(setting.games, self.sources.root)
        puzzles, puzzles_at = sources.puzzles(setting.puzzles, self.sources.root)
        spec = {
            "games": games,
            "apart_from": puzzles,  # no game passes through a puzzle's position
            "notation": setting.notation,
            "vocabulary": setting.vocabulary,
        }
        if setting.games.plies is not None:
            spec["plies"] = setting.games.plies
        return Artifact(
            GAMES,
            "models/games",
            f"chess games in {setting.notation}, and tokenizer",
            spec,
            environment={**games_at, **puzzles_at},
        )

    # -- runs ----------------------------------------------------------------------------------------------

    def truth(self, task: str, rung: str, seed: int, half: str = "weak") -> Run:
        """A run on a half's true answers: supervisor, and ceiling too unless ``ceiling_half`` says otherwise."""
        self.known(task)
        labels = ["strong"] if half == "weak" and rung in self._supervisors() else []
        return self._run(rung, seed, "truth", "naive", half, labels)

    def ceiling(self, task: str, rung: str, seed: int) -> Run:
        """The ground-truth run that bounds students of this rung."""
        return self.truth(task, rung, seed, self.experiment.ceiling_half)

    def student(self, task: str, weak: str, strong: str, method: str, seed: int) -> Run:
        """A run on the strong half with the greedy completions of ``weak`` as labels. The only method is naive."""
        self.known(task)
        if method != "naive":
            raise UserError(f"chess: unknown method {method!r}; allowed: naive")
        if weak not in self._supervisors():
            raise UserError(f"chess: {weak!r} is not a supervisor; {allowed(weak, self._supervisors())}")
        return self._step((weak, strong), seed)

    def chain(self, rungs: tuple[str, ...], seed: int) -> Run:
        """The last run of a bootstrapping chain: the whole of one of ``Chess.chains()``, or how it begins.

        Two rungs: the naive student. Each step trains on a fresh slice that the run before has labelled.
        """
        if len(rungs) == 2:
            return self.student(TASK, rungs[0], rungs[1], "naive", seed)
        if len(rungs) < 2 or not any(chain[: len(rungs)] == rungs for chain in self.config.chains()):
            named = ("-".join(chain) for chain in self.config.chains())
            raise UserError(f"chess: {'-'.join(rungs)} is not the start of a chain; {allowed('-'.join(rungs), named)}")
        return self._step(rungs, seed)

    def _step(self, rungs: tuple[str, ...], seed: int) -> Run:
        supervisor = self.truth(TASK, rungs[0], seed) if len(rungs) == 2 else self._step(rungs[:-1], seed)
        labels = f"from-{rungs[0]}" if len(rungs) == 2 else f"chain-{'-'.join(rungs[:-1])}"
        goes_on = any(len(chain) > len(rungs) and chain[: len(rungs)] == rungs for chain in self.config.chains())
        later = [_slice(len(rungs) + 1)] if goes_on else []
        return self._run(rungs[-1], seed, labels, "naive", _slice(len(rungs)), later, supervisor)

    def subset(self, rung: str, subset: str, seed: int) -> Run:
        """A run on the truth of puzzles that are easy, hard or any (Appendix C.1).

        ``all`` is the ground-truth run where it sees as many puzzles, as in the paper's figures.
        """
        subsets = self.config.subsets()
        if not subsets:
            raise LackingError("chess.sizes.subset is null, so there are no easy and hard puzzles to train on")
        if subset not in subsets:
            raise UserError(f"chess: unknown subset {subset!r}; {allowed(subset, subsets)}")
        if subset == "all" and subsets["all"] == self.config.sizes.weak:
            return self.truth(TASK, rung, seed)
        return self._run(rung, seed, "truth", subset, subset, [])

    def zero_shot(self, rung: str, seed: int) -> Run:
        """The base model prompted, not trained."""
        return self._once(("zero-shot", rung, seed), lambda: self._new_zero_shot(rung, seed))

    def _new_zero_shot(self, rung: str, seed: int) -> Run:
        setting = self.config
        spec = {
            "part": None,
            "predicts": ["test"],
            "notation": setting.notation,
            "shots": setting.shots,
            "training": {"max_length": setting.training.max_length},
            "seed": seed,
        }
        return self._new_run(rung, seed, "none", "zero-shot", spec | computed(self.rung(rung)), None)

    def _run(
        self,
        rung: str,
        seed: int,
        labels: str,
        method: str,
        part: str,
        later: list[str],
        supervisor: Run | None = None,
    ) -> Run:
        """part: what it is trained on. later: slices that other runs take its completions on as labels."""
        spec = {
            "part": part,
            "predicts": ["test", *later],
            "notation": self.config.notation,
            "training": self.config.training.model_dump(mode="json"),
            "learning_rate": self.rung(rung).learning_rate,
            "seed": seed,
        } | computed(self.rung(rung))
        identity = ("run", rung, seed, labels, method, part)
        return self._once(identity, lambda: self._new_run(rung, seed, labels, method, spec, supervisor))

    def _new_run(
        self, rung: str, seed: int, labels: str, method: str, spec: dict[str, Any], supervisor: Run | None
    ) -> Run:
        parents: dict[str, Artifact] = {"data": self.data(seed), "model": self.model(rung)}
        if supervisor:
            parents["labels"] = supervisor
            message = (
                f"finetune {rung} on {TASK}: labels of {supervisor.rung} ({labels}) on {spec['part']}, seed {seed}"
            )
        elif spec["part"] is None:
            message = f"prompt {rung} with {TASK}: zero-shot, seed {seed}"
        else:
            message = f"finetune {rung} on {TASK}: truth of {spec['part']}, seed {seed}"
        return Run(
            GENERATE,
            f"chess/{TASK}/{rung}/{labels}/{method}/s{seed}",
            message,
            spec,
            parents,
            environment=needed(self.rung(rung)),
            priority=100 if len(spec["predicts"]) > 1 else 0,  # supervisors first: students wait for them
            task=TASK,
            rung=rung,
            labels=labels,
            method=method,
            seed=seed,
        )

    def _supervisors(self) -> list[str]:
        """Rungs whose ground-truth run labels the strong half: those that supervise or begin a chain."""
        names = {rung.name for rung in self.config.supervising()} | {chain[0] for chain in self.config.chains()}
        return [name for name in self._rungs if name in names]

    # -- everything ----------------------------------------------------------------------------------------

    def every_run(self) -> Iterator[Run]:
        """All runs of the setting, whichever figure asks for them, each once."""
        yield from unique(self._every_run())

    def _every_run(self) -> Iterator[Run]:
        for seed in self.seeds:
            for rung in self.config.ladder:
                yield self.zero_shot(rung.name, seed)
                if rung.truth:
                    yield self.truth(TASK, rung.name, seed)
                    yield self.ceiling(TASK, rung.name, seed)
                    yield from (self.subset(rung.name, subset, seed) for subset in self.config.subsets())
            for weak, strong in self.config.pairs():
                yield self.student(TASK, weak.name, strong.name, "naive", seed)
            for chain in self.config.chains():
                yield from (self.chain(chain[:end], seed) for end in range(2, len(chain) + 1))


def _slice(step: int) -> str:
    """The part that the run at this place of a chain is trained on: the second on the strong half, then fresh ones."""
    return "strong" if step == 2 else f"step{step - 1}"
