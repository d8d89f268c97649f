"""The machine that a job runs on. Environment, not identity: nothing here is part of a run's key."""

from __future__ import annotations

import os

import torch
from torch import nn

from w2s.engine import caches, gpus
from w2s.engine.heap import keep_freed_memory
from w2s.engine.rank import worker
from w2s.errors import UserError

COMPILE_FROM = 2e15  # FLOP of training on a GPU from which a minute of compiling comes back


def environment_number(variable: str, default: float, *, least: float) -> float:
    """An environment variable as a number; UserError if it is none or too small."""
    text = os.environ.get(variable, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = least - 1
    if not value >= least:
        raise UserError(f"{variable}={text!r} is not allowed; allowed: a number, at least {least:g}")
    return value


def choice(variable: str, *allowed: str) -> str:
    """An environment variable as one of several words, the first by default; UserError for another word."""
    wish = os.environ.get(variable) or allowed[0]
    if wish not in allowed:
        raise UserError(f"{variable}={wish!r} is not allowed; allowed: {', '.join(allowed)}")
    return wish


def device() -> torch.device:
    """Where to compute: W2S_DEVICE, or the GPU if there is one, or the CPU.

    On the CPU a job takes W2S_THREADS threads, one by default whatever the machine has: the number of threads
    changes the order of sums, and the same seed should give the same bits anywhere. Of several GPUs it takes the one
    with the fewest jobs, until the job ends (``w2s.engine.gpus``).
    """
    name = os.environ.get("W2S_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not gpus.held():
        places = int(environment_number("W2S_JOBS_PER_GPU", gpus.PLACES, least=1))
        torch.cuda.set_device(gpus.take(gpus.visible(torch.cuda.device_count()), places))
    try:
        chosen = torch.device(name)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"W2S_DEVICE={name!r} cannot be used here ({reason}); allowed: cpu, cuda, cuda:0, ..."
        ) from None
    if chosen.type == "cpu":
        torch.set_num_threads(int(environment_number("W2S_THREADS", 1, least=1)))
        keep_freed_memory()
    return chosen


def described(where: torch.device) -> str:
    """A device in words, for records."""
    return torch.cuda.get_device_name(where) if where.type == "cuda" else where.type


def peak_of(where: torch.device) -> dict[str, int]:
    """For records: the most memory of a GPU that this job held; nothing on a CPU, whose records have it anyway."""
    if where.type != "cuda":
        return {}
    return {"peak_gpu_memory_mib": round(torch.cuda.max_memory_allocated(where) / 2**20)}


def compile_where_it_pays(network: nn.Module, where: torch.device, flop: float) -> bool:
    """Compile a model in place: on a GPU, for training of ``flop`` and more. W2S_COMPILE says otherwise.

    Never in one of several processes, whose weights come and go.
    """
    wish = choice("W2S_COMPILE", "auto", "always", "never")
    pays = wish == "always" or (wish == "auto" and where.type == "cuda" and flop >= COMPILE_FROM)
    pays = pays and worker().size == 1
    if pays:
        caches.settle_compiled()
        network.compile(dynamic=True)
    return pays
