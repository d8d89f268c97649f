"""Resume after a kill: the state of a training loop, saved now and then under work/<key>/.

Files are checked as a whole before anything is taken from them. What was damaged on the disk is not resumed from.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import torch

from w2s.engine.devices import environment_number
from w2s.errors import first_line

DEFAULT_SECONDS = 60.0
SPACING = 10  # least time between saves, in times that the last one took
LAST_SECONDS = 5.0  # least training time worth a checkpoint at the end: publishing the result may fail
RNG = "chance"  # name of the RNG state in files
SEAL = b"sha256:"  # a file's last bytes: this and the hex digest of all before it
SEALED = len(SEAL) + 64
DAMAGE = (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError)  # what ``load`` can raise


def save(content: Mapping[str, Any], path: Path) -> None:
    """Write tensors and numbers, and a checksum behind them, to the disk. OSError, RuntimeError where it is full."""
    with path.open("w+b") as file:
        torch.save(dict(content), file)
        size = file.tell()
        file.seek(0)
        seal = _seal(file, size)
        file.seek(size)
        file.write(seal)
        file.flush()
        os.fsync(file.fileno())


def load(path: Path, *, mmap: bool = False) -> dict[str, Any]:
    """What ``save`` wrote. ValueError if the file is not what was written, to the last bit."""
    with path.open("rb") as file:
        size = path.stat().st_size - SEALED
        if size < 0 or _seal(file, size) != file.read():
            raise ValueError("its checksum does not match")
    return dict(torch.load(path, map_location="cpu", weights_only=True, mmap=mmap))


def _seal(file: BinaryIO, size: int) -> bytes:
    """The seal of the next ``size`` bytes of a file."""
    total = hashlib.sha256()
    while size > 0 and (block := file.read(min(size, 2**20))):
        total.update(block)
        size -= len(block)
    return SEAL + total.hexdigest().encode()


class Stateful(Protocol):
    """A model, an optimiser: anything with a state to save and load."""

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to continue."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Continue from a saved state."""
        ...


class RngState:
    """The state of torch's random number generators, on every device."""

    def state_dict(self) -> dict[str, Any]:
        """CPU and, where they are in use, GPUs."""
        gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else []
        return {"cpu": torch.get_rng_state(), "gpus": gpus}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the generators; the state of GPUs that this machine does not have is ignored."""
        torch.set_rng_state(state_dict["cpu"])
        if state_dict["gpus"] and torch.cuda.device_count() == len(state_dict["gpus"]):
            torch.cuda.set_rng_state_all(state_dict["gpus"])


class Checkpoint:
    """A file that holds the loop's position, the states of its parts, and what it has gathered so far.

    The position decides the learning rate and which examples come next (loops draw their order from seeds), so
    with the parts (model, optimiser) and the RNG state nothing else is needed, and resuming from a
    step gives the same numbers as never having stopped. Saved at most every W2S_CHECKPOINT_SECONDS (60 by
    default; 0: at every opportunity), atomically, so a kill at any moment leaves the last good one. Saving never takes
    more than about a tenth of the time: large models on slow disks are saved less often.
    """

    def __init__(self, path: Path, parts: Mapping[str, Stateful] | None = None) -> None:
        self.path = path
        self.parts = dict(parts or {})
        self.seconds = environment_number("W2S_CHECKPOINT_SECONDS", DEFAULT_SECONDS, least=0)
        self.saved = time.monotonic()
        self.took = 0.0  # seconds of the last save

    def _all_parts(self) -> dict[str, Stateful]:
        return {**self.parts, RNG: RngState()}

    def resume(self, fresh: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """(first step, gathered): from the file if there is one, else (0, fresh)."""
        if not self.path.exists():
            return 0, fresh
        try:
            content = load(self.path)
            states = [content["parts"][name] for name in self._all_parts()]
        except DAMAGE as error:
            print(f"{self.path}: damaged ({first_line(error)}); starting from the beginning", flush=True)
            return 0, fresh
        for part, state in zip(self._all_parts().values(), states, strict=True):
            part.load_state_dict(state)
        print(f"resuming at step {content['step']}", flush=True)
        return int(content["step"]), dict(content["gathered"])

    def maybe_save(self, step: int, gathered: Callable[[], Mapping[str, Any]], *, last: bool = False) -> None:
        """Save if it is time. step: the first one still to do; last: none is left; gathered: asked only then."""
        began = time.monotonic()
        wait = min(self.seconds, LAST_SECONDS) if last else max(self.seconds, SPACING * self.took)
        if began - self.saved < (wait if self.seconds else 0):
            return
        aside = self.path.with_suffix(".partial")
        content = dict(gathered())
        parts = {name: part.state_dict() for name, part in self._all_parts().items()}
        try:
            save({"step": step, "parts": parts, "gathered": content}, aside)
            aside.replace(self.path)
        except (OSError, RuntimeError) as error:  # a full disk: the run itself can go on
            aside.unlink(missing_ok=True)
            print(f"{self.path}: cannot be saved ({error}); continuing without it", flush=True)
        self.saved = time.monotonic()
        self.took = self.saved - began
