"""The notebooks of docs/notebooks: executed, without what changes from one execution to the next, and as pages.

``python -m tests.notebooks`` executes them on this checkout's results, and writes them and their pages. The site has
the pages: a plugin that shows notebooks would ask the network for scripts, and leave links unchecked.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

Notebook = Any  # nbformat is not typed

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "notebooks"
NAMES = ("read-a-figure", "add-a-method")  # the order of the navigation
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("image/png", "text/plain")  # of an output's forms; tables as text can be read in diffs
SECONDS = 1200  # for one cell


def read(name: str, folder: Path = FOLDER) -> Notebook:
    """A notebook as it is stored."""
    return nbformat.read(folder / f"{name}.ipynb", as_version=4)


def executed(name: str, folder: Path = FOLDER, environment: Mapping[str, str] = os.environ) -> Notebook:
    """A notebook after all of its cells were run in its folder. CellExecutionError, with traceback, if one fails."""
    notebook = read(name, folder)
    options: dict[str, Any] = {"timeout": SECONDS, "record_timing": False, "extra_arguments": ["--log-level=ERROR"]}
    client = NotebookClient(notebook, resources={"metadata": {"path": folder}}, **options)
    client.execute(env=dict(environment))
    return settled(notebook)


def settled(notebook: Notebook) -> Notebook:
    """The notebook without metadata of editors, kernels and executions, with outputs in the forms that are kept."""
    notebook.metadata = NotebookNode(METADATA)
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            if "data" in output:
                output.metadata = {}
                output.data = {form: output.data[form] for form in KEPT if form in output.data}
    return notebook


def text_of(notebook: Notebook) -> str:
    """The file's content."""
    return str(nbformat.writes(notebook)) + "\n"


def page(name: str, notebook: Notebook) -> tuple[str, dict[str, bytes]]:
    """The notebook as Markdown, and its pictures by file name."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(fenced(cell.source, "python"))
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                picture = f"{name}-{len(pictures) + 1}.png"
                pictures[picture] = base64.b64decode(data["image/png"])
                parts.append(f"![What the cell above draws]({picture})")
            else:
                parts.append(fenced(output.get("text") or data["text/plain"]))
    title, *others = parts[0].split("\n\n")
    source = f"*This page is [a notebook]({name}.ipynb), with the outputs of its last execution on smoke's results.*"
    return "\n\n".join([title, source, *others, *parts[1:]]) + "\n", pictures


def fenced(text: str, language: str = "") -> str:
    """A block of code."""
    lines = re.sub(r"[ \t]+$", "", text.rstrip("\n"), flags=re.MULTILINE)
    return f"```{language}\n{lines}\n```"


def main() -> None:
    """Execute all notebooks in their place and write them with their pages."""
    for name in NAMES:
        notebook = executed(name)
        (FOLDER / f"{name}.ipynb").write_text(text_of(notebook), encoding="utf-8")
        markdown, pictures = page(name, notebook)
        for old in FOLDER.glob(f"{name}-*.png"):
            old.unlink()
        for picture, content in {f"{name}.md": markdown.encode(), **pictures}.items():
            (FOLDER / picture).write_bytes(content)
        print(FOLDER / f"{name}.ipynb")


if __name__ == "__main__":
    main()
