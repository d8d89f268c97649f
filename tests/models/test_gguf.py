"""GGUF files as base models: the same model as before, identified by content, and mistakes in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, BertConfig, BertLMHeadModel

from tests.conftest import REAL_MODELS, needs_real_models
from tests.models import gguf_files
from tests.models.making import made, rung
from tests.workflow.test_dag import checkout, edit_config
from w2s.config.files import read_yaml
from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.jobs.workflow import Workflow
from w2s.models import base, encoders, encoding, gguf
from w2s.models.plan import open_model

TEXTS = ["Is it so?", "Question: does Mira eat figs?\nAnswer:", " A long  tale. "]


@pytest.fixture(autouse=True)
def in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(models: dict[str, Path], tmp_path: Path) -> Path:
    return gguf_files.write(models["llama"], tmp_path / "tiny.gguf")


def logits(folder: Path, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)(
            torch.tensor([ids])
        ).logits
    return found


def parameters(folder: Path) -> int:
    return sum(weight.numel() for weight in load_file(folder / "model.safetensors").values())


def test_a_gguf_file_becomes_the_model_that_it_was_written_from(models: dict[str, Path], file: Path) -> None:
    original = models["llama"]
    folder = base.directory_of(made(rung(file, parameters(original))))
    for text in TEXTS:
        expected = AutoTokenizer.from_pretrained(original)(text, add_special_tokens=False)["input_ids"]
        assert encoding.bare_ids(encoding.tokenizer_of(folder), [text]) == [expected]
        torch.testing.assert_close(logits(folder, expected), logits(original, expected))
    before, after = load_file(original / "model.safetensors"), load_file(folder / "model.safetensors")
    assert {name: weight.dtype for name, weight in after.items()} == dict.fromkeys(before, torch.float32)
    assert base.max_length(folder) == base.max_length(original)


@pytest.mark.workflow
def test_a_run_from_a_gguf_file_through_the_workflow(models: dict[str, Path], tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    gguf_files.write(models["llama"], folder / "tiny.gguf")
    size = {"parameters": parameters(models["llama"]), "learning_rate": 1e-3}
    ladder = [size | {"name": f"tiny{n}", "source": "./tiny.gguf", "tokens": 10**6 * n} for n in (1, 2)]
    edit_config(folder, lambda config: config["nlp"].update(ladder=ladder, tasks=["sciq"]))
    os.chdir(folder)
    run = Workflow(read_yaml(Path("config.yaml"))).plan().nlp.truth("sciq", "tiny1", 0)
    done = subprocess.run(["snakemake", "--cores", "1", run.manifest], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    record = artifacts.read(Path(run.parents["model"].path))
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {*record["files"]}
    (folder / "tiny.gguf").touch()  # another time, the same content
    again = subprocess.run(["snakemake", "--cores", "1", run.manifest], capture_output=True, text=True, check=False)
    assert "Nothing to be done" in again.stdout + again.stderr


@needs_real_models
def test_a_real_model_is_the_same_through_a_gguf_file() -> None:
    original = REAL_MODELS / "stories260k"
    file = gguf_files.write(original, Path("stories.gguf"))
    folder = base.directory_of(made(rung(file, 260_032)))
    text = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park."
    expected = encoding.encode(original, [text], 512)
    assert encoding.encode(folder, [text], 512) == expected
    torch.testing.assert_close(logits(folder, expected[0]), logits(original, expected[0]))
    ids = torch.tensor(expected)
    loss = torch.nn.functional.cross_entropy(logits(folder, expected[0])[0, :-1], ids[0, 1:])
    assert loss.exp() < 8  # of 512 tokens


def test_the_same_content_is_the_same_model_wherever_it_lies(file: Path) -> None:
    other = shutil.copy(file, "elsewhere.gguf")
    assert open_model(rung(file)).key == open_model(rung(Path(other))).key
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    Path(other).write_bytes(content)
    assert open_model(rung(file)).key != open_model(rung(Path(other))).key


def test_files_beside_it_change_nothing(models: dict[str, Path], file: Path) -> None:
    wanted = rung(file, parameters(models["llama"]))
    alone = artifacts.read(made(wanted))["files"]
    shutil.rmtree("results")
    for path in models["gpt2"].iterdir():
        if path.name != "model.safetensors":
            shutil.copy(path, file.parent)
    assert artifacts.read(made(wanted))["files"] == alone


def test_a_directory_with_one_gguf_file_is_that_file(models: dict[str, Path], file: Path) -> None:
    folder = Path("folder")
    folder.mkdir()
    shutil.copy(file, folder)
    assert open_model(rung(folder)).key == open_model(rung(file)).key
    shutil.copy(file, folder / "other.gguf")
    refused(lambda: open_model(rung(folder)), "contains several GGUF files; name one of them: other.gguf, tiny.gguf")
    for path in models["llama"].iterdir():
        shutil.copy(path, folder)
    assert "files" in open_model(rung(folder)).spec["source"]  # as save_pretrained wrote them


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read (No such file or directory)"), (b"PK\3\4" * 9, "is not a GGUF file")],
    ids=["missing", "of another format"],
)
def test_what_is_no_gguf_file_is_refused_by_the_plan(content: bytes | None, said: str) -> None:
    path = Path("models/tiny.gguf")
    if content:
        path.parent.mkdir()
        path.write_bytes(content)
    refused(lambda: open_model(rung(path)), said)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_a_truncated_file_is_one_line(file: Path, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    refused(lambda: made(rung(file)), "tiny.gguf cannot be converted")
    assert capfd.readouterr() == ("", "")


def test_an_architecture_that_transformers_does_not_read_is_named(models: dict[str, Path]) -> None:
    file = gguf_files.write(models["llama"], Path("odd.gguf"), architecture="oddllm")
    refused(lambda: made(rung(file)), "cannot be converted (GGUF model with architecture oddllm is not supported yet.)")


def test_missing_weights_are_named_and_not_made_up(models: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    file = gguf_files.write(models["llama"], Path("part.gguf"), without="blk.1.ffn_up.weight")
    refused(lambda: made(rung(file)), "lacks 1 weights, first model.layers.1.mlp.up_proj.weight")
    assert capfd.readouterr() == ("", "")


def test_parameters_are_checked(file: Path) -> None:
    refused(lambda: made(rung(file, 7)), "parameters, the ladder 7; correct the ladder")


def test_without_the_extra_the_command_that_installs_it_is_shown(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf, "find_spec", lambda name: None)
    refused(lambda: made(rung(file)), "needs the gguf package: pip install -c constraints.txt -e '.[gguf]'")


def test_a_file_that_changed_after_the_plan_is_refused(file: Path) -> None:
    planned = rung(file)
    artifact = open_model(planned)
    with file.open("ab") as end:
        end.write(b"more")
    refused(lambda: made(planned, artifact), "has changed since this job was planned")


def encoder(folder: Path, **settings: Any) -> Path:
    shape = {"vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertLMHeadModel(BertConfig(**shape, intermediate_size=32, **settings)).save_pretrained(folder)
    return folder


def test_an_encoder_is_refused_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    folder = encoder(Path("bert").resolve())
    capfd.readouterr()  # what transformers says while the test writes it
    refused(lambda: made(rung(folder)), "bert is an encoder (bert); a rung is a decoder")
    assert capfd.readouterr() == ("", "")


def test_decoders_are_not_taken_for_encoders(model: Path) -> None:
    encoders.refuse_in(model, "rung 'tiny'")
    encoders.refuse_in(encoder(Path("decoder").resolve(), is_decoder=True), "rung 'tiny'")


def refused(action: Callable[[], object], said: str) -> None:
    with pytest.raises(UserError) as caught:
        action()
    message = str(caught.value)
    assert message.startswith("rung 'tiny': ")
    assert said in message
    assert "\n" not in message
