"""The chess setting's runs: their counts at the paper's grid, what each must answer, and mistakes in one line."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import refused
from w2s.chess.config import CLOSED, WORDS
from w2s.chess.plan import ChessPlan
from w2s.errors import LackingError, UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.graph.artifact import with_ancestors
from w2s.jobs.workflow import Workflow


def ladder(count: int) -> list[dict[str, Any]]:
    shape = {"layers": 2, "heads": 2, "pretraining_learning_rate": 1e-3, "learning_rate": 1e-3, "tokens": 10**6}
    return [{"name": f"r{number}", "width": 16 * (number + 1), **shape} for number in range(count)]


@pytest.fixture
def paper(config: dict[str, Any]) -> ChessPlan:
    """Eight sizes, as in the paper's Figures 3 and 4."""
    config["chess"].update(ladder=ladder(8), seeds=[0])
    config["chess"]["sizes"].update(steps=2, subset=None)
    return plan_of(config, "paper").chess


def test_the_papers_grid_has_its_runs(paper: ChessPlan) -> None:
    """8 ground truth, 35 naive pairs, 15 points of chains, of which the 6 first ones are naive students."""
    setting = paper.config
    assert len(setting.pairs()) == 35
    steps = [chain[:end] for chain in setting.chains() for end in range(2, len(chain) + 1)]
    assert len(steps) == 15
    assert setting.chains()[0] == ("r0", "r2", "r3", "r4")
    assert setting.chains()[-1] == ("r5", "r7")
    students = {paper.student("puzzles", weak.name, strong.name, "naive", 0).key for weak, strong in setting.pairs()}
    assert len([step for step in steps if paper.chain(step, 0).key in students]) == 6
    counts = Counter(run.labels.split("-")[0] for run in paper.every_run())
    assert counts == {"truth": 8, "from": 35, "chain": 9, "none": 8}


def test_pieces_of_games_are_another_corpus(config: dict[str, Any]) -> None:
    config["chess"].update(notation="squares")
    whole = plan_of(config, "paper").chess.corpus()
    config["chess"]["games"].update(plies=4)
    cut = plan_of(config, "paper").chess.corpus()
    assert "plies" not in whole.spec
    assert cut.spec == {**whole.spec, "plies": 4}


def test_easy_to_hard_has_eight_runs_a_rung(config: dict[str, Any]) -> None:
    """Appendix C.1: all, hard and six cutoffs at ten sizes; 25,000 puzzles below 800, 50,000 otherwise."""
    config["chess"].update(ladder=ladder(10), seeds=[0])
    config["chess"]["sizes"].update(steps=2, subset=50_000, fewer={"below-800": 25_000})
    plan = plan_of(config, "paper").chess
    subsets = plan.config.subsets()
    assert len({plan.subset(rung.name, name, 0).key for rung in plan.config.ladder for name in subsets}) == 80
    assert subsets["below-800"] == 25_000
    assert {size for name, size in subsets.items() if name != "below-800"} == {50_000}


def test_all_puzzles_are_the_ground_truth_run_where_it_sees_as_many(config: dict[str, Any]) -> None:
    """As in the paper: what Figure 19 calls trained on all puzzles is what Figure 3 calls ground truth."""
    config["chess"]["sizes"].update(weak=600, subset=600)
    plan = plan_of(config, "paper").chess
    assert plan.subset("c16", "all", 0) is plan.truth("puzzles", "c16", 0)
    config["chess"]["sizes"].update(weak=601)
    plan = plan_of(config, "paper").chess
    assert plan.subset("c16", "all", 0).key != plan.truth("puzzles", "c16", 0).key


def test_runs_answer_what_later_runs_learn_from_and_no_more(paper: ChessPlan) -> None:
    assert paper.truth("puzzles", "r0", 0).spec["predicts"] == ["test", "strong"]
    assert paper.truth("puzzles", "r7", 0).spec["predicts"] == ["test"]  # it supervises none
    assert paper.student("puzzles", "r0", "r2", "naive", 0).spec["predicts"] == ["test", "step2"]
    assert paper.student("puzzles", "r0", "r3", "naive", 0).spec["predicts"] == ["test"]
    assert paper.chain(("r0", "r2", "r3"), 0).spec["predicts"] == ["test", "step3"]
    assert paper.chain(("r0", "r2", "r3", "r4"), 0).spec["predicts"] == ["test"]
    for run in paper.every_run():
        if "labels" in run.parents:
            assert run.spec["part"] in run.parents["labels"].spec["predicts"]


def test_each_step_of_a_chain_learns_fresh_puzzles(paper: ChessPlan) -> None:
    chain = ("r0", "r2", "r3", "r4")
    assert [paper.chain(chain[:end], 0).spec["part"] for end in (2, 3, 4)] == ["strong", "step2", "step3"]
    last = paper.chain(chain, 0)
    assert last.path == f"results/chess/puzzles/r4/chain-r0-r2-r3/naive/s0-{last.key}"
    assert last.parents["labels"] is paper.chain(chain[:3], 0)


def test_two_rungs_are_the_naive_student(paper: ChessPlan) -> None:
    assert paper.chain(("r0", "r2"), 0) is paper.student("puzzles", "r0", "r2", "naive", 0)


def test_what_is_no_chain_is_refused(paper: ChessPlan) -> None:
    with pytest.raises(UserError, match="chess: r0-r1-r2 is not the start of a chain"):
        paper.chain(("r0", "r1", "r2"), 0)


def test_an_experiment_without_chess_says_so(config: dict[str, Any]) -> None:
    config["chess"] = None
    with pytest.raises(LackingError, match="has no chess section"):
        _ = plan_of(config, "config.yaml").chess


def test_without_subsets_easy_to_hard_is_lacking(paper: ChessPlan) -> None:
    with pytest.raises(LackingError, match=r"chess\.sizes\.subset is null"):
        paper.subset("r0", "hard", 0)


def test_keys_of_chess_are_found(tiny_config: dict[str, Any]) -> None:
    workflow = Workflow(tiny_config)
    for artifact in with_ancestors(workflow.default.chess.every_run()).values():
        assert workflow.artifact(artifact.key).path == artifact.path
    assert "generate" in {one.stage.name for one in workflow.known()}


def test_what_is_left_out_moves_nothing(config: dict[str, Any]) -> None:
    before = {run.path for run in plan_of(config, "before").chess.every_run()}
    config["chess"]["easy"] = config["chess"]["easy"][:-1]
    config["chess"]["shots"] = 2
    after = {run.path for run in plan_of(config, "after").chess.every_run()}
    moved = {path for path in after - before if "zero-shot" not in path}
    assert all("/data-" not in path for path in before)
    assert moved  # the data hold one subset less: its runs are made anew
    config["chess"]["sizes"]["subset"] = None
    assert plan_of(config, "x").chess.model("c16").key == plan_of(config, "y").chess.model("c16").key


def test_the_closed_vocabulary_is_as_large_as_the_config_says() -> None:
    from w2s.chess.notation import NOTATIONS, vocabulary

    assert len(vocabulary()) == WORDS
    assert {name for name, one in NOTATIONS.items() if one.closed} == set(CLOSED)


def test_files_are_known_by_their_content(config: dict[str, Any], tmp_path: Path) -> None:
    config["settings"] = ["chess"]

    def key(place: str) -> tuple[str, str]:
        config["chess"]["puzzles"].update(source="files", paths=[f"{tmp_path}/{place}/*.csv"])
        plan: Plan = plan_of(copy.deepcopy(config), "files")
        return plan.chess.data(0).key, plan.chess.corpus().key

    for name, content in (("here", "one"), ("there", "one"), ("edited", "other")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.csv").write_text(content)
    assert key("here") == key("there")
    assert all(one != other for one, other in zip(key("here"), key("edited"), strict=True))
    with pytest.raises(UserError, match=r"chess\.puzzles\.paths: no file matches '.*/nowhere/\*\.csv'"):
        key("nowhere")


Change = Callable[[dict[str, Any]], object]
MISTAKES: list[tuple[str, Change, list[str]]] = [
    ("unknown key", lambda c: c.update(notatoin="fen"), ["chess.notatoin: unknown key", "'notation'"]),
    ("nested", lambda c: c["games"].update(cuont=3), ["chess.games.cuont: unknown key; did you mean 'count'"]),
    ("alias", lambda c: c.update(chain=[]), ["chess.chain: unknown key; did you mean 'chains'"]),
    ("notation", lambda c: c.update(notation="san"), ["chess.notation: 'san' is not allowed", "'squares'"]),
    ("source", lambda c: c["puzzles"].update(source="hup"), ["chess.puzzles.source: 'hup' is not allowed"]),
    ("no files", lambda c: c["games"].update(source="files"), ["source is 'files', so paths must name one"]),
    ("no hub", lambda c: c["puzzles"].update(source="hub"), ["source is 'hub', so hub must name one"]),
    (
        "no commit",
        lambda c: c["puzzles"].update(source="hub", hub="Lichess/chess-puzzles"),
        ["chess.puzzles: revision: missing; 'Lichess/chess-puzzles' is on the hub"],
    ),
    ("pgn", lambda c: c.update(notation="pgn"), ["pretraining.vocabulary: missing", "'pgn'"]),
    ("ladder", lambda c: c.update(ladder="pythai"), ["chess.ladder: unknown ladder 'pythai'; did you mean 'pythia'"]),
    ("open", lambda c: c.update(ladder="pythia"), ["'position' is for own rungs; open models take pgn or fen"]),
    ("plies", lambda c: c["games"].update(plies=4), ["games.plies: 'position'", "allowed: null, or notation squares"]),
    ("chain rung", lambda c: c.update(chains=[["c16", "c46"]]), ["chains.0: 'c46' is not in this experiment"]),
    ("chain order", lambda c: c.update(chains=[["c64", "c16"]]), ["is no chain", "weakest first"]),
    (
        "too few slices",
        lambda c: c.update(chains=[["c16", "c32", "c64", "c128"]]),
        ["sizes.steps: 1 is too few", "needs 2 fresh slices"],
    ),
    ("subset", lambda c: c["sizes"].update(fewer={"below-850": 3}), ["sizes.fewer: 'below-850' is not", "below-800"]),
    ("supervisor", lambda c: c.update(supervisors=["w32"]), ["supervisors: unknown rung", "'w32'"]),
    ("taken name", lambda c: c["ladder"][0].update(name="games"), ["cannot be called 'games'"]),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_a_mistake_is_one_line(config: dict[str, Any], change: Change, said: list[str]) -> None:
    change(config["chess"])
    refused(config, said)
