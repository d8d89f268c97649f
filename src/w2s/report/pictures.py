"""Pictures inside a page: SVG where that is small, otherwise PNG in few colours."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALL = 250_000  # bytes of an SVG that is embedded as it is
WIDEST = 1800  # pixels of a PNG; wider ones are scaled down
COLOURS = 128  # of a PNG: lines on white need no more
POINTS = 96 / 72  # CSS pixels
DOTS_PER_INCH = 160  # of the PNGs of figures
WIDE = 620  # CSS pixels; on a phone, wider pictures scroll, because they would be too small to read


@dataclass(frozen=True)
class Picture:
    """A picture as a data URI, with its size in CSS pixels."""

    uri: str
    width: int
    height: int

    @property
    def is_wide(self) -> bool:
        """Whether it is too wide for a phone."""
        return self.width > WIDE


def files(name: str, folder: Path) -> list[Path]:
    """The paths of a figure's pictures, whether they exist or not."""
    return [folder / f"{name}.svg", folder / f"{name}.png"]


def embedded(files: Iterable[Path]) -> Picture:
    """A picture from files: the same picture as .svg, .png, or both."""
    found = {path.suffix: path for path in files if path.is_file()}
    if ".svg" in found and (found[".svg"].stat().st_size <= SMALL or ".png" not in found):
        return _svg(found[".svg"].read_bytes())
    return _png(found[".png"].read_bytes())


def drawn(figure: Figure) -> Picture:
    """A picture of a figure that is in no file."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    if len(file.getvalue()) <= SMALL:
        return _svg(file.getvalue())
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
    return _png(file.getvalue())


def _svg(content: bytes) -> Picture:
    """The view box of Matplotlib is in points."""
    found = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', content)
    if not found:
        raise ValueError("an SVG without viewBox")
    return Picture(_uri("svg+xml", content), round(float(found[1]) * POINTS), round(float(found[2]) * POINTS))


def _png(content: bytes) -> Picture:
    """The picture in few colours."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    dots = (opened.info.get("dpi") or (DOTS_PER_INCH,))[0]
    width, height = (round(96 * side / dots) for side in picture.size)
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, "PNG", optimize=True)
    return Picture(_uri("png", file.getvalue()), width, height)


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
