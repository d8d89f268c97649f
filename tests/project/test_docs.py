"""Documentation: links lead somewhere, commands are ones that exist."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from w2s import cli, figures
from w2s.config.files import read_yaml
from w2s.jobs.workflow import Workflow

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "config" / "README.md"]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
BLOCK = re.compile(r"^ *```[a-z]*\n(.*?)^ *```", flags=re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    """A page without its code."""
    return re.sub(r"`[^`\n]+`", "", BLOCK.sub("", page.read_text(encoding="utf-8")))


@cache
def anchors(page: Path) -> set[str]:
    """What a page's headings are called in links, with GitHub and MkDocs alike."""
    plain = BLOCK.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", plain, flags=re.MULTILINE)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", title.lower()).strip()) for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_to_what_is_there(page: Path) -> None:
    for found in LINK.finditer(text_of(page)):
        target = found.group(1) or found.group(2)
        if re.match(r"https?:|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page}: {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{page}: {target}; there are {sorted(anchors(there))}"


def lines() -> Iterator[tuple[str, list[str]]]:
    """(page, words) of every command that documentation shows."""
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                try:
                    words = shlex.split(line, comments=True)
                except ValueError:
                    continue
                while words and re.fullmatch(r"[A-Z_0-9]+=.*", words[0]):
                    words = words[1:]
                words = words[: words.index(">")] if ">" in words else words
                if words and words[0] in ("snakemake", "w2s", "make"):
                    yield f"{page.name}: {line.strip()}", words


COMMANDS = list(lines())


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 25


@pytest.fixture(scope="module")
def workflow() -> Workflow:
    return Workflow(read_yaml(ROOT / "config.yaml"), ROOT)


def is_example(word: str) -> bool:
    """<name>, [EXPERIMENT], ...: to be filled in."""
    return bool(re.search(r"[<>\[\]]|\.\.\.|\b(mine|NAME|PATH|EXPERIMENT|FIGURE)\b", word))


@pytest.mark.parametrize("words", [words for _, words in COMMANDS if words[0] == "w2s"], ids=" ".join)
def test_a_command_of_ours_is_one(words: list[str]) -> None:
    options = cli._parser().parse_args(words[1:])
    assert callable(options.run)


@pytest.mark.parametrize("words", [words for _, words in COMMANDS if words[0] == "make"], ids=" ".join)
def test_a_target_of_make_is_one(words: list[str]) -> None:
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z][\w./%-]*):", rules, flags=re.MULTILINE)
    for word in words[1:]:
        if "=" not in word and not is_example(word):
            assert any(re.fullmatch(target.replace("%", ".+"), word) for target in targets), word


@pytest.mark.parametrize("words", [words for _, words in COMMANDS if words[0] == "snakemake"], ids=" ".join)
def test_a_target_of_snakemake_is_one(words: list[str], workflow: Workflow) -> None:
    for word in words[1:]:
        if word.startswith("-") or is_example(word):
            continue
        if found := re.fullmatch(r"figures/(?:([^/]+)/)?([^/]+)\.(pdf|png)", word):
            experiment, figure = found.group(1), found.group(2)
            assert figure in figures.names()
            assert experiment is None or experiment in workflow.overlays
        elif word.startswith("profiles/"):
            assert (ROOT / word / "profile.yaml").is_file()
        elif word.startswith("config/"):
            assert (ROOT / word).is_file()


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    if shutil.which("mkdocs", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("mkdocs is not installed (pip install -c constraints.txt -e '.[docs]'): the site is not built")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|img|link rel=\"stylesheet\")[^>]+(?:src|href)=\"https?:", page)


def test_every_page_is_in_the_sites_navigation() -> None:
    class Loader(yaml.SafeLoader):
        """mkdocs.yml has tags of its own."""

    def pages(entry: object) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for inner in entry.values():
                yield from pages(inner)
        elif isinstance(entry, list):
            for inner in entry:
                yield from pages(inner)

    content = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader)
    listed = set(pages(content["nav"]))
    there = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert {name for name in there if not name.startswith("figures/")} == {n for n in listed if n in there}
