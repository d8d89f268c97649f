"""From a merged config to a validated experiment: a mistake is one line that names the key and what is allowed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from w2s.config import methods as method_settings
from w2s.config.ladder import KINDS
from w2s.config.methods import Method
from w2s.config.user_code import is_own
from w2s.engine.sources import Sources
from w2s.errors import UserError, allowed, located
from w2s.experiments.experiment import Experiment
from w2s.experiments.settings import SETTINGS
from w2s.training.objectives import OBJECTIVES
from w2s.training.objectives import settings as parameters_of


def load(config: Mapping[str, Any], root: Path = Path(), *, source: str = "config.yaml") -> Experiment:
    """Validate a merged config; UserError with the first mistake in one line. Methods come back resolved.

    root: the project's folder, where a user's own code lies.
    """
    try:
        experiment = Experiment.model_validate(dict(config))
    except ValidationError as error:
        raise UserError(f"{source}: {_first_line(error)}") from None
    with located(source):
        for setting in SETTINGS:
            if getattr(experiment, setting.name) is not None:
                setting.check(experiment, Sources(root))
    methods = {name: _resolved(name, one, root, source) for name, one in experiment.methods.items()}
    experiment = experiment.model_copy(update={"methods": methods})
    with located(source):
        _refuse_unnamed_inventions(experiment)
        if experiment.nlp is not None:
            named = [*experiment.nlp.methods, *experiment.nlp.compared_methods(methods)]
            method_settings.refuse_same({name: methods[name] for name in named})
    return experiment


def _refuse_unnamed_inventions(experiment: Experiment) -> None:
    """UserError where invented data would stand beside real data without having been asked for."""
    about = experiment.model_dump(mode="json")
    there = [one for one in SETTINGS if about[one.name] is not None]
    invented = [one.name for one in there if one.is_synthetic(about)]
    real = [one.name for one in there if one.name not in invented]
    if experiment.settings is None and invented and real:
        raise UserError(
            f"settings: {', '.join(real)} has real data, and {', '.join(invented)} would be smoke's invented data; "
            f"name the settings of this experiment, as in settings: [{', '.join(real)}]"
        )


def _resolved(name: str, method: Method, root: Path, source: str) -> Method:
    """The method with every setting of its objective filled in."""
    key, objective = f"{source}: methods.{name}", method.objective
    if is_own(objective):
        with located(f"{key}.objective"):
            settings = parameters_of(objective, root)
    elif objective in OBJECTIVES:
        settings = parameters_of(objective)
    else:
        hint = f"{allowed(objective, OBJECTIVES)}, or module:function of your own"
        raise UserError(f"{key}.objective: unknown objective {objective!r}; {hint}")
    of_large = method.large.parameters if method.large else {}
    for parameter in [*method.parameters, *of_large]:
        if parameter not in settings:
            raise UserError(f"{key}: unknown parameter {parameter!r} of {objective!r}; {allowed(parameter, settings)}")
    for parameter, setting in settings.items():
        if setting.default is None and parameter not in method.parameters:
            raise UserError(f"{key}.{parameter}: missing; it has no default; allowed: {setting.described}")
    given, larger = (
        {parameter: settings[parameter].checked(value, f"{key}.{parameter}") for parameter, value in some.items()}
        for some in (method.parameters, of_large)
    )
    defaults = {name: setting.default for name, setting in settings.items() if setting.default is not None}
    large = method.large and method.large.model_copy(update={"parameters": larger})
    return method.model_copy(update={"parameters": defaults | given, "large": large})


def _first_line(error: ValidationError) -> str:
    """``key: value: what is wrong and what is allowed`` of the first mistake, and how many more there are."""
    first, *rest = error.errors()
    location = [part for part in first["loc"] if part not in KINDS]  # pydantic also names the kind of rung and source
    key = ".".join(str(part) for part in location)
    value, message = first["input"], first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"unknown key; {allowed(location[-1], _keys_at(first['loc'][:-1]))}"
    elif first["type"] == "missing":
        message = "missing; it has no default"
    elif first["type"] != "value_error":
        message = f"{value!r:.80} is not allowed; allowed: {_wanted(first)}{_as_yaml_reads(first)}"
    more = f" (and {len(rest)} more)" if rest else ""
    return f"{key}: {message}{more}" if key else f"{message}{more}"


def _wanted(mistake: ErrorDetails) -> str:
    """What a key may be, in words."""
    kind, limits = mistake["type"], mistake.get("ctx", {})
    words = {
        "literal_error": "{expected}",
        "greater_than": "more than {gt}",
        "greater_than_equal": "{ge} or more",
        "less_than": "less than {lt}",
        "less_than_equal": "{le} or less",
        "too_short": "at least {min_length} item" + "s" * (limits.get("min_length") != 1),
        "string_pattern_mismatch": "text of the pattern {pattern}",
        "string_type": "text",
        "finite_number": "a finite number",
    }
    for ending in ("type", "parsing"):
        words |= {f"int_{ending}": "a whole number", f"float_{ending}": "a number", f"bool_{ending}": "true, false"}
    words |= {"int_from_float": "a whole number", "tuple_type": "a list, as in [{value}]"}
    words |= dict.fromkeys(("dict_type", "model_type"), "a section with keys and values")
    message = mistake["msg"]
    known = words.get(kind, message[0].lower() + message[1:])
    return known.format(**limits, value=mistake["input"]) if kind in words else known


def _as_yaml_reads(mistake: ErrorDetails) -> str:
    """A hint where YAML has read something else than a person would."""
    value = mistake["input"]
    if isinstance(value, bool):
        words = "yes, on and true" if value else "no, off and false"
        is_word = mistake["type"] in ("string_type", "literal_error")
        return f"; YAML reads {words} as {value}{': put a word in quotes' if is_word else ''}"
    if isinstance(value, str) and mistake["type"] == "int_parsing":
        with contextlib.suppress(ValueError, OverflowError):
            return f"; YAML reads {value} as text: write {int(float(value)):_}"
    return ""


def _keys_at(location: Sequence[str | int]) -> list[str]:
    """The keys that the section at ``location`` may have."""
    kind: Any = Experiment
    for part in location:
        if part in KINDS:
            kind = KINDS[part]
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            named = {field.alias or name: field for name, field in kind.model_fields.items()}
            kind = named[str(part)].annotation
        else:  # an item of a tuple or a value of a dict
            kind = [argument for argument in get_args(kind) if argument is not Ellipsis][-1]
        kind = _bare(kind)
    is_section = isinstance(kind, type) and issubclass(kind, BaseModel)
    return [field.alias or name for name, field in kind.model_fields.items()] if is_section else []


def _bare(kind: Any) -> Any:
    """A type without its annotations, and without the None that it may be instead."""
    while get_origin(kind) in (Annotated, UnionType):
        kind = next(argument for argument in get_args(kind) if argument is not NoneType)
    return kind
