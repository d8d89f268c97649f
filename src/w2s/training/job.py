"""The common part of stages that compute with a network: loading it, and what their record says in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import nn

from w2s.config.ladder import Adapters
from w2s.engine import distributed
from w2s.engine.artifacts import Build
from w2s.engine.checkpoints import Checkpoint
from w2s.engine.devices import choice, compile_where_it_pays, described, device, peak_of
from w2s.engine.memory import Budget, budget_of
from w2s.engine.sharded import checkpoint_at
from w2s.models.classifier import Classifier, Computing, pack
from w2s.models.vocabulary import keep_used_rows
from w2s.training.batching import Texts
from w2s.training.loop import Runtime, Schedule, summary
from w2s.training.records import write_history
from w2s.training.specs import ModelSpec

N = TypeVar("N", bound=nn.Module)
FORWARD, TRAINING = 2.0, 6.0  # FLOP per parameter and token


def multiplied(network: nn.Module) -> int:
    """Parameters that tokens are multiplied with: all but embeddings that are only looked up.

    A classifier computes no logits over the vocabulary; a generator's unembedding counts, also where it is the
    embedding.
    """
    modules = list(network.modules())
    embeddings = {one.weight for one in modules if isinstance(one, nn.Embedding)}
    if getattr(network, "output", network) is None:  # a generator that unembeds with its embedding
        embeddings = set()
    for module in modules:
        if not isinstance(module, nn.Embedding):
            embeddings -= set(module.parameters(recurse=False))
    return sum(one.numel() for one in network.parameters()) - sum(one.numel() for one in embeddings)


class Job:
    """A stage's work with a network on a device.

    environment: of the job, without effect on results: ``checkpointing`` recomputes activations in the backward pass.
    """

    def __init__(self, build: Build, environment: Mapping[str, Any] | None = None) -> None:
        self.build = build
        self.device = device()
        self._checkpointing = bool((environment or {}).get("checkpointing"))
        self._cost: dict[str, float] = {}
        self._compiled = self._packed = False

    @cached_property
    def budget(self) -> Budget:
        """The size of micro-batches; recorded if it is used."""
        return budget_of(self.device)

    def computing(self, spec: ModelSpec, adapters: Adapters | None = None) -> Computing:
        """How the base model is computed. adapters: of the method, in place of the rung's."""
        chosen = adapters or spec.adapters
        return Computing(spec.precision, chosen.model_dump() if chosen else None, self._checkpointing)

    def load(self, make: Callable[[], N], seed: int) -> N:
        """The network that ``make`` loads, on the device, sharded in distributed training. seed: of adapters."""
        torch.manual_seed(seed)
        network: N = distributed.load_on(make, self.device)
        return network

    def keep_used_rows(self, network: nn.Module, schedule: Schedule, texts: Sequence[Texts]) -> Callable[[], None]:
        """On a CPU, train only the embedding's rows that these texts use, where this changes no result.

        Returns a function that undoes it.
        """
        if self.device.type != "cpu" or distributed.size() > 1 or schedule.weight_decay:
            return lambda: None
        return keep_used_rows(network, torch.cat([some.used() for some in texts]))

    def pack(self, network: Classifier, texts: Sequence[Texts]) -> None:
        """Let a classifier read these texts packed, where W2S_PACK asks for it and it gives the same results so.

        Never in one of several processes.
        """
        if choice("W2S_PACK", "never", "always") == "never" or distributed.size() > 1:
            return
        self._packed = pack(network, max(int(some.lengths.max()) for some in texts))
        if not self._packed:
            print("this model gives other results for packed texts: they are padded", flush=True)

    @property
    def keeps_weights(self) -> bool:
        """Whether W2S_KEEP_WEIGHTS asks for the trained weights."""
        return choice("W2S_KEEP_WEIGHTS", "never", "always") == "always"

    def train(self, network: nn.Module, tokens: float, compiles: nn.Module) -> None:
        """Note the cost of training on so many tokens; compile a part of the network where that pays."""
        self._note_cost(network, tokens, TRAINING)
        self._compiled = compile_where_it_pays(compiles, self.device, self._cost["flop"])

    def read(self, network: nn.Module, tokens: int) -> None:
        """Note the cost of reading so many tokens."""
        self._note_cost(network, tokens, FORWARD)

    def _note_cost(self, network: nn.Module, tokens: float, each: float) -> None:
        self._cost = {"tokens": round(tokens), "flop": each * multiplied(network) * tokens}

    def checkpoint(self) -> Checkpoint:
        """The checkpoint of the training loop."""
        return checkpoint_at(self.build.work / "checkpoint.pt")

    def runtime(self) -> Runtime:
        """The checkpoint, the memory budget and the reporter of the training loop."""
        return Runtime(self.checkpoint(), self.budget, self.build.reporter)

    def finish(self, measured: Mapping[str, Any], history: list[dict[str, float]] | None = None) -> None:
        """Write ``history.csv``, if there is one, and the measurements of the record."""
        if history is not None:
            write_history(self.build.folder / "history.csv", history)
            print(summary(history[-1]))
        self.build.measured |= {**measured, **self._cost, "device": described(self.device)}
        if "budget" in vars(self):
            self.build.measured |= self.budget.record()
        if self._compiled:
            self.build.measured["compiled"] = True
        if self._packed:
            self.build.measured["packed"] = True
        self.build.measured |= peak_of(self.device)
