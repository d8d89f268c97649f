"""A user's own code is identified by its file and those that it imports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from w2s.analysis.results import Stored
from w2s.config import user_code as own
from w2s.errors import UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.figures import table02
from w2s.training.objectives import resolve

LOSSES = '''"""Mine."""
import torch
from helpers import squash
import tools.more

POWER = 2.0
OTHER = 3.0


def mine(logits, labels, *, weight: float = 1.0):
    """What it does."""
    return weight * inner(logits) ** POWER + squash(labels)  # why


def inner(logits):
    return logits[:, 1]


def yours(logits, labels, *, progress):
    return tools.more.f(logits[:, 0] * OTHER) * progress


if __name__ == "__main__":
    print("a trial")
'''
HELPERS = """from deep import half
def squash(labels):
    return half(labels[:, 1])
def unused():
    return 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "losses.py").write_text(LOSSES)
    (tmp_path / "helpers.py").write_text(HELPERS)
    (tmp_path / "deep.py").write_text("def half(x):\n    return x / 2\n")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "__init__.py").write_text("")
    (tmp_path / "tools" / "more.py").write_text("def f(x):\n    return x\n")
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("losses.py", "weight * inner", "weight + inner"),
        ("losses.py", "  # why", "  # because"),
        ("helpers.py", "half(labels", "half(2 * labels"),
        ("deep.py", "x / 2", "x / 3"),
        ("tools/more.py", "return x", "return -x"),
    ],
)
def test_an_edit_of_the_file_or_of_one_that_it_imports_moves_the_hash(
    folder: Path, file: str, old: str, new: str
) -> None:
    before = own.digest("losses:mine", folder)
    edit(folder / file, old, new)
    assert own.digest("losses:mine", folder) != before


def test_other_files_of_the_folder_do_not_matter(folder: Path) -> None:
    before = own.digest("helpers:squash", folder)
    edit(folder / "losses.py", "POWER = 2.0", "POWER = 2.5")
    (folder / "more.py").write_text("x = 1\n")
    assert own.digest("helpers:squash", folder) == before
    assert [path.name for path in own.files("helpers:squash", folder)] == ["deep.py", "helpers.py"]


def test_where_the_folder_lies_does_not_matter(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "tools").mkdir()
    for name in ("losses.py", "helpers.py", "deep.py", "tools/__init__.py", "tools/more.py"):
        (tmp_path / "elsewhere" / name).write_text((folder / name).read_text())
    assert own.digest("losses:mine", folder) == own.digest("losses:mine", tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("losses:min", "no function 'min'; did you mean 'mine'? available: inner, mine, yours"),
        ("loses:mine", "loses.py' in the project's folder; it should define mine"),
        ("losses.py:mine:x", "'losses.py:mine:x' is not allowed; allowed: module:function"),
    ],
)
def test_a_function_that_is_not_there_is_one_line(folder: Path, reference: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        own.described(reference, folder)
    assert said in str(caught.value)


def test_a_function_is_only_used_as_it_was_planned(folder: Path) -> None:
    code = own.digest("losses:mine", folder)
    edit(folder / "losses.py", "POWER = 2.0", "POWER = 9.0")
    with pytest.raises(UserError, match="mine changed after the workflow started; run the same command again"):
        own.function("losses:mine", code, folder)


def test_a_process_that_used_an_older_version_uses_the_new_one_and_leaves_nothing_behind(folder: Path) -> None:
    logits, labels = torch.tensor([[0.0, 3.0]]), torch.tensor([[0.5, 0.5]])
    for file, old, new, expected in (
        ("losses.py", "POWER", "POWER", 9.25),
        ("losses.py", "POWER = 2.0", "POWER = 1.0", 3.25),
        ("deep.py", "x / 2", "x / 5", 3.1),
    ):
        edit(folder / file, old, new)
        loss = resolve("losses:mine", own.digest("losses:mine", folder), folder)
        assert loss(logits, labels, progress=0.5, weight=1.0).item() == pytest.approx(expected)
    assert not list(folder.rglob("__pycache__"))
    sys.path.remove(str(folder.resolve()))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return logits.mean()", "returned shape ();"),
        ("return logits", "returned shape (3, 2);"),
        ("return 0.0", "returned float;"),
    ],
)
def test_a_loss_that_is_not_one_an_example_is_one_line(tmp_path: Path, body: str, said: str) -> None:
    (tmp_path / "bad.py").write_text(f"def loss(logits, labels):\n    {body}\n")
    loss = resolve("bad:loss", own.digest("bad:loss", tmp_path), tmp_path)
    with pytest.raises(UserError) as caught:
        loss(torch.zeros(3, 2), torch.zeros(3, 2), progress=0.0)
    assert said in str(caught.value)
    assert "one loss per example, shape (3,)" in str(caught.value)
    sys.path.remove(str(tmp_path.resolve()))


# -- in the plan ---------------------------------------------------------------------------------------------


def with_own(config: dict[str, Any], folder: Path, **more: Any) -> Plan:
    config["methods"]["mine"] = {"objective": "losses:mine", **more}
    config["methods"]["yours"] = {"objective": "losses:yours"}
    return plan_of(config, "config.yaml", folder)


def test_an_edit_moves_the_runs_of_its_method_alone(config: dict[str, Any], folder: Path) -> None:
    (folder / "mine.py").write_text((folder / "losses.py").read_text())

    def keys() -> dict[str, str]:
        return {run.name: run.key for run in with_own(config, folder, objective="mine:mine").nlp.compared_runs()}

    before = keys()
    edit(folder / "mine.py", "POWER = 2.0", "POWER = 7.0")
    after = keys()
    moved = {name for name in before if after[name] != before[name]}
    assert moved == {name for name in before if "/mine/" in name}
    assert moved


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"parameters": {"wieght": 1}},
            "methods.mine: unknown parameter 'wieght' of 'losses:mine'; did you mean 'weig",
        ),
        ({"parameters": {"weight": "big"}}, "methods.mine.weight: 'big' is not allowed; allowed: any number"),
        ({"objective": "losses:mien"}, "methods.mine.objective: "),
        ({"objective": "lossses:mine"}, "it should define mine"),
    ],
)
def test_a_mistake_about_an_own_objective_is_one_line(
    config: dict[str, Any], folder: Path, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError) as caught:
        with_own(config, folder, **more)
    assert said in str(caught.value)
    assert str(caught.value).startswith("config.yaml: ")


ROWS = '{"text": "a", "label": 1}\n'


@pytest.fixture
def own_task(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A task of the user's own, laid into the config; its rows lie in the folder."""
    (folder / "forms.py").write_text("def pets(row):\n    return []\ndef flipped(row):\n    return row\n")
    (folder / "pets").mkdir()
    (folder / "pets" / "train.jsonl").write_text(ROWS)
    task = {"name": "pets", "formatter": "forms:pets", "directory": "pets", "test": "none"}
    config["nlp"]["tasks"].append(task)
    return task


def test_an_own_task_is_known_by_its_rows_and_its_formatter(
    config: dict[str, Any], folder: Path, own_task: dict[str, Any]
) -> None:
    first = plan_of(config, "config.yaml", folder)
    data = first.nlp.data("pets", 0)
    assert "test_share" in data.spec["sizes"]
    assert data.path.startswith("results/nlp/pets/data-")
    edit(folder / "forms.py", "return []", "return list()")
    second = plan_of(config, "config.yaml", folder)
    (folder / "pets" / "train.jsonl").write_text(ROWS * 2)
    own_task["relabel"] = "forms:flipped"
    third = plan_of(config, "config.yaml", folder)
    assert len({data.key, second.nlp.data("pets", 0).key, third.nlp.data("pets", 0).key}) == 3
    assert {plan.nlp.data("sciq", 0).key for plan in (first, second, third)} == {first.nlp.data("sciq", 0).key}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "sciq"}, "nlp.tasks[22]: a task 'sciq' exists already; choose another name"),
        ({"formatter": "forms:pet"}, "nlp.tasks[22]: "),
        ({"formatter": "forms"}, "'forms' is not allowed; allowed: module:function"),
        ({"directory": None}, "pets: directory: missing"),
        ({"formatter": None}, "pets: directory has an effect only with a formatter of your own"),
        ({"name": "median"}, "name: 'median' is taken: figures' tables have rows of this name"),
        ({"name": "my-pets"}, "name: 'my-pets' is not allowed; allowed: lower-case letters, digits and _"),
    ],
)
def test_a_mistake_about_an_own_task_is_one_line(
    config: dict[str, Any], folder: Path, own_task: dict[str, Any], changed: dict[str, Any], said: str
) -> None:
    if changed.get("name") == "sciq":
        config["nlp"]["tasks"] = [one for one in config["nlp"]["tasks"] if one != "sciq"]
        said = said.replace("22", "21")
    own_task.update(changed)
    with pytest.raises(UserError) as caught:
        plan_of(config, "config.yaml", folder)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_own_task_is_prompted_and_in_table_2_without_an_instruction_unless_the_config_has_one(
    config: dict[str, Any], folder: Path, own_task: dict[str, Any]
) -> None:
    config["nlp"]["prompting"]["tasks"] = ["sciq", "pets"]
    config["nlp"]["prompting"]["instructions"] = True
    plan = plan_of(config, "config.yaml", folder)
    largest = config["nlp"]["ladder"][-1]["name"]
    said = {task: plan.nlp.prompting.zero_shot(task, largest, 0).spec["instruction"] for task in ("sciq", "pets")}
    assert said == {"sciq": True, "pets": False}
    assert "pets" not in [row["task"] for row in table02.tabulate(plan, Stored())]
    config["nlp"]["prompting"]["texts"] = {"pets": "Say 1 for a dog."}
    plan = plan_of(config, "config.yaml", folder)
    assert plan.nlp.prompting.zero_shot("pets", largest, 0).spec["instruction"] == "Say 1 for a dog."
    assert "pets" in [row["title"] for row in table02.tabulate(plan, Stored())]


def test_rows_that_are_not_there_are_one_line(config: dict[str, Any], folder: Path, own_task: dict[str, Any]) -> None:
    own_task["directory"] = "pest"
    with pytest.raises(UserError, match=r"task 'pets': no directory .*pest' with its rows"):
        plan_of(config, "config.yaml", folder).nlp.data("pets", 0)
