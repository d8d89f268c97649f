"""Direct preference optimisation: the loss of its paper, of a language model's own probabilities."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.reward.test_batching import Raw, cut_off_and_resumed, gradients, pairs_of, raw, swapped, trained
from w2s.engine import artifacts
from w2s.engine.memory import Budget
from w2s.models import decoder, encoding
from w2s.models.pretraining import _save_tokenizer, new_model
from w2s.models.tokenizer import train_tokenizer
from w2s.reward.batching import backward, both, joined, logits, relative, rewards
from w2s.reward.finetune import encoded
from w2s.reward.policy import Policy, completions, load
from w2s.training.loss import Loss
from w2s.training.objectives import naive, pair

SHAPE = {"width": 32, "intermediate": 80, "layers": 2, "heads": 4}
BETA = 0.3
CPU = torch.device("cpu")
LOSS = Loss(naive, separable=True).at(0.0)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An own rung with a tokenizer, and weights large enough that log probabilities differ."""
    folder = tmp_path_factory.mktemp("rung")
    model: Any = new_model(SHAPE, 300, 3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
    model.save_pretrained(folder)
    train_tokenizer(["one two three"] * 20, 300).save(str(folder / "trained.json"))
    _save_tokenizer(folder / "trained.json", folder)
    return folder


def changed(directory: Path, seed: int = 1) -> Policy:
    """The base model after some training: every weight is a little different."""
    network, generator = load(directory, BETA), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return network


@torch.no_grad()
def by_hand(network: Policy, some: list[Raw]) -> Tensor:
    """(n, 2) log probabilities of first and second completions, one text and one token at a time."""
    found = []
    for prefix, *texts in some:
        of_pair = []
        for text in texts:
            total = 0.0
            for place, token in enumerate(text):
                ids = [*prefix, *text[:place]]
                last = network.model(torch.tensor([ids]), torch.tensor([0]), torch.tensor([len(ids) - 1]))
                total += last[0].log_softmax(-1)[token].item()
            of_pair.append(total)
        found.append(of_pair)
    return torch.tensor(found)


def test_rewards_are_beta_times_what_log_probabilities_gain_on_the_base_model(directory: Path) -> None:
    some, base, network = raw(10), load(directory, BETA), changed(directory)
    pairs = relative(base, pairs_of(some), Budget(100))
    expected = BETA * (by_hand(network, some) - by_hand(base, some))
    with torch.no_grad():
        found = torch.cat([rewards(network, part) for part in pairs.split(range(10), 10_000, network)])
    (numbers,) = (part.numbers for part in pairs.split(range(10), 10_000, network))
    torch.testing.assert_close(found, expected[numbers], atol=1e-5, rtol=1e-4)
    assert expected.std() > 0.1


def test_the_loss_is_that_of_the_paper_with_soft_labels(directory: Path) -> None:
    some, base, network = raw(8), load(directory, BETA), changed(directory)
    soft = torch.linspace(0.0, 1.0, 8)
    first, second = (BETA * (by_hand(network, some) - by_hand(base, some))).double().unbind(-1)
    each = [
        -q * math.log(1 / (1 + math.exp(a - b))) - (1 - q) * math.log(1 / (1 + math.exp(b - a)))
        for q, a, b in zip(soft.tolist(), first.tolist(), second.tolist(), strict=True)
    ]
    pairs = relative(base, pairs_of(some))
    found = float(backward(network, pairs, pair(soft), range(8), LOSS, 10_000).sum())
    assert found == pytest.approx(sum(each) / 8, rel=1e-4)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_the_loss_before_training_is_log_2(directory: Path, label: float) -> None:
    network, some = load(directory, BETA), raw(12)
    pairs = relative(network, pairs_of(some))
    found = float(backward(network, pairs, pair(torch.full((12,), label)), range(12), LOSS, 60).sum())
    assert found == pytest.approx(math.log(2), abs=1e-6)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_step_makes_the_preferred_completion_gain_on_the_other(directory: Path, label: float) -> None:
    some, base = raw(6), load(directory, BETA)
    for number in range(6):
        network, pairs = load(directory, BETA), relative(base, pairs_of([some[number]]))
        backward(network, pairs, pair(torch.tensor([label])), [0], LOSS, 10_000)
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.grad is not None:
                    parameter.sub_(1e-3 * parameter.grad)
        assert torch.equal(torch.sign(logits(network, pairs)), torch.tensor([2 * label - 1]))


def test_the_gradient_does_not_depend_on_the_split(directory: Path) -> None:
    found = []
    for tokens in (10_000, 60):
        network, pairs = changed(directory), relative(load(directory, BETA), pairs_of(raw(16)))
        value = float(backward(network, pairs, pair(torch.linspace(0, 1, 16)), range(16), LOSS, tokens).sum())
        found.append((value, gradients(network)))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for name, one in found[0][1].items():
        torch.testing.assert_close(one, found[1][1][name], atol=1e-4, rtol=1e-3)


def train(directory: Path, folder: Path, some: list[Raw], labels: Tensor, **more: Any) -> Any:
    """As ``trained``, of a policy, whose rewards are relative to the base model."""
    network = load(directory, BETA)
    pairs = relative(network, pairs_of(some), Budget(200))
    return trained(network, pairs, folder, labels, Loss(naive, separable=True), **more)


def test_swapped_pairs_are_trained_and_predicted_exactly_mirrored(directory: Path, tmp_path: Path) -> None:
    some, soft = raw(24), torch.linspace(-3, 3, 24)
    _, here, history = train(directory, tmp_path / "here", some, both(soft))
    _, there, mirrored = train(directory, tmp_path / "there", swapped(some), both(-soft))
    for one, other in zip(here, there, strict=True):
        assert torch.equal(one, -other)
    assert [row["train_loss"] for row in history] == [row["train_loss"] for row in mirrored]
    assert not torch.equal(here[0], here[-1])


def test_a_run_that_was_cut_off_ends_with_the_same_bits(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base model's part is computed again from the base model, not from the checkpoint."""
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    cut_off_and_resumed(partial(train, directory), tmp_path)


def test_joined_pairs_keep_their_references(directory: Path) -> None:
    base, network, some = load(directory, BETA), changed(directory), raw(9)
    apart = [relative(base, pairs_of(part)) for part in (some[:4], some[4:])]
    expected = torch.cat([logits(network, one) for one in apart])
    torch.testing.assert_close(logits(network, joined(apart)), expected, atol=1e-5, rtol=1e-4)


def test_open_models_have_the_rewards_of_their_own_probabilities(models: dict[str, Path]) -> None:
    some = raw(4)
    for name, folder in models.items():
        network = load(folder, BETA).eval()
        with torch.no_grad():
            found = rewards(network, pairs_of(some).apart(range(4), CPU))
        torch.testing.assert_close(found, BETA * by_hand(network, some), atol=1e-4, rtol=1e-4, msg=name)


def test_completions_without_a_prefix_are_judged_from_their_second_token_on() -> None:
    rows, columns = completions(np.array([[3, 2, 1], [0, 1, 3]]))
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 3), (0, 4), (1, 3), (3, 1), (3, 2)]


def test_completions_end_with_the_cue_or_with_the_end_token(directory: Path, tmp_path: Path) -> None:
    columns = {
        "id": ["a"],
        "part": ["strong"],
        "prefix": ["one"],
        "first": [" two"],
        "second": [" three"],
        "label": [1],
    }
    artifacts.write_table(tmp_path / "examples.parquet", columns)
    tokenizer, end = encoding.tokenizer_of(directory), encoding.end_of(directory)
    for cue, last in (("", end), (" one", encoding.bare_ids(tokenizer, [" one"])[0][-1])):
        for ends in (True, False):
            found = encoded(tmp_path, directory, cue, 64, ends=ends)["strong"].pairs.pair(0)
            ended = [text[-1] == last for text in (found.low, found.high)]
            assert ended == [ends or bool(cue)] * 2


def test_all_weights_of_the_language_model_are_trained(directory: Path) -> None:
    network = load(directory, BETA)
    pairs = relative(load(directory, BETA), pairs_of(raw(4)))
    backward(network, pairs, pair(torch.ones(4)), range(4), LOSS, 10_000)
    names = {name.removeprefix("model.backbone.") for name in gradients(network)}
    assert names == {name.removeprefix(decoder.PREFIX) for name in decoder.read_weights(directory)} - {"lm_head.weight"}
