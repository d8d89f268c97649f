"""Sandwiching on real processes, in tiny: who is told what, and whose labels a student learns."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from w2s import cli
from w2s.engine import artifacts
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run, canonical, with_ancestors
from w2s.models import encoding
from w2s.models.base import directory_of
from w2s.nlp import variants
from w2s.nlp.sandwiching.config import DEBATE, PROMPTED, STUDENT
from w2s.nlp.specs import DebateSpec, LabelHintSpec

pytestmark = pytest.mark.xdist_group("tiny")  # what these tests share is made once

KINDS = (PROMPTED, STUDENT)


def assisted(plan: Plan, kind: str) -> Run:
    return plan.nlp.sandwiching.assisted("sciq", "w8", "w16", kind, 0)


def students(plan: Plan) -> list[Run]:
    return [plan.nlp.sandwiching.student("sciq", "w8", "w16", kind, "naive", 0) for kind in KINDS]


def wanted(plan: Plan) -> list[str]:
    return [run.manifest for run in students(plan)]


def test_students_need_exactly_their_runs(tiny: Plan) -> None:
    """An asked base model; the non-expert, its student that assists; and two assisted with a student each."""
    needed = Counter(one.stage.name for one in with_ancestors(students(tiny)).values())
    assert needed == {"data": 1, "corpus": 1, "pretrain": 2, "prompt": 1, "finetune": 2 + 2 * 2}


def read(made: Path, run: Run, name: str = "predictions") -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = pq.read_table(made / run.path / f"{name}.parquet").to_pydict()
    return columns


@pytest.mark.parametrize("kind", KINDS)
def test_the_assistant_answers_every_example(kind: str, made: Path, tiny: Plan) -> None:
    assistant = assisted(tiny, kind).parents["assistant"]
    assert isinstance(assistant, Run)
    data = pq.read_table(made / tiny.nlp.data("sciq", 0).path / "examples.parquet").to_pydict()
    said = read(made, assistant)
    assert sorted(zip(said["id"], said["part"], strict=True)) == sorted(zip(data["id"], data["part"], strict=True))


def test_a_prompted_assistants_accuracy_is_that_of_the_test_set(made: Path, tiny: Plan) -> None:
    assistant = assisted(tiny, PROMPTED).parents["assistant"]
    assert isinstance(assistant, Run)
    said = read(made, assistant)
    test = [number for number, part in enumerate(said["part"]) if part == "test"]
    hits = [(said["probability"][number] > 0.5) == (said["truth"][number] > 0.5) for number in test]
    record = json.loads((made / assistant.manifest).read_text())["measured"]
    assert record["test_accuracy"] == pytest.approx(sum(hits) / len(hits))


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_tells_what_the_assistant_answers_and_nothing_of_the_truth(
    kind: str, made: Path, tiny: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = assisted(tiny, kind)
    told: list[tuple[str, str]] = []

    def remember(text: str, word: str, hint: LabelHintSpec) -> str:
        told.append((text, word))
        return with_hint(text, word, hint)

    with_hint = variants.with_hint
    monkeypatch.setattr(variants, "with_hint", remember)
    parents = [f"{role}={made / parent.path}" for role, parent in run.parents.items()]
    out = tmp_path / Path(run.path).name
    assert cli.main(["make", "finetune", "--spec", canonical(run.spec), "--out", str(out), "--parents", *parents]) == 0
    assistant = run.parents["assistant"]
    assert isinstance(assistant, Run)
    said = read(made, assistant)
    answers = dict(zip(said["id"], said["probability"], strict=True))
    data = artifacts.read_table(made / tiny.nlp.data("sciq", 0).path / "examples.parquet").to_pydict()
    words = run.spec["appended"]["words"]
    expected = [(text, words[answers[one] > 0.5]) for one, text in zip(data["id"], data["text"], strict=True)]
    assert told == expected
    assert [word for _, word in told] != [words[label] for label in data["label"]]  # it errs, so it is not the truth
    assert (out / "predictions.parquet").read_bytes() == (made / run.path / "predictions.parquet").read_bytes()


def test_a_debate_tells_how_sure_the_advocate_is_of_either_answer_and_nothing_of_the_truth(
    made: Path, tiny: Plan, tmp_path: Path
) -> None:
    run = assisted(tiny, DEBATE)
    parents = [f"{role}={made / parent.path}" for role, parent in run.parents.items()]
    out = tmp_path / Path(run.path).name
    assert cli.main(["make", "finetune", "--spec", canonical(run.spec), "--out", str(out), "--parents", *parents]) == 0
    source, debate = run.parents["assistant"], DebateSpec.from_spec(run.spec["appended"])
    assert isinstance(source, Run)
    said = read(made, source)
    answers = dict(zip(said["id"], said["probability"], strict=True))
    data = tiny.nlp.data("sciq", 0)
    examples = artifacts.read_table(made / data.path / "examples.parquet").to_pydict()
    model = directory_of(made / run.parents["model"].path)
    found = variants.hinted_texts(made / data.path, model, 10**6, debate, answers)
    for part, texts in found.items():
        rows = [number for number, one in enumerate(examples["part"]) if one == part]
        shown = [variants.with_debate(examples["text"][one], answers[examples["id"][one]], debate) for one in rows]
        assert [texts.ids(number) for number in range(len(rows))] == encoding.encode(model, shown, 10**6)
        assert len({text.splitlines()[-1] for text in shown}) <= len(debate.strengths)
    told = pq.read_table(out / "predictions.parquet").to_pydict()
    hinted = read(made, assisted(tiny, STUDENT))
    assert told["id"] == hinted["id"]
    assert told["probability"] != hinted["probability"]


@pytest.mark.parametrize("kind", KINDS)
def test_students_learn_what_the_assisted_non_expert_says(kind: str, made: Path, tiny: Plan) -> None:
    student = read(made, tiny.nlp.sandwiching.student("sciq", "w8", "w16", kind, "naive", 0))
    labels = read(made, assisted(tiny, kind))
    by_id = dict(zip(labels["id"], labels["probability"], strict=True))
    assert student["label"] == pytest.approx([by_id[one] for one in student["id"]])
    alone = read(made, tiny.nlp.truth("sciq", "w8", 0))
    assert [by_id[one] for one in alone["id"]] != pytest.approx(alone["probability"])
