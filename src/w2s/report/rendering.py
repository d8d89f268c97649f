"""Renders this package's Jinja2 templates. HTML templates escape the values they are given, Markdown ones do not."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any, Self

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

SCRIPT = "page.js"  # of every page


class Cell(str):
    """Text of a cell in a table that is sorted by a number, and not by the text."""

    value: float

    def __new__(cls, text: str, value: float) -> Self:
        """The text, and the number that it sorts by."""
        cell = super().__new__(cls, text)
        cell.value = value
        return cell


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
    script = resources.files("w2s.report").joinpath("templates", SCRIPT).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    environment.globals |= {"count": count, "script": Markup(script), "script_hash": f"sha256-{digest}"}
    return environment
