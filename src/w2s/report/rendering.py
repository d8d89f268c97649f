"""Renders this package's Jinja2 templates. HTML templates escape the values they are given, Markdown ones do not."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


def render(template: str, **values: Any) -> str:
    """Fill the template of that file name. Every value that it uses must be given."""
    return _environment().get_template(template).render(values)


def count(number: int, word: str) -> str:
    """A number of things: "3 jobs", "1 job"."""
    return f"{number:,} {word if number == 1 else word + 's'}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("w2s.report"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["count"] = count
    return environment
