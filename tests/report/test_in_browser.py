"""Pages of reports in a real browser: they open from a file, load nothing, fit a phone and work from the keyboard."""

from __future__ import annotations

import zlib
from itertools import pairwise
from pathlib import Path

import pytest

from tests.report import browser
from tests.report.browser import Tab
from tests.report.conftest import PAGES

pytestmark = browser.MARKS
PHONE = 390  # CSS pixels


@pytest.fixture(params=PAGES)
def opened(request: pytest.FixtureRequest, pages: dict[str, Path], window: Tab) -> Tab:
    window.width(1200)
    window.open(pages[request.param])
    return window


def test_it_asks_for_itself_and_nothing_else(opened: Tab) -> None:
    own, *others = opened.requests
    assert own.startswith("file:")
    assert [address for address in others if not address.startswith("data:")] == []


def test_all_pictures_are_there_and_say_what_they_are(opened: Tab) -> None:
    pictures = opened.ask("[...document.images].map(one => [one.complete && one.naturalWidth > 0, one.alt])")
    assert len(pictures) >= 3
    assert all(loaded and len(alt) > 10 for loaded, alt in pictures)


@pytest.mark.parametrize("width", [PHONE, 320, 1200])
def test_nothing_is_wider_than_the_window(opened: Tab, width: int) -> None:
    opened.width(width)
    opened.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert opened.ask("innerWidth") == width
    assert opened.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    loose = """[...document.querySelectorAll('body *')]
        .filter(one => !one.closest('.box, .skip, legend, .stack thead'))
        .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
        .map(one => one.outerHTML.slice(0, 80))"""
    assert opened.ask(loose) == []


def test_the_first_tab_reaches_the_skip_link_and_shows_it(opened: Tab) -> None:
    where = "document.activeElement.getBoundingClientRect().left"
    opened.press("Tab")
    assert opened.ask("document.activeElement.className") == "skip"
    assert opened.ask(where) >= 0
    assert opened.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    opened.press("Enter")
    assert opened.ask("location.hash") == "#main"
    assert opened.ask("document.activeElement.id") == "main"


def test_links_within_lead_somewhere_and_ids_are_given_once(opened: Tab) -> None:
    links = opened.ask("[...document.querySelectorAll('a[href^=\"#\"]')].map(one => one.hash.slice(1))")
    ids = opened.ask("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert set(links) <= set(ids)
    assert len(ids) == len(set(ids))
    assert opened.ask("document.querySelectorAll('nav a').length") >= 4


def test_what_scrolls_or_opens_can_be_reached_by_key(opened: Tab) -> None:
    opened.width(PHONE)
    opened.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    boxes = "[...document.querySelectorAll('main *')].filter(one => getComputedStyle(one).overflowX == 'auto')"
    reached = opened.ask(f"{boxes}.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.tabIndex)")
    assert reached
    assert set(reached) == {0}


def test_columns_of_verdicts_are_as_wide_as_they_should(pages: dict[str, Path], window: Tab) -> None:
    window.width(1200)
    window.open(pages["report"])
    widths = window.ask("[...document.querySelectorAll('.verdicts thead tr')[0].cells].map(one => one.offsetWidth)")
    verdict, says, *_, picture, figure = widths
    assert figure < verdict < picture < says


def test_headings_do_not_skip_a_level(opened: Tab) -> None:
    levels = opened.ask("[...document.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_it_prints(opened: Tab) -> None:
    pdf = opened.pdf()
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page>") + pdf.count(b"/Type /Page ") >= 2
    assert len(zlib.compress(pdf)) > 10_000


def test_a_missing_picture_would_be_seen(opened: Tab) -> None:
    """What the tests above look for is what the browser says of a harmed page."""
    opened.ask("document.images[0].src = 'data:image/png;base64,AAAA'; new Promise(done => setTimeout(done, 100))")
    assert opened.ask("document.images[0].naturalWidth") == 0
    opened.ask(
        "document.querySelector('main').insertAdjacentHTML('afterbegin', '<div style=\"width: 3000px\">x</div>')"
    )
    assert opened.ask("document.documentElement.scrollWidth") > opened.ask("innerWidth")
