"""Deviations from the paper, from the documentation that states them."""

from __future__ import annotations

from pathlib import Path

from w2s.report import markdown

ALL = "deviations.md"
TITLE = "Deviations from the paper"  # of the section that a setting's own page has about it


def read(docs: Path) -> dict[str, str]:
    """Title -> Markdown: of deviations.md (title ""), then of every page with a section of its own about them."""
    found: dict[str, str] = {}
    for path in sorted(docs.glob("*.md"), key=lambda path: (path.name != ALL, path.name)):
        text = path.read_text(encoding="utf-8")
        if path.name == ALL:
            found[""] = text
        elif own := markdown.section(text, TITLE):
            found[path.stem.capitalize()] = own
    return found
