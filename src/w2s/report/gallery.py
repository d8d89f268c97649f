"""The gallery of the documentation: one page per figure of the smoke experiment, and an overview of thumbnails."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from w2s import figures
from w2s.claims import everything
from w2s.errors import LackingError, UserError
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs.cost import duration
from w2s.jobs.workflow import Workflow
from w2s.report.made import Work, gather, in_words, stages
from w2s.report.page import called, title
from w2s.report.reading import READING

WIDTH = 1200  # pixels, of the picture on a figure's page
FRONT = ("fig5", "fig5-smoke.png", 1536)  # the README's picture
COLUMNS = 4  # in the overview
LARGEST = "nlp-paper"  # the experiment whose number of jobs is listed next to smoke's
BEGIN, END = "<!-- gallery: written by make gallery -->", "<!-- end of gallery -->"


def write(workflow: Workflow, pictures: Path, root: Path) -> list[str]:
    """Write pages and pictures under ``docs/`` and the overviews in README and docs/figures.md.

    pictures: the drawn figures. Returns the names of the figures. UserError if one is not drawn yet.
    """
    names = workflow.drawable()
    absent = [name for name in names if not (pictures / f"{name}.png").is_file()]
    if absent:
        raise UserError(f"{pictures}: no {', '.join(absent)} yet; `make figures` draws all")
    docs = root / "docs"
    for folder in (docs / "figures", docs / "pictures"):
        folder.mkdir(parents=True, exist_ok=True)
    needed = {name: with_ancestors(workflow.figure(name)) for name in names}
    work = gather({key: one for artifacts in needed.values() for key, one in artifacts.items()})
    for name in names:
        shrink(pictures / f"{name}.png", docs / "pictures" / f"{name}.png", WIDTH)
        words = _page(name, _facts(name, needed[name], work, _larger(name, workflow)))
        (docs / "figures" / f"{name}.md").write_text(words, encoding="utf-8")
    first, file, width = FRONT
    shrink(pictures / f"{first}.png", docs / file, width)
    for page, place in ((root / "README.md", "docs/"), (docs / "figures.md", "")):
        page.write_text(with_gallery(page.read_text(encoding="utf-8"), names, place), encoding="utf-8")
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
    cells = [_cell(name, folder) for name in names]
    cells += [""] * (-len(cells) % COLUMNS)
    rows = [cells[start : start + COLUMNS] for start in range(0, len(cells), COLUMNS)]
    lines = [[" "] * COLUMNS, [":-:"] * COLUMNS, *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n\n{table}\n\n{END}", text, flags=re.DOTALL)


def _cell(name: str, folder: str) -> str:
    return f"[![{title(name)}]({folder}pictures/{name}.png)<br>{called(name)}]({folder}figures/{name}.md)"


def _page(name: str, facts: Iterable[str]) -> str:
    caption, read = figures.module(name).CAPTION, READING.get(name, "")
    parts = [
        f"# {called(name)}: {title(name)}",
        f"![{called(name)}](../pictures/{name}.png)",
        caption,
        f"**How to read it.** {read}" if read else "",
        f"```\nsnakemake figures/{name}.pdf\n```",
        "\n".join(facts),
        *_claims(name),
        "The picture shows the smoke experiment. It illustrates the method, not the paper's numbers. "
        "[All figures](../figures.md), [how to read them](../reading.md), "
        "[deviations from the paper](../deviations.md).",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(name: str, needed: Mapping[str, Artifact], work: Work, larger: int) -> Iterator[str]:
    """A table of what the figure needs. larger: its jobs in the largest experiment; 0 if not available there."""
    yield "| | |"
    yield "|---|---|"
    yield f"| jobs | {_jobs(needed)} |"
    if needed:
        spent, devices = duration(work.seconds(needed)), ", ".join(work.by_device())
        yield f"| compute time | {spent} on {devices} from scratch; jobs are shared between figures |"
    if larger:
        yield f"| in {LARGEST} | {larger:,} jobs |"
    yield f"| numbers | `results/figures/smoke/{name}.csv` |"


def _larger(name: str, workflow: Workflow) -> int:
    try:
        return len(with_ancestors(workflow.figure(name, LARGEST)))
    except (LackingError, UserError):
        return 0


def _jobs(needed: Mapping[str, Artifact]) -> str:
    return f"{len(needed):,}: {in_words(stages(needed.values()))}" if needed else "only the drawing"


def _claims(name: str) -> Iterator[str]:
    listed = [f"* {one.says} ({one.where})" for one in everything() if one.figure == name]
    if listed:
        yield "Claims of the paper that this figure [tests](../claims.md):"
        yield "\n".join(listed)
