"""Answers are learned and prompts are not; what is kept while writing changes nothing; a kill changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from w2s.engine.checkpoints import Checkpoint
from w2s.engine.memory import Budget
from w2s.errors import DivergedError, UserError
from w2s.models import decoder
from w2s.models.classifier import Computing
from w2s.models.generator import Generator, load
from w2s.models.pretraining import new_model
from w2s.training.batching import Texts
from w2s.training.generative import AnswerExamples, answer_examples, backward, greedy
from w2s.training.loop import Evaluation, Runtime, Schedule, optimise

SHAPE = {"width": 32, "intermediate": 80, "layers": 3, "heads": 4}
VOCABULARY, END, MOST = 60, 0, 5


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An own rung with weights large enough that its answers differ and some end early."""
    folder = tmp_path_factory.mktemp("rung")
    model: Any = new_model(SHAPE, VOCABULARY, 3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(6.0)
    model.save_pretrained(folder)
    return folder


def tokens(count: int, longest: int, seed: int = 0) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest, (count,), generator=generator).tolist()
    return [torch.randint(1, VOCABULARY, (length,), generator=generator).tolist() for length in lengths]


def some_examples(count: int = 24) -> AnswerExamples:
    return answer_examples(tokens(count, 20), [[*answer, END] for answer in tokens(count, 4, 1)])


def gradients(network: Generator) -> list[torch.Tensor]:
    return [parameter.grad for parameter in network.parameters() if parameter.grad is not None]


def test_the_loss_is_on_the_answer_and_its_end_alone(directory: Path) -> None:
    """As transformers computes it with all but the answer's labels masked."""
    learned, model = some_examples(), LlamaForCausalLM.from_pretrained(directory)
    each, count = [], 0
    for number, answer in enumerate(learned.targets):
        ids = torch.tensor([[*learned.inputs.ids(number), answer[-1]]])
        labels = ids.clone()
        labels[:, : -len(answer)] = -100
        each.append(model(ids, labels=labels).loss.item() * len(answer))
        count += len(answer)
    loss = float(backward(load(directory), learned, range(len(learned)), 10_000).sum())
    assert loss == pytest.approx(sum(each) / count, rel=1e-4)


@pytest.mark.parametrize("at_once", [1, 40, 150])
def test_micro_batches_give_the_whole_batchs_loss_and_gradient(directory: Path, at_once: int) -> None:
    learned, whole, split = some_examples(), load(directory), load(directory)
    batch = list(range(len(learned)))
    expected = float(backward(whole, learned, batch, 10_000).sum())
    assert float(backward(split, learned, batch, at_once).sum()) == pytest.approx(expected, rel=1e-5)
    for one, other in zip(gradients(split), gradients(whole), strict=True):
        assert (one - other).abs().max() <= 1e-4 * other.abs().max()


def by_hand(network: Generator, prompt: list[int]) -> list[int]:
    """Greedy without anything kept: the whole text again for every token."""
    said: list[int] = []
    while len(said) < MOST:
        ids = torch.tensor([[*prompt, *said]])
        with torch.no_grad():
            following = int(network(ids, torch.tensor([0]), torch.tensor([ids.shape[1] - 1])).argmax())
        if following == END:
            break
        said.append(following)
    return said


def test_cache_and_padding_change_no_answer(directory: Path) -> None:
    network, prompts = load(directory), tokens(40, 25)
    expected = [by_hand(network, prompt) for prompt in prompts]
    assert len({tuple(one) for one in expected}) > 10
    for at_once in (1, 20, 10_000):
        assert greedy(network, Texts(prompts), end=END, most=MOST, budget=Budget(at_once)) == expected


def test_logits_with_a_kv_cache_are_those_of_the_whole_text(directory: Path) -> None:
    network, prompts = load(directory), Texts(tokens(6, 20))
    ids, lengths = prompts.tensors(range(6), torch.device("cpu"))
    with torch.no_grad():
        logits, cache = network.prefill(ids, lengths, 2)
        for more in range(2):
            following = logits.argmax(-1)
            logits, cache = network.decode(following, lengths + more, cache)
            ids = torch.cat([ids, ids.new_zeros(6, 1)], dim=1)
            ids[range(6), lengths + more] = following
            whole = network(ids, torch.arange(6), lengths + more)
            torch.testing.assert_close(logits, whole, atol=1e-3, rtol=1e-3)


def test_own_answers_are_those_of_transformers(directory: Path) -> None:
    """On the same weights, by its own ``generate``."""
    theirs = LlamaForCausalLM.from_pretrained(directory)
    prompts = tokens(20, 25)
    expected = []
    for prompt in prompts:
        settings: dict[str, Any] = {
            "max_new_tokens": MOST,
            "do_sample": False,
            "eos_token_id": END,
            "pad_token_id": END,
        }
        said = theirs.generate(torch.tensor([prompt]), **settings)[0, len(prompt) :].tolist()
        expected.append(said[: said.index(END)] if END in said else said)
    assert greedy(load(directory), Texts(prompts), end=END, most=MOST) == expected


def test_a_librarys_model_answers_the_same_padded_or_alone(models: dict[str, Path]) -> None:
    for name, folder in models.items():
        network, prompts = load(folder), tokens(12, 20)
        alone = [greedy(network, Texts([one]), end=END, most=MOST)[0] for one in prompts]
        assert greedy(network, Texts(prompts), end=END, most=MOST) == alone, name


def test_recomputed_activations_give_the_same_gradients(directory: Path, models: dict[str, Path]) -> None:
    learned = some_examples()
    for folder in (directory, *models.values()):
        found = []
        for checkpointing in (False, True):
            network = load(folder, Computing(checkpointing=checkpointing)).train()
            backward(network, learned, range(8), 4096)
            found.append(gradients(network))
        for one, other in zip(*found, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_flag_that_recomputes_nothing_is_one_line(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = decoder.with_weights
    monkeypatch.setattr(decoder, "with_weights", lambda *arguments, checkpointing=False: made(*arguments))
    load(directory)
    with pytest.raises(UserError, match=r"not recomputed in the backward pass; set checkpointing: false"):
        load(directory, Computing(checkpointing=True))


def test_numbers_that_are_none_are_no_answer(directory: Path) -> None:
    network = load(directory)
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    with pytest.raises(DivergedError, match="logits are not numbers"):
        greedy(network, Texts([[1, 2]]), end=END, most=MOST)


def run(directory: Path, folder: Path, stop_at: int | None = None) -> tuple[Generator, list[dict[str, float]]]:
    folder.mkdir(exist_ok=True)
    network, learned, calls = load(directory), some_examples(), 0

    def evaluate() -> dict[str, float]:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise KeyboardInterrupt
        return {"score": float(len(greedy(network, learned.inputs, end=END, most=1)[0]))}

    history, _ = optimise(
        network,
        len(learned),
        lambda batch, progress, tokens: backward(network, learned, batch, tokens),
        Schedule(2, 8, 1e-3, 0.0, 3, 0),
        Evaluation(evaluate),
        Runtime(Checkpoint(folder / "checkpoint.pt")),
    )
    return network, history


def test_a_run_that_was_cut_off_ends_with_the_same_bits(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    whole, history = run(directory, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(directory, tmp_path / "cut", stop_at=4)
    again, same = run(directory, tmp_path / "cut")
    assert same == history
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
