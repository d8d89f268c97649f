"""The device that a job computes on. Environment, not identity: nothing here is part of a run's key."""

from __future__ import annotations

import os

import torch

from w2s.errors import UserError


def device() -> torch.device:
    """Where to compute: W2S_DEVICE, or the GPU if there is one, or the CPU.

    On the CPU a job takes W2S_THREADS threads, one by default whatever the machine has: the number of threads
    changes the order of sums, and the same seed should give the same bits anywhere.
    """
    name = os.environ.get("W2S_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(name)
    except RuntimeError:
        raise UserError(f"W2S_DEVICE={name!r} is not a device; allowed: cpu, cuda, cuda:0, ...") from None
    if chosen.type == "cpu":
        torch.set_num_threads(int(os.environ.get("W2S_THREADS", "1")))
    return chosen
