"""What lies over a picture: its marks with their titles, and nothing else from its file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.report import made_up
from w2s.errors import UserError
from w2s.report import overlay

HARMFUL = b"""<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 20" onload="a()">
<script>alert(1)</script><circle cx="9" cy="9" r="9"><title>elsewhere</title></circle>
<g class="values" onclick="alert(1)"><script>alert(1)</script><circle cx="1" cy="2.5" r="5" onclick="alert(1)">
<title>&lt;/title&gt;&lt;script&gt;a &amp; b</title><script>alert(1)</script></circle>
<rect x="1" y="2" width="3" height="4"><title>w32</title></rect></g>
</svg>"""


def test_only_shapes_with_their_places_and_titles_are_taken() -> None:
    shapes, size = overlay.read(HARMFUL, "fig5.svg")
    assert list(size) == [10, 20]
    assert str(shapes).splitlines() == [
        '<circle cx="1" cy="2.5" r="5"><title>&lt;/title&gt;&lt;script&gt;a &amp; b</title></circle>',
        '<rect x="1" y="2" width="3" height="4"><title>w32</title></rect>',
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<svg",
        b"<svg></svg>",
        b'<svg viewBox="0 0 x 1"></svg>',
        HARMFUL.replace(b'cx="1"', b'cx="1&quot; onclick=&quot;alert(1)"'),
    ],
)
def test_a_damaged_picture_is_a_line(text: bytes) -> None:
    with pytest.raises(UserError, match=r"the picture fig5.svg is not an SVG with a viewBox"):
        overlay.read(text, "fig5.svg")


def test_a_shortened_picture_has_all_that_is_drawn(tmp_path: Path) -> None:
    made_up.picture(tmp_path, "fig5", ("svg",))
    svg = (tmp_path / "fig5.svg").read_bytes()
    short = overlay.shortened(svg)
    assert len(short) < 0.9 * len(svg)
    assert b"<title>" in svg
    assert not re.search(rb"<title>|<metadata>|<!--", short)
    for tag in (b"use", b"path", b"g", b"clipPath"):
        of_marks = svg.count(b'<g class="values"') if tag == b"g" else 0
        assert short.count(b"<%s " % tag) == svg.count(b"<%s " % tag) - of_marks > 0
