"""What holds for every figure: drawn from its CSV alone, whatever its shape and holes; honest small print."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from tests.figures.conftest import CHESS, REWARD, Shape, about, numbers, sections
from tests.figures.seen import draw, footer, rendered
from w2s import figures
from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.errors import UserError
from w2s.experiments.loading import plan_of
from w2s.figures import tables
from w2s.graph.artifact import Run

every_figure = pytest.mark.parametrize("name", figures.names())
FIRST_THREE = (
    "fig21",
    "fig22",
    "fig25",
    "fig26",
    "fig27",
    "labels",
    "sandwiching",
)  # tasks of special studies in the smoke experiment
of_runs = [name for name in figures.names() if name not in ("fig1", "fig14", "fig24", "table1", "table2")]  # no runs
every_figure_of_runs = pytest.mark.parametrize("name", of_runs)


@every_figure
def test_a_figure_is_a_module_with_all_that_a_figure_has(name: str) -> None:
    assert all(hasattr(figures.module(name), part) for part in ("CAPTION", "needs", "tabulate", "draw"))


def test_a_figures_file_has_its_name_with_two_digits() -> None:
    assert figures.module_name("fig5") == "w2s.figures.fig05"
    assert {"fig5", "fig27", "table1", "methods"} <= set(figures.names())
    with pytest.raises(UserError, match="unknown figure 'fig55'; did you mean 'fig5'"):
        figures.module("fig55")


def test_table_1_counts_every_task_at_every_step(shape: Shape) -> None:
    plan = shape()
    table = numbers("table1", plan)
    assert list(table["task"]) == plan.nlp.config.all_tasks()
    assert set(table["candidates"]) == {400}
    assert set(table["equalised"]) == {200}
    assert set(table["for_the_test_set"]) == {12}
    assert set(table["balanced"]) == {160}
    assert set(table["training_positive_share"]) == {0.5}  # of the parts, not of what was lost on the way
    said = [text.get_text() for text in draw("table1", plan).axes[0].texts]
    assert {"BoolQ", "CC BY-SA 3.0", "Clark et al. (2019)", f"{160 * len(table):,}"} <= set(said)


@every_figure
def test_captions_are_a_few_sentences(name: str) -> None:
    caption = figures.module(name).CAPTION
    assert caption.endswith(".")
    assert len(caption) < 450


@every_figure_of_runs
@pytest.mark.parametrize("half", ["weak", "strong"])
def test_the_footer_counts_exactly_the_runs_that_the_figure_needs(name: str, half: str, shape: Shape) -> None:
    plan = shape(ceiling_half=half, rungs=5, without_truth=2, **sections(name))
    runs = sum(isinstance(one, Run) for one in figures.module(name).needs(plan))
    said = footer(draw(name, plan))
    tasks = 1 if name in ("fig2", "table3", "shift", *CHESS, *REWARD) else 3 if name in (*FIRST_THREE, "methods") else 4
    assert f"experiment smoke · {runs} runs · {tasks} task" in said
    assert "2 seeds" in said
    assert "commit 0123456789" in said


@every_figure
@pytest.mark.slow
def test_a_csv_round_trip_draws_the_same_bytes(name: str, shape: Shape, tmp_path: Path) -> None:
    plan = shape(**sections(name))
    numbers(name, plan).to_csv(tmp_path / "numbers.csv", index=False)
    drawn = []
    for file in ("one.pdf", "two.pdf"):
        draw(name, plan, tables.read(tmp_path / "numbers.csv")).savefig(
            tmp_path / file, metadata={"CreationDate": None}
        )
        drawn.append((tmp_path / file).read_bytes())
    assert drawn[0] == drawn[1]


def test_rungs_may_be_called_like_numbers_or_like_nothing(smoke_config: dict[str, Any], tmp_path: Path) -> None:
    config = copy.deepcopy(smoke_config)
    for rung, name in zip(config["nlp"]["ladder"], ("24", "32", "null", "nan"), strict=True):
        rung["name"] = name
    plan = plan_of(config, "odd")
    table = numbers("fig5", plan)
    table.to_csv(tmp_path / "numbers.csv", index=False)
    again = tables.read(tmp_path / "numbers.csv")
    assert list(again["student"]) == list(table["student"])
    said = {text.get_text() for text in draw("fig5", plan, again).legends[0].texts}
    assert {"supervisor 24", "supervisor 32", "supervisor null"} <= said


@every_figure_of_runs
def test_undefined_pgrs_do_not_break_a_figure_and_are_counted(name: str, shape: Shape) -> None:
    plan = shape(**sections(name))
    table = numbers(name, plan)
    said = footer(draw(name, plan, table))
    assert "undefined" not in said  # neither same-size pairs nor students without ceiling count
    if "pgr" not in table or name in ("fig6", "fig9", "fig12", "fig15", "fig23"):  # which show no PGR
        return
    defined = table["undefined"].notna() & ~table["task"].isin([MEDIAN, INTERVAL])
    for column in [column for column in table if str(column).startswith("pgr")]:
        table[column] = math.nan
    table.loc[defined, "undefined"] = 1
    one = ["task", "seed", "method", "supervisor", "student"] + (
        ["labels"] if name in ("fig25", "fig27", "labels", "sandwiching") else []
    )
    students = table[defined].drop_duplicates(one)
    if name in CHESS:  # the first step of a chain is the naive student
        students = students[
            ~((students["method"] == "bootstrap") & students["labels"].str.startswith("from-", na=False))
        ]
    assert f"PGR undefined (ceiling no better than supervisor) for {len(students)} student" in footer(
        draw(name, plan, table)
    )


@every_figure
def test_students_without_a_ceiling_have_accuracies_but_no_pgr(name: str, shape: Shape) -> None:
    plan = shape(rungs=5, without_truth=2, **sections(name))
    table = numbers(name, plan)
    draw(name, plan, table)
    if "student" in table and "pgr" in table:
        without = {"chess": "c32", "reward": "r32"}.get(
            next((key for key, there in sections(name).items() if there), ""), "w32"
        )
        of_third = table[(table["student"] == without) & table["accuracy"].notna() & (table["method"] != "zero-shot")]
        assert of_third["pgr"].isna().all()
        assert of_third["undefined"].fillna(0).eq(0).all()
        assert name in (
            "fig2",
            "table3",
            "fig25",
            "fig27",
            "labels",
            "methods",
            "preference",
            "sandwiching",
            "shift",
        ) or len(of_third)  # those show one pair


@every_figure
@pytest.mark.parametrize(
    ("tasks", "rungs", "seeds", "methods"),
    [(1, 2, 1, 1), (22, 9, 1, 2), (3, 12, 2, 4)],
    ids=["smallest", "many tasks", "many rungs and methods"],
)
@pytest.mark.slow
def test_nothing_overlaps_in_any_shape(
    name: str, tasks: int, rungs: int, seeds: int, methods: int, shape: Shape
) -> None:
    names = ["naive", "confidence", "mine", "yours"][:methods]
    alphas = {"mine": 0.2, "yours": 0.3}
    more = {one: {"objective": "confidence", "parameters": {"alpha_max": alpha}} for one, alpha in alphas.items()}
    plan = shape(tasks=tasks, rungs=rungs, seeds=seeds, methods=more, nlp={"methods": names}, **sections(name))
    table = numbers(name, plan)
    for real in (False, True):  # these have a second axis of compute
        _apart(draw(name, plan, table, real=real))


def _apart(figure: Figure) -> None:
    renderer = rendered(figure)
    boxes = [box for panel in figure.axes if panel.axison and (box := panel.get_tightbbox(renderer))]
    boxes += [text.get_window_extent(renderer) for text in figure.texts]
    boxes += [legend.get_window_extent(renderer) for legend in figure.legends]
    for number, box in enumerate(boxes):
        assert box.x0 >= figure.bbox.x0 - 1
        assert box.x1 <= figure.bbox.x1 + 1
        assert box.y0 >= figure.bbox.y0 - 1
        assert box.y1 <= figure.bbox.y1 + 1
        for other in boxes[number + 1 :]:
            shared = Bbox.intersection(box, other)
            assert shared is None or min(shared.width, shared.height) < 2, (box, other)  # pixels


def test_one_seed_has_bands_over_test_examples_or_none(shape: Shape) -> None:
    plan = shape(seeds=1)
    table = numbers("fig5", plan)
    figure = draw("fig5", plan, table)
    assert figure.axes[0].collections
    assert "band: 95% bootstrap interval over test examples" in footer(figure)
    assert "noise floor: ±" in footer(figure)
    without = table[[name for name in table if "_examples_" not in str(name)]]
    assert not draw("fig5", plan, without).axes[0].collections
    assert "noise floor" not in footer(draw("fig5", plan, without))
    assert draw("fig5", shape(seeds=2)).axes[0].collections
    assert "band: lowest to highest seed" in footer(draw("fig5", shape(seeds=2)))


@pytest.mark.parametrize("name", ["fig3", "fig5", "fig8"])
def test_bands_show_tasks_where_the_experiment_says_so(name: str, shape: Shape) -> None:
    figure = draw(name, shape(tasks=6, seeds=1, spread="tasks"))
    assert figure.axes[0].collections
    assert "band: 95% bootstrap interval over tasks" in footer(figure)


def test_two_tasks_are_too_few_for_an_interval(shape: Shape) -> None:
    plan = shape(tasks=2, seeds=1, spread="tasks")
    table = numbers("fig5", plan)
    assert "pgr_low" not in table or table["pgr_low"].isna().all()
    assert "band: 95% bootstrap interval over test examples" in footer(draw("fig5", plan))
    table = table[[name for name in table if "_examples_" not in str(name)]]
    assert "band" not in footer(draw("fig5", plan, table))


@pytest.mark.parametrize("name", ["fig3", "fig13"])
def test_figures_of_naive_finetuning_say_when_it_is_left_out(name: str, shape: Shape) -> None:
    with pytest.raises(UserError, match=f"{name} shows naive finetuning, so nlp.methods must name 'naive'"):
        figures.module(name).needs(shape(nlp={"methods": ["confidence"]}))


def test_a_ladder_without_a_supervisor_is_a_plain_mistake(shape: Shape) -> None:
    with pytest.raises(UserError, match="no rung below the largest has truth: true, so none can supervise"):
        shape(rungs=2, without_truth=0)


@pytest.mark.parametrize("name", ["table1", "table2", "fig5", "fig6", "fig9", "fig12"])
def test_a_task_of_the_users_own_is_in_tables_and_figures(
    name: str, shape: Shape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no licence, citation or instruction, and an empty cell of a CSV file is read as not a number."""
    monkeypatch.chdir(tmp_path)
    Path("forms.py").write_text("def pets(row):\n    return []\n")
    Path("pets").mkdir()
    Path("pets/train.jsonl").write_text('{"group": "a", "text": "A dog.", "label": 1}\n')
    own = {"name": "pets", "title": "Pets", "formatter": "forms:pets", "directory": "pets", "test": "none"}
    told = {"texts": {"pets": "Say 1 for a dog."}}
    plan = shape(nlp={"tasks": ["boolq", own], "prompting": {"tasks": None, **told}})
    assert "pets" in plan.nlp.config.all_tasks()
    numbers(name, plan).to_csv("numbers.csv", index=False)
    table = tables.read(Path("numbers.csv"))
    figure = figures.module(name).draw(table, about(plan))
    rendered(figure)
    said = [text.get_text() for panel in figure.axes for text in panel.findobj(Text)]
    if name.startswith("table"):
        assert "Pets" in said
        assert "nan" not in said
