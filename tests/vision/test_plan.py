"""The vision setting's runs: their counts, what moves them, where weights and images are, and mistakes in one line."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from w2s.config.files import deep_merge, read_yaml
from w2s.errors import LackingError, UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.graph.artifact import with_ancestors
from w2s.jobs.workflow import Workflow
from w2s.vision import analysis
from w2s.vision.probe import rate_of


def of(config: dict[str, Any]) -> Plan:
    return plan_of(config, "config.yaml", ROOT)


@pytest.fixture
def imagenet(config: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """config/vision-imagenet.yaml with two images, of two classes."""
    merged = deep_merge(config, read_yaml(ROOT / "config" / "vision-imagenet.yaml"))
    for name in ("n01440764", "n01443537"):
        (tmp_path / "val" / name).mkdir(parents=True)
        (tmp_path / "val" / name / "1.JPEG").write_bytes(b"content")
    merged["vision"]["images"]["paths"] = [str(tmp_path / "val")]
    return merged


def test_table_3_needs_a_ceiling_and_a_student_of_each_rung_and_schedule(imagenet: dict[str, Any]) -> None:
    """Four probes under each schedule, three networks over the images once."""
    runs = list(of(imagenet).vision.every_run())
    assert Counter((run.rung, run.labels, run.method) for run in runs) == Counter(
        (rung, labels, schedule)
        for rung in ("dino-resnet50", "dino-vitb8")
        for labels in ("truth", "from-alexnet")
        for schedule in ("oscillating", "cosine")
    )
    stages = Counter(one.stage.name for one in with_ancestors(runs).values())
    assert stages == {"vision_probe": 8, "vision_features": 3, "images": 1}


def test_the_papers_results_are_of_its_networks_on_imagenet_alone(imagenet: dict[str, Any], smoke: Plan) -> None:
    def found(plan: Plan) -> list[float]:
        supervisor = analysis.published(plan.vision, "oscillating", analysis.SUPERVISOR)
        ceilings = [
            analysis.published(plan.vision, "oscillating", analysis.CEILING, rung) for rung in plan.vision.config.ladder
        ]
        return [row["paper_accuracy"] for row in (supervisor, *ceilings)]

    assert found(of(imagenet)) == pytest.approx([0.566, 0.637, 0.749])
    assert all(math.isnan(value) for value in found(smoke))
    imagenet["vision"]["images"]["name"] = "mine"
    assert all(math.isnan(value) for value in found(of(imagenet)))


def test_the_papers_numbers_are_in_the_specs(imagenet: dict[str, Any]) -> None:
    """Appendix D.1: 40k to train, 10k to test, Adam 1e-3, 20 and 5 epochs; batch 100, as the released code has it."""
    vision = of(imagenet).vision
    for rung, epochs in (("dino-resnet50", 20), ("dino-vitb8", 5)):
        spec = vision.student(vision.task, vision.config.supervisor.name, rung, "cosine", 0).spec
        assert (spec["train"], spec["test"]) == (40_000, 10_000)
        assert (spec["training"]["learning_rate"], spec["training"]["batch"]) == (1e-3, 100)
        assert spec["training"]["epochs"] == epochs
        assert vision.features(vision.rung(rung)).spec["preprocessing"] == {"resize": 256, "crop": 224}


@pytest.mark.parametrize(
    ("batch", "last"), [(100, (0.994, 0.905)), (128, (0.006, 0.095))], ids=["released code", "paper's text"]
)
def test_the_oscillating_schedule_ends_near_its_peak_as_behind_table_3(
    imagenet: dict[str, Any], batch: int, last: tuple[float, float]
) -> None:
    """The rate of the last step as a share of the peak, for ResNet-50 (20 epochs) and ViT-B/8 (5)."""
    vision = of(imagenet).vision.config
    found = []
    for rung in vision.ladder:
        steps = round(rung.epochs) * math.ceil(vision.train / batch)
        found.append(rate_of("oscillating", rung.epochs)(steps - 1, steps))
        assert rate_of("cosine", rung.epochs)(steps - 1, steps) < 1e-5
    assert found == pytest.approx(last, abs=5e-4)
    assert (vision.probe.batch == batch) == (found[0] > 0.9)


def test_a_seed_moves_probes_but_no_features(smoke: Plan) -> None:
    one, other = (smoke.vision.student("digits", "labelled2", "twins8", "cosine", seed) for seed in (0, 1))
    assert one.key != other.key
    assert all(one.parents[role] is other.parents[role] for role in ("images", "features", "labels"))


def test_ceilings_see_no_supervisor_and_students_do(smoke: Plan) -> None:
    vision = smoke.vision
    assert "labels" not in vision.ceiling("digits", "twins8", 0, "cosine").parents
    labels = vision.student("digits", "labelled2", "twins8", "cosine", 0).parents["labels"]
    assert labels.spec == {"output": "probabilities"}
    assert labels.parents["model"].spec["labels"] == "truth"
    assert vision.features(vision.rung("twins8")).parents["model"].spec["labels"] == "none"


def test_another_supervisor_moves_students_and_leaves_ceilings(config: dict[str, Any], smoke: Plan) -> None:
    config["vision"]["supervisor"]["trained"]["epochs"] = 21
    moved = of(config).vision
    assert (
        moved.ceiling("digits", "twins24", 0, "cosine").path
        == smoke.vision.ceiling("digits", "twins24", 0, "cosine").path
    )
    assert (
        moved.student("digits", "labelled2", "twins24", "cosine", 0).path
        != smoke.vision.student("digits", "labelled2", "twins24", "cosine", 0).path
    )


def test_an_experiment_without_vision_says_so(config: dict[str, Any]) -> None:
    config["vision"] = None
    with pytest.raises(LackingError, match="has no vision section"):
        _ = of(config).vision


def test_keys_of_vision_are_found(tiny_config: dict[str, Any]) -> None:
    workflow = Workflow(tiny_config)
    for artifact in with_ancestors(workflow.default.vision.every_run()).values():
        assert workflow.artifact(artifact.key).path == artifact.path
    assert "vision_probe" in {one.stage.name for one in workflow.known()}


def test_weights_are_known_by_content_wherever_they_lie(imagenet: dict[str, Any], tmp_path: Path) -> None:
    def key(weights: str) -> str:
        imagenet["vision"]["supervisor"]["published"]["weights"] = weights
        vision = of(imagenet).vision
        return vision.features(vision.config.supervisor).key

    for name, content in (("here", b"one"), ("there", b"one"), ("edited", b"other")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(content)
    here = key(f"{tmp_path}/here/model.safetensors")
    assert here == key(f"{tmp_path}/there") != key(f"{tmp_path}/edited")
    (tmp_path / "two").mkdir()
    for name in ("a.pth", "b.pth"):
        (tmp_path / "two" / name).touch()
    with pytest.raises(UserError, match=r"rung 'alexnet': .*/two' holds 2 files of weights; name one of them"):
        key(f"{tmp_path}/two")
    with pytest.raises(UserError, match=r"rung 'alexnet': no file '.*/none.pth'"):
        key(f"{tmp_path}/none.pth")


def test_a_folder_of_images_is_known_by_names_and_contents(imagenet: dict[str, Any], tmp_path: Path) -> None:
    def key(folder: str) -> str:
        imagenet["vision"]["images"]["paths"] = [f"{tmp_path}/{folder}"]
        return of(imagenet).vision.images().key

    for name, content in (("moved", b"content"), ("edited", b"another"), ("longer", b"contents")):
        for one in ("n01440764", "n01443537"):
            (tmp_path / name / one).mkdir(parents=True)
            (tmp_path / name / one / "1.JPEG").write_bytes(content)
    assert key("val") == key("moved")
    assert len({key("val"), key("edited"), key("longer")}) == 3
    with pytest.raises(UserError, match=r"vision\.images\.paths: no file matches '.*/nowhere'"):
        key("nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no images; expected one folder per class"):
        key("empty")
    (tmp_path / "list.csv").touch()
    with pytest.raises(UserError, match=r"list.csv' is neither a .parquet file nor a folder"):
        key("list.csv")


Change = Callable[[dict[str, Any]], object]
MISTAKES: list[tuple[str, Change, list[str]]] = [
    ("key", lambda c: c["probe"].update(bacth=3), ["vision.probe.bacth: unknown key; did you mean 'batch'"]),
    ("schedule", lambda c: c.update(schedules=["linear"]), ["vision.schedules.0: 'linear' is not allowed", "'cosine'"]),
    ("twice", lambda c: c.update(schedules=["cosine"] * 2), ["schedules: 'cosine' is named twice"]),
    ("same name", lambda c: c["ladder"][1].update(name="labelled2"), ["ladder: 'labelled2' is named twice"]),
    ("neither", lambda c: c["ladder"][0].update(trained=None), ["twins8: should have either trained or published"]),
    ("too many", lambda c: c["supervisor"]["trained"].update(images=701), ["labelled2: trained.images: 701 is more"]),
    ("files", lambda c: c["images"].update(source="files"), ["source is 'files', so paths must name one"]),
    ("hub", lambda c: c["images"].update(source="hub", hub="a/b"), ["source is 'hub', so revision must name one"]),
    ("crop", lambda c: c["images"].update(crop=300), ["crop: 300 is larger than resize, 256"]),
    (
        "trained on files",
        lambda c: c["images"].update(source="files", paths=["a"]),
        ["labelled2: only digits are for networks trained here; images of source 'files' are for published ones"],
    ),
    (
        "probe of a trained network",
        lambda c: c["supervisor"].update(probe={"images": 3}),
        ["labelled2: probe has an effect only with a published network"],
    ),
    (
        "too many to probe",
        lambda c: c["supervisor"].update(
            trained=None, published={"architecture": "vit_b8", "weights": "./a"}, probe={"images": 701}
        ),
        ["labelled2: probe.images: 701 is more than the 700 pretraining images"],
    ),
    (
        "no weights",
        lambda c: c["ladder"][0].update(trained=None, published={"architecture": "vit_b8"}),
        ["weights: missing; 'vit_b8' needs a file, a folder"],
    ),
    (
        "an address of a folder",
        lambda c: c["ladder"][0].update(
            trained=None, published={"architecture": "transformers", "weights": "https://example.org/a"}
        ),
        ["weights: 'https://example.org/a' is not allowed with transformers; allowed: a folder, a hub id"],
    ),
    (
        "not pinned",
        lambda c: c["ladder"][0].update(trained=None, published={"architecture": "vit_b8", "weights": "a/b"}),
        ["revision: missing; 'a/b' is on the hub"],
    ),
    (
        "architecture",
        lambda c: c["ladder"][0].update(trained=None, published={"architecture": "vit", "weights": "./a"}),
        ["ladder.0.published.architecture: 'vit' is not allowed", "did you mean 'vit_b8'?", "torchvision/NAME"],
    ),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_a_mistake_is_one_line(config: dict[str, Any], change: Change, said: list[str]) -> None:
    change(config["vision"])
    with pytest.raises(UserError) as caught:
        of(config)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("config.yaml: vision")
    for part in said:
        assert part in message, message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["supervisor"]["published"].update(architecture="vit_b8"), "has no classes to label with"),
        (lambda c: c["ladder"][0]["published"].update(architecture="alexnet"), "'alexnet' was trained on labels"),
    ],
    ids=["supervisor", "student"],
)
def test_roles_of_published_networks(imagenet: dict[str, Any], change: Change, said: str) -> None:
    change(imagenet["vision"])
    with pytest.raises(UserError, match=said):
        of(imagenet)


def test_defaults_give_the_keys_that_they_give_when_spelled_out(config: dict[str, Any]) -> None:
    """Figures read the experiment from a file in which every default stands."""
    for rung in config["vision"]["ladder"]:
        del rung["epochs"]
    plan = of(config)
    again = of(plan.experiment.model_dump(mode="json"))
    assert [run.key for run in plan.vision.every_run()] == [run.key for run in again.vision.every_run()]
