"""Two processes on the CPU that train tiny models together, case by case; what they find is compared with one alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.distributed.tensor import DTensor

from w2s.engine import distributed
from w2s.engine.memory import Budget
from w2s.engine.rank import WORKER, Worker
from w2s.engine.sharded import checkpoint_at
from w2s.models import classifier, generator
from w2s.models.classifier import Classifier, Computing
from w2s.models.generator import Generator
from w2s.nlp.prompting.stage import Prompter
from w2s.nlp.specs import PromptSpec
from w2s.reward import batching as preferences
from w2s.reward import rewarder
from w2s.reward.batching import Dialogues, dialogue
from w2s.reward.rewarder import Rewarder
from w2s.training import generative
from w2s.training.batching import Texts
from w2s.training.loop import Evaluation, Runtime, Schedule, backward, optimise, probabilities, train
from w2s.training.loss import Loss
from w2s.training.methods import recipe_of, train_head_first
from w2s.training.objectives import OBJECTIVES, pair
from w2s.training.specs import MethodChanges
from w2s.training.states import last_states

COUNT, BATCH = 13, 4  # the last batch has one example: fewer than there are processes
ADAPTED: dict[str, Any] = {"adapters": {"rank": 2, "alpha": 4.0}}
BFLOAT: dict[str, Any] = {**ADAPTED, "precision": "bfloat16", "checkpointing": True}
# name -> (what is trained, architecture, how it is computed, objective, method, tokens at once)
CASES: dict[str, tuple[str, str, dict[str, Any], str, dict[str, Any], int]] = {
    "naive, all at once": ("classifier", "gpt2", {}, "naive", {}, 10_000),
    "naive, a text at a time": ("classifier", "neox", {}, "naive", {}, 1),
    "confidence, all at once": ("classifier", "llama", {}, "confidence", {}, 10_000),
    "confidence, a text at a time": ("classifier", "gpt2", {}, "confidence", {}, 1),
    "OLMo 2, recomputed": ("classifier", "olmo2", {"checkpointing": True}, "naive", {}, 40),
    "Qwen3, recomputed": ("classifier", "qwen3", {"checkpointing": True}, "naive", {}, 40),
    "Gemma 3": ("classifier", "gemma3", {}, "naive", {}, 40),
    "confidence, recomputed": ("classifier", "qwen", {"checkpointing": True}, "confidence", {}, 40),
    "adapters": ("classifier", "neox", ADAPTED, "naive", {}, 40),
    "adapters, confidence": ("classifier", "llama", ADAPTED, "confidence", {}, 40),
    "bfloat16 adapters, recomputed": ("classifier", "gpt2", BFLOAT, "confidence", {}, 10_000),
    "dropout, averaged": ("classifier", "llama", {}, "confidence", {"dropout": 0.1, "average": {"decay": 0.5}}, 40),
    "consistency": ("classifier", "gpt2", {}, "naive", {"consistency": {"weight": 1.0, "dropped": 0.3, "tail": 2}}, 40),
    "head first": ("classifier", "neox", {}, "naive", {"head_first": {"epochs": 1, "learning_rate_times": 2.0}}, 40),
    "pairs, naive": ("rewarder", "llama", {}, "naive", {}, 60),
    "pairs, confidence": ("rewarder", "gpt2", ADAPTED, "confidence", {}, 60),
    "prompts": ("prompter", "gpt2", {}, "", {}, 60),
    "answers": ("generator", "qwen", {}, "", {}, 40),
    "answers by adapters": ("generator", "gpt2", ADAPTED, "", {}, 40),
}


def ids(count: int, seed: int, longest: int = 20) -> list[list[int]]:
    chance = torch.Generator().manual_seed(seed)
    lengths = torch.randint(2, longest, (count,), generator=chance).tolist()
    return [torch.randint(0, 250, (length,), generator=chance).tolist() for length in lengths]


def labels() -> torch.Tensor:
    return pair(torch.rand(COUNT, generator=torch.Generator().manual_seed(1)))


def loss(objective: str) -> Loss:
    return Loss(OBJECTIVES[objective], separable=objective == "naive")


def norms(network: torch.nn.Module, gradient: Callable[[], torch.Tensor]) -> list[float]:
    """The norm of each weight's gradient; losses alone say little of them, for AdamW cares little for their scale."""
    network.zero_grad(set_to_none=True)
    gradient()
    found = []
    for weight in network.parameters():
        if weight.requires_grad:
            assert weight.grad is not None
            whole: Any = weight.grad.full_tensor() if isinstance(weight.grad, DTensor) else weight.grad
            found.append(float(whole.norm()))
    return found


def train_case(name: str, models: Path, work: Path) -> dict[str, Any]:
    """What a case comes to: losses, and what the model then says. The same in one process and in two, or should be."""
    kind, architecture, how, objective, method, tokens = CASES[name]
    base, computing, budget = models / architecture, Computing(**how), Budget(tokens)
    torch.manual_seed(0)
    where = torch.device("cpu")
    if kind == "classifier":
        network: Classifier = distributed.load_on(lambda: classifier.load(base, (" no", " yes"), computing), where)
        return classified(network, objective, method, budget, work)
    schedule = Schedule(2, BATCH, 1e-2, 0.0, 1, 0)
    checkpoint = checkpoint_at(work / "checkpoint.pt")
    if kind == "rewarder":
        judge: Rewarder = distributed.load_on(lambda: rewarder.load(base, " yes", 64, computing), where)
        prefixes, firsts, seconds = ids(COUNT, 2), ids(COUNT, 3, 8), ids(COUNT, 4, 8)
        some = Dialogues([dialogue(*one, 60) for one in zip(prefixes, firsts, seconds, strict=True)])

        def compared(batch: Any, done: float, tokens: int) -> torch.Tensor:
            return preferences.backward(judge, some, labels(), batch, loss(objective).at(done), tokens)

        history, _ = optimise(judge, COUNT, compared, schedule, Evaluation(), Runtime(checkpoint, budget))
        said = preferences.logits(judge, some, budget).tolist()
        return {"history": history, "said": said, "gradient": norms(judge, lambda: compared(range(7), 0.5, tokens))}
    writer: Generator = distributed.load_on(lambda: generator.load(base, computing), where)
    if kind == "prompter":
        spec = PromptSpec(
            task="sciq",
            max_length=64,
            instruction="",
            answers=(" no", " yes"),
            between="\n\n",
            shots=2,
            draws=1,
            half=None,
            seed=0,
        )
        prompter = Prompter(writer, base, spec, budget)
        answered = prompter.answer(
            prompter.pieces([("Is it so?", 1), ("Or not?", 0)], ["So?"] * 3 + ["A tale. " * 9] * 2)
        )
        return {"history": [], "said": answered.probability, "shots": answered.shots}
    prompts = ids(COUNT, 5)
    learned = generative.answer_examples(prompts, [[*one[:2], 0] for one in ids(COUNT, 6)])

    def taught(batch: Any, done: float, tokens: int) -> torch.Tensor:
        return generative.backward(writer, learned, batch, tokens)

    history, _ = optimise(writer, COUNT, taught, schedule, Evaluation(), Runtime(checkpoint, budget))
    answers = generative.greedy(writer, Texts(prompts), end=0, most=4, budget=budget)
    found = {"history": history, "answers": answers, "gradient": norms(writer, lambda: taught(range(7), 0.5, tokens))}
    if whole := distributed.gather_weights(writer, lambda: generator.load(base, computing)):
        found["weights"] = [
            [float(weight.double().norm()), *weight.flatten()[:3].tolist()] for weight in whole.state_dict().values()
        ]
    return found


def classified(
    network: Classifier, objective: str, method: Mapping[str, Any], budget: Budget, work: Path
) -> dict[str, Any]:
    texts, others = Texts(ids(COUNT, 0)), Texts(ids(5, 9))
    recipe = recipe_of(loss(objective), Schedule(2, BATCH, 1e-2, 0.0, 2, 0), MethodChanges.from_spec(method))
    train_head_first(network, texts, labels(), recipe, work / "head.pt", budget)
    history, best = train(
        network,
        texts,
        labels(),
        recipe,
        Evaluation(lambda: {"score": -float(probabilities(network, others, budget).sum())}, "score"),
        Runtime(checkpoint_at(work / "checkpoint.pt"), budget),
    )
    said = probabilities(network, others, budget).tolist()
    states = last_states(network, others, budget).tolist()
    found = {"history": history, "best": best.step, "said": said, "states": states}

    def gradient() -> torch.Tensor:
        return backward(network, texts, labels(), range(7), loss(objective).at(0.5), budget.tokens)

    return found | {"gradient": norms(network, gradient)}


def together(models: Path, folder: Path, size: int = 2) -> dict[str, Any]:
    """All cases by several processes: what the first found."""
    meeting = folder / "meeting"
    meeting.mkdir(parents=True)
    started = []
    for rank in range(size):
        told = {
            WORKER: json.dumps(asdict(Worker(rank, size, str(meeting), str(folder)))),
            "W2S_DEVICE": "cpu",
            "W2S_WAIT_SECONDS": "120",
        }
        command = [sys.executable, "-m", "tests.engine.pair", str(models), str(folder)]
        started.append(subprocess.Popen(command, env={**os.environ, **told}))
    try:
        for process in started:
            assert process.wait(600) == 0
    finally:
        for process in started:
            process.kill()
    return dict(json.loads((folder / "found.json").read_text()))


def main(models: Path, folder: Path) -> None:
    """One of the processes."""
    distributed.join()
    found = {}
    for number, name in enumerate(CASES):
        work = folder / str(number)
        work.mkdir(exist_ok=True)
        print(name, flush=True)
        found[name] = train_case(name, models, work)
    if distributed.rank() == 0:
        (folder / "found.json").write_text(json.dumps(found))
    distributed.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
