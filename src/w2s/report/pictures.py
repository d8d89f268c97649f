"""Pictures inside a page: SVG where that is small, otherwise PNG in few colours."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from w2s.report import overlay

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALL = 330_000  # characters of the data URI of an SVG that is embedded: 250 kB
WIDEST = 1800  # pixels of a PNG; wider ones are scaled down
COLOURS = 128  # of a PNG: lines on white need no more
POINTS = 96 / 72  # CSS pixels
DOTS_PER_INCH = 160  # of the PNGs of figures
WIDE = 620  # CSS pixels; on a phone, wider pictures scroll, because they would be too small to read


@dataclass(frozen=True)
class Picture:
    """A picture as a data URI, with its size in CSS pixels, and what lies over it.

    shapes: marks with titles, if it has any, in units of the view box.
    """

    uri: str
    width: int
    height: int
    shapes: Markup = field(default_factory=Markup)
    box: str = ""

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
    if ".svg" not in found:
        return _png(found[".png"].read_bytes())
    picture = _svg(found[".svg"].read_bytes(), str(found[".svg"]))
    if len(picture.uri) <= SMALL or ".png" not in found:
        return picture
    return replace(picture, uri=_png(found[".png"].read_bytes()).uri)


def drawn(figure: Figure) -> Picture:
    """A picture of a figure that is in no file."""
    from w2s.figures import hover

    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    picture = _svg(hover.titled(file.getvalue(), figure), "of a comparison")
    if len(picture.uri) <= SMALL:
        return picture
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
    return replace(picture, uri=_png(file.getvalue()).uri)


def _svg(content: bytes, name: str) -> Picture:
    """The view box of Matplotlib is in points."""
    shapes, (width, height) = overlay.read(content, name)
    uri = _uri("svg+xml", overlay.shortened(content))
    return Picture(uri, round(width * POINTS), round(height * POINTS), shapes, f"0 0 {width:g} {height:g}")


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
