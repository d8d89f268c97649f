"""Which source files make each stage's results, and whether they changed since its version was set.

A code edit re-trains nothing by itself. What keeps that honest is ``stages.lock``: for every stage its
version and a hash of the code it imports (comments and docstrings aside). A test fails when the code changed
but neither was the version raised (results change: everything is made again at new paths) nor the lock
renewed on purpose (``w2s stages --unchanged STAGE``: results do not change).
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from w2s.errors import UserError, allowed
from w2s.graph.stage import Stage

FIGURES = ("w2s.analysis", "w2s.figures", "w2s.paper", "w2s.nlp.tasks", "w2s.nlp.prompting.prompts")
CLAIMS = ("w2s.analysis", "w2s.claims", "w2s.paper", "w2s.report")
PACKAGE = Path(__file__).resolve().parent.parent
LOCK = Path("stages.lock")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# Plumbing: it decides where and whether something is made, not what comes out. Packages and modules, ...
PLUMBING: tuple[str, ...] = ("w2s.config", "w2s.errors", "w2s.experiments", "w2s.graph")
ENGINE = ("artifacts", "caches", "gpus", "hashes", "hub", "progress", "sources", "space", "trackers", "tracking")
PLUMBING += tuple(f"w2s.engine.{name}" for name in ENGINE)
ROLES = ("config", "plan", "setting", "sources", "stages")  # ... and these modules of settings and models


def is_plumbing(module: str) -> bool:
    """Whether a module is left out of stages' hashes, and what it imports with it."""
    packages = (module == name or module.startswith(f"{name}.") for name in PLUMBING)
    return module == "w2s" or module.rpartition(".")[2] in ROLES or any(packages)


def file_of(module: str) -> Path | None:
    """The source file of a module of this package; None if there is no such module."""
    place = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def imports(module: str) -> frozenset[str]:
    """Modules of this package that a module imports, anywhere in its source."""
    path = file_of(module)
    assert path is not None, module
    named: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named.add(node.module)
            named |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(name for name in named if name.split(".")[0] == "w2s" and file_of(name))


@cache
def closure(module: str, leave_out: Callable[[str], bool] = lambda name: False) -> tuple[str, ...]:
    """The module and all that it imports from this package, directly or not, in order of name."""
    found: set[str] = set()
    pending = [module]
    while pending:
        name = pending.pop()
        if name not in found and not leave_out(name):
            found.add(name)
            pending += imports(name)
    return tuple(sorted(found))


def sources(module: str, among: tuple[str, ...] = FIGURES) -> list[Path]:
    """Source files of a figure module: itself, what it imports of analyses and figures, and the paper's numbers.

    among: the packages that count. What it imports through plumbing does not.
    """
    names = [name for name in closure(module, is_plumbing) if name.startswith(among) or name.endswith(".analysis")]
    numbers = sorted((PACKAGE / "paper").glob("*.csv")) if "w2s.paper" in names else []
    return [path for name in names if (path := file_of(name))] + numbers


def locked_elsewhere(lock: Path = LOCK) -> str | None:
    """The Python version that made the lock, if it is not this one: the same code hashes differently there."""
    version = json.loads(lock.read_text())["python"] if lock.is_file() else PYTHON
    return None if version == PYTHON else str(version)


def digest(modules: Iterable[str]) -> str:
    """A hash of the modules' code without comments, docstrings and layout."""
    total = hashlib.sha256()
    for name in modules:
        total.update(f"{name}\n{_code(name)}\n".encode())
    return total.hexdigest()[:16]


@cache
def _code(module: str) -> str:
    path = file_of(module)
    assert path is not None, module
    return _bare(path.read_text(encoding="utf-8"))


def _bare(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def current(stages: Mapping[str, Stage]) -> dict[str, dict[str, object]]:
    """Stage -> version and code hash, as they are now."""
    return {
        name: {"version": stage.version, "code": digest(closure(stage.module, is_plumbing))}
        for name, stage in stages.items()
    }


def changed(stages: Mapping[str, Stage], lock: Path = LOCK) -> list[str]:
    """Stages whose code changed while their version did not, or whose new version is not locked yet."""
    locked = json.loads(lock.read_text()) if lock.is_file() else {}
    return [stage for stage, now in current(stages).items() if locked.get(stage) != now]


def command(stages: Mapping[str, Stage], *, relock: bool, unchanged: Sequence[str], lock: Path = LOCK) -> str:
    """What ``w2s stages`` does; returns what it prints."""
    now = current(stages)
    for stage in unchanged:
        if stage not in now:
            raise UserError(f"unknown stage {stage!r}; {allowed(stage, now)}")
    known = json.loads(lock.read_text()) if lock.is_file() else {}
    locked = {stage: known[stage] for stage in now if stage in known}  # stages that are gone leave the lock
    for stage in now:
        raised = now[stage]["version"] != locked.get(stage, {}).get("version")
        if stage in unchanged or (relock and raised):
            locked[stage] = now[stage]
    if relock or unchanged:
        locked["python"] = PYTHON
        lock.write_text(json.dumps(locked, indent=2, sort_keys=True) + "\n")
    lines = []
    for stage, content in now.items():
        state = "as locked"
        if locked.get(stage) != content:
            state = (
                f"code changed: if results change, raise its version in stages.py and run "
                f"`w2s stages --lock`; otherwise run `w2s stages --unchanged {stage}`"
            )
        lines.append(f"{stage} version {content['version']}: {state}")
    return "\n".join(lines)
