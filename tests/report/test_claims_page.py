"""The page of verdicts: whole in one file, its links lead somewhere, and it says what the verdicts say."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser

import pytest

from tests.report import made_up
from w2s import claims
from w2s.claims.claim import HOLDS, OPEN, Finding
from w2s.report.claims import page, strip

VOID = {"meta", "col", "input", "br", "link", "img", "rect", "line", "circle", "polygon"}
ABOUT = {"experiment": "a <b> & c", "seeds": [0, 1], "commit": "abc1234", "note": "small synthetic world"}


class Reader(HTMLParser):
    """Tags, what they are called and lead to; refuses tags that do not close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name == "href":
                self.links.append(str(value))
            if name in ("src", "srcset", "data", "action") or (name == "href" and tag != "a"):
                self.loaded.append(str(value))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def read() -> tuple[str, Reader]:
    made = made_up.judged()
    drawn = claims.tables(claims.settings())
    figures, tables = (
        dict.fromkeys(drawn, f"../{path}") for path in ("figures/fig5.pdf", "results/figures/s/fig5.csv")
    )
    text = page(made, ABOUT, figures=figures, tables=tables)
    reader = Reader()
    reader.feed(text)
    reader.close()
    return text, reader


def test_tags_close_and_ids_are_given_once(read: tuple[str, Reader]) -> None:
    _, reader = read
    assert not reader.open
    assert len(set(reader.ids)) == len(reader.ids)


def test_the_page_loads_nothing_and_runs_its_own_script_alone(read: tuple[str, Reader]) -> None:
    text, reader = read
    assert not reader.loaded
    assert reader.tags.count("script") == 1
    (script,) = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in text
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|import|eval|innerHTML|Function)\b", script)
    assert not re.search(r"<[^>]*\son\w+=", text.replace(script, ""))
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_every_claim_has_a_row_that_leads_to_its_section(read: tuple[str, Reader]) -> None:
    _, reader = read
    within = [link.removeprefix("#") for link in reader.links if link.startswith("#")]
    assert set(within) - {"top"} <= set(reader.ids)
    for claim in claims.everything():
        assert claim.name in within
        assert claim.name in reader.ids


def test_verdicts_come_first(read: tuple[str, Reader]) -> None:
    text, _ = read
    assert text.index('<table class="verdicts') < text.index('id="reading"') < text.index('id="details"')
    found = made_up.judged()
    hold = sum(one.ours.verdict == HOLDS for one in found)
    assert f"<strong>{hold} hold</strong>" in text


def test_a_phone_and_a_reader_by_ear_are_thought_of(read: tuple[str, Reader]) -> None:
    text, reader = read
    assert '<html lang="en">' in text
    assert 'name="viewport" content="width=device-width' in text
    assert "@media print" in text
    assert "caption" in reader.tags
    assert text.count('scope="col"') == 6 * text.count('<table class="verdicts sortable"')
    assert text.count('role="img" aria-label=') == text.count("<svg")
    assert "legend" in reader.tags


def test_words_are_escaped(read: tuple[str, Reader]) -> None:
    text, reader = read
    assert "a &lt;b&gt; &amp; c" in text
    assert "has no &lt;figure&gt;" in text
    assert "figure" not in reader.tags


def test_figures_and_their_numbers_are_linked(read: tuple[str, Reader]) -> None:
    _, reader = read
    assert "../figures/fig5.pdf" in reader.links
    assert "../results/figures/s/fig5.csv" in reader.links


def test_a_strip_shows_number_interval_and_what_decides() -> None:
    claim = next(one for one in claims.everything() if one.name == "nlp-naive-half")
    ours, paper = Finding(OPEN, 0.3, 0.2, 0.45), Finding(HOLDS, 0.52, 0.52, 0.52)
    drawn = strip(claim, ours, paper)
    assert drawn is not None
    assert drawn["label"] == "ours 30.0%, 95% interval 20.0% to 45.0%; paper 52.0%; holds if 40 to 60%"
    assert drawn["low"] < drawn["ours"] < drawn["bounds"][0] < drawn["high"] < drawn["paper"] < drawn["bounds"][1]
    assert drawn["left"] == drawn["bounds"][0]
    assert strip(claim, Finding(OPEN), Finding(OPEN)) is None
    assert strip(dataclasses.replace(claim, measure=None), ours, paper) is None


def test_strips_are_drawn_with_what_is_known(read: tuple[str, Reader]) -> None:
    text, reader = read
    for part in ('<rect class="target"', '<line class="ours"', '<circle class="ours"', '<path class="paper"'):
        assert 0 < text.count(part) <= text.count("<svg") == reader.tags.count("svg")


def test_rows_and_details_say_what_they_are_filtered_by(read: tuple[str, Reader]) -> None:
    text, reader = read
    settings = {claim.setting for claim in claims.everything()}
    for setting in settings:
        count = sum(claim.setting == setting for claim in claims.everything())
        assert text.count(f'data-setting="{setting}">') == 2 * count + 1  # rows, sections and the table
        assert f'name="setting" value="{setting}"' in text
        assert f'[name="setting"][value="{setting}"]:checked' in text
    assert {f"row-{claim.name}" for claim in claims.everything()} <= set(reader.ids)
