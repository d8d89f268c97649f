"""Memory: the size of micro-batches, and what happens when memory runs out. Environment, not identity."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from w2s.engine.devices import environment_number
from w2s.engine.rank import MicroBatchTooLargeError, worker
from w2s.errors import UserError

T = TypeVar("T")

# Tokens of a micro-batch, padding included. Environment, not identity: a batch has the same loss and gradient however
# it is split.
MICRO_BATCH_TOKENS = {"cpu": 4096, "cuda": 32_768}


@dataclass
class Budget:
    """Tokens of a micro-batch, halved whenever memory runs out. halved: the sizes that did not fit."""

    tokens: int
    halved: list[int] = field(default_factory=list)

    def attempt(self, work: Callable[[int], T]) -> T:
        """``work(tokens)``, repeated with half as many tokens as long as it runs out of memory.

        ``work`` must start afresh each time. UserError if a single token is still too much. A worker of several cannot
        retry alone: it raises MicroBatchTooLargeError, and all restart (``w2s.engine.launcher``).
        """
        while True:
            try:
                return work(self.tokens)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                if self.tokens == 1:
                    raise UserError(
                        "out of memory even with one text at a time; use a smaller rung, a GPU with "
                        "more memory, or checkpointing: true for this rung"
                    ) from None
                if worker().size > 1:
                    raise MicroBatchTooLargeError(self.tokens) from None
            release_memory()
            self.halved.append(self.tokens)
            self.tokens //= 2
            print(f"out of memory: continuing with micro-batches of {self.tokens} tokens, same result", flush=True)

    def state_dict(self) -> dict[str, Any]:
        """For checkpoints: a resumed run need not run out of memory again, and its record says that it did."""
        return {"tokens": self.tokens, "halved": list(self.halved)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue with the size that fitted."""
        self.tokens = min(self.tokens, state_dict["tokens"])
        self.halved[:] = state_dict["halved"]

    def record(self) -> dict[str, object]:
        """For ``run.json``: the final size, and the sizes that did not fit."""
        return {"tokens_at_once": self.tokens} | ({"out_of_memory_at": self.halved} if self.halved else {})


def budget_of(device: torch.device) -> Budget:
    """W2S_TOKENS_AT_ONCE, or the default of the device."""
    usual = MICRO_BATCH_TOKENS.get(device.type, MICRO_BATCH_TOKENS["cpu"])
    return Budget(int(environment_number("W2S_TOKENS_AT_ONCE", usual, least=1)))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error is about memory, of the GPU or of the host."""
    said = str(error).lower()
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and ("out of memory" in said or "can't allocate memory" in said)
    )


def release_memory() -> None:
    """Free unused memory, on the GPU too."""
    gc.collect()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
