"""Matrix products in bfloat16 on a CPU: rounded inputs, float32 everywhere else, on every kind of linear layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.functional import linear

from tests.open_models import LIMIT
from w2s.models import classifier, encoding, generator
from w2s.models.classifier import Classifier, Computing
from w2s.models.precision import Precision, product
from w2s.training.batching import Texts
from w2s.training.loop import backward
from w2s.training.loss import Loss
from w2s.training.objectives import naive

TEXTS = ["Is it so?", "Question: does Mira eat figs?\nAnswer:", "!!", "A long tale. " * 3]
NAIVE = Loss(naive, separable=True).at(0.0)
NEAR: dict[str, Any] = {"atol": 2e-2, "rtol": 2e-2}


def rounded(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Random numbers that bfloat16 holds exactly."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).bfloat16().float()


def test_a_product_of_numbers_that_bfloat16_holds_differs_by_the_rounding_of_its_result() -> None:
    values, weight = rounded((2, 5, 16), 0).requires_grad_(), rounded((8, 16), 1).requires_grad_()
    gradient = rounded((2, 5, 8), 2)
    found = product(values, weight)
    of_product = torch.autograd.grad(found, (values, weight), gradient)
    exact = linear(values, weight)
    of_linear = torch.autograd.grad(exact, (values, weight), gradient)
    for one, other in zip((found, *of_product), (exact, *of_linear), strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other, atol=0, rtol=2**-8)


def test_layers_round_what_they_multiply_and_keep_their_names_and_biases() -> None:
    exact = nn.Sequential(nn.Linear(16, 8), nn.LayerNorm(8), nn.Linear(8, 4, bias=False))
    rough = nn.Sequential(nn.Linear(16, 8), nn.LayerNorm(8), nn.Linear(8, 4, bias=False))
    rough.load_state_dict(exact.state_dict())
    values = torch.randn(3, 16)
    precision = Precision.of("bfloat16", rough)
    assert precision == Precision(half=True, layers=True)
    with precision.computing(values.device):
        found = rough(values)
    assert found.dtype == torch.float32
    assert not torch.equal(found, exact(values))
    torch.testing.assert_close(found, exact(values), **NEAR)
    assert list(rough.state_dict()) == list(exact.state_dict())
    assert torch.equal(rough[1](values[:, :8]), exact[1](values[:, :8]))


def test_float32_leaves_a_network_as_it_is() -> None:
    network = nn.Sequential(nn.Linear(16, 8))
    assert Precision.of("float32", network) == Precision(half=False, layers=False)
    assert "forward" not in vars(network[0])


def test_every_linear_layer_of_an_architecture_multiplies_in_bfloat16(model: Path) -> None:
    network = classifier.load(model, ("no", "yes"), Computing("bfloat16"))
    layers: list[Any] = [one for one in network.backbone.modules() if type(one).__name__ in ("Linear", "Conv1D")]
    assert layers
    for layer in layers:
        width = layer.weight.shape[0 if type(layer).__name__ == "Conv1D" else 1]
        values = torch.randn(2, 3, width)
        found, exact = layer(values), type(layer).forward(layer, values)
        assert found.dtype == torch.float32
        assert not torch.equal(found, exact)
        torch.testing.assert_close(found, exact, **NEAR)


def gradients(network: Classifier, directory: Path, tokens: int) -> dict[str, torch.Tensor]:
    texts, labels = Texts(encoding.encode(directory, TEXTS, LIMIT)), torch.tensor([[1.0, 0.0], [0.2, 0.8]] * 2)
    network.zero_grad()
    backward(network, texts, labels, [0, 1, 2, 3], NAIVE, tokens)
    return {name: one.grad.clone() for name, one in network.named_parameters() if one.grad is not None}


def test_gradients_are_those_of_float32_up_to_rounding_whatever_the_micro_batch(model: Path) -> None:
    exact = gradients(classifier.load(model, ("no", "yes")), model, 10_000)
    rough = classifier.load(model, ("no", "yes"), Computing("bfloat16"))
    whole, split = gradients(rough, model, 10_000), gradients(rough, model, 1)
    assert whole.keys() == exact.keys()
    for name, expected in exact.items():
        scale = expected.abs().max()
        assert whole[name].dtype == torch.float32
        assert (whole[name] - expected).abs().max() <= 0.1 * scale, name
        assert (split[name] - whole[name]).abs().max() <= 0.1 * scale, name


def test_a_generator_multiplies_its_unembedding_in_bfloat16_too(model: Path) -> None:
    exact, rough = generator.load(model), generator.load(model, Computing("bfloat16"))
    ids, first = torch.tensor([[5, 6, 7]]), torch.tensor([0])
    found, expected = rough(ids, first, first + 2), exact(ids, first, first + 2)
    assert found.dtype == torch.float32
    assert not torch.equal(found, expected)
    assert torch.equal(found, found.bfloat16().float())
    torch.testing.assert_close(found, expected, atol=0.05, rtol=0.1)


def test_frozen_weights_in_bfloat16_stay_with_autocast(model: Path) -> None:
    network = classifier.load(model, ("no", "yes"), Computing("bfloat16", {"rank": 2, "alpha": 4.0}))
    assert network.precision == Precision(half=True, layers=False)
