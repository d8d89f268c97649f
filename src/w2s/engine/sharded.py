"""Checkpoints in distributed training: a folder with one file per rank, from which any number of ranks can resume."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from w2s.engine import distributed
from w2s.engine.checkpoints import DAMAGE, LAST_SECONDS, RNG, Checkpoint, load, save
from w2s.errors import first_line


def checkpoint_at(path: Path) -> Checkpoint:
    """The checkpoint of this run: a file, or in distributed training a folder ``<name>-<step>`` beside it."""
    return Checkpoint(path) if distributed.size() == 1 else ShardedCheckpoint(path)


class ShardedCheckpoint(Checkpoint):
    """As ``Checkpoint``; every rank writes its shards. The folder is renamed into place when all have written."""

    def resume(self, fresh: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """(first step, gathered): from the newest folder if there is one, else (0, fresh); the same on all ranks."""
        dist.barrier()
        folders = self._folders()
        if not folders:
            return 0, fresh
        content: dict[str, Any] = {}
        try:
            content = local_content(folders[-1])
            states = [content["parts"][name] for name in self._all_parts()]
        except DAMAGE as error:
            print(f"{folders[-1]}: damaged ({first_line(error)}); starting from the beginning", flush=True)
            content = {}
        if not distributed.all_true(bool(content)):
            return 0, fresh
        for part, state in zip(self._all_parts().values(), states, strict=True):
            part.load_state_dict(state)
        print(f"resuming at step {content['step']}", flush=True)
        return int(content["step"]), dict(content["gathered"])

    def maybe_save(self, step: int, gathered: Callable[[], Mapping[str, Any]], *, last: bool = False) -> None:
        """Save if it is time on rank 0."""
        due = time.monotonic() - self.saved >= (min(self.seconds, LAST_SECONDS) if last else self.seconds)
        if not distributed.broadcast(due):
            return
        aside = self.path.with_suffix(".partial")
        first = distributed.rank() == 0
        if first:
            shutil.rmtree(aside, ignore_errors=True)
        problem = ""
        dist.barrier()
        content = dict(gathered())
        parts = {name: _local(part.state_dict()) for name, part in self._all_parts().items()}
        try:
            aside.mkdir(exist_ok=True)
            file = aside / f"{distributed.rank()}-of-{distributed.size()}.pt"
            save({"step": step, "parts": parts, "gathered": content}, file)
        except (OSError, RuntimeError) as error:  # a full disk: the run itself can go on
            problem = str(error)
        written = distributed.all_true(not problem)
        self.saved = time.monotonic()
        if problem or (first and not written):
            print(f"{aside}: cannot be saved ({problem or 'on another rank'}); continuing without it", flush=True)
        if first and written:
            older = self._folders()
            aside.rename(self._folder(step))
            for folder in older:
                shutil.rmtree(folder, ignore_errors=True)
        elif first:
            shutil.rmtree(aside, ignore_errors=True)

    def _folder(self, step: int) -> Path:
        return self.path.with_name(f"{self.path.stem}-{step}")

    def _folders(self) -> list[Path]:
        """Complete folders, oldest first."""
        there = [path for path in self.path.parent.glob(f"{self.path.stem}-*") if path.is_dir()]
        return sorted(there, key=lambda path: int(path.name.rpartition("-")[2]))


def local_content(folder: Path) -> dict[str, Any]:
    """What this rank would have written, whatever the number of ranks that wrote. OSError if a file is missing."""
    files = sorted(folder.glob("*-of-*.pt"), key=lambda path: int(path.name.partition("-")[0]))
    count = int(files[0].stem.rpartition("-")[2]) if files else 0
    if len(files) != count or not files:
        raise FileNotFoundError(f"{folder}: {len(files)} of {count} files")
    if count == distributed.size():
        files = files[distributed.rank() : distributed.rank() + 1]
    contents = [load(file, mmap=True) for file in files]
    content: dict[str, Any] = contents[0]
    if len(contents) > 1 or count != distributed.size():
        parts = {
            name: _reshard([shard["parts"][name] for shard in contents]) for name in content["parts"] if name != RNG
        }
        content = {
            "step": content["step"],
            "parts": parts | {RNG: content["parts"][RNG]},
            "gathered": _reshard([shard["gathered"] for shard in contents]),
        }
    return content


def _reshard(shards: Sequence[Any]) -> Any:
    """The rows of this rank, from tensors that other ranks held in shards; everything else as rank 0 has it."""
    first = shards[0]
    if isinstance(first, Mapping):
        return {name: _reshard([shard[name] for shard in shards]) for name in first}
    if not isinstance(first, Tensor) or first.dim() == 0:
        return first
    whole = torch.cat(list(shards))
    rows = -(-len(whole) // distributed.size())
    return whole[distributed.rank() * rows : (distributed.rank() + 1) * rows].clone()


def _local(state: Any) -> Any:
    """A state with the local shard of every sharded tensor."""
    if isinstance(state, Mapping):
        return {name: _local(value) for name, value in state.items()}
    if isinstance(state, list):
        return [_local(value) for value in state]
    return distributed.local_shard(state) if isinstance(state, Tensor) else state
