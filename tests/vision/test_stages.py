"""Vision training: schedules, splits, soft labels, networks without labels; and going on after a kill."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from w2s.engine import artifacts
from w2s.engine.checkpoints import Checkpoint
from w2s.errors import UserError
from w2s.experiments.settings import STAGES
from w2s.graph.artifact import Identity
from w2s.vision import features as vision_features
from w2s.vision import folder, images
from w2s.vision import pretraining as vision_model
from w2s.vision import probe as vision_probe
from w2s.vision.networks import published, small
from w2s.vision.networks.resnet import ResNet
from w2s.vision.specs import ProbeSpec

MODEL: dict[str, Any] = {"width": 3, "images": None, "epochs": 2, "batch": 32, "learning_rate": 3e-3, "seed": 0}
PROBE: dict[str, Any] = {
    "train": 300,
    "test": 100,
    "training": {"epochs": 3, "batch": 32, "learning_rate": 1e-2, "evaluations_per_epoch": 1},
    "schedule": "cosine",
    "seed": 0,
}
PROBE_SPEC = ProbeSpec.from_spec(PROBE)


class Killed(BaseException):
    """Stands for a signal."""


class Made:
    """Artifacts made in a folder, each by its stage's own function."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self, stage: str, spec: dict[str, Any], parents: dict[str, Path], make: Callable[..., None]) -> Path:
        keys = {role: artifacts.read(path)["key"] for role, path in parents.items()}
        identity = Identity(stage, STAGES[stage].version, spec, keys)
        out = self.root / f"{stage}-{identity.key}"
        with artifacts.building(out, identity) as build:
            if build is not None:
                make(build)
        return out

    def images(self) -> Path:
        spec = {"images": {"digits": {"pretraining": 400, "seed": 0}}}
        return self.make("images", spec, {}, partial(images.make, environment={}))

    def model(self, **more: Any) -> Path:
        parents = {"images": self.images()}
        return self.make("vision_model", MODEL | more, parents, partial(vision_model.make, images=parents["images"]))

    def features(self, model: Path, output: str = "features") -> Path:
        parents = {"images": self.images(), "model": model}
        make = partial(vision_features.make, images=parents["images"], model=model, environment={})
        return self.make("vision_features", {"output": output}, parents, make)

    def probe(self, features: Path, labels: Path | None = None, **more: Any) -> Path:
        parents = {"images": self.images(), "features": features}
        make = partial(vision_probe.make, images=parents["images"], features=features, labels=labels)
        return self.make("vision_probe", PROBE | more, parents | ({"labels": labels} if labels else {}), make)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.chdir(tmp_path)
    return Made(tmp_path)


def table(run: Path) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = artifacts.read_table(run / "predictions.parquet").to_pydict()
    return columns


# -- schedule and split ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("schedule", "period"), [("cosine", 60), ("oscillating", 5)])
def test_schedules_are_torchs_cosine_moved_on_at_every_batch(schedule: str, period: int) -> None:
    """12 batches an epoch, 5 epochs: with T_max the steps of the training, or the number of its epochs."""
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=period)
    rate = vision_probe.rate_of(schedule, 5)
    for step in range(60):
        assert rate(step, 60) == pytest.approx(theirs.get_last_lr()[0], abs=1e-9)
        optimizer.step()
        theirs.step()


def test_the_corrected_schedule_ends_at_0_and_the_papers_wherever_its_waves_do() -> None:
    """40,000 images for 20 epochs are 8,000 steps of 100 images, 400 half waves; or 6,260 of 128, 313 half waves."""
    for steps in (8000, 6260):
        assert vision_probe.rate_of("cosine", 20)(steps - 1, steps) < 1e-6
    assert vision_probe.rate_of("oscillating", 20)(7999, 8000) > 0.99
    assert vision_probe.rate_of("oscillating", 20)(6259, 6260) < 0.01


def test_seed_0_draws_the_split_of_the_released_code() -> None:
    order = np.arange(50_000)
    np.random.default_rng(0).shuffle(order)
    split = vision_probe.split(50_000, 40_000, 10_000, 0)
    assert split.train == order[:40_000].tolist()
    assert split.test == order[40_000:].tolist()
    assert not set(split.train) & set(split.test)
    assert vision_probe.split(50_000, 40_000, 10_000, 1).train != split.train


def test_too_few_images_are_one_line() -> None:
    with pytest.raises(UserError, match=r"40,000 \+ 10,000 images, but there are only 1,097"):
        vision_probe.split(1097, 40_000, 10_000, 0)


# -- what is learned ---------------------------------------------------------------------------------------


def test_a_student_learns_its_supervisors_probabilities_of_the_same_images(made: Made) -> None:
    labels = made.features(made.model(labels="truth"), "probabilities")
    features = made.features(made.model(labels="none"))
    said = np.load(labels / "features.npy")
    assert said.shape == (1397, 10)
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-5)
    index = images.read_index(made.images())
    student = table(made.probe(features, labels))
    places = [index.ids.index(one) for one in student["id"]]
    assert student["label"] == said[places].argmax(axis=1).tolist()
    assert student["truth"] == [index.labels[place] for place in places]
    assert student["correct"] == [int(a == b) for a, b in zip(student["answer"], student["truth"], strict=True)]
    ceiling = table(made.probe(features))
    assert ceiling["id"] == student["id"]
    assert ceiling["label"] == ceiling["truth"]
    accuracy = np.mean(np.array(student["label"]) == student["truth"])
    measured = artifacts.read(made.probe(features, labels))["measured"]
    assert measured["label_accuracy"] == pytest.approx(accuracy)


def test_labels_that_are_certain_and_true_are_the_truth_bit_for_bit(made: Made) -> None:
    """And labels that are not certain are not rounded."""
    features, labels = made.features(made.model(labels="none")), made.features(made.model(labels="truth"))
    truth = torch.tensor(images.read_index(made.images()).labels)
    certain = torch.nn.functional.one_hot(truth, 10).float()
    outcomes = []
    for values in (certain, 0.7 * certain + 0.03):
        np.save(labels / "features.npy", values.numpy())
        train, _ = vision_probe.read(made.images(), features, labels, PROBE_SPEC, torch.device("cpu"))
        outcomes.append(train.labels)
    own, _ = vision_probe.read(made.images(), features, None, PROBE_SPEC, torch.device("cpu"))
    assert torch.equal(outcomes[0], own.labels)
    assert outcomes[1].max() < 0.74


def test_a_supervisor_that_knows_too_few_classes_is_one_line(made: Made) -> None:
    features = made.features(made.model(labels="none"))
    few = made.root / "few"
    few.mkdir()
    np.save(few / "features.npy", np.ones((1397, 9), dtype=np.float32))
    with pytest.raises(UserError, match="the supervisor knows 9 classes, the images have 10"):
        vision_probe.read(made.images(), features, few, PROBE_SPEC, torch.device("cpu"))
    np.save(few / "features.npy", np.ones((9, 10), dtype=np.float32))
    with pytest.raises(UserError, match="labels have 9 images, expected 1,397"):
        vision_probe.read(made.images(), features, few, PROBE_SPEC, torch.device("cpu"))


def test_training_without_labels_never_sees_one(made: Made) -> None:
    """The same weights come out where all labels are wrong."""
    one = made.model(labels="none")
    index = images.read_index(made.images(), images.PRETRAINING)
    wrong = images.Index(index.ids, index.parts, [0] * len(index), index.names, index.pixels)
    weights = []
    for said in (index, wrong):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(vision_model, "read_index", lambda *_, said=said: said)
            made.root = made.root / "again"
            made.root.mkdir()
            weights.append((made.model(labels="none") / "model.safetensors").read_bytes())
    assert weights[0] == weights[1] == (one / "model.safetensors").read_bytes()


def test_twins_lose_nothing_when_both_views_say_the_same_and_no_two_columns_do() -> None:
    torch.manual_seed(0)
    apart = torch.linalg.qr(torch.randn(64, 8))[0] * 8  # columns of norm 8, at right angles
    assert small.redundancy(apart, apart).item() == pytest.approx(0, abs=1e-6)
    assert small.redundancy(apart, -apart).item() == pytest.approx(8 * 4)
    doubled = torch.cat([apart, apart], dim=1)
    assert small.redundancy(doubled, doubled).item() == pytest.approx(0.02 * 16, rel=1e-4)


def test_views_are_small_changes_of_an_image() -> None:
    torch.manual_seed(0)
    square = torch.zeros(200, 1, 8, 8)
    square[:, :, 3:5, 3:5] = 1
    views = small.viewed(square)
    assert views.shape == square.shape
    mean = views.mean(0)[0]
    assert mean[3:5, 3:5].min() > 0.5  # most views keep the middle
    assert mean[[0, -1]].abs().max() < 0.05  # and the rim stays empty
    assert not torch.equal(views[0], views[1])


# -- after a kill ------------------------------------------------------------------------------------------


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """From now on checkpoints are saved at every step, and the step with this number is the last; 0: none is."""
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    save = Checkpoint.maybe_save

    def set_to(last: int) -> None:
        def saving(self: Checkpoint, step: int, *arguments: Any, **more: Any) -> None:
            save(self, step, *arguments, **more)
            if step == last:
                raise Killed

        monkeypatch.setattr(Checkpoint, "maybe_save", saving)

    return set_to


@pytest.mark.parametrize("stage", ["model", "features", "probe"])
def test_a_killed_stage_goes_on_to_the_same_bytes(
    stage: str, made: Made, killed_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.setattr(vision_features, "CHUNK", 300)
    model = made.model(labels="none", width=2)
    features = made.features(model)
    make: Callable[[], Path] = {
        "model": lambda: made.model(labels="none"),
        "features": lambda: made.features(model),
        "probe": lambda: made.probe(features),
    }[stage]
    name = {"model": "model.safetensors", "features": "features.npy", "probe": "predictions.parquet"}[stage]
    whole = (make() / name).read_bytes()
    made.root = made.root / "killed"
    made.root.mkdir()
    killed_at(3)
    with pytest.raises(Killed):
        make()
    killed_at(0)
    capfd.readouterr()
    assert (make() / name).read_bytes() == whole
    assert "resuming at step 3" in capfd.readouterr().out


# -- published networks ------------------------------------------------------------------------------------


def test_features_of_a_published_network_are_its_own_of_the_cut_images(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network = ResNet((1, 1), 4).eval()
    monkeypatch.setitem(published.ARCHITECTURES, "resnet50", partial(ResNet, (1, 1), 4))
    torch.save(network.state_dict(), made.root / "weights.pth")
    root = made.root / "val"
    for number in range(5):
        path = root / f"class{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
    place = {"images": [str(root)]}
    index = made.make(
        "images", {"images": {"folder": folder.identity(root)}}, {}, partial(images.make, environment=place)
    )
    weights = made.root / "weights.pth"
    spec = {"output": "features", "architecture": "resnet50", "weights": {"file": artifacts.sha256(weights)}}
    spec |= {"preprocessing": {"resize": 36, "crop": 32}}
    environment = place | {"weights": str(weights)}
    make = partial(vision_features.make, images=index, model=None, environment=environment)
    monkeypatch.setattr(vision_features, "CHUNK", 2)
    found = np.load(made.make("vision_features", spec, {"images": index}, make) / "features.npy")
    assert found.shape == (5, 32)
    for row, name in zip(found, images.read_index(index).names, strict=True):
        pixels = torch.from_numpy(images.cut(images.decoded(root / name, name), 36, 32).copy()).float() / 255
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        with torch.no_grad():
            alone = network(((pixels - mean[:, None, None]) / deviation[:, None, None])[None])[0]
        np.testing.assert_allclose(row, alone.numpy(), rtol=1e-4, atol=1e-5)
    (root / "class1" / "9.png").write_bytes((root / "class0" / "0.png").read_bytes())
    changed = r"val has changed since this job was planned; run the same command again"
    with pytest.raises(UserError, match=f"vision.images: .*{changed}"):
        made.make("vision_features", spec | {"output": "probabilities"}, {"images": index}, make)
    (root / "class1" / "9.png").unlink()
    torch.save(network.state_dict(), weights)
    weights.write_bytes(weights.read_bytes() + b" ")
    with pytest.raises(UserError, match=r"weights.pth has changed since this job was planned"):
        made.make("vision_features", spec | {"output": "probabilities"}, {"images": index}, make)
