"""What a method's hooks change, and what is said where one returns something else than it should."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from tests.bench.conftest import Bench, submission
from tests.conftest import ROOT
from w2s.analysis.results import Stored
from w2s.bench import hooks, sandbox, scoring, student
from w2s.bench.hooks import Cell
from w2s.bench.protocol import Compared
from w2s.errors import UserError

NAIVE = "def training(cell):\n    return {}\n"
PAGE = ROOT / "docs" / "bench.md"
EXAMPLES = dict(re.findall(r"```python (\w+\.py)\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL))
SEALED = sandbox.unavailable() is None


def predicted(bench: Bench, folder: Path, code: str, cells: list[Compared]) -> list[list[float]]:
    return scoring.predictions(submission(bench, folder, code, sealed=SEALED), cells, folder / "log")[0]


def naive(bench: Bench, cell: Compared) -> list[float]:
    """What the experiment's own naive student predicts."""
    said = Stored(bench[0]).predictions(cell.baselines["naive"])
    return [p for p, part in zip(said["probability"], said["part"], strict=True) if part == "test"]


@pytest.mark.slow
def test_a_method_that_changes_nothing_is_naive_finetuning(bench: Bench, cells: list[Compared], tmp_path: Path) -> None:
    for cell, values in zip(cells, predicted(bench, tmp_path, NAIVE, cells), strict=True):
        assert values == pytest.approx(naive(bench, cell), abs=1e-5)


Told = tuple[Cell, dict[str, list[str]], dict[str, dict[str, torch.Tensor]]]


def told_of(bench: Bench, compared: Compared) -> Told:
    """A cell, its texts and its labels, as the method's process has them."""
    content = scoring.told_of(compared, Stored(bench[0]))
    read = Cell.read(content["cell"], Path())
    cell = replace(read, model=bench[0] / compared.model.path)
    weak = {part: {key: torch.tensor(one) for key, one in labels.items()} for part, labels in content["labels"].items()}
    return cell, content["texts"], weak


def as_module(code: str) -> ModuleType:
    module = ModuleType("method")
    exec(code, vars(module))
    return module


@pytest.mark.slow
def test_the_template_is_naive_finetuning(bench: Bench, cells: list[Compared]) -> None:
    values = student.run(*told_of(bench, cells[0]), as_module(hooks.TEMPLATE)).tolist()
    assert values == pytest.approx(naive(bench, cells[0]), abs=1e-5)


def test_there_are_three_examples() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_documentations_examples_run_and_are_not_naive(
    name: str, bench: Bench, cells: list[Compared], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(EXAMPLES[name])
    assert hooks.check(tmp_path / name)
    last = cells[-1]  # of the second supervisor, so that there are two to combine
    values = student.run(*told_of(bench, last), as_module(EXAMPLES[name])).tolist()
    assert values != pytest.approx(naive(bench, last), abs=1e-3)


@pytest.mark.slow
def test_a_method_gets_the_labels_of_its_own_supervisor_and_of_weaker_ones_alone(
    bench: Bench, cells: list[Compared], tmp_path: Path
) -> None:
    code = """
def combine(cell, labels):
    names = {'w8': ['w8'], 'w12': ['w8', 'w12']}[cell.supervisor]
    assert list(labels) == list(cell.supervisors) == names
    there = [path.read_text() for path in cell.model.parent.parent.joinpath('cells').iterdir()]
    assert len(there) == 2 and all(('w12' in text) == (cell.supervisor == 'w12') for text in there)
    return labels[cell.supervisor]
"""
    assert len(predicted(bench, tmp_path, code, cells)) == 4


@pytest.mark.slow
def test_a_methods_error_is_one_line_that_names_the_cell_and_the_log(
    bench: Bench, cells: list[Compared], tmp_path: Path
) -> None:
    code = "def loss(logits, labels):\n    return 1 / 0\n"
    said = r"my_method\.py: sciq, w8 to w16, seed 0: ZeroDivisionError: division by zero \(all of it: (.*)\)$"
    with pytest.raises(UserError, match=said) as caught:
        predicted(bench, tmp_path, code, cells[:1])
    found = re.search(said, str(caught.value))
    assert found is not None
    assert "line 2, in loss" in Path(found[1]).read_text()


@pytest.fixture
def told(bench: Bench, cells: list[Compared]) -> Told:
    return told_of(bench, cells[0])


@pytest.mark.slow
def test_a_method_that_fails_for_one_pair_is_stopped_for_all(
    bench: Bench, cells: list[Compared], tmp_path: Path
) -> None:
    code = """
import time

def combine(cell, labels):
    if cell.supervisor == 'w8':
        raise RuntimeError('no')
    time.sleep(3600)
"""
    both = replace(submission(bench, tmp_path, code, sealed=SEALED), cores=2)
    with pytest.raises(UserError, match=r"w8.*RuntimeError: no"):
        scoring.predictions(both, cells, tmp_path / "log")


@pytest.mark.slow
def test_examples_of_weight_zero_are_as_if_they_were_not_there(told: Any) -> None:
    cell, texts, weak = told
    code = "def relabel(cell, texts, labels):\n    keep = labels > labels.median()\n    return labels, keep * {times}\n"
    chosen = (weak["strong"]["w8"] > weak["strong"]["w8"].median()).nonzero().flatten().tolist()
    fewer = {**texts, "strong": [texts["strong"][number] for number in chosen]}
    left = {**weak, "strong": {"w8": weak["strong"]["w8"][chosen]}}
    once = student.run(cell, texts, weak, as_module(code.format(times="1.0")))
    assert once.tolist() == student.run(cell, fewer, left, as_module("")).tolist()
    assert once.tolist() != student.run(cell, texts, weak, as_module("")).tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def relabel(cell, texts, labels):\n    return labels\n", "relabel: expected two tensors"),
        (
            "def relabel(cell, texts, labels):\n    return labels, 0 * labels\n",
            "relabel: weights: all are 0; nothing is left to train on",
        ),
        ("def combine(cell, labels):\n    return labels[cell.supervisor][1:]\n", r"combine: expected shape \(\d+,\)"),
        (
            "def predict(cell, student, texts):\n    return [2.0] * len(texts)\n",
            "predict: expected numbers from 0 to 1",
        ),
        (
            "def training(cell):\n    return {'rate': 2}\n",
            "training: 'rate' is not allowed; allowed: epochs, head_first",
        ),
        ("def training(cell):\n    return {'epochs': 0}\n", "training: epochs: 0 is not allowed"),
        ("def loss(logits, labels):\n    return logits.sum()\n", "loss: expected one loss per example"),
    ],
)
def test_a_hooks_mistake_is_one_line(code: str, said: str, told: Any) -> None:
    cell, texts, weak = told
    with pytest.raises(UserError, match=f"^{said}") as caught:
        student.run(cell, texts, weak, as_module(code))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        (
            "my_method.py",
            "def helper():\n    pass\n",
            r"defines no hook; expected one or more of combine\(cell, labels\)",
        ),
        ("my_method.py", "def loss(:\n", r"my_method.py:1: not valid Python"),
        ("my-method.py", NAIVE, "not a valid name for a method"),
    ],
)
def test_a_file_that_is_no_method_is_refused_without_being_imported(
    name: str, code: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text("raise SystemExit\n" + code if "(:" not in code else code)
    with pytest.raises(UserError, match=said):
        hooks.check(path)


def test_hooks_may_be_assigned(tmp_path: Path) -> None:
    (tmp_path / "my_method.py").write_text("from w2s.training.objectives import confidence\nloss = confidence\n")
    assert hooks.check(tmp_path / "my_method.py") == ["loss"]


def test_settings_that_methods_would_not_train_with_are_refused(cells: list[Compared], bench: Bench) -> None:
    naive = cells[0].baselines["naive"]
    training = {**naive.spec["training"], "batches": "by_length"}
    told = scoring.told_of(replaced(cells[0], {**naive.spec, "training": training}), Stored(bench[0]))
    assert told["cell"]["by_length"] is True
    with pytest.raises(UserError, match="the bench does not know agreement"):
        scoring.told_of(replaced(cells[0], {**naive.spec, "agreement": True}), Stored(bench[0]))


def replaced(cell: Compared, spec: dict[str, Any]) -> Compared:
    """The cell with another spec of its naive student."""
    return replace(cell, baselines={**cell.baselines, "naive": replace(cell.baselines["naive"], spec=spec)})
