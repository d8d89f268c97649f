"""Own rungs computed here are what transformers computes: states, gradients, and mistakes in their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from w2s.errors import UserError
from w2s.models import classifier, decoder, generator
from w2s.models.classifier import Computing
from w2s.models.decoder import Decoder
from w2s.models.pretraining import new_model

SHAPE = {"width": 32, "intermediate": 80, "layers": 3, "heads": 4}
IDS = torch.randint(0, 60, (5, 9), generator=torch.Generator().manual_seed(0))
LENGTHS = torch.tensor([9, 4, 1, 7, 9])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An own rung as pretraining saves it, with weights large enough that every part matters."""
    model: Any = new_model(SHAPE, 60, 0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4.0)
    model.save_pretrained(tmp_path)
    return tmp_path


def load(directory: Path, *, checkpointing: bool = False) -> Decoder:
    shape = decoder.shape_of(decoder.read_config(directory))
    assert shape
    return decoder.with_weights(shape, decoder.read_weights(directory), directory, checkpointing=checkpointing)


def gradients(model: nn.Module, hidden: Tensor) -> list[Tensor]:
    """Of a loss that a norm does not make flat; transformers' model has the same parameters in the same order."""
    model.zero_grad()
    weights = torch.randn(hidden.shape, generator=torch.Generator().manual_seed(1))
    (hidden * weights).sum().backward()
    return [parameter.grad for parameter in model.parameters() if parameter.grad is not None]


def test_hidden_states_and_gradients_are_those_of_transformers(directory: Path) -> None:
    theirs = LlamaForCausalLM.from_pretrained(directory).model
    ours = load(directory)
    expected = theirs(input_ids=IDS, use_cache=False).last_hidden_state
    torch.testing.assert_close(ours(IDS), expected, atol=1e-4, rtol=1e-4)
    last = expected[torch.arange(5), LENGTHS - 1]
    torch.testing.assert_close(ours(IDS, LENGTHS), last, atol=1e-4, rtol=1e-4)
    pairs = list(zip(gradients(ours, ours(IDS, LENGTHS)), gradients(theirs, last), strict=True))
    assert len(pairs) == len(list(theirs.parameters()))
    for one, other in pairs:
        assert (one - other).abs().max() < 1e-4 * other.abs().max()


def test_without_gradient_the_same_comes_out(directory: Path) -> None:
    """There sums and products are made in place."""
    model = load(directory)
    with torch.no_grad():
        for arguments in ((IDS,), (IDS, LENGTHS)):
            found, again = model(*arguments), model(*arguments)
            with torch.enable_grad():
                torch.testing.assert_close(found, model(*arguments).detach(), atol=1e-6, rtol=1e-6)
            assert torch.equal(found, again)


def test_the_last_layer_computes_queries_for_last_tokens_only(directory: Path) -> None:
    model, rows = load(directory), []
    for layer in model.layers:
        layer.mlp.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].shape[:-1].numel()))  # type: ignore[union-attr]
    model(IDS, LENGTHS)
    assert rows == [45, 45, 5]


def test_what_follows_the_last_token_changes_nothing(directory: Path) -> None:
    model = load(directory)
    other = IDS.clone()
    for row, length in enumerate(LENGTHS.tolist()):
        other[row, length:] = 7
    assert torch.equal(model(IDS, LENGTHS), model(other, LENGTHS))


def test_recomputed_activations_give_the_same_gradients(directory: Path) -> None:
    kept, recomputed = load(directory).train(), load(directory, checkpointing=True).train()
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    recomputed.layers[0].mlp.register_forward_pre_hook(count)  # type: ignore[union-attr]
    pairs = zip(gradients(kept, kept(IDS, LENGTHS)), gradients(recomputed, recomputed(IDS, LENGTHS)), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert calls == 2


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "gpt2"},
        {"hidden_act": "gelu"},
        {"attention_bias": True},
        {"num_key_value_heads": 2},
        {"rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0}},
        {"head_dim": 16},
    ],
)
def test_what_it_cannot_compute_is_left_to_transformers(directory: Path, change: dict[str, Any]) -> None:
    config = decoder.read_config(directory)
    assert decoder.shape_of(config)
    assert decoder.shape_of(config | change) is None


OLD = {"rope_parameters": None, "rope_theta": 500.0}  # as configs were before transformers 5; None: no such key
VARIANTS: dict[str, dict[str, Any]] = {
    "as pretrained here": {},
    "old base of positions": OLD | {"rope_scaling": "null"},
    "old linear scaling": OLD | {"rope_scaling": {"type": "linear", "factor": 4.0}},
    "linear scaling": {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}},
    "dynamic scaling": OLD | {"rope_scaling": {"type": "dynamic", "factor": 4.0}, "max_position_embeddings": 4},
    "type of positions missing": {"rope_parameters": {"rope_theta": 500.0}},
    "two bases of positions": {"rope_theta": 500.0},
    "no positions": {"rope_parameters": None},
    "partial rotary positions": {"partial_rotary_factor": 0.5},
    "no epsilon": {"rms_norm_eps": None},
    "large epsilon": {"rms_norm_eps": 0.1},
    "no activation": {"hidden_act": None},
    "another activation": {"hidden_act": "gelu"},
    "no number of key heads": {"num_key_value_heads": None},
    "window": {"sliding_window": 64},
    "padding token": {"pad_token_id": 3},
    "unknown key": {"logit_scale": 7.0},
}


def edited(directory: Path, change: dict[str, Any]) -> Path:
    """The directory, its config changed: None removes a key, "null" is null."""
    config = decoder.read_config(directory) | change
    config = {key: None if value == "null" else value for key, value in config.items() if value is not None}
    (directory / "config.json").write_text(json.dumps(config))
    return directory


def assert_same_logits(directory: Path) -> None:
    """Of what this package loads, and of what transformers loads."""
    expected = AutoModelForCausalLM.from_pretrained(directory)(IDS, use_cache=False).logits
    rows, columns = torch.meshgrid(torch.arange(5), torch.arange(9), indexing="ij")
    found = generator.load(directory)(IDS, rows.flatten(), columns.flatten()).view_as(expected)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-4)
    backbone, unembedding = classifier.backbone_of(directory, Computing())
    output: Any = backbone(IDS) if isinstance(backbone, Decoder) else backbone(input_ids=IDS).last_hidden_state
    torch.testing.assert_close(output @ unembedding.T, expected, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("name", VARIANTS)
def test_whatever_the_config_says_logits_are_those_of_transformers(directory: Path, name: str) -> None:
    assert_same_logits(edited(directory, VARIANTS[name]))


def test_a_window_that_the_library_heeds_with_a_cache_alone_is_refused_for_generation(directory: Path) -> None:
    edited(directory, {"sliding_window": 2})
    with pytest.raises(UserError, match="with a KV cache it gives other results"):
        generator.load(directory)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    "shape", [{}, {"attention_bias": True}, {"mlp_bias": True}, {"head_dim": 16}, {"num_key_value_heads": 2}]
)
def test_whatever_the_architecture_logits_are_those_of_transformers(
    tmp_path: Path, shape: dict[str, Any], tied: bool
) -> None:
    torch.manual_seed(0)
    sizes = {"vocab_size": 60, "hidden_size": 32, "intermediate_size": 80, "num_hidden_layers": 2}
    config = LlamaConfig(**sizes, num_attention_heads=4, **shape, tie_word_embeddings=tied)
    model = LlamaForCausalLM(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(tmp_path)
    assert_same_logits(tmp_path)
    own = decoder.own_shape(tmp_path)
    assert (own is not None) == (not shape)
    assert own is None or own.tied == tied


def test_the_unembedding_is_the_embedding_only_where_the_config_says_so(directory: Path) -> None:
    """Without the key a Llama's is not: transformers would fill it with random numbers and go on."""
    edited(directory, {"tie_word_embeddings": None})
    for load_one in (generator.load, lambda folder: classifier.backbone_of(folder, Computing())):
        with pytest.raises(UserError, match=r"no weights of the unembedding \(lm_head\), and its config does not"):
            load_one(directory)


def test_a_file_with_another_unembedding_than_its_embedding_is_not_tied(directory: Path) -> None:
    add_weight(directory, "lm_head.weight", torch.randn(60, 32))
    assert decoder.own_shape(directory) is None
    assert_same_logits(directory)


@pytest.mark.parametrize("name", ["model.layers.1.self_attn.q_proj.bias", "model.layers.3.mlp.up_proj.weight"])
def test_weights_that_the_config_leaves_out_are_refused(directory: Path, name: str) -> None:
    """Transformers would drop them and go on."""
    add_weight(directory, name, torch.ones(32))
    with pytest.raises(UserError, match=f"config.json leaves out 1 weights that the files hold, first {name}"):
        generator.load(directory)


@pytest.mark.parametrize("name", ["model.layers.1.self_attn.rotary_emb.inv_freq", "vision.patch.weight"])
def test_old_buffers_and_other_parts_may_be_left_out(directory: Path, name: str) -> None:
    add_weight(directory, name, torch.ones(4))
    assert_same_logits(directory)


def test_weights_that_are_no_floating_point_numbers_are_left_to_transformers(directory: Path) -> None:
    name = "model.layers.0.mlp.up_proj.weight"
    add_weight(directory, name, torch.ones(80, 32, dtype=torch.int8))
    assert decoder.own_shape(directory) is None


def add_weight(directory: Path, name: str, value: Tensor) -> None:
    path = directory / "model.safetensors"
    save_file(load_file(path) | {name: value}, path, metadata={"format": "pt"})


def test_rotation_follows_the_formula_in_rows_and_in_plain_operations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows of memory are for a CPU, plain operations for a compiler or GPU. Positions are shared or each text's own."""
    shape, generator = decoder.Shape(60, 24, 32, 1, 3), torch.Generator().manual_seed(0)
    table = decoder.Rotary.table(9, shape, torch.zeros(0))
    positions = torch.randint(0, 9, (2, 5), generator=generator)
    for rotary in (table.of(lambda values: values[:5]), table.of(lambda values: values[positions])):
        values = torch.randn(2, 5, 24, generator=generator, dtype=torch.float64, requires_grad=True)
        weights = torch.randn(2, 5, 24, generator=generator, dtype=torch.float64)
        found = decoder.rotated(values, rotary)
        (gradient,) = torch.autograd.grad((found * weights).sum(), values)
        first, second = values.view(2, 5, 3, 2, 4).unbind(-2)
        angles = (torch.arange(5).expand(2, 5) if rotary.cosines.dim() == 2 else positions)[..., None, None].double()
        angles = angles / 10_000 ** (torch.arange(4) / 4)
        expected = torch.stack(
            [first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()], -2
        ).view(2, 5, 24)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
        with monkeypatch.context() as patch:
            patch.setattr(torch.compiler, "is_compiling", lambda: True)
            plain = decoder.rotated(values, rotary)
        torch.testing.assert_close(plain, found)
        torch.testing.assert_close(gradient, *torch.autograd.grad((plain * weights).sum(), values))


def test_another_base_of_rotary_positions_is_read_from_the_config(directory: Path) -> None:
    config = decoder.read_config(directory)
    config["rope_parameters"]["rope_theta"] = 500.0
    (directory / "config.json").write_text(json.dumps(config))
    expected = LlamaForCausalLM.from_pretrained(directory).model(input_ids=IDS, use_cache=False).last_hidden_state
    torch.testing.assert_close(load(directory)(IDS), expected, atol=1e-5, rtol=1e-5)


def test_a_missing_weight_is_named(directory: Path) -> None:
    shape, weights = decoder.shape_of(decoder.read_config(directory)), decoder.read_weights(directory)
    assert shape
    del weights["layers.1.mlp.up_proj.weight"]
    with pytest.raises(UserError, match=r"1 weights are missing .*, first layers.1.mlp.up_proj.weight"):
        decoder.with_weights(shape, weights, directory)


def test_training_leaves_the_weights_that_were_read_as_they_are(directory: Path) -> None:
    """They are shared by all runs of a process."""
    shape, weights = decoder.shape_of(decoder.read_config(directory)), decoder.read_weights(directory)
    assert shape
    before = {name: value.clone() for name, value in weights.items()}
    model = decoder.with_weights(shape, weights, directory)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(value, before[name]) for name, value in weights.items())
