"""Examples are balanced whatever fits, answers are two tokens' log-probabilities, and nothing is dropped."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from w2s.engine.memory import Budget
from w2s.errors import UserError
from w2s.models import encoding
from w2s.models.generator import Generator, load
from w2s.nlp.prompting.stage import Pieces, Prompter, choose, counted, distinguishing_tokens
from w2s.nlp.specs import PromptSpec

SPEC: dict[str, Any] = {
    "task": "sciq",
    "instruction": "",
    "answers": [" no", " yes"],
    "between": "\n\n",
    "max_length": None,
    "shots": 2,
    "draws": 1,
    "half": "strong",
    "seed": 0,
}
QUESTIONS = ["Question: does Mira eat figs?\nAnswer:", "Is it so?", "A long tale."]
SHOTS = [("Is it so?", 1), ("A long tale.", 0), ("Is it so?", 0)]


@pytest.fixture(scope="module")
def network(models: dict[str, Path]) -> Generator:
    return load(models["gpt2"]).eval()


def prompter(models: dict[str, Path], network: Generator, tokens: int = 10_000, **changed: Any) -> Prompter:
    return Prompter(network, models["gpt2"], PromptSpec.from_spec(SPEC | changed), Budget(tokens))


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(0, 8), st.integers(0, 10**6))
def test_every_beginning_of_the_examples_is_balanced(labels: list[float], count: int, seed: int) -> None:
    chosen = choose(labels, count, random.Random(seed))
    assert len(chosen) == len(set(chosen)) == min(count, len(labels))
    ones = sum(label > 0.5 for label in labels)
    for end in range(len(chosen) + 1):
        positive = sum(labels[number] > 0.5 for number in chosen[:end])
        used_up = positive == ones or end - positive == len(labels) - ones
        assert abs(2 * positive - end) <= 1 or used_up


def test_the_same_seed_chooses_the_same_examples_and_another_others() -> None:
    labels = [0.2, 0.9] * 20
    first, same, other = (choose(labels, 5, random.Random(name)) for name in ("a", "a", "b"))
    assert first == same != other


def test_which_label_comes_first_is_chance() -> None:
    firsts = {choose([0.1] * 9 + [0.9] * 9, 1, random.Random(seed))[0] >= 9 for seed in range(20)}
    assert firsts == {True, False}


def test_an_answer_is_the_share_of_its_token_among_the_two(models: dict[str, Path], network: Generator) -> None:
    """As if the whole prompt had been read at once, without anything kept."""
    mine = prompter(models, network)
    made = mine.pieces(SHOTS, QUESTIONS)
    answers = mine.answer(made)
    words = ["".join(f"{text}{SPEC['answers'][label]}\n\n" for text, label in SHOTS), *QUESTIONS]
    assert answers.shots == [3, 3, 3]
    for question, scored, probability, mass in zip(
        words[1:], made.scored, answers.probability, answers.mass, strict=True
    ):
        pieces = [*(piece for text, label in SHOTS for piece in (text, str(SPEC["answers"][label]), "\n\n")), question]
        ids = [token for piece in encoding.bare_ids(mine.tokenizer, pieces) for token in piece]
        with torch.no_grad():
            logits = network(torch.tensor([ids]), torch.tensor([0]), torch.tensor([len(ids) - 1]))[0].double()
        no, yes = logits.softmax(-1)[scored].tolist()
        assert probability == pytest.approx(yes / (no + yes), abs=1e-5)
        assert mass == pytest.approx(no + yes, abs=1e-5)


def test_how_much_is_read_at_once_changes_nothing(models: dict[str, Path], network: Generator) -> None:
    found = []
    for tokens in (1, 40, 10_000):
        mine = prompter(models, network, tokens)
        found.append(mine.answer(mine.pieces(SHOTS, QUESTIONS)).probability)
    assert found[1] == pytest.approx(found[0], abs=1e-6)
    assert found[2] == pytest.approx(found[0], abs=1e-6)


def test_a_question_has_as_many_examples_as_there_is_room_for(models: dict[str, Path], network: Generator) -> None:
    mine = prompter(models, network, max_length=20)
    questions = [[5] * length for length in (3, 4, 7, 11, 15, 16)]
    pieces = Pieces([1] * 5, [[2] * 4, [3] * 4, [4] * 4], questions, [[7, 8]] * 6)
    answers = mine.answer(pieces)
    assert answers.shots == [3, 2, 2, 1, 0, 0]
    assert answers.cut == 1
    assert counted(answers.shots) == {"3": 1, "2": 2, "1": 1, "0": 2}
    whole = mine.answer(Pieces([1] * 5, [], [[6, *[5] * 14], [7, 6, *[5] * 14]], [[7, 8]] * 2))
    assert whole.probability[0] == pytest.approx(whole.probability[1], abs=1e-6)  # the end of it is what is read
    assert whole.cut == 1


def test_the_models_own_limit_holds_too(models: dict[str, Path], network: Generator) -> None:
    assert prompter(models, network).limit == 64
    assert prompter(models, network, max_length=50).limit == 50


def test_the_instruction_stands_first_in_the_answers_words(models: dict[str, Path], network: Generator) -> None:
    mine = prompter(models, network, instruction=True)
    assert "Respond with yes if the answer is correct, and with no otherwise." in mine.instruction
    head = encoding.texts_of(mine.tokenizer, [mine.pieces([], QUESTIONS).head])[0]
    assert head == f"{mine.instruction}\n\n"
    assert prompter(models, network, instruction="Say 1.").instruction == "Say yes."
    mine = prompter(models, network, instruction=True, max_length=8)
    with pytest.raises(UserError, match=r"nlp\.prompting\.max_length: 8 leaves no room for a question"):
        mine.answer(mine.pieces([], QUESTIONS))


def test_answers_are_distinguishing_tokens_by_their_first_different_token() -> None:
    assert distinguishing_tokens([[7], [8]], ["a", "b"]) == ([], [7, 8])
    assert distinguishing_tokens([[5, 7], [5, 8, 9]], ["a", "b"]) == ([5], [7, 8])
    with pytest.raises(UserError, match="'a' and 'ab' begin with the same tokens"):
        distinguishing_tokens([[5], [5, 8]], ["a", "ab"])


def test_shared_beginnings_of_answers_are_part_of_the_question(models: dict[str, Path], network: Generator) -> None:
    mine = prompter(models, network, answers=["A long tale no", "A long tale yes"])
    alike = encoding.bare_ids(mine.tokenizer, ["xA long tale"])[0]
    assert mine.pieces([], ["x"]).questions[0][: len(alike)] == alike
    assert not math.isnan(mine.answer(mine.pieces([], ["x"])).probability[0])
