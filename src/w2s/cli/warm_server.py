"""The warm processes' server: imports what stages need, then does ``w2s`` jobs (``w2s.engine.warm``).

Nothing here may start a thread or touch a GPU: lanes are forked and inherit it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Serve in a folder until the workflow with a process number is gone: both are arguments."""
    import pandas  # pyarrow imports it to write its first table
    import pyarrow.parquet
    import tokenizers
    import torch

    from w2s.cli import main as command
    from w2s.engine import warm
    from w2s.experiments.settings import STAGES

    del pandas, pyarrow, tokenizers, torch
    for stage in STAGES.values():
        import_module(stage.module)
    warm.serve(Path(sys.argv[1]), int(sys.argv[2]), command)


if __name__ == "__main__":
    main()
