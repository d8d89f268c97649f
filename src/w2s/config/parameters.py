"""Parameters of objectives, typed and validated, as a function's signature has them.

They are read off the source, never by importing it: a user's module imports torch, and the plan must not. What follows
the ``*`` of a function's parameters are its settings:

    def my_loss(logits, labels, *, progress, power: Annotated[float, Between(0, 5)] = 1.0, hard: bool = False):

``float``, ``int``, ``bool`` and ``Literal["a", "b"]`` are understood; ``Between`` has a range, ends included.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from pathlib import Path

from w2s.errors import UserError, allowed

Value = bool | int | float | str
GIVEN = ("progress",)  # what training hands over itself
KINDS = ("float", "int", "bool")


@dataclass(frozen=True)
class Between:
    """The closed range of a number, for ``Annotated[float, Between(0, 1)]``."""

    low: float
    high: float


@dataclass(frozen=True)
class Parameter:
    """A parameter: its kind, its default (None: it must be given), and what it may be."""

    default: Value | None
    low: float = -math.inf
    high: float = math.inf
    kind: str = "float"
    choices: tuple[str, ...] = ()

    def checked(self, value: Value, where: str) -> Value:
        """The value in this parameter's kind. UserError, naming ``where`` and what is allowed, if it cannot be."""
        if self.kind == "choice" and value in self.choices:
            return value
        if self.kind == "bool" and isinstance(value, bool):
            return value
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        whole = number and float(value).is_integer()
        if (number and self.kind == "float") or (whole and self.kind == "int"):
            if math.isfinite(float(value)) and self.low <= float(value) <= self.high:
                return float(value) if self.kind == "float" else int(value)
            value = f"{float(value):g}"
        else:
            value = repr(value)
        raise UserError(f"{where}: {value} is not allowed; allowed: {self.described}")

    @property
    def described(self) -> str:
        """What is allowed, in words."""
        if self.kind == "bool":
            return "true, false"
        if self.kind == "choice":
            return ", ".join(self.choices)
        whole = "whole numbers, " if self.kind == "int" else ""
        if math.isinf(self.low) and math.isinf(self.high):
            return f"{whole}any" if whole else "any number"
        if math.isinf(self.high):
            return f"{whole}{self.low:g} and more"
        return f"{whole}up to {self.high:g}" if math.isinf(self.low) else f"{whole}{self.low:g} to {self.high:g}"


def of_function(path: Path, name: str) -> dict[str, Parameter]:
    """The parameters of a function of a source file, by name. UserError if the file defines none of this name."""
    function = find(path, name)
    taken = [one.arg for one in [*function.args.posonlyargs, *function.args.args]]
    if len(taken) != 2 or function.args.vararg or function.args.kwarg:
        raise UserError(
            f"{path}:{function.lineno}: {name} takes ({', '.join(taken)}); expected (logits, labels, *, ...)"
        )
    keywords = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return {
        one.arg: _parameter(one, default, f"{path}:{one.lineno}: {name}: parameter {one.arg!r}")
        for one, default in keywords
        if one.arg not in GIVEN
    }


def find(path: Path, name: str) -> ast.FunctionDef:
    """A function by name. UserError naming those that there are."""
    there = {one.name: one for one in parsed(path).body if isinstance(one, ast.FunctionDef)}
    if name not in there:
        raise UserError(f"{path}: no function {name!r}; {allowed(name, there, what='available')}")
    return there[name]


def takes_progress(path: Path, name: str) -> bool:
    """Whether a function wants to know how far training is."""
    return any(one.arg == "progress" for one in find(path, name).args.kwonlyargs)


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a source file. UserError if it is none."""
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise UserError(f"{path}{f':{line}' if line else ''}: not valid Python ({error.args[0]})") from None


def _parameter(one: ast.arg, default: ast.expr | None, where: str) -> Parameter:
    value = _constant(default, f"{where}: default") if default is not None else None
    kind, low, high, choices = _kind(one.annotation, value, where)
    parameter = Parameter(None, low, high, kind, choices)
    if value is None:
        return parameter
    return Parameter(parameter.checked(value, f"{where}: default"), low, high, kind, choices)


def _kind(annotation: ast.expr | None, default: Value | None, where: str) -> tuple[str, float, float, tuple[str, ...]]:
    """(kind, low, high, choices) that an annotation says, or where there is none the default's own type."""
    everything = (-math.inf, math.inf)
    if annotation is None and type(default).__name__ in KINDS:
        return type(default).__name__, *everything, ()
    if isinstance(annotation, ast.Name) and annotation.id in KINDS:
        return annotation.id, *everything, ()
    if isinstance(annotation, ast.Subscript):
        inside = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        name = _last_name(annotation.value)
        if name == "Literal":
            choices = tuple(str(_constant(one, where)) for one in inside)
            return "choice", *everything, choices
        if name == "Annotated" and len(inside) == 2:
            kind, _, _, _ = _kind(inside[0], None, where)
            between = _between(inside[1], where)
            if kind in ("float", "int"):
                return kind, between.low, between.high, ()
    raise UserError(
        f"{where}: type {ast.unparse(annotation) if annotation else 'unknown'!r} is not allowed; allowed: float, int, "
        "bool, Annotated[float, Between(0, 1)], Literal['a', 'b']"
    )


def _between(call: ast.expr, where: str) -> Between:
    if isinstance(call, ast.Call) and _last_name(call.func) == "Between" and len(call.args) == 2 and not call.keywords:
        low, high = (_constant(one, where) for one in call.args)
        if not isinstance(low, str) and not isinstance(high, str) and low <= high:
            return Between(float(low), float(high))
    raise UserError(f"{where}: {ast.unparse(call)} is not a range; allowed: Between(low, high)")


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _constant(node: ast.expr, where: str) -> Value:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        value = None
    if not isinstance(value, (bool, int, float, str)):
        raise UserError(f"{where}: {ast.unparse(node)} is not a constant; allowed: a number, true, false or a word")
    return value
