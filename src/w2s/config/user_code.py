"""A user's own code, named ``module:function`` in the config and found in the project's folder.

The plan reads its source and never imports it; only the stage that needs it does. What identifies it is a hash over
the function and all that it uses of the folder's files (helpers, constants, classes, imported modules), comments,
docstrings and layout aside: an edit makes exactly those runs anew that it may change.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2s.config import parameters
from w2s.errors import UserError, first_line

REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
DIGITS = 16
PASSED_OVER = ("type_comment", "type_params", "kind", "ctx")  # fields that differ between Pythons or say nothing
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


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
    """(identity, place) of ``module:function``. UserError if there is no such function in the project's folder."""
    path, function = file_of(reference, root)
    parameters.find(path, function)
    return {"function": function, "code": digest(reference, root)}, {"module": str(path), "reference": reference}


def digest(reference: str, root: Path = Path()) -> str:
    """A hash over the code of a function and of all that it uses of the project's folder."""
    parts = [[str(one.path.relative_to(root)), _plain(one.node)] for one in used(reference, root)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:DIGITS]


def function(reference: str, code: str, root: Path = Path()) -> Callable[..., Any]:
    """The function itself. UserError if its code is not the one that was planned, or cannot be imported."""
    path, name = file_of(reference, root)
    if digest(reference, root) != code:
        raise UserError(f"{path}: {name} changed since this was planned; run the same command again")
    _forget({one.path for one in used(reference, root)}, root)
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


def load(identity: dict[str, Any], place: dict[str, Any]) -> Callable[..., Any]:
    """The function of an identity and a place that ``described`` gave."""
    return function(place["reference"], identity["code"])


def _forget(files: set[Path], root: Path) -> None:
    """A process that did another job may have imported these files as they were, or other files of their names."""
    for path in files:
        parts = path.relative_to(root).with_suffix("").parts
        sys.modules.pop(".".join(parts[:-1] if parts[-1] == "__init__" else parts), None)


# -- what a function uses ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """One statement at the top of a file."""

    path: Path
    number: int
    node: ast.stmt


def used(reference: str, root: Path = Path()) -> list[Statement]:
    """The statements that make a function what it is, in the order of files and lines.

    Of a file whose names are used: what defines them, what these use in turn, and every statement that is no
    definition (it may do anything). Of a file that is imported as a whole: everything.
    """
    path, name = file_of(reference, root)
    found: dict[tuple[Path, int], Statement] = {}
    pending: list[tuple[Path, str | None]] = [(path, name)]
    seen: set[tuple[Path, str | None]] = set()
    while pending:
        place = pending.pop()
        if place in seen:
            continue
        seen.add(place)
        for one in _chosen(*place):
            if (one.path, one.number) not in found:
                found[one.path, one.number] = one
                pending += _asks_for(one, root)
    return [found[key] for key in sorted(found)]


def _chosen(path: Path, name: str | None) -> Iterator[Statement]:
    """The statements of a file that a name comes from, and those that are run whatever it is; all for None."""
    for number, node in enumerate(parameters.parsed(path).body):
        if _is_idle(node):
            continue
        binds = _binds(node)
        if name is None or binds is None or name in binds or "*" in binds:
            yield Statement(path, number, node)


def _is_idle(node: ast.stmt) -> bool:
    """Whether importing runs nothing of it: a docstring, what only runs as a script."""
    script = isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"
    return script or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _binds(node: ast.stmt) -> set[str] | None:
    """The names that a statement defines and does no more; None for one that may do anything."""
    if isinstance(node, Definition):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    if targets and all(isinstance(target, ast.Name) for target in targets):
        return {target.id for target in targets if isinstance(target, ast.Name)}
    return None


def _asks_for(one: Statement, root: Path) -> Iterator[tuple[Path, str | None]]:
    """What else a statement uses: names of its own file, names of other files of the folder, whole files."""
    for node in ast.walk(one.node):
        if isinstance(node, ast.Name):
            yield one.path, node.id
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _whole(alias.name, root)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, one.path, root)
            path = _source(root, module)
            yield from _packages(module, root)
            for alias in node.names:
                inside = _source(root, f"{module}.{alias.name}")
                if inside is not None:
                    yield inside, None
                elif path is not None:
                    yield path, None if alias.name == "*" else alias.name


def _whole(module: str, root: Path) -> Iterator[tuple[Path, str | None]]:
    yield from _packages(module, root)
    path = _source(root, module)
    if path is not None:
        yield path, None


def _packages(module: str, root: Path) -> Iterator[tuple[Path, str | None]]:
    """The ``__init__`` files that importing a module runs first."""
    parts = module.split(".")
    for end in range(1, len(parts)):
        path = root.joinpath(*parts[:end], "__init__.py")
        if path.is_file():
            yield path, None


def _absolute(node: ast.ImportFrom, path: Path, root: Path) -> str:
    """The module that ``from ... import`` names, dots in front resolved."""
    if not node.level:
        return node.module or ""
    package = path.relative_to(root).parent.parts
    package = package[: len(package) - (node.level - 1)]
    return ".".join([*package, *([node.module] if node.module else [])])


def _source(root: Path, module: str) -> Path | None:
    place = root.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _plain(node: object) -> object:
    """A syntax tree as lists and texts, the same in every Python, docstrings left out."""
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields: list[object] = []
    for name, value in ast.iter_fields(node):
        if isinstance(node, (Definition, ast.Module)) and name == "body" and ast.get_docstring(node) is not None:
            value = value[1:]
        if name not in PASSED_OVER and value is not None and value != []:
            fields.append([name, _plain(value)])
    return [type(node).__name__, fields]
