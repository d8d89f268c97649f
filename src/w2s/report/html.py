"""What the pages of reports are put together from: escaped words, tables in boxes, pictures, their common style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template


def fill(template: str, title: str, **parts: str) -> str:
    """A page: what ``<template>.html`` of this package holds, with these parts, in the frame and style of all pages.

    title and parts are HTML already.
    """

    def read(name: str) -> str:
        return files("w2s.report").joinpath(name).read_text(encoding="utf-8").strip()

    body = Template(read(f"{template}.html")).substitute(parts)
    return Template(read("frame.html")).substitute(title=title, style=read("style.css"), body=body) + "\n"


def box(content: str, label: str) -> str:
    """Something wide that scrolls by itself, from the keyboard too."""
    return f'<div class="box" role="region" tabindex="0" aria-label="{escape(label)}">\n{content}\n</div>'


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """A table in a box; cells are text. right: columns of numbers. "" if there are no rows."""
    return table_of_html(caption, heads, [[escape(cell) for cell in row] for row in rows], right=right)


def table_of_html(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), stack: bool = False
) -> str:
    """The same with cells that are HTML already. stack: on a phone cells stand below each other (cells of words)."""
    if not rows:
        return ""

    def kind(column: int) -> str:
        return ' class="right"' if column in right else ""

    head = "".join(f'<th scope="col"{kind(number)}>{escape(name)}</th>' for number, name in enumerate(heads))
    lines = []
    for row in rows:
        first, *others = row
        names = [f' data-label="{escape(name)}:"' if stack else "" for name in heads[1:]]
        cells = "".join(f"<td{kind(number)}{names[number - 1]}>{cell}</td>" for number, cell in enumerate(others, 1))
        lines.append(f'<tr><th scope="row"{kind(0)}>{first}</th>{cells}</tr>')
    titled = f"<caption>{escape(caption)}</caption>\n" if caption else ""
    body = "\n".join(lines)
    looks = ' class="stack"' if stack else ""
    inner = f"{titled}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>"
    return box(f"<table{looks}>\n{inner}\n</table>", caption or "table")


def folded(summary: str, content: str) -> str:
    """Content behind a line that opens it; "" where there is none."""
    return f"<details>\n<summary>{escape(summary)}</summary>\n{content}\n</details>" if content else ""


def facts(pairs: Mapping[str, str]) -> str:
    """A strip of short facts."""
    inner = "\n".join(f"<div><dt>{escape(name)}</dt><dd>{escape(words)}</dd></div>" for name, words in pairs.items())
    return f'<dl class="facts">\n{inner}\n</dl>'


def contents(entries: Mapping[str, str], label: str) -> str:
    """A list of links within the page. entries: id -> words; label: what the list is of."""
    lines = "\n".join(f'<li><a href="#{anchor}">{escape(words)}</a></li>' for anchor, words in entries.items())
    return f'<nav aria-label="{escape(label)}"><ol>\n{lines}\n</ol></nav>'


def count(number: int, word: str, words: str = "") -> str:
    """3 jobs, 1 job."""
    return f"{number:,} {word if number == 1 else words or word + 's'}"
