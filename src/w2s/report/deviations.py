"""Deviations from the paper: read from the documentation, and rendered as HTML for the report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

ALL = "deviations.md"
TITLE = "Deviations from the paper"  # the section about them on a setting's own page
BOX = '<div class="box" role="region" tabindex="0" aria-label="table">'
MARKDOWN = MarkdownIt("js-default")


def read(docs: Path) -> dict[str, str]:
    """Title -> Markdown: of deviations.md (title ""), then of every page with a section about deviations."""
    found: dict[str, str] = {}
    for path in sorted(docs.glob("*.md"), key=lambda path: (path.name != ALL, path.name)):
        text = path.read_text(encoding="utf-8")
        if path.name == ALL:
            found[""] = text
        elif section := _section(text):
            found[path.stem.capitalize()] = section
    return found


def render(text: str) -> Markup:
    """HTML below a heading of level 2, without the title. Tables stack on a phone; links to files become plain text."""
    tokens = MARKDOWN.parse(text)
    if tokens and tokens[0].tag == "h1":
        tokens = tokens[3:]
    _adapt(tokens)
    html = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    return Markup(html.replace("<table", f"{BOX}<table").replace("</table>", "</table></div>"))


def _section(text: str) -> str:
    """What is below the heading TITLE, up to the next heading of level 2; "" if there is none."""
    found = re.search(rf"^## {TITLE}[^\n]*\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def _adapt(tokens: list[Token]) -> None:
    """Lower headings by a level, label the cells of tables, and drop links to files, all in place."""
    heads: list[str] = []
    column = 0
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "inline":
            token.children = list(_without_local_links(token.children or []))
        elif token.type.startswith("heading"):
            token.tag = f"h{int(token.tag[1:]) + 1}"
        elif token.type == "table_open":
            token.attrSet("class", "stack")
            heads = []
        elif token.type == "th_open":
            token.attrSet("scope", "col")
            heads.append(following.content if following else "")
        elif token.type == "tr_open":
            column = 0
        elif token.type.startswith("td") and column == 0:
            token.tag = "th"
            token.attrSet("scope", "row")
        elif token.type == "td_open":
            token.attrSet("data-label", f"{heads[column]}:")
        column += token.type == "td_close"


def _without_local_links(tokens: list[Token]) -> Iterator[Token]:
    is_local = False
    for token in tokens:
        if token.type == "link_open":
            is_local = not str(token.attrs["href"]).startswith(("http://", "https://"))
        if not (is_local and token.type.startswith("link_")):
            yield token
