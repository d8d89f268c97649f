"""The two-way head reads the right token of the right model, whatever its architecture and tokenizer."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, BertConfig, BertLMHeadModel

from tests.open_models import CONFIGS, LAYERS, LIMIT, VOCABULARY
from w2s.errors import UserError
from w2s.models import classifier, encoding
from w2s.models.classifier import Classifier, Computing
from w2s.training.batching import Texts
from w2s.training.loop import Trained, backward
from w2s.training.loss import Loss
from w2s.training.objectives import naive

ANSWERS = (" no", " yes")
TEXTS = ["Is it so?", "Question: does Mira eat figs?\nAnswer:", "!!", "A long tale. " * 3]


def batch(directory: Path, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    encoded = Texts(encoding.encode(directory, texts, LIMIT))
    return encoded.tensors(range(len(texts)), torch.device("cpu"))


def ids_of(directory: Path, text: str) -> list[int]:
    return list(AutoTokenizer.from_pretrained(directory)(text, add_special_tokens=False)["input_ids"])


def test_logits_are_the_base_models_own_for_its_answers(model: Path) -> None:
    """The head starts as unembedding rows, tied or not, so zero-shot it says what the language model says."""
    network = classifier.load(model, ANSWERS).eval()
    language_model = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    answers = [ids_of(model, answer) for answer in ANSWERS]
    assert all(len(ids) == 1 for ids in answers)
    for text in TEXTS:
        ids, lengths = batch(model, [text])
        with torch.no_grad():
            expected = language_model(input_ids=ids).logits[0, -1]
            found = network(ids, lengths)[0]
        assert found.tolist() == pytest.approx([expected[ids[0]].item() for ids in answers], abs=1e-5)


def test_an_answer_of_several_tokens_takes_the_mean_of_their_rows(model: Path) -> None:
    ids = ids_of(model, " maybe")
    assert len(ids) > 1
    unembedding = AutoModelForCausalLM.from_pretrained(model).get_output_embeddings().weight
    network = classifier.load(model, (" no", " maybe"))
    torch.testing.assert_close(network.head.weight[1], unembedding[ids].mean(0))


def test_a_text_says_the_same_alone_and_padded_among_longer_ones(model: Path) -> None:
    network = classifier.load(model, ANSWERS).eval()
    with torch.no_grad():
        together = network(*batch(model, TEXTS))
        alone = torch.cat([network(*batch(model, [text])) for text in TEXTS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_token_0_is_a_token_like_others(model: Path) -> None:
    """Published code finds the end of a text by looking for id 0, which is a word in most tokenizers."""
    network = classifier.load(model, ANSWERS).eval()
    ids = torch.tensor([[5, 0, 7, 0], [5, 0, 7, 0]])
    with torch.no_grad():
        short, long = network(ids, torch.tensor([3, 4]))
        assert not torch.equal(short, long)
        torch.testing.assert_close(long, network(ids[:1], torch.tensor([4]))[0])
        torch.testing.assert_close(short, network(ids[:1, :3], torch.tensor([3]))[0], atol=1e-5, rtol=1e-4)


def test_there_is_no_dropout_in_training_mode(model: Path) -> None:
    network = classifier.load(model, ANSWERS).train()
    torch.testing.assert_close(network(*batch(model, TEXTS)), network(*batch(model, TEXTS)), atol=0, rtol=0)


def test_texts_beyond_the_models_limit_lose_their_beginning_and_none_is_dropped(model: Path) -> None:
    long = "A long tale. " * 60 + "Answer:"
    encoded = encoding.encode(model, [long, "Is it so?"], max_length=512)
    start = encoding.start_of(encoding.tokenizer_of(model))
    assert len(encoded) == 2
    assert len(encoded[0]) == LIMIT
    assert encoded[0][: len(start)] == start
    assert encoded[0][-3:] == ids_of(model, "Answer:")[-3:]
    assert classifier.load(model, ANSWERS)(torch.tensor([encoded[0]]), torch.tensor([LIMIT])).shape == (1, 2)


def test_a_shorter_limit_of_the_experiment_holds_too(model: Path) -> None:
    assert len(encoding.encode(model, ["A long tale. " * 60], max_length=20)[0]) == 20


def test_only_a_start_token_is_added_and_never_an_end_token(models: dict[str, Path]) -> None:
    bare = {name: ids_of(models[name], "Is it so?") for name in CONFIGS}
    for name, directory in models.items():
        (encoded,) = encoding.encode(directory, ["Is it so?"], LIMIT)
        assert encoded == ([0] if name == "llama" else []) + bare[name]


@pytest.mark.parametrize("adapters", [None, {"rank": 2, "alpha": 4.0}])
def test_recomputed_activations_are_recomputed_and_give_the_same_gradients(
    model: Path, adapters: dict[str, float] | None
) -> None:
    """Published code sets the flag where it has no effect; here every block must really run twice."""
    ids = Texts(encoding.encode(model, TEXTS, LIMIT))
    labels = torch.tensor([[0.2, 0.8]] * len(TEXTS))
    gradients, calls = [], []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        network = classifier.load(model, ANSWERS, Computing(adapters=adapters, checkpointing=checkpointing)).train()
        counter: Counter[str] = Counter()
        for name, module in network.named_modules():
            if name.rpartition(".")[2] in ("mlp", "attn", "attention", "self_attn"):
                module.register_forward_pre_hook(lambda *_, seen=counter, name=name: seen.update([name]))
        backward(network, ids, labels, range(4), Loss(naive, separable=True).at(0.0), 4096)
        calls.append(counter)
        gradients.append([p.grad.clone() for p in Trained(network).parameters() if p.grad is not None])
    assert len(calls[0]) == 2 * LAYERS
    assert calls[1] == {name: 2 * count for name, count in calls[0].items()}
    assert gradients[0]
    assert len(gradients[0]) == len(gradients[1])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


def step(network: Classifier, model: Path) -> None:
    ids = Texts(encoding.encode(model, TEXTS, LIMIT))
    labels = torch.tensor([[0.0, 1.0]] * len(TEXTS))
    optimizer = torch.optim.AdamW(Trained(network).parameters(), lr=0.1)
    for _ in range(2):  # a fresh adapter's first factor learns from the second step on
        optimizer.zero_grad()
        backward(network, ids, labels, range(4), Loss(naive, separable=True).at(0.0), 4096)
        optimizer.step()


def test_adapters_train_and_are_saved_and_the_base_stays_as_it_is(model: Path) -> None:
    network = classifier.load(model, ANSWERS, Computing(adapters={"rank": 2, "alpha": 4.0}))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    start = network(*batch(model, TEXTS)).detach()
    step(network, model)
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == set(Trained(network).state_dict())
    assert any("lora_" in name for name in changed)
    assert all("lora_" in name or name == "head.weight" for name in changed)
    assert not torch.equal(network(*batch(model, TEXTS)), start)
    Trained(network).load_state_dict({name: before[name] for name in changed})
    torch.testing.assert_close(network(*batch(model, TEXTS)).detach(), start)


def test_full_finetuning_trains_every_weight(model: Path) -> None:
    network = classifier.load(model, ANSWERS)
    assert len(Trained(network).parameters()) == len(list(network.parameters()))
    before = {name: value.clone() for name, value in network.named_parameters()}
    step(network, model)
    assert sum(not torch.equal(value, before[name]) for name, value in network.named_parameters()) > len(before) / 2


@pytest.mark.parametrize("adapters", [None, {"rank": 2, "alpha": 4.0}])
def test_bfloat16_computes_roughly_the_same_and_trains_float32(model: Path, adapters: dict[str, float] | None) -> None:
    exact = classifier.load(model, ANSWERS, Computing("float32", adapters)).eval()
    rough = classifier.load(model, ANSWERS, Computing("bfloat16", adapters)).eval()
    found = rough(*batch(model, TEXTS))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact(*batch(model, TEXTS)), atol=0.05, rtol=0.1)
    assert all(parameter.dtype == torch.float32 for parameter in Trained(rough).parameters())


def test_a_model_that_wants_its_own_code_executed_is_refused(models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    for path in models["gpt2"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(UserError, match="cannot be loaded"):
        classifier.load(folder, ANSWERS)
    assert not (tmp_path / "ran").exists()


def copied(source: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for path in source.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize("name", ["gpt2", "neox"])
def test_weights_in_the_form_of_old_repositories_are_whole(models: dict[str, Path], tmp_path: Path, name: str) -> None:
    """GPT-2's have no prefix, Pythia's are half precision; both carry masks that are no parameters."""
    folder = copied(models[name], tmp_path / "old")
    weights = load_file(folder / "model.safetensors")
    old = {key.removeprefix("transformer."): value.half() for key, value in weights.items()}
    place = "h.0.attn.bias" if name == "gpt2" else "gpt_neox.layers.0.attention.bias"
    old[place] = torch.ones(1, 1, LIMIT, LIMIT, dtype=torch.bool)
    save_file(old, folder / "model.safetensors", metadata={"format": "pt"})
    for one, other in zip(
        classifier.load(folder, ANSWERS).parameters(), classifier.load(models[name], ANSWERS).parameters(), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-2)


def test_missing_weights_are_named_and_not_made_up(models: dict[str, Path], tmp_path: Path) -> None:
    """A library fills what is missing with random numbers, and goes on."""
    folder = copied(models["neox"], tmp_path / "headless")
    AutoModelForCausalLM.from_pretrained(models["neox"]).base_model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["GPTNeoXForCausalLM"]}))
    with pytest.raises(UserError, match=r"it has no weights of the unembedding \(lm_head\)"):
        classifier.load(folder, ANSWERS)


def test_a_model_whose_tokens_see_what_follows_them_is_refused(models: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(models["gpt2"], tmp_path / "encoder")
    shape = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(0)
    BertLMHeadModel(BertConfig(**shape, intermediate_size=32, initializer_range=1.0)).save_pretrained(folder)
    with pytest.raises(UserError, match="is not a decoder: its attention is not causal"):
        classifier.load(folder, ANSWERS)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_corrupt_file_is_one_line(models: dict[str, Path], tmp_path: Path, name: str) -> None:
    folder = copied(models["llama"], tmp_path / "corrupt")
    (folder / name).write_bytes((folder / name).read_bytes()[:-200])
    with pytest.raises(UserError, match="cannot be loaded") as caught:
        classifier.load(folder, ANSWERS)
    assert "\n" not in str(caught.value)


def test_a_directory_without_tokenizer_is_named(models: dict[str, Path], tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((models["gpt2"] / name).read_bytes())
    with pytest.raises(UserError, match="no tokenizer"):
        encoding.encode(tmp_path, ["a"], 10)


def test_the_vocabulary_is_what_these_tests_think_it_is(model: Path) -> None:
    assert max(max(ids) for ids in encoding.encode(model, TEXTS, LIMIT)) < VOCABULARY
