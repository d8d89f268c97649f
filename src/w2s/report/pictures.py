"""Pictures inside a page: as lines (SVG) where these are few, else as dots (PNG) in few colours."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALL = 250_000  # bytes of an SVG that is taken as it is
WIDEST = 1800  # dots of a PNG; what is wider is made smaller
COLOURS = 128  # of a PNG: lines on white need no more
POINTS = 96 / 72  # CSS pixels
DOTS_AN_INCH = 160  # of the PNGs that figures are drawn as
WIDE = 620  # CSS pixels from which a picture scrolls on a phone, where it would be too small to read


def files(name: str, folder: Path) -> list[Path]:
    """Where a figure's pictures are, or would be."""
    return [folder / f"{name}.svg", folder / f"{name}.png"]


def embedded(files: Iterable[Path], alt: str) -> str:
    """An <img> with the picture inside it. files: the same picture as .svg and .png; one of them is there."""
    there = {path.suffix: path for path in files if path.is_file()}
    if ".svg" in there and (there[".svg"].stat().st_size <= SMALL or ".png" not in there):
        return _image("svg+xml", there[".svg"].read_bytes(), alt)
    return _image("png", there[".png"].read_bytes(), alt)


def drawn(figure: Figure, alt: str) -> str:
    """The same of a picture that is in no file."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    if len(file.getvalue()) <= SMALL:
        return _image("svg+xml", file.getvalue(), alt)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS_AN_INCH)
    return _image("png", file.getvalue(), alt)


def _image(kind: str, content: bytes, alt: str) -> str:
    """kind: of the content, svg+xml or png."""
    if kind == "png":
        content, width, height = _in_few_colours(content)
    else:
        width, height = _size(content)
    data = base64.b64encode(content).decode("ascii")
    wide = ' class="wide"' if width > WIDE else ""
    size = f'width="{width:.0f}" height="{height:.0f}"'
    return f'<img src="data:image/{kind};base64,{data}" {size}{wide} alt="{escape(alt)}">'


def _size(svg: bytes) -> tuple[float, float]:
    """Width and height in CSS pixels; matplotlib's view box is in points."""
    found = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if not found:
        raise ValueError("an SVG without viewBox")
    return float(found[1]) * POINTS, float(found[2]) * POINTS


def _in_few_colours(content: bytes) -> tuple[bytes, float, float]:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    dots = (opened.info.get("dpi") or (DOTS_AN_INCH,))[0]
    width, height = (96 * side / dots for side in picture.size)
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, "PNG", optimize=True)
    return file.getvalue(), width, height
