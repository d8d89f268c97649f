"""Finetuning at the shapes of open models: tokens a second and share of the peak, against the Hugging Face Trainer.

Random weights of Pythia's shapes, texts of 512 tokens, batch 32, bfloat16 computation over float32 weights, AdamW. Both
sides make the same optimiser steps on the same texts; micro-batches are the largest that fit.

    python benchmarks/gpu.py                 # Pythia 70m, 410m and 1.4b on the GPU at hand
    python benchmarks/gpu.py --shapes tiny   # does it run? on any machine
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import fresh, in_turns, machine, table

# layers, width, heads, feed-forward
SHAPES = {
    "tiny": (2, 32, 2, 64),
    "pythia-70m": (6, 512, 8, 2048),
    "pythia-410m": (24, 1024, 16, 4096),
    "pythia-1.4b": (24, 2048, 16, 8192),
}
VOCABULARY, LENGTH, BATCH = 50_304, 512, 32
RUNNERS = ("Trainer", "ours", "ours, compiled")
# bfloat16 FLOP/s, dense, by what a device's name contains; manufacturers' data sheets
PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "4090": 165e12, "V100": 125e12}


def flop_per_token(shape: tuple[int, int, int, int]) -> float:
    """Of training: 6 for each weight of the layers, and attention's 12 x layers x width x length."""
    layers, width, _, wide = shape
    return 6.0 * layers * (4 * width**2 + 2 * width * wide) + 12.0 * layers * width * LENGTH


def model_of(shape: tuple[int, int, int, int], kind: str) -> Any:
    """A model of GPT-NeoX's architecture with random weights."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForSequenceClassification, GPTNeoXModel

    layers, width, heads, wide = shape
    config = GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=wide,
        max_position_embeddings=2048,
        num_labels=2,
        pad_token_id=0,
        use_cache=False,
    )
    torch.manual_seed(0)
    return (GPTNeoXForSequenceClassification if kind == "Trainer" else GPTNeoXModel)(config)


def trainer_seconds(shape: tuple[int, int, int, int], ids: Any, steps: int, warmup: int, rows: int) -> float:
    """Seconds of ``steps`` optimiser steps of transformers' Trainer, after ``warmup``. rows: of a micro-batch."""
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments

    marks: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            marks.append(time.perf_counter())

    data = [{"input_ids": row, "labels": number % 2} for number, row in enumerate(ids)]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=rows,
            gradient_accumulation_steps=BATCH // rows,
            max_steps=steps + warmup,
            learning_rate=1e-5,
            bf16=torch.cuda.is_available(),
            optim="adamw_torch_fused",
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            dataloader_pin_memory=torch.cuda.is_available(),
        )
        Trainer(model_of(shape, "Trainer"), arguments, train_dataset=data, callbacks=[Clock()]).train()  # type: ignore[arg-type]
    return marks[-1] - marks[warmup - 1]


def our_seconds(shape: tuple[int, int, int, int], ids: Any, steps: int, warmup: int, compiled: bool) -> float:
    """The same by ``w2s.training.loop``."""
    import torch

    from w2s.engine.checkpoints import Checkpoint
    from w2s.engine.devices import compile_where_it_pays, device
    from w2s.models.classifier import Classifier
    from w2s.training.batching import Texts
    from w2s.training.loop import Evaluation, Recipe, Runtime, Schedule, train
    from w2s.training.objectives import loss_of
    from w2s.training.specs import Objective

    where = device()
    precision = "bfloat16" if where.type == "cuda" else "float32"
    network = Classifier(model_of(shape, "ours"), torch.zeros(2, shape[1]), precision).to(where)
    if compiled:
        compile_where_it_pays(network, where, float("inf"))
    labels = torch.eye(2)[torch.arange(len(ids)) % 2]
    marks: list[float] = []

    def evaluate() -> dict[str, float]:
        marks.append(time.perf_counter())  # the loss was read: the device is done
        return {}

    schedule = Schedule((steps + warmup) * BATCH / len(ids), BATCH, 1e-5, 0.0, 10**6, 0)
    recipe = Recipe(loss_of(Objective(name="naive")), schedule)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder) / "checkpoint.pt")
        train(network, Texts(ids.tolist()), labels, recipe, Evaluation(evaluate), Runtime(checkpoint))
    return marks[-1] - marks[warmup - 1]


def worker(runner: str, name: str, steps: int) -> dict[str, Any]:
    """One measurement."""
    import torch

    shape, warmup = SHAPES[name], 3
    ids = torch.randint(1, VOCABULARY, (BATCH * 8, LENGTH), generator=torch.Generator().manual_seed(0))
    if runner == "Trainer":
        rows = BATCH
        while True:
            try:
                seconds = trainer_seconds(shape, ids, steps, warmup, rows)
                break
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
                rows //= 2
    else:
        seconds = our_seconds(shape, ids, steps, warmup, compiled=runner != "ours")
    cuda = torch.cuda.is_available()
    return {
        "tokens_per_second": steps * BATCH * LENGTH / seconds,
        "memory": torch.cuda.max_memory_allocated() / 2**30 if cuda else 0.0,
        "device": torch.cuda.get_device_name() if cuda else "cpu",
    }


def measure(names: list[str], steps: int, repeats: int) -> str:
    """The table for the device at hand."""
    rows, device = [], ""
    for name in names:
        environment = {"W2S_COMPILE": "always", "OMP_NUM_THREADS": "8" if name != "tiny" else "1"}

        def one(runner: str, name: str = name, more: dict[str, str] = environment) -> dict[str, Any]:
            return fresh(__file__, runner, name, str(steps), environment=more)

        runners = [one for one in RUNNERS if name != "tiny" or one != "ours, compiled"]
        found = in_turns(runners, one, repeats)
        device = found["ours"][0]["device"]
        peak = next((flop for part, flop in PEAK.items() if part in device), None)
        speed = {key: max(each["tokens_per_second"] for each in some) for key, some in found.items()}
        rows += [
            (
                name,
                runner,
                f"{speed[runner]:,.0f}",
                f"{speed[runner] / speed['Trainer']:.2f}",
                f"{speed[runner] * flop_per_token(SHAPES[name]) / peak:.0%}" if peak else "-",
                f"{found[runner][0]['memory']:.1f}",
            )
            for runner in runners
        ]
    header = ("shape", "loop", "tokens / s", "x Trainer", "share of peak", "GiB")
    title = f"Finetuning on {device}, {LENGTH} tokens (goal: 1.3 x Trainer, 45% of the peak at 1.4b)"
    return table(title, header, rows)


def main() -> None:
    """Measure, or be one of the measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--shapes", nargs="+", choices=list(SHAPES), default=[name for name in SHAPES if name != "tiny"]
    )
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--worker", nargs=3, metavar=("RUNNER", "SHAPE", "STEPS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        runner, name, steps = options.worker
        print(json.dumps(worker(runner, name, int(steps))))
        return
    if options.shapes != ["tiny"]:
        import torch

        if not torch.cuda.is_available():
            sys.exit("no GPU here: these shapes need one; `--shapes tiny` shows that the benchmark runs")
    print(machine())
    print(measure(options.shapes, options.steps, options.repeats))


if __name__ == "__main__":
    main()
