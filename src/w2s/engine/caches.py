"""Where libraries keep what they download or compile, if the user's home cannot hold it.

Snakemake, the hub's library, torch and matplotlib keep caches in the user's home, torch's compiler in the shared
temporary folder. On clusters and in containers a home may be missing or read-only. This module is light: it is called
before anything else is imported.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from w2s.engine import private

HOME = "XDG_CACHE_HOME"
OF_LIBRARIES = {"HF_HOME": "huggingface", "TORCH_HOME": "torch"}  # variable -> name of its folder in a cache
COMPILED = "TORCHINDUCTOR_CACHE_DIR"


def settle() -> None:
    """Move caches to the project's folder if the home cannot hold them, saying so in one line on stderr.

    What an unwritable cache holds already is still used.
    """
    home = Path(os.environ.get(HOME) or os.path.expanduser("~/.cache"))
    if home.is_absolute() and _can_hold(home):
        return
    try:
        instead = private.lasting("cache")
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}"
        print(f"w2s: no caches in {home} nor in the project ({reason}); set {HOME}", file=sys.stderr)
        return
    for variable, name in OF_LIBRARIES.items():
        if home.is_absolute() and os.access(home / name, os.R_OK):
            os.environ.setdefault(variable, str(home / name))
    os.environ.setdefault("MPLCONFIGDIR", str(instead / "matplotlib"))
    os.environ[HOME] = str(instead)
    print(f"w2s: {home} cannot be written; caches are in {instead}. Set {HOME} for another folder", file=sys.stderr)


def settle_compiled() -> None:
    """Keep what torch compiles in the user's own directory: its default is a name that others can take first."""
    if COMPILED in os.environ:
        return
    try:
        os.environ[COMPILED] = str(private.lasting("compiled"))
    except OSError:
        os.environ[COMPILED] = tempfile.mkdtemp(prefix="w2s-")  # not kept for other jobs


def _can_hold(folder: Path) -> bool:
    """Whether the folder can be written. It is made if missing, as libraries would."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)
