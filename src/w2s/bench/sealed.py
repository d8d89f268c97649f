"""The method's process: ``python -m w2s.bench.sealed FOLDER OUT``. It imports the method, and has nothing but FOLDER.

FOLDER has ``method.py``, ``models/<rung>``, this package's modules that training needs, and ``cells/<number>.json``;
predictions go to ``OUT/<number>.json``.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from pathlib import Path
from types import ModuleType

import torch

from w2s.bench.hooks import Cell
from w2s.bench.student import run
from w2s.errors import UserError


def main(folder: Path, out: Path) -> int:
    """Train and predict cell after cell. An error ends the process; its last line on stderr says what it was."""
    where = "import"
    try:
        method = imported(folder / "method.py")
        for path in sorted((folder / "cells").glob("*.json")):
            content = json.loads(path.read_text(encoding="utf-8"))
            cell = Cell.read(content["cell"], folder / "models")
            where = str(cell)
            weak = {
                part: {name: torch.tensor(values) for name, values in labels.items()}
                for part, labels in content["labels"].items()
            }
            predicted = run(cell, content["texts"], weak, method)
            (out / path.name).write_text(json.dumps(predicted.tolist()), encoding="utf-8")
            print(cell, flush=True)
    except UserError as error:
        print(f"{where}: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # the method's own, whatever it is
        traceback.print_exc()
        print(f"{where}: {type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def imported(path: Path) -> ModuleType:
    """The method's module."""
    spec = importlib.util.spec_from_file_location("method", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["method"] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
