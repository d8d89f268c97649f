"""Any network: transformers' layout, torchvision's names, a user's own code; and a supervisor's probe."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from sklearn.linear_model import LogisticRegression

from tests.conftest import ROOT
from tests.vision.test_stages import Made
from w2s.config.files import deep_merge, read_yaml
from w2s.engine import artifacts
from w2s.engine.sources import Sources
from w2s.errors import UserError
from w2s.experiments.loading import plan_of
from w2s.vision import features as vision_features
from w2s.vision import folder, images, sources
from w2s.vision.config import Published
from w2s.vision.networks import frozen, libraries
from w2s.vision.specs import FeaturesSpec

SIDE = 32
CONVOLUTIONS: dict[str, Any] = {"hidden_sizes": [8, 16], "depths": [1, 1], "num_labels": 5}
BLOCKS: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
BLOCKS |= {"image_size": SIDE, "patch_size": 8, "num_labels": 5}
# (config, its model, its image processor, what features are of the library's outputs)
Of = Callable[[Any], torch.Tensor]
CLASSIFIERS: dict[str, tuple[Any, str]] = {
    "ResNet": (partial(transformers.ResNetConfig, embedding_size=8, **CONVOLUTIONS), "ConvNextImageProcessorPil"),
    "ConvNext": (partial(transformers.ConvNextConfig, num_stages=2, **CONVOLUTIONS), "ConvNextImageProcessorPil"),
    "ViT": (partial(transformers.ViTConfig, **BLOCKS), "ViTImageProcessorPil"),
    "Dinov2": (partial(transformers.Dinov2Config, **BLOCKS), "BitImageProcessorPil"),
}
BACKBONES: dict[str, Of] = {
    "ResNet": lambda outputs: outputs.last_hidden_state.mean((2, 3)),
    "ConvNext": lambda outputs: outputs.pooler_output,
    "ViT": lambda outputs: outputs.last_hidden_state[:, 0],
    "Dinov2": lambda outputs: outputs.last_hidden_state[:, 0],
}


def saved(name: str, kind: str, folder: Path, **more: Any) -> Any:
    """A small model with its image processor, in transformers' layout."""
    torch.manual_seed(0)
    config, processor = CLASSIFIERS[name]
    model = getattr(transformers, f"{name}{kind}")(config(), **more).eval()
    model.save_pretrained(folder)
    getattr(transformers, processor)(size={"shortest_edge": SIDE}, crop_size=SIDE).save_pretrained(folder)
    return model


@pytest.mark.parametrize("name", CLASSIFIERS)
@torch.no_grad()
def test_features_of_a_classifier_are_what_its_last_layer_reads(name: str, tmp_path: Path) -> None:
    model = saved(name, "ForImageClassification", tmp_path)
    pixels = torch.randn(3, 3, SIDE, SIDE)
    logits, _ = libraries.from_transformers(tmp_path, "x", classes=True)
    features, _ = libraries.from_transformers(tmp_path, "x", classes=False)
    torch.testing.assert_close(logits(pixels), model(pixels).logits)
    last = [one for one in model.modules() if isinstance(one, torch.nn.Linear)][-1]
    assert features(pixels).ndim == 2
    torch.testing.assert_close(last(features(pixels)), model(pixels).logits)
    assert not any(one.requires_grad for one in features.parameters())


@pytest.mark.parametrize("name", BACKBONES)
@torch.no_grad()
def test_features_of_a_model_without_classes_are_its_summary(name: str, tmp_path: Path) -> None:
    """ViT is saved without the pooler that the library would fill with random numbers."""
    model = saved(name, "Model", tmp_path, **({"add_pooling_layer": False} if name == "ViT" else {}))
    pixels = torch.randn(3, 3, SIDE, SIDE)
    features, _ = libraries.from_transformers(tmp_path, "x", classes=False)
    torch.testing.assert_close(features(pixels), BACKBONES[name](model(pixels)))
    with pytest.raises(UserError, match=f"x: .*: {name}Model has no classes to label with; give it a probe"):
        libraries.from_transformers(tmp_path, "x", classes=True)


def test_preprocessing_is_the_models_own(tmp_path: Path) -> None:
    saved("ViT", "Model", tmp_path)
    _, prepare = libraries.from_transformers(tmp_path, "x", classes=False)
    noise = np.random.default_rng(0).integers(0, 256, (50, 40, 3), dtype=np.uint8)
    own = transformers.AutoImageProcessor.from_pretrained(tmp_path, backend="pil")
    expected = own(Image.fromarray(noise), return_tensors="np")["pixel_values"][0]
    found = prepare(Image.fromarray(noise))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def local(architecture: str, weights: Path | str | None, root: Path = Path()) -> Any:
    choice = Published(architecture=architecture, weights=str(weights) if weights else None)
    return sources.network(choice, "x", Sources(root))


def loaded(architecture: str, weights: Path | None, root: Path = Path(), output: str = "features") -> frozen.Frozen:
    found = local(architecture, weights, root)
    spec = {"output": output, "preprocessing": {"resize": 36, "crop": 32}, **found.identity}
    return frozen.load(FeaturesSpec.from_spec(spec), found.location, "rung 'x'")


def test_a_folder_in_transformers_layout_is_known_by_its_files(tmp_path: Path) -> None:
    saved("ResNet", "ForImageClassification", tmp_path)
    before = local("transformers", tmp_path)
    assert set(before.identity["weights"]["files"]) == {
        "config.json",
        "preprocessor_config.json",
        "model.safetensors",
    }
    assert loaded("transformers", tmp_path).prepare is not None
    path = tmp_path / "preprocessor_config.json"
    path.write_text(path.read_text().replace(str(SIDE), "16"))
    assert local("transformers", tmp_path).identity != before.identity
    with pytest.raises(UserError, match=r"rung 'x': .*preprocessor_config.json has changed since this job was planned"):
        frozen.load(FeaturesSpec.from_spec({"output": "features", **before.identity}), before.location, "rung 'x'")


def test_what_a_folder_lacks_is_one_line(tmp_path: Path) -> None:
    saved("ResNet", "ForImageClassification", tmp_path)
    for file, said in (
        (
            "model.safetensors",
            r"no weights in '.*'; transformers' layout has config.json, preprocessor_config.json and",
        ),
        ("preprocessor_config.json", r"no file '.*/preprocessor_config.json'"),
    ):
        (tmp_path / file).unlink()
        with pytest.raises(UserError, match=f"rung 'x': {said}"):
            local("transformers", tmp_path)


def test_a_model_of_texts_and_missing_weights_are_one_line(tmp_path: Path) -> None:
    model = saved("ResNet", "ForImageClassification", tmp_path / "images")
    texts = transformers.GPT2Model(transformers.GPT2Config(n_layer=1, n_head=1, n_embd=4, vocab_size=5))
    texts.save_pretrained(tmp_path / "images")
    with pytest.raises(UserError, match=r"GPT2Model takes input_ids, no images"):
        libraries.from_transformers(tmp_path / "images", "x", classes=False)
    weights = {name: value for name, value in model.state_dict().items() if not name.startswith("classifier.1.bias")}
    model.save_pretrained(tmp_path / "images", state_dict=weights)
    with pytest.raises(UserError, match=r"lacks 1 weights, first classifier.1.bias"):
        libraries.from_transformers(tmp_path / "images", "x", classes=False)
    (tmp_path / "images" / "config.json").write_text("{}")
    with pytest.raises(UserError, match="is not an image model that can be loaded") as caught:
        libraries.from_transformers(tmp_path / "images", "x", classes=False)
    assert "\n" not in str(caught.value)


def test_torchvisions_classifiers_by_name(tmp_path: Path) -> None:
    """Where torchvision can be imported: several families, whose features their last layer reads. Else one line."""
    path = tmp_path / "a.pth"
    try:
        models: Any = importlib.import_module("torchvision").models
    except (ImportError, RuntimeError):
        torch.save({}, path)
        with pytest.raises(UserError, match=r"rung 'x': torchvision cannot be imported .*; install its"):
            loaded("torchvision/resnet18", path)
        return
    for name in ("resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "efficientnet_b0"):
        network = models.get_model(name, weights=None).eval()
        torch.save(network.state_dict(), path)
        pixels = torch.randn(2, 3, 64, 64)
        last = [one for one in network.modules() if isinstance(one, torch.nn.Linear)][-1]
        with torch.no_grad():
            expected = network(pixels)
            torch.testing.assert_close(last(loaded(f"torchvision/{name}", path).network(pixels)), expected)
            torch.testing.assert_close(
                loaded(f"torchvision/{name}", path, output="probabilities").network(pixels), expected
            )
    with pytest.raises(UserError, match="torchvision has no classifier 'resnet19'"):
        loaded("torchvision/resnet19", path)


def test_a_network_without_linear_layers_is_one_line() -> None:
    with pytest.raises(UserError, match="x has no linear layer behind its features"):
        libraries.without_classifier(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1)), "x")


# -- a user's own code -------------------------------------------------------------------------------------

OWN = """
import numpy as np
import torch


def means(weights):
    layer = torch.nn.Linear(3, 3, bias=False)
    layer.load_state_dict(weights)
    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), layer), prepared


def prepared(image):
    return np.asarray(image.resize((4, 4)), dtype=np.float64).transpose(2, 0, 1)


def alone(weights):
    return torch.nn.Identity()


def wrong(weights):
    return torch.nn.Identity(), prepared


def failing(weights):
    return torch.nn.Flatten(), lambda image: image.no_such_thing
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with a user's own network and its weights."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_network.py").write_text(OWN)
    torch.save({"weight": torch.eye(3)}, tmp_path / "weights.pth")
    return tmp_path


def test_own_code_makes_a_network_and_its_preprocessing(own: Path) -> None:
    found = loaded("my_network:means", own / "weights.pth", own)
    assert found.prepare is not None
    image = Image.new("RGB", (9, 7), (1, 2, 3))
    with torch.no_grad():
        outputs = found.network(torch.from_numpy(found.prepare(image)).float()[None])
    torch.testing.assert_close(outputs, torch.tensor([[1.0, 2.0, 3.0]]))
    assert not any(one.requires_grad for one in found.network.parameters())


def test_own_code_and_weights_are_known_by_content(own: Path) -> None:
    one = local("my_network:means", own / "weights.pth", own).identity
    assert set(one) == {"architecture", "weights", "code"}
    torch.save({"weight": 2 * torch.eye(3)}, own / "weights.pth")
    other = local("my_network:means", own / "weights.pth", own).identity
    (own / "my_network.py").write_text(OWN + "\n# edited\n")
    edited = local("my_network:means", own / "weights.pth", own).identity
    assert one["code"] == other["code"] != edited["code"]
    assert one["weights"] != other["weights"] == edited["weights"]
    assert local("my_network:means", None, own).identity["weights"] == {}


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("alone", r"my_network:alone returned Identity; expected a pair: a torch module, and a function"),
        ("means", r"my_network:means: RuntimeError: Error\(s\) in loading state_dict"),
        ("nothing", r"rung 'x': .*my_network.py: no function 'nothing'; available: alone"),
    ],
)
def test_a_mistake_in_own_code_is_one_line(own: Path, function: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        loaded(f"my_network:{function}", None, own)
    assert "\n" not in str(caught.value)


def test_nothing_in_a_file_of_weights_is_run(own: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (own / "was_run",))

    (own / "weights.pth").write_bytes(pickle.dumps({"weight": Harmful()}))
    with pytest.raises(UserError, match=r"weights.pth cannot be read as weights"):
        loaded("my_network:means", own / "weights.pth", own)
    assert not (own / "was_run").exists()


# -- stages ------------------------------------------------------------------------------------------------


@pytest.fixture
def photos(own: Path) -> Path:
    """30 images of three classes, a colour each, with noise."""
    root = own / "val"
    for number in range(30):
        path = root / f"class{number % 3}" / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 200, (6, 6, 3), dtype=np.uint8)
        noise[..., number % 3] += 55
        Image.fromarray(noise).save(path)
    return root


def features(made: Made, place: dict[str, Any], index: Path, function: str, **spec: Any) -> Path:
    found = local(f"my_network:{function}", made.root / "weights.pth", made.root)
    environment = place | dict(found.location)
    make = partial(vision_features.make, images=index, model=None, environment=environment)
    return made.make("vision_features", {"output": "features", **found.identity, **spec}, {"images": index}, make)


def test_a_supervisors_probe_is_fitted_to_the_images_set_aside(
    own: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision_features, "CHUNK", 4)
    made, place = Made(own), {"images": [str(photos)]}
    spec = {"images": {"folder": folder.identity(photos)}, "pretraining": {"images": 12, "seed": 1}}
    index = made.make("images", spec, {}, partial(images.make, environment=place))
    aside, rest = images.read_index(index, images.PRETRAINING), images.read_index(index)
    assert (len(aside), len(rest)) == (12, 18)
    assert not set(aside.ids) & set(rest.ids)
    probe = {"images": None, "c": 0.5, "seed": 1}
    out = features(made, place, index, "means", output="probabilities", probe=probe)

    def means(part: images.Index) -> np.ndarray[Any, Any]:
        def mean(name: str) -> np.ndarray[Any, Any]:
            with Image.open(photos / name) as image:
                found: np.ndarray[Any, Any] = np.asarray(image.resize((4, 4)), dtype=np.float32).mean((0, 1))
                return found

        return np.array([mean(name) for name in part.names])

    head = LogisticRegression(C=0.5, max_iter=1000).fit(means(aside), aside.labels)
    np.testing.assert_allclose(np.load(out / "features.npy"), head.predict_proba(means(rest)), atol=1e-3)
    measured = artifacts.read(out)["measured"]
    assert measured["probe"]["images"] == 12
    assert measured["accuracy"] == pytest.approx(head.score(means(rest), rest.labels))
    assert np.load(features(made, place, index, "means") / "features.npy").shape == (18, 3)


def test_a_class_without_images_set_aside_has_probability_0(own: Path, photos: Path) -> None:
    made, place = Made(own), {"images": [str(photos)]}
    spec = {"images": {"folder": folder.identity(photos)}, "pretraining": {"images": 12, "seed": 1}}
    index = made.make("images", spec, {}, partial(images.make, environment=place))
    probe = {"images": 2, "c": 1.0, "seed": 0}
    found = np.load(features(made, place, index, "means", output="probabilities", probe=probe) / "features.npy")
    assert found.shape == (18, 3)
    assert (found == 0).all(axis=0).sum() == 1
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    with pytest.raises(UserError, match=r"vision.supervisor.probe: its 1 images are of one class"):
        features(made, place, index, "means", output="probabilities", probe={**probe, "images": 1})


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("wrong", r"the network returned \(18, 3, 4, 4\) for 18 images; expected \(18, width\)"),
        ("failing", r"image class0/\d\d.png: cannot be prepared \(AttributeError"),
    ],
)
def test_outputs_that_are_no_features_are_one_line(own: Path, photos: Path, function: str, said: str) -> None:
    made, place = Made(own), {"images": [str(photos)]}
    spec = {"images": {"folder": folder.identity(photos)}, "pretraining": {"images": 12, "seed": 1}}
    index = made.make("images", spec, {}, partial(images.make, environment=place))
    with pytest.raises(UserError, match=said):
        features(made, place, index, function)


def test_published_networks_see_digits_as_images(own: Path) -> None:
    made = Made(own)
    index = made.images()
    out = features(made, {}, index, "means")
    pixels = images.read_index(index).pixels
    assert pixels is not None
    first = Image.fromarray((pixels[0, 0] * 255.0 / 16).round().astype(np.uint8)).convert("RGB")
    expected = np.asarray(first.resize((4, 4)), dtype=np.float32).mean((0, 1))
    np.testing.assert_allclose(np.load(out / "features.npy")[0], expected, rtol=1e-5)


# -- the plan ----------------------------------------------------------------------------------------------


def test_images_are_set_aside_for_a_probe_alone(config: dict[str, Any], own: Path) -> None:
    """Without one the images of an experiment, and so all of its keys, are what they were."""
    merged = deep_merge(config, read_yaml(ROOT / "config" / "vision-imagenet.yaml"))
    (own / "a.parquet").write_bytes(b"content")
    (own / "model.safetensors").write_bytes(b"content")
    merged["vision"]["images"]["paths"] = [str(own / "a.parquet")]
    without = plan_of(merged, "config.yaml", own).vision
    assert set(without.images().spec) == {"images"}
    assert "probe" not in without.features(without.config.supervisor).spec
    probed = {"architecture": "my_network:means", "weights": f"{own}/weights.pth"}
    merged["vision"]["supervisor"] |= {"published": probed, "probe": {"images": 50}}
    merged["vision"]["images"]["pretraining"] = 100
    vision = plan_of(merged, "config.yaml", own).vision
    assert vision.images().spec["pretraining"] == {"images": 100, "seed": 0}
    spec = vision.features(vision.config.supervisor).spec
    assert spec["probe"] == {"images": 50, "c": 1.0, "seed": 0}
    assert "preprocessing" not in spec
    student = vision.student(vision.task, vision.config.supervisor.name, "dino-vitb8", "cosine", 0)
    (own / "my_network.py").write_text(OWN + "\n# edited\n")
    edited = plan_of(merged, "config.yaml", own).vision
    again = edited.student(edited.task, edited.config.supervisor.name, "dino-vitb8", "cosine", 0)
    assert student.key != again.key
    assert student.parents["features"].key == again.parents["features"].key
