"""The little Markdown that our own documentation is written in, as HTML: headings, paragraphs, lists, tables, code."""

from __future__ import annotations

import re
from html import escape

from w2s.report import html

INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<bold>.+?)\*\*|\*(?P<soft>[^*\s][^*]*)\*|\[(?P<words>[^]]+)\]\((?P<to>[^)]+)\)"
)


def section(text: str, title: str) -> str:
    """What stands below the heading that begins with ``title``, up to the next of its level; "" if there is none."""
    found = re.search(rf"^(#+) {re.escape(title)}[^\n]*\n(.*?)(?=^\#{{1,6}} |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return found.group(2).strip() if found else ""


def render(text: str, *, level: int = 3) -> str:
    """HTML. level: of the headings below the title, which is left out."""
    return "\n".join(_block(lines, level) for lines in _blocks(text))


def _blocks(text: str) -> list[list[str]]:
    """Runs of lines that belong together."""
    blocks: list[list[str]] = []
    fresh = True
    for line in text.splitlines():
        if not line.strip():
            fresh = True
            continue
        if fresh or line.startswith("#"):
            blocks.append([])
        blocks[-1].append(line)
        fresh = line.startswith("#")
    return blocks


def _block(lines: list[str], level: int) -> str:
    first = lines[0]
    if first.startswith("#"):
        depth = len(first) - len(first.lstrip("#"))
        words = inline(first.lstrip("# "))
        return "" if depth == 1 else f"<h{level + depth - 2}>{words}</h{level + depth - 2}>"
    if first.startswith("|"):
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
        heads, body = rows[0], [[inline(cell) for cell in row] for row in rows[2:]]
        return html.table_of_html("", heads, body, stack=True)
    if first.startswith(("* ", "- ")):
        items = re.split(r"\n[*-] ", "\n".join(lines)[2:])
        return "<ul>\n" + "\n".join(f"<li>{inline(item)}</li>" for item in items) + "\n</ul>"
    return f"<p>{inline(' '.join(lines))}</p>"


def inline(text: str) -> str:
    """Code, bold, stressed words; links lead out of the page or within it, others (to files) are only their words."""
    done, place = [], 0
    for found in INLINE.finditer(text):
        done.append(escape(text[place : found.start()], quote=False))
        place = found.end()
        if found["code"]:
            done.append(f"<code>{escape(found['code'], quote=False)}</code>")
        elif found["bold"]:
            done.append(f"<strong>{inline(found['bold'])}</strong>")
        elif found["soft"]:
            done.append(f"<em>{inline(found['soft'])}</em>")
        elif found["to"].startswith(("https://", "http://")):
            done.append(f'<a href="{escape(found["to"])}">{inline(found["words"])}</a>')
        else:
            done.append(inline(found["words"]))
    return "".join([*done, escape(text[place:], quote=False)])
