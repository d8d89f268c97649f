"""Figure 1 is a drawing: of nothing that was run, and the same in any experiment."""

from __future__ import annotations

from tests.figures.conftest import Shape, about, numbers
from w2s.figures import fig01


def test_it_needs_no_run_and_is_the_same_in_any_experiment(shape: Shape) -> None:
    small, large = shape(tasks=1, rungs=2, seeds=1), shape(tasks=4, rungs=5, seeds=2)
    assert fig01.needs(small) == []
    assert numbers("fig1", small).equals(numbers("fig1", large))


def test_the_student_is_stronger_than_its_supervisor_in_the_analogy_as_in_what_it_stands_for(shape: Shape) -> None:
    by_panel = numbers("fig1", shape()).pivot_table(index="panel", columns="role", values="capability")
    stronger = by_panel["student"] > by_panel["supervisor"]
    assert dict(stronger) == {"a": False, "b": True, "c": True}
    assert (by_panel.loc["c"] < 1).all()  # both below human level, so that truth is known


def test_it_names_its_panels_and_actors(shape: Shape) -> None:
    (panel,) = fig01.draw(numbers("fig1", shape()), about(shape())).axes
    said = {text.get_text() for text in panel.texts}
    assert {"(a) Supervised learning", "(b) Superalignment", "(c) Our analogy", "human\nlevel"} <= said
    assert {"weak\nsupervisor", "strong\nstudent", "human", "student"} <= said
