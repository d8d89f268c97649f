"""Memory that a job frees and soon needs again."""

from __future__ import annotations

import ctypes
import sys

# Of glibc's mallopt (3). It raises both itself, to these values at most, as a program frees larger and larger blocks.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST_BLOCK = 32 * 2**20  # bytes


def keep_freed_memory() -> bool:
    """Keep up to 64 MiB of freed memory for the next step, where the C library is glibc; whether it is.

    A step of a small model frees tens of megabytes, and by default most of it goes back to the system each time: the
    next step's page faults then take up to a third of pretraining.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST_BLOCK) and mallopt(TRIM_THRESHOLD, 2 * LARGEST_BLOCK))
