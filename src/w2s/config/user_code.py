"""A user's own code, named ``module:function`` in the config and found in the project's folder.

The plan reads its source and never imports it; only the stage that needs it does. What identifies it is a hash of its
file, and of the files of the folder that this one imports, directly or not: an edit of any of them moves the runs that
use the function.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from w2s.config import parameters
from w2s.errors import UserError, first_line

REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
DIGITS = 16


def is_own(name: str) -> bool:
    """Whether a name in the config is a user's own ``module:function``."""
    return ":" in name


def file_of(reference: str, root: Path = Path()) -> tuple[Path, str]:
    """(the source file, the function's name). UserError if there is no such file in the project's folder."""
    if not REFERENCE.fullmatch(reference):
        raise UserError(f"{reference!r} is not allowed; allowed: module:function, of a file in the project's folder")
    module, _, function = reference.partition(":")
    path = _source(root, module)
    if path is None:
        wanted = root.joinpath(*module.split(".")).with_suffix(".py")
        raise UserError(f"{reference!r}: no file {str(wanted)!r} in the project's folder; it should define {function}")
    return path, function


def described(reference: str, root: Path = Path()) -> tuple[dict[str, Any], dict[str, Any]]:
    """(identity, location) of ``module:function``. UserError if there is no such function in the project's folder."""
    path, function = file_of(reference, root)
    parameters.find(path, function)
    return {"function": function, "code": digest(reference, root)}, {"module": str(path), "reference": reference}


def digest(reference: str, root: Path = Path()) -> str:
    """A hash of the function's file and of those of the project's folder that it imports."""
    total = hashlib.sha256()
    for path in files(reference, root):
        total.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes() + b"\n")
    return total.hexdigest()[:DIGITS]


def function(reference: str, code: str, root: Path = Path()) -> Callable[..., Any]:
    """The function itself. UserError if its code is not the one that was planned, or cannot be imported."""
    path, name = file_of(reference, root)
    if digest(reference, root) != code:
        raise UserError(f"{path}: {name} changed after the workflow started; run the same command again")
    _forget(files(reference, root), root)
    folder = str(root.resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # nothing is left in the user's folder
    try:
        importlib.invalidate_caches()
        found = getattr(importlib.import_module(reference.partition(":")[0]), name)
    except Exception as error:
        raise UserError(f"{path}: cannot be imported ({type(error).__name__}: {first_line(error)})") from None
    finally:
        sys.dont_write_bytecode = kept
    return found  # type: ignore[no-any-return]


def load(identity: dict[str, Any], location: dict[str, Any]) -> Callable[..., Any]:
    """The function of an identity and a location that ``described`` gave."""
    return function(location["reference"], identity["code"])


def files(reference: str, root: Path = Path()) -> list[Path]:
    """The function's file and those of the project's folder that it imports, directly or not, in order of path."""
    found: set[Path] = set()
    pending = [file_of(reference, root)[0]]
    while pending:
        path = pending.pop()
        if path not in found:
            found.add(path)
            pending += _imported(path, root)
    return sorted(found)


def _imported(path: Path, root: Path) -> Iterator[Path]:
    """The files of the folder that importing a file may run: modules by name, and the packages they are in."""
    for node in ast.walk(parameters.parsed(path)):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(root).parent.parts
            inside = package[: len(package) - (node.level - 1)] if node.level else ()
            module = ".".join([*inside, *([node.module] if node.module else [])])
            modules = [module, *(f"{module}.{alias.name}" if module else alias.name for alias in node.names)]
        for module in modules:
            parts = module.split(".")
            for end in range(1, len(parts) + 1):
                source = _source(root, ".".join(parts[:end]))
                if source is not None:
                    yield source


def _source(root: Path, module: str) -> Path | None:
    place = root.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _forget(paths: list[Path], root: Path) -> None:
    """A process that did another job may have imported these files as they were, or other files of their names."""
    for path in paths:
        parts = path.relative_to(root).with_suffix("").parts
        sys.modules.pop(".".join(parts[:-1] if parts[-1] == "__init__" else parts), None)
