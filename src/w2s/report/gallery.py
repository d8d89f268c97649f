"""The gallery of the documentation: one page per figure of the smoke experiment, and an overview of thumbnails."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from w2s.claims import everything
from w2s.errors import LackingError, UserError
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs.cost import duration
from w2s.jobs.workflow import Workflow
from w2s.report import numbers
from w2s.report.made import Work, gather, in_words, stages
from w2s.report.reading import describe
from w2s.report.rendering import render

WIDTH = 1200  # pixels, of the picture on a figure's page
FRONT = ("fig5", "fig5-smoke.png", 1536)  # the README's picture
LARGEST = "nlp-paper"  # the experiment whose number of jobs is listed next to smoke's
BEGIN, END = "<!-- gallery: written by make gallery -->", "<!-- end of gallery -->"


def write(workflow: Workflow, pictures: Path, root: Path) -> list[str]:
    """Write pages, pictures and tables of numbers under ``docs/`` and the overviews in README and docs/figures.md.

    pictures: the drawn figures. Returns the names of the figures. UserError if one is not drawn yet.
    """
    names = workflow.drawable()
    absent = [name for name in names if not (pictures / f"{name}.png").is_file()]
    if absent:
        raise UserError(f"{pictures}: no {', '.join(absent)}; run `make figures` first")
    docs = root / "docs"
    for directory in (docs / "figures", docs / "pictures"):
        directory.mkdir(parents=True, exist_ok=True)
    needed = {name: with_ancestors(workflow.figure(name)) for name in names}
    work = gather({key: one for artifacts in needed.values() for key, one in artifacts.items()})
    for name in names:
        shrink(pictures / f"{name}.png", docs / "pictures" / f"{name}.png", WIDTH)
        page = _page(name, needed[name], work, workflow)
        (docs / "figures" / f"{name}.md").write_text(page, encoding="utf-8")
    first, file, width = FRONT
    shrink(pictures / f"{first}.png", docs / file, width)
    for path, folder in ((root / "README.md", "docs/"), (docs / "figures.md", "")):
        path.write_text(with_gallery(path.read_text(encoding="utf-8"), names, folder), encoding="utf-8")
    numbers.write(docs, root / "results" / "figures" / workflow.default.experiment.experiment)
    return names


def shrink(source: Path, target: Path, width: int) -> None:
    """Write a PNG with few colours, at most ``width`` pixels wide."""
    from PIL import Image

    with Image.open(source) as opened:
        picture = opened.convert("RGB")
    if picture.width > width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    picture.quantize(128, dither=Image.Dither.NONE).save(target, "PNG", optimize=True)


def with_gallery(text: str, names: Sequence[str], folder: str) -> str:
    """The page with the text between its markers replaced. UserError if it has none. folder: docs, from the page."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise UserError(f"the page should have one line {BEGIN!r} and one {END!r} below it")
    table = render("gallery.md.j2", figures=[describe(name) for name in names], folder=folder)
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n\n{table}\n{END}", text, flags=re.DOTALL)


def _page(name: str, needed: Mapping[str, Artifact], work: Work, workflow: Workflow) -> str:
    larger = _jobs_of_largest(name, workflow)
    return render(
        "figure.md.j2",
        text=describe(name),
        jobs=f"{len(needed):,}" if needed else "",
        stages=in_words(stages(needed.values())),
        computing=f"{duration(work.seconds(needed))} on {', '.join(work.by_device())}",
        largest=LARGEST,
        larger=f"{larger:,}" if larger else "",
        claims=[claim for claim in everything() if claim.figure == name],
    )


def _jobs_of_largest(name: str, workflow: Workflow) -> int:
    """The figure's number of jobs in the largest experiment; 0 if that cannot draw it."""
    try:
        return len(with_ancestors(workflow.figure(name, LARGEST)))
    except (LackingError, UserError):
        return 0
