"""What marks of a figure say, as shapes to lie over its picture in a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from markupsafe import Markup

from w2s.errors import UserError
from w2s.figures.hover import CLASS

SPACE = "{http://www.w3.org/2000/svg}"
NUMBERS = {"circle": ("cx", "cy", "r"), "rect": ("x", "y", "width", "height")}  # attributes of shapes
GROUP = re.compile(rf'<g class="{CLASS}".*?</g>\s*'.encode(), re.DOTALL)
UNSEEN = re.compile(rb"<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)
PATH = re.compile(rb'(?<= d=")[^"]*')
LONG = re.compile(rb"-?\d+\.\d{3,}")

Box = tuple[float, float]


def read(svg: bytes, name: str) -> tuple[Markup, Box]:
    """(shapes with titles, (width, height) of the picture in the same units); nothing else of the SVG is taken.

    name: of the picture. UserError if it is none.
    """
    try:
        root = ElementTree.fromstring(svg)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        groups = root.findall(f"{SPACE}g[@class='{CLASS}']")
        return Markup("\n").join(shape for group in groups for shape in _shapes(group)), (width, height)
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise UserError(f"the picture {name} is not an SVG with a viewBox: {error}") from None


def _shapes(group: ElementTree.Element) -> Iterator[Markup]:
    for shape in group:
        tag = shape.tag.removeprefix(SPACE)
        if tag in NUMBERS:
            places = " ".join(f'{key}="{float(shape.attrib[key]):g}"' for key in NUMBERS[tag])
            yield Markup("<{0} {1}><title>{2}</title></{0}>").format(
                Markup(tag), Markup(places), shape.findtext(f"{SPACE}title")
            )


def shortened(svg: bytes) -> bytes:
    """The same picture without these shapes and other parts that do not show, its paths to a hundredth of a point."""
    drawn = UNSEEN.sub(b"", GROUP.sub(b"", svg))
    drawn = PATH.sub(lambda path: LONG.sub(lambda found: b"%.2f" % float(found[0]), path[0]), drawn)
    return re.sub(rb"\s*\n\s*", b"\n", drawn)
