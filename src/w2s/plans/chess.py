"""The run graph of the chess setting (Sections 1.3 and 4.3.1, Appendix C.1). Pure and light, as ``w2s.plan``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from w2s.errors import LackingError, UserError, allowed
from w2s.experiment import Experiment
from w2s.ladder import OpenRung, Rung
from w2s.plan import Artifact, Remembering, Run, Sources, computed, needed, open_model, own_model
from w2s.settings.chess import Chess

TASK = "puzzles"


class ChessPlan(Remembering):
    """Every chess run that an experiment can ask for, made on demand and remembered."""

    def __init__(self, experiment: Experiment, setting: Chess, sources: Sources) -> None:
        super().__init__()
        self.setting = setting
        self.seeds: tuple[int, ...] = setting.seeds or experiment.seeds
        self._ceiling_half = experiment.ceiling_half
        self._sources = sources
        self._rungs = {rung.name: rung for rung in setting.ladder}

    def rung(self, name: str) -> Rung:
        """A rung of the ladder by name."""
        if name not in self._rungs:
            raise UserError(f"unknown chess rung {name!r}; {allowed(name, self._rungs)}")
        return self._rungs[name]

    # -- artifacts -----------------------------------------------------------------------------------------

    def data(self, seed: int) -> Artifact:
        """Puzzles in parts; drawn anew for every seed."""
        return self._once(("data", seed), lambda: self._new_data(seed))

    def _new_data(self, seed: int) -> Artifact:
        setting = self.setting
        identity, environment = self._sources.puzzles(setting.puzzles)
        sizes = setting.sizes.model_dump(exclude={"subset", "fewer"})
        spec: dict[str, Any] = {"puzzles": identity, "notation": setting.notation, "sizes": sizes, "seed": seed}
        if setting.subsets():
            spec |= {"subsets": setting.subsets(), "hard": setting.hard}
        message = f"chess puzzles in {setting.notation}, seed {seed}"
        return Artifact("puzzles", f"chess/{TASK}/data", message, spec, environment=environment)

    def corpus(self) -> Artifact:
        """Pretraining tokens of games, and the tokenizer that own rungs share."""
        return self._once(("corpus",), self._new_corpus)

    def _new_corpus(self) -> Artifact:
        setting = self.setting
        games, games_at = self._sources.games(setting.games)
        puzzles, puzzles_at = self._sources.puzzles(setting.puzzles)
        spec = {
            "games": games,
            "apart_from": puzzles,  # no game passes through a puzzle's position
            "notation": setting.notation,
            "vocabulary": setting.vocabulary,
        }
        return Artifact(
            "games",
            "models/games",
            f"chess games in {setting.notation}, and tokenizer",
            spec,
            environment={**games_at, **puzzles_at},
        )

    def model(self, rung: str) -> Artifact:
        """A base model."""
        return self._once(("model", rung), lambda: self._new_model(self.rung(rung)))

    def _new_model(self, rung: Rung) -> Artifact:
        if isinstance(rung, OpenRung):
            return open_model(rung, self._sources)
        return own_model(rung, self.setting, self.setting.pretraining, self.corpus())

    # -- runs ----------------------------------------------------------------------------------------------

    def truth(self, rung: str, seed: int, half: str = "weak") -> Run:
        """A run on a half's true answers: supervisor, and ceiling too unless ``ceiling_half`` says otherwise."""
        labels = ["strong"] if half == "weak" and rung in self._supervisors() else []
        return self._run(rung, seed, "truth", "naive", half, labels)

    def ceiling(self, rung: str, seed: int) -> Run:
        """The ground-truth run that bounds students of this rung."""
        return self.truth(rung, seed, self._ceiling_half)

    def student(self, weak: str, strong: str, seed: int) -> Run:
        """A run on the strong half with the greedy completions of ``weak`` as labels."""
        if weak not in self._supervisors():
            raise UserError(f"chess: {weak!r} supervises none; {allowed(weak, self._supervisors())}")
        return self._step((weak, strong), seed)

    def chain(self, rungs: tuple[str, ...], seed: int) -> Run:
        """The last run of a bootstrapping chain: the whole of one of ``Chess.chains()``, or how it begins.

        Two rungs: the naive student. Each step trains on a fresh slice that the run before has labelled.
        """
        if len(rungs) == 2:
            return self.student(*rungs, seed)
        if len(rungs) < 2 or not any(chain[: len(rungs)] == rungs for chain in self.setting.chains()):
            named = ("-".join(chain) for chain in self.setting.chains())
            raise UserError(f"chess: {'-'.join(rungs)} begins no chain; {allowed('-'.join(rungs), named)}")
        return self._step(rungs, seed)

    def _step(self, rungs: tuple[str, ...], seed: int) -> Run:
        supervisor = self.truth(rungs[0], seed) if len(rungs) == 2 else self._step(rungs[:-1], seed)
        labels = f"from-{rungs[0]}" if len(rungs) == 2 else f"chain-{'-'.join(rungs[:-1])}"
        goes_on = any(len(chain) > len(rungs) and chain[: len(rungs)] == rungs for chain in self.setting.chains())
        later = [_slice(len(rungs) + 1)] if goes_on else []
        return self._run(rungs[-1], seed, labels, "naive", _slice(len(rungs)), later, supervisor)

    def subset(self, rung: str, subset: str, seed: int) -> Run:
        """A run on the truth of puzzles that are easy, hard or any (Appendix C.1).

        ``all`` is the ground-truth run where it sees as many puzzles, as in the paper's figures.
        """
        subsets = self.setting.subsets()
        if not subsets:
            raise LackingError("chess.sizes.subset is null, so there are no easy and hard puzzles to train on")
        if subset not in subsets:
            raise UserError(f"chess: unknown subset {subset!r}; {allowed(subset, subsets)}")
        if subset == "all" and subsets["all"] == self.setting.sizes.weak:
            return self.truth(rung, seed)
        return self._run(rung, seed, "truth", subset, subset, [])

    def zero_shot(self, rung: str, seed: int) -> Run:
        """The base model prompted, not trained."""
        return self._once(("zero-shot", rung, seed), lambda: self._new_zero_shot(rung, seed))

    def _new_zero_shot(self, rung: str, seed: int) -> Run:
        setting = self.setting
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
            "notation": self.setting.notation,
            "training": self.setting.training.model_dump(mode="json"),
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
            "generate",
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
        names = {rung.name for rung in self.setting.supervising()} | {chain[0] for chain in self.setting.chains()}
        return [name for name in self._rungs if name in names]

    # -- everything ----------------------------------------------------------------------------------------

    def every_run(self) -> Iterator[Run]:
        """All runs of the setting, whichever figure asks for them, each once."""
        setting = self.setting
        runs: dict[str, Run] = {}
        for seed in self.seeds:
            for rung in setting.ladder:
                runs |= _by_key(self.zero_shot(rung.name, seed))
                if rung.truth:
                    runs |= _by_key(self.truth(rung.name, seed), self.ceiling(rung.name, seed))
                    runs |= _by_key(*(self.subset(rung.name, subset, seed) for subset in setting.subsets()))
            for weak, strong in setting.pairs():
                runs |= _by_key(self.student(weak.name, strong.name, seed))
            for chain in setting.chains():
                runs |= _by_key(*(self.chain(chain[:end], seed) for end in range(2, len(chain) + 1)))
        yield from runs.values()


def _by_key(*runs: Run) -> dict[str, Run]:
    return {run.key: run for run in runs}


def _slice(step: int) -> str:
    """The part that the run at this place of a chain is trained on: the second on the strong half, then fresh ones."""
    return "strong" if step == 2 else f"step{step - 1}"
