"""One finetuning run: our loop against two plain PyTorch loops on the same batches.

The work: a decoder of 4 layers, 128 wide, vocabulary 1024; 512 texts of 16 to 128 tokens (log-uniform), batch 32, one
epoch, cross entropy to soft labels or the confidence loss. ``padded`` pads each batch to its longest text and makes
one forward of it; ``one by one`` forwards texts singly, stacks their logits and makes one backward. All three see the
same batches in the same order, and their loss curves must agree.

    python benchmarks/finetune.py [--repeats N]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import fresh, in_turns, machine, one_thread, spread, table

SHAPE = {"width": 128, "intermediate": 336, "layers": 4, "heads": 4}
VOCABULARY, TEXTS, BATCH, RATE = 1024, 512, 32, 1e-4
SHORTEST, LONGEST = 16, 128
RUNNERS = ("one by one", "padded", "ours")
AGREE = 2e-4  # how far loss curves may lie apart


def work(count: int) -> tuple[list[list[int]], Any]:
    """The first ``count`` of (texts as token ids, (texts, 2) soft labels), the same in every process."""
    import torch

    generator = torch.Generator().manual_seed(0)
    spread = torch.rand(TEXTS, generator=generator)
    lengths = (SHORTEST * (LONGEST / SHORTEST) ** spread).round().int().tolist()
    ids = [torch.randint(0, VOCABULARY, (length,), generator=generator).tolist() for length in lengths]
    positive = torch.rand(TEXTS, generator=generator)
    return ids[:count], torch.stack([1 - positive, positive], dim=-1)[:count]


def ours(directory: Path, objective: str, count: int = TEXTS) -> list[float]:
    """Loss of every batch by ``w2s.training.loop``."""
    import torch

    from w2s.engine.checkpoints import Checkpoint
    from w2s.models import decoder
    from w2s.models.classifier import Classifier, own_weights
    from w2s.training.batching import Texts
    from w2s.training.loop import Evaluation, Recipe, Runtime, Schedule, train
    from w2s.training.objectives import loss_of
    from w2s.training.specs import Objective

    ids, labels = work(count)
    weights = own_weights(directory)
    shape = decoder.shape_of(decoder.read_config(directory))
    assert shape
    network = Classifier(decoder.with_weights(shape, weights, directory), weights[decoder.UNEMBEDDING][[3, 4]])
    recipe = Recipe(loss_of(Objective(name=objective)), Schedule(1, BATCH, RATE, 0.0, max(1, count // BATCH), 0))
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder) / "checkpoint.pt")
        torch.manual_seed(0)
        history, _ = train(network, Texts(ids), labels, recipe, Evaluation(), Runtime(checkpoint))
    return [row["train_loss"] for row in history]


def plain(directory: Path, objective: str, runner: str, count: int = TEXTS) -> list[float]:
    """Loss of every batch by a plain loop over a transformers model."""
    import torch
    from torch.nn.utils.rnn import pad_sequence
    from transformers import LlamaForCausalLM

    from w2s.training.batching import epochs_order
    from w2s.training.objectives import OBJECTIVES

    ids, labels = work(count)
    model = LlamaForCausalLM.from_pretrained(directory)
    head = torch.nn.Linear(SHAPE["width"], 2, bias=False)
    head.weight.data.copy_(model.get_output_embeddings().weight[[3, 4]])
    backbone = model.model.train()
    parameters = [*backbone.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.0)
    order = epochs_order(count, 1, 0)
    steps = -(-count // BATCH)

    def logits_of(numbers: list[int]) -> Any:
        padded = pad_sequence([torch.tensor(ids[number]) for number in numbers], batch_first=True)
        last = torch.tensor([len(ids[number]) - 1 for number in numbers])
        hidden = backbone(input_ids=padded, use_cache=False).last_hidden_state
        return head(hidden[torch.arange(len(numbers)), last])

    losses = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        batch = order[step * BATCH : (step + 1) * BATCH]
        parts = [batch] if runner == "padded" else [[number] for number in batch]
        logits = torch.cat([logits_of(part) for part in parts])
        loss = partial(OBJECTIVES[objective], progress=step / steps)(logits, labels[batch]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def worker(runner: str, objective: str, directory: Path) -> dict[str, Any]:
    """One measurement."""
    from w2s.engine.artifacts import forget_peak_memory, peak_memory_mib

    one_thread(ours=runner == "ours")
    run: Any = partial(ours, directory, objective) if runner == "ours" else partial(plain, directory, objective, runner)
    run(count=2)  # imports, first calls of libraries: not what is measured
    forget_peak_memory()
    before, started = peak_memory_mib(), time.process_time()
    losses = run()
    seconds = time.process_time() - started
    return {"examples_per_second": TEXTS / seconds, "memory": peak_memory_mib() - before, "losses": losses}


def measure(repeats: int) -> str:
    """The table of ratios; exits with a message if loss curves differ."""
    from w2s.models.pretraining import new_model

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        model: Any = new_model(SHAPE, VOCABULARY, 0)
        model.save_pretrained(folder)
        for objective in ("naive", "confidence"):
            found = in_turns(RUNNERS, lambda runner, o=objective: fresh(__file__, runner, o, folder), repeats)  # type: ignore[misc]
            for runner in RUNNERS:
                apart = max(
                    abs(one - other)
                    for one, other in zip(found[runner][0]["losses"], found["padded"][0]["losses"], strict=True)
                )
                if apart > AGREE:
                    sys.exit(
                        f"{objective}: the losses of {runner!r} and 'padded' differ by {apart:.2g}: not the same work"
                    )
            speeds = {name: [one["examples_per_second"] for one in some] for name, some in found.items()}
            speed = {name: max(some) for name, some in speeds.items()}
            memory = {name: min(one["memory"] for one in some) for name, some in found.items()}
            rows += [
                (
                    objective,
                    name,
                    spread(speeds[name], ".1f"),
                    f"{speed[name] / speed['one by one']:.2f}",
                    f"{speed[name] / speed['padded']:.2f}",
                    f"{memory[name]}",
                    f"{memory[name] / memory['padded']:.2f}",
                    f"{found[name][0]['losses'][-1]:.4f}",
                )
                for name in RUNNERS
            ]
    header = ("objective", "loop", "examples / CPU s", "x one by one", "x padded", "peak MiB", "x padded", "last loss")
    return table("One finetuning run (goal: 2.2 x one by one, 1.6 x padded, memory below 0.5 x padded)", header, rows)


def main() -> None:
    """Measure, or be one of the measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--worker", nargs=3, metavar=("RUNNER", "OBJECTIVE", "DIRECTORY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        runner, objective, directory = options.worker
        print(json.dumps(worker(runner, objective, Path(directory))))
        return
    print(machine())
    print(measure(options.repeats))


if __name__ == "__main__":
    main()
