"""Published architectures: parameters, shapes and numbers as their libraries have them; weights that do not fit."""

from __future__ import annotations

import errno
import urllib.error
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from w2s.errors import UserError
from w2s.vision.networks import published, vit
from w2s.vision.networks.resnet import ResNet
from w2s.vision.networks.vit import ViT

OUTPUTS = {"alexnet": 1000, "resnet50": 2048, "vit_b8": 768}


@pytest.mark.parametrize("name", published.ARCHITECTURES)
def test_an_architecture_has_its_published_parameters_and_outputs(name: str) -> None:
    with torch.device("meta"):
        network = published.ARCHITECTURES[name]()
        assert network(torch.empty(2, 3, 224, 224)).shape == (2, OUTPUTS[name])
    assert sum(one.numel() for one in network.parameters()) == published.PARAMETERS[name]


def test_parameters_are_those_that_the_libraries_count() -> None:
    """AlexNet: torchvision's count; ResNet-50 without its 2048 x 1000 layer; ViT-B/8 by hand."""
    assert published.PARAMETERS["alexnet"] == 61_100_840
    assert published.PARAMETERS["resnet50"] == 25_557_032 - 2049 * 1000
    block = 4 * 768**2 + 8 * 768**2 + (3 + 1 + 4 + 1 + 4) * 768
    assert published.PARAMETERS["vit_b8"] == 12 * block + 768 * (3 * 8**2 + 1) + 768 + 785 * 768 + 2 * 768


def test_weights_have_the_published_names() -> None:
    expected = {
        "alexnet": {"features.0.weight": (64, 3, 11, 11), "features.10.bias": (256,), "classifier.6.bias": (1000,)},
        "resnet50": {
            "conv1.weight": (64, 3, 7, 7),
            "layer1.0.downsample.0.weight": (256, 64, 1, 1),
            "layer3.5.conv2.weight": (256, 256, 3, 3),
            "layer4.2.bn3.running_var": (2048,),
        },
        "vit_b8": {
            "cls_token": (1, 1, 768),
            "pos_embed": (1, 785, 768),
            "patch_embed.proj.weight": (768, 3, 8, 8),
            "blocks.11.attn.qkv.weight": (2304, 768),
            "blocks.0.mlp.fc1.bias": (3072,),
            "norm.weight": (768,),
        },
    }
    counts = {"alexnet": 16, "resnet50": 318, "vit_b8": 150}
    for name, some in expected.items():
        with torch.device("meta"):
            weights = published.ARCHITECTURES[name]().state_dict()
        assert {one: tuple(weights[one].shape) for one in some} == some
        assert len(weights) == counts[name]


def randomised(network: nn.Module) -> nn.Module:
    """No weight or statistic is left at a value that hides a mistake."""
    torch.manual_seed(0)
    for value in network.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) * 0.5 + 0.1)
    return network.eval()


@torch.no_grad()
def test_resnet_computes_what_transformers_does() -> None:
    from transformers import ResNetConfig, ResNetModel

    mine = randomised(ResNet((1, 2), width=8))
    config = ResNetConfig(embedding_size=8, hidden_sizes=[32, 64], depths=[1, 2], layer_type="bottleneck")
    other: Any = ResNetModel(config).eval()
    renamed = {}
    places = {"conv1": "layer.0.convolution", "conv2": "layer.1.convolution", "conv3": "layer.2.convolution"}
    places |= {"bn1": "layer.0.normalization", "bn2": "layer.1.normalization", "bn3": "layer.2.normalization"}
    places |= {"downsample.0": "shortcut.convolution", "downsample.1": "shortcut.normalization"}
    for name, value in mine.state_dict().items():
        first, _, rest = name.partition(".")
        if not first.startswith("layer"):
            inside = "convolution" if first == "conv1" else "normalization"
            renamed[f"embedder.embedder.{inside}.{rest}"] = value
        else:
            block, _, inner = rest.partition(".")
            part, _, what = inner.rpartition(".")
            renamed[f"encoder.stages.{int(first[5:]) - 1}.layers.{block}.{places[part]}.{what}"] = value
    other.load_state_dict(renamed)
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(mine(images), other(images).pooler_output.flatten(1))


@torch.no_grad()
def test_vit_reads_transformers_files_and_computes_what_it_does(tmp_path: Path) -> None:
    from transformers import ViTConfig, ViTModel

    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
    config = ViTConfig(**shape, image_size=32, patch_size=8, layer_norm_eps=vit.EPS)
    other: Any = randomised(ViTModel(config, add_pooling_layer=False))
    other.save_pretrained(tmp_path)
    mine = ViT(patch=8, width=32, depth=2, heads=4, size=32)
    weights = published.read(tmp_path / "model.safetensors", "rung 'x'")
    mine.load_state_dict(published.fitted(mine, weights, "vit_b8", "x"))
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(mine(images), other(images).last_hidden_state[:, 0])


def test_another_librarys_names_are_left_as_they_are_where_they_are_ours() -> None:
    weights = ViT(patch=8, width=32, depth=1, heads=4, size=32).state_dict()
    assert set(vit.renamed(weights)) == set(weights)


# -- files -------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """A small network in the place of ResNet-50."""
    make: Callable[[], nn.Module] = partial(ResNet, (1, 1), 4)
    monkeypatch.setitem(published.ARCHITECTURES, "resnet50", make)
    return randomised(make())


def saved(weights: Any, path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path)
    return path


@pytest.mark.parametrize("name", ["a.pth", "b.safetensors", "pytorch_model.bin"])
def test_weights_load_from_any_kind_of_file(small: nn.Module, tmp_path: Path, name: str) -> None:
    weights = {**small.state_dict(), "fc.weight": torch.zeros(3, 3)}  # a classifier that is not used
    loaded = published.load("resnet50", saved(weights, tmp_path / name), "rung 'x'")
    for one, value in small.state_dict().items():
        if not one.endswith("num_batches_tracked"):
            assert torch.equal(loaded.state_dict()[one], value), one
    assert not any(one.requires_grad for one in loaded.parameters())
    assert not loaded.training


def test_wrappings_are_taken_off(small: nn.Module, tmp_path: Path) -> None:
    weights = {"state_dict": {f"module.{name}": value for name, value in small.state_dict().items()}, "epoch": 3}
    loaded = published.load("resnet50", saved(weights, tmp_path / "a.pth"), "rung 'x'")
    assert torch.equal(loaded.state_dict()["conv1.weight"], small.state_dict()["conv1.weight"])


def said(small: nn.Module, weights: Any, path: Path) -> str:
    with pytest.raises(UserError) as caught:
        published.load("resnet50", saved(weights, path), "rung 'x'")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("rung 'x': ")
    assert str(path) in message
    return message


def test_weights_that_do_not_fit_are_one_line(small: nn.Module, tmp_path: Path) -> None:
    weights: dict[str, Tensor] = dict(small.state_dict())
    path = tmp_path / "a.pth"
    wrong = said(small, {**weights, "conv1.weight": torch.zeros(8, 3, 7, 7)}, path)
    assert "'conv1.weight' has shape (8, 3, 7, 7), expected (4, 3, 7, 7) for resnet50" in wrong
    assert "no weights 'bn1.bias'" in said(small, {name: weights[name] for name in weights if name != "bn1.bias"}, path)
    assert "1 weights that resnet50 does not have, first 'layer9'" in said(
        small, {**weights, "layer9": torch.zeros(1)}, path
    )
    assert "is not a state dict" in said(small, [torch.zeros(1)], path)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_files_that_are_no_weights_are_one_line(tmp_path: Path, name: str) -> None:
    for content in (b"", b"<html>not found</html>"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=f"rung 'x': .*/{name} cannot be read as weights") as caught:
            published.read(tmp_path / name, "rung 'x'")
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"none.* cannot be read as weights \(No such file or directory"):
        published.read(tmp_path / f"none-{name}", "rung 'x'")


def test_a_file_of_the_web_comes_from_torchs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / "one-0123abcd.pth"
    path.parent.mkdir(parents=True)
    path.touch()
    assert published.file_of({"address": "https://example.org/a/one-0123abcd.pth"}, {}, "rung 'x'") == path


def test_a_full_disk_is_one_line_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", full)
    with pytest.raises(UserError, match=r"rung 'x': .*/hub/checkpoints/a.pth: no space left on the disk: .* are free"):
        published.file_of({"address": "https://example.org/a.pth"}, {}, "rung 'x'")


def test_without_network_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(
        UserError, match=r"rung 'x': https://example.org/a.pth is not at .*no route.*w2s fetch"
    ) as caught:
        published.file_of({"address": "https://example.org/a.pth"}, {}, "rung 'x'")
    assert "\n" not in str(caught.value)
