"""What a reader can do with a page: sort, filter, search, share a link, choose dark colours, point at marks, print."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.report import browser
from tests.report.browser import Tab
from w2s.report.reading import SETTINGS

pytestmark = browser.MARKS

ROWS = "[...document.querySelectorAll('.verdicts')[{}].tBodies[0].rows]"
SHOWN = "[...document.querySelectorAll('.verdicts tbody tr')].filter(row => row.offsetHeight > 0)"
SECTIONS = "[...document.querySelectorAll('section.claim')].filter(one => one.offsetHeight > 0)"
PAPER = 3  # column of the paper's numbers
INK = "getComputedStyle(document.body).color"
PAPER_COLOUR = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 27)"


@pytest.fixture
def report(pages: dict[str, Path], window: Tab) -> Iterator[Tab]:
    window.width(1200)
    window.open(pages["report"])
    window.errors.clear()
    yield window
    window.call("Emulation.setEmulatedMedia", media="", features=[])
    window.ask("localStorage.clear()")
    assert window.errors == []
    assert [address for address in window.requests[1:] if not address.startswith("data:")] == []


def head(column: int, table: int = 0) -> str:
    return f"document.querySelectorAll('.verdicts')[{table}].tHead.rows[0].cells[{column}]"


def click(tab: Tab, *, column: int, table: int = 0) -> None:
    tab.ask(f"{head(column, table)}.querySelector('button').click()")


def cells(tab: Tab, column: int) -> list[str]:
    found: list[str] = tab.ask(f"{ROWS.format(0)}.map(row => row.cells[{column}].textContent.trim())")
    return found


def choose(tab: Tab, value: str) -> None:
    tab.ask(f"document.querySelector('input[value=\"{value}\"]').click()")


def search(tab: Tab, words: str) -> None:
    tab.ask(f"document.getElementById('search').value = '{words}'")
    tab.ask("document.getElementById('search').dispatchEvent(new Event('input'))")


def number(text: str) -> float:
    return float(text.split()[0].rstrip("%"))


def test_a_column_of_numbers_sorts_up_then_down_then_as_it_was_with_empty_cells_last(report: Tab) -> None:
    before = cells(report, PAPER)
    known = [text for text in before if text]
    assert 3 < len(known) < len(before)
    click(report, column=PAPER)
    assert cells(report, PAPER) == sorted(known, key=number) + [""] * (len(before) - len(known))
    assert report.ask(f"{head(PAPER)}.getAttribute('aria-sort')") == "ascending"
    click(report, column=PAPER)
    assert cells(report, PAPER) == sorted(known, key=number, reverse=True) + [""] * (len(before) - len(known))
    assert report.ask(f"{head(PAPER)}.getAttribute('aria-sort')") == "descending"
    click(report, column=PAPER)
    assert cells(report, PAPER) == before
    assert report.ask(f"{head(PAPER)}.getAttribute('aria-sort')") is None


def test_verdicts_sort_from_holds_to_cannot_tell_and_rows_with_the_same_keep_their_order(report: Tab) -> None:
    names = report.ask(f"{ROWS.format(0)}.map(row => [row.dataset.verdict, row.id])")
    order = ["holds", "does not hold", "cannot tell"]
    click(report, column=0)
    after = report.ask(f"{ROWS.format(0)}.map(row => [row.dataset.verdict, row.id])")
    assert after == sorted(names, key=lambda name: order.index(name[0]))


def test_headers_work_by_key_and_other_tables_stay_as_they_are(report: Tab) -> None:
    other = report.ask(f"{ROWS.format(1)}.map(row => row.id)")
    report.ask(f"{head(1)}.querySelector('button').focus()")
    report.press("Enter")
    says = cells(report, 1)
    assert says == sorted(says, key=str.casefold)
    assert report.ask(f"{ROWS.format(1)}.map(row => row.id)") == other


def test_durations_sort_by_time_and_totals_stay_below(report: Tab) -> None:
    table = "[...document.querySelectorAll('table.sortable')].find(one => one.caption?.textContent == 'Jobs by stage')"
    report.ask(f"{table}.tHead.querySelectorAll('button')[2].click()")
    spent = report.ask(f"[...{table}.tBodies[0].rows].map(row => Number(row.cells[2].dataset.value))")
    assert spent == sorted(spent)
    assert max(spent) > min(spent)
    assert report.ask(f"{table}.tFoot.rows[0].cells[0].textContent") == "all"


@pytest.mark.parametrize("name", ["verdict", "setting"])
def test_a_choice_hides_all_others_in_tables_and_details(report: Tab, name: str) -> None:
    values = report.ask(f"[...document.querySelectorAll('input[name={name}]')].map(one => one.value)")
    assert set(values) == {"all", *({"holds", "does not hold", "cannot tell"} if name == "verdict" else SETTINGS)}
    everything = report.ask(f"{SHOWN}.map(row => row.dataset.{name})")
    for value in values[1:]:
        choose(report, value)
        shown = report.ask(f"{SHOWN}.map(row => row.dataset.{name})")
        assert shown == [one for one in everything if one == value]
        assert report.ask(f"{SECTIONS}.map(one => one.dataset.{name})") == shown
        said = report.ask("document.getElementById('shown').textContent")
        assert said == (f"{len(shown)} of {len(everything)} claims shown" if len(shown) < len(everything) else "")
        empty = report.ask(
            "[...document.querySelectorAll('.verdicts')].filter(one => one.offsetHeight > 0"
            " && ![...one.tBodies[0].rows].some(row => row.offsetHeight > 0)).length"
        )
        assert empty == 0


def test_search_finds_all_words_within_the_choices(report: Tab) -> None:
    choose(report, "nlp")
    search(report, "CONFIDENCE supervisor")
    found = report.ask(f"{SHOWN}.map(row => row.id.slice(4))")
    assert 0 < len(found) < report.ask("document.querySelectorAll('.verdicts tbody tr').length")
    assert report.ask(f"{SECTIONS}.map(one => one.id)") == found
    search(report, "no such words")
    assert report.ask(f"{SHOWN}.length") == 0
    assert report.ask("document.getElementById('shown').textContent").startswith("0 of ")


def test_a_link_shows_what_its_sender_saw(report: Tab, pages: dict[str, Path]) -> None:
    choose(report, "nlp")
    choose(report, "cannot tell")
    search(report, "student")
    click(report, column=PAPER)
    click(report, column=PAPER)
    shown = report.ask(f"{SHOWN}.map(row => row.id)")
    state = report.ask("location.hash.slice(1)")
    report.open(pages["report"])
    assert report.ask(f"{SHOWN}.map(row => row.id)") != shown
    report.open(pages["report"], state)
    assert report.ask(f"{SHOWN}.map(row => row.id)") == shown
    assert report.ask("location.hash.slice(1)") == state


def test_links_within_the_page_keep_what_is_shown(report: Tab, pages: dict[str, Path]) -> None:
    choose(report, "chess")
    report.ask("document.querySelector('nav a[href=\"#work\"]').click()")
    report.ask("new Promise(done => setTimeout(done, 50))")
    assert report.ask("location.hash") == "#work?setting=chess"
    report.open(pages["report"], "work?setting=chess")
    report.ask("new Promise(done => setTimeout(done, 50))")
    assert report.ask("document.getElementById('work').getBoundingClientRect().top < innerHeight")
    assert report.ask("scrollY") > 0
    assert report.ask(f"new Set({SHOWN}.map(row => row.dataset.setting)).size") == 1
    assert report.ask("location.hash") == "#work?setting=chess"


@pytest.mark.parametrize(
    "state",
    [
        "?search=" + quote("<img src=x onerror=\"document.title='no'\">"),
        "?sort=0.99.up&sort=99.0.up&sort=-1.x.sideways&sort=&verdict=%22%5D&setting=<script>",
        "<script>document.title='no'</script>?%",
    ],
)
def test_a_wrong_address_does_nothing_worse_than_find_nothing(report: Tab, pages: dict[str, Path], state: str) -> None:
    before = report.ask("document.querySelectorAll('body *').length")
    title = report.ask("document.title")
    report.open(pages["report"], state)
    assert report.ask("document.querySelectorAll('body *').length") == before
    assert report.ask("document.title") == title
    assert report.ask("document.querySelector('[name=verdict]:checked').value") == "all"


def test_dark_mode_is_chosen_kept_and_given_back(report: Tab, pages: dict[str, Path]) -> None:
    toggle = "document.getElementById('theme')"
    assert report.ask(PAPER_COLOUR) == LIGHT
    report.ask(f"{toggle}.click()")
    assert report.ask(PAPER_COLOUR) == DARK
    assert report.ask(f"{toggle}.getAttribute('aria-pressed')") == "true"
    assert report.ask("getComputedStyle(document.querySelector('figure .box')).backgroundColor") == LIGHT
    report.open(pages["report"])
    assert report.ask(PAPER_COLOUR) == DARK
    report.ask(f"{toggle}.click()")
    assert report.ask(PAPER_COLOUR) == LIGHT
    assert report.ask("localStorage.length") == 0


def test_the_systems_colours_are_followed_until_a_choice_is_made(report: Tab) -> None:
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    report.call("Emulation.setEmulatedMedia", features=dark)
    assert report.ask(PAPER_COLOUR) == DARK
    assert report.ask("document.getElementById('theme').getAttribute('aria-pressed')") == "true"
    report.ask("document.getElementById('theme').click()")
    assert report.ask(PAPER_COLOUR) == LIGHT


def test_without_storage_the_choice_holds_for_the_page(report: Tab, pages: dict[str, Path]) -> None:
    refuse = (
        "for (const name of ['getItem', 'setItem', 'removeItem']) Storage.prototype[name] = () => { throw Error() }"
    )
    added = report.call("Page.addScriptToEvaluateOnNewDocument", source=refuse)
    try:
        report.open(pages["report"])
        report.ask("document.getElementById('theme').click()")
        assert report.ask(PAPER_COLOUR) == DARK
    finally:
        report.call("Page.removeScriptToEvaluateOnNewDocument", **added)
        report.open(pages["report"])


def test_the_pointer_on_a_mark_finds_its_numbers(report: Tab) -> None:
    mark = "document.querySelector('#fig5 .picture circle')"
    report.ask(f"{mark}.scrollIntoView({{block: 'center'}})")
    found = f"""(() => {{ const box = {mark}.getBoundingClientRect();
        return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2).textContent }})()"""
    assert report.ask(found) == "line 0, point 0 <b>"


def test_scripts_of_others_do_not_run(report: Tab) -> None:
    insert = """(() => { const one = document.createElement('script'); one.textContent = 'window.harm = 1';
        document.body.append(one); return window.harm })()"""
    assert report.ask(insert) is None
    assert any("Content Security Policy" in text for text in report.errors)
    report.errors.clear()


def test_without_scripts_everything_is_there_and_choices_work(report: Tab, pages: dict[str, Path]) -> None:
    report.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        report.open(pages["report"])
        everything = report.ask(f"{SHOWN}.length")
        assert everything == report.ask("document.querySelectorAll('section.claim').length") > 50
        assert report.ask("document.getElementById('theme').offsetHeight") == 0
        assert report.ask("document.getElementById('search').offsetHeight") == 0
        assert report.ask("document.querySelectorAll('thead button').length") == 0
        choose(report, "chess")
        assert 0 < report.ask(f"{SHOWN}.length") < everything
    finally:
        report.call("Emulation.setScriptExecutionDisabled", value=False)
        report.open(pages["report"])


def test_print_is_light_whole_and_without_controls(report: Tab) -> None:
    report.ask("document.getElementById('theme').click()")
    assert report.ask("document.querySelector('details:not([open]) pre').checkVisibility()") is False
    report.call("Emulation.setEmulatedMedia", media="print")
    assert report.ask(INK) == "rgb(0, 0, 0)"
    assert report.ask(PAPER_COLOUR) == LIGHT
    for name in ("#theme", "#search", "fieldset", "nav"):
        assert report.ask(f"document.querySelector('{name}').offsetHeight") == 0
    assert report.ask("getComputedStyle(document.getElementById('figures')).breakBefore") == "page"
    assert report.ask("getComputedStyle(document.querySelector('tbody tr')).breakInside") == "avoid"
    assert report.ask("document.querySelector('details:not([open]) pre').getBoundingClientRect().height") > 0


def test_sorting_works_on_a_comparison_too(pages: dict[str, Path], window: Tab) -> None:
    window.open(pages["comparison"])
    assert window.ask("document.querySelectorAll('table.sortable thead button').length") > 0
    assert window.ask("document.getElementById('search')") is None
