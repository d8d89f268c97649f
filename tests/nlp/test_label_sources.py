"""Labels of several supervisors are their mean; changed labels are those that a run's predictions name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.graph.artifact import Identity
from w2s.nlp import ensemble
from w2s.nlp.labels import weak_labels
from w2s.nlp.parts import Part, apply_label_changes, with_balanced_labels
from w2s.training.batching import Texts
from w2s.training.specs import MethodChanges

IDS, PARTS, TRUTH = ["a", "b", "c", "d"], ["strong", "strong", "validation", "test"], [0, 1, 1, 0]


def supervisor(folder: Path, said: dict[str, float]) -> Path:
    """A run's predictions, in the order of ``said``."""
    rows = [IDS.index(one) for one in said]
    folder.mkdir()
    columns: dict[str, list[object]] = {"id": list(said), "part": [PARTS[row] for row in rows]}
    columns |= {"truth": [TRUTH[row] for row in rows], "probability": list(said.values())}
    artifacts.write_table(folder / "predictions.parquet", columns)
    return folder


def averaged(folder: Path, runs: list[Path]) -> artifacts.Build:
    folder.mkdir()
    build = artifacts.Build(Identity("ensemble", 1, {}, {}), folder, folder)
    ensemble.make(build, runs)
    return build


def test_the_labels_of_several_supervisors_are_their_mean_by_id(tmp_path: Path) -> None:
    first = supervisor(tmp_path / "first", {"a": 0.1, "b": 0.2, "c": 0.9, "d": 0.5})
    second = supervisor(tmp_path / "second", {"d": 0.9, "c": 0.7, "b": 1.0, "a": 0.5})
    build = averaged(tmp_path / "mean", [first, second])
    assert weak_labels(tmp_path / "mean") == pytest.approx({"a": 0.3, "b": 0.6, "c": 0.8, "d": 0.7})
    table = artifacts.read_table(tmp_path / "mean" / "predictions.parquet").to_pydict()
    assert (table["part"], table["truth"]) == (PARTS, TRUTH)
    assert build.measured["right_strong"] == 1.0
    assert build.measured["right_test"] == 0.0
    averaged(tmp_path / "exchanged", [second, first])
    assert weak_labels(tmp_path / "exchanged") == pytest.approx(weak_labels(tmp_path / "mean"))
    averaged(tmp_path / "alone", [first])
    assert weak_labels(tmp_path / "alone") == pytest.approx(weak_labels(first))


def test_a_supervisor_without_a_label_is_named(tmp_path: Path) -> None:
    whole = supervisor(tmp_path / "whole", dict.fromkeys(IDS, 0.5))
    part = supervisor(tmp_path / "part", dict.fromkeys(IDS[:3], 0.5))
    with pytest.raises(UserError, match=r"part/predictions.parquet: no prediction for 1 of 4 examples, first d"):
        averaged(tmp_path / "mean", [whole, part])


def part(labels: list[float], first: int = 0) -> Part:
    texts = Texts([[first + number] for number in range(len(labels))])
    truth = torch.tensor([1.0 - round(one) for one in labels])  # every label is wrong
    return Part([f"{first + number}" for number in range(len(labels))], texts, truth, torch.tensor(labels))


def never(texts: Texts) -> Tensor:
    raise AssertionError("states are not needed")


def test_predictions_name_the_labels_that_were_learned_and_validation_keeps_the_supervisors() -> None:
    parts = {"strong": part([0.1] * 10), "validation": part([0.1] * 10, 50)}
    changes = MethodChanges.from_spec({"ground_truth": 0.3})
    learned = apply_label_changes(parts["strong"], parts, "strong", changes, 0, never)
    assert sorted(learned.labels.tolist()) == pytest.approx([0.1] * 7 + [1.0] * 3)
    assert torch.equal(parts["strong"].labels, learned.labels)
    assert parts["validation"].labels.unique().tolist() == pytest.approx([0.1])


def test_told_truth_counts_as_confident() -> None:
    changes = MethodChanges.from_spec({"ground_truth": 0.3, "keep": {"share": 1.0}})
    parts = {"strong": part([0.1] * 10)}
    assert len(apply_label_changes(parts["strong"], parts, "strong", changes, 0, never).ids) == 10
    changes = MethodChanges.from_spec({"ground_truth": 0.3, "keep": {"share": 0.01}})
    parts = {"strong": part([0.1] * 10)}
    kept = apply_label_changes(parts["strong"], parts, "strong", changes, 0, never)
    assert sorted(kept.labels.tolist()) == pytest.approx([0.1, 1.0])  # one of each class


def test_neighbours_are_searched_among_the_texts_that_are_learned() -> None:
    parts = {"strong": part([0.1, 0.2, 0.9, 0.3, 0.8]), "test": part([0.5], 50)}
    asked: list[Texts] = []

    def states(texts: Texts) -> Tensor:
        asked.append(texts)
        return torch.tensor([[0.0, 1], [0.1, 1], [0.05, 1], [1, 0.0], [1, 0.1]])

    changes = MethodChanges.from_spec({"keep": {"share": 0.5, "neighbours": 1}})
    kept = apply_label_changes(parts["strong"], parts, "strong", changes, 0, states)
    assert asked == [parts["strong"].texts]
    assert set(kept.ids) < set(parts["strong"].ids)
    assert [kept.texts.ids(number) for number in range(len(kept.ids))] == [[int(one)] for one in kept.ids]
    assert len(parts["strong"].ids) == 5


def test_balancing_moves_weak_labels_and_no_truth() -> None:
    parts = {"weak": part([0.0, 0.0, 1.0]), "strong": part([0.01, 0.02, 0.03]), "test": part([0.001, 0.5])}
    found = with_balanced_labels(parts, "strong")
    assert found["weak"] is parts["weak"]
    assert found["strong"].labels.tolist() == pytest.approx([0.3311, 0.5, 0.6025], abs=1e-3)
    assert found["test"].labels.gt(0.5).tolist() == [False, True]
