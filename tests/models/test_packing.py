"""Texts in one row are read as texts that are padded, by own rungs and by open models, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import MistralConfig, MistralModel

from tests.training.test_loop import RECIPE, labels, loss, texts
from w2s.engine.checkpoints import Checkpoint
from w2s.engine.memory import Budget
from w2s.models.classifier import Classifier, Computing, load, pack
from w2s.models.decoder import Decoder, Shape
from w2s.training.batching import Texts, filled
from w2s.training.loop import Evaluation, Runtime, backward, probabilities, train

LONGEST = 20


def own() -> Classifier:
    """A rung pretrained here, with weights large enough that its answers differ."""
    torch.manual_seed(0)
    backbone = Decoder(Shape(100, 32, 80, 3, 4))
    nn.init.normal_(backbone.embed_tokens.weight)
    return Classifier(backbone, torch.randn(2, 32))


def gradients(network: nn.Module) -> list[Tensor]:
    return [one.grad for one in network.parameters() if one.grad is not None]


@pytest.mark.parametrize("tokens", [1, 60, 10_000])
@pytest.mark.parametrize("objective", ["naive", "confidence"])
def test_packed_texts_have_the_loss_and_the_gradient_of_padded_ones(objective: str, tokens: int) -> None:
    padded, packed, some = own(), own(), texts(16)
    assert pack(packed, LONGEST)
    found = [
        float(backward(network, some, labels(16), range(16), loss(objective).at(0.5), tokens).sum())
        for network in (padded, packed)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    for one, other in zip(gradients(padded), gradients(packed), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(probabilities(padded, some), probabilities(packed, some, Budget(tokens)))


def test_open_models_read_packed_texts_as_padded_ones_or_are_left_as_they_are(models: dict[str, Path]) -> None:
    some, packs = texts(9), {}
    for name, folder in models.items():
        network = load(folder, (" no", " yes"))
        expected = probabilities(network, some)
        packs[name] = pack(network, LONGEST)
        torch.testing.assert_close(probabilities(network, some), expected, atol=1e-5, rtol=1e-4)
    assert sum(packs.values()) > len(packs) / 2, packs


@pytest.mark.parametrize("window", [None, 8])
def test_windows_stay_and_gradients_flow_also_under_adapters(window: int | None, models: dict[str, Path]) -> None:
    torch.manual_seed(1)
    shape = {"vocab_size": 100, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256}
    backbone = MistralModel(MistralConfig(**shape, **heads, sliding_window=window))
    network, some = Classifier(backbone, torch.randn(2, 32)), texts(12, longest=40)
    found = []
    for packed in (False, True):
        assert not packed or pack(network, 40)
        network.zero_grad()
        value = backward(network, some, labels(12), range(12), loss("naive").at(0.0), 200)
        found.append((float(value.sum()), [one.clone() for one in gradients(network)]))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)
    adapted = load(models["qwen"], (" no", " yes"), Computing(adapters={"rank": 2, "alpha": 4}))
    assert pack(adapted, LONGEST)


def test_a_model_that_ignores_positions_is_found_out_and_padded(models: dict[str, Path]) -> None:
    network, some = load(models["gpt2"], (" no", " yes")), texts(6)
    expected, forward = probabilities(network, some), network.backbone.forward

    def without_positions(*, position_ids: Tensor | None = None, **more: object) -> object:
        return forward(**more)

    network.backbone.forward = without_positions
    assert not pack(network, LONGEST)
    torch.testing.assert_close(probabilities(network, some), expected)


def test_a_whole_run_on_packed_texts_has_the_history_of_one_on_padded_ones(tmp_path: Path) -> None:
    some, curves = texts(40), []
    for packed in (False, True):
        network = own()
        network.packs = packed
        recipe = replace(RECIPE, schedule=replace(RECIPE.schedule, learning_rate=1e-3))
        evaluation = Evaluation(lambda n=network: {"mean": float(probabilities(n, some).mean())})  # type: ignore[misc]
        runtime = Runtime(Checkpoint(tmp_path / f"{packed}.pt"), Budget(200))
        history, _ = train(network, some, labels(40), recipe, evaluation, runtime)
        curves.append([value for row in history for value in row.values()])
    assert curves[0] == pytest.approx(curves[1], rel=1e-4, abs=1e-5)


def test_rows_are_filled_within_the_budget_and_hold_every_text_once() -> None:
    assert filled([3, 4, 5, 20, 1], 9) == [slice(0, 2), slice(2, 3), slice(3, 4), slice(4, 5)]
    some = Texts([[5], [6, 7, 8], [9, 10]])
    ids, lengths, longest = some.packed([2, 0, 1], torch.device("cpu"))
    assert (ids.tolist(), lengths.tolist(), longest) == ([9, 10, 5, 6, 7, 8], [2, 1, 3], 3)


def test_a_compiled_model_is_not_compiled_again_at_every_evaluation(tmp_path: Path) -> None:
    """Once for training and once for evaluation, whatever the batches' sizes are later on."""
    compiled: list[int] = []

    def count(graph: torch.fx.GraphModule, _: list[Tensor]) -> object:
        compiled.append(step[0])
        return graph.forward

    network, some, step = own(), texts(40), [0]
    network.compile(dynamic=True, backend=count)

    def evaluate() -> dict[str, float]:
        step[0] += 1
        return {"mean": float(probabilities(network, some, Budget(100)).mean())}

    runtime = Runtime(Checkpoint(tmp_path / "checkpoint.pt"), Budget(100))
    train(network, some, labels(40), RECIPE, Evaluation(evaluate), runtime)
    assert compiled
    assert step[0] == 10
    assert max(compiled) <= 2
