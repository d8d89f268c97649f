"""One finetuning run: our loop against others', from 4 x 128 to 125 million parameters.

All train the same Llama-class classifier on the same texts (16 to 128 tokens, log-uniform), batch 32, one epoch, one
thread, float32, fused AdamW, cross entropy to soft labels. ``trainer`` gets the same batches in the same order and pads
each to its longest text, as its default collator does; loss curves must agree. ``grouped`` makes batches of texts of
similar length (``group_by_length``), hence other batches: faster, but not the same training. ``by_length`` is ours with
such batches (``batches: by_length``), and ``trainer_by_length`` the Trainer on the same ones; their curves must agree.
``ours_bfloat16`` and ``by_length_bfloat16`` multiply matrices in bfloat16 (``precision`` of a rung);
``trainer_bfloat16`` is the Trainer with ``bf16``, that is autocast.

    python benchmarks/peers.py [--repeats N] [--shapes 4x128 10M 50M 125M] [--model DIRECTORY] [--openai CLONE]

With --model, the model of a directory in the hub's layout is trained instead of random ones. With --openai, a clone of
github.com/openai/weak-to-strong, its ``train_model`` is measured as well, in micro-batches of 1, 8 and 32 texts, on the
same batches. Its Adam is not fused; its learning rate is made to decay linearly, so that loss curves must agree.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import fresh, in_turns, machine, one_thread, spread, table


@dataclass(frozen=True)
class Case:
    """A model's shape, its vocabulary, and how many texts are enough to measure it."""

    width: int
    layers: int
    vocabulary: int
    texts: int


CASES = {
    "4x128": Case(128, 4, 1_024, 512),
    "10M": Case(320, 6, 8_192, 128),
    "50M": Case(512, 11, 32_000, 96),
    "125M": Case(768, 13, 49_152, 96),
}
HALF = "_bfloat16"  # of a runner's name: matrix products in bfloat16
RUNNERS = ("trainer", "grouped", "trainer_by_length", "trainer_bfloat16")
OURS = ("ours", "by_length", "ours_bfloat16", "by_length_bfloat16")
SAME = (  # loops whose loss curves must agree
    ("ours", "trainer"),
    ("by_length", "trainer_by_length"),
    ("ours", "ours_bfloat16"),
    ("ours", "trainer_bfloat16"),
    ("by_length", "by_length_bfloat16"),
)
OPENAI = {"openai_1": 1, "openai_8": 8, "openai_32": 32}  # runner -> texts in a micro-batch
BATCH, RATE, SHORTEST, LONGEST = 32, 1e-4, 16, 128
AGREE, ROUGHLY = 1e-3, 2e-2  # how far loss curves may lie apart: in float32, with bfloat16


def work(texts: int, vocabulary: int) -> tuple[list[list[int]], Any]:
    """(texts as token ids, (texts, 2) soft labels), the same in every process."""
    import torch

    generator = torch.Generator().manual_seed(0)
    lengths = SHORTEST * (LONGEST / SHORTEST) ** torch.rand(texts, generator=generator)
    ids = [
        torch.randint(5, vocabulary, (length,), generator=generator).tolist()
        for length in lengths.round().int().tolist()
    ]
    positive = torch.rand(texts, generator=generator)
    return ids, torch.stack([1 - positive, positive], dim=-1)


def classifier_of(directory: Path, precision: str) -> Any:
    """Our classifier on a base model; the peers start from the same weights."""
    from w2s.models.classifier import Classifier, Computing, backbone_of

    backbone, unembedding = backbone_of(directory, Computing())
    return Classifier(backbone, unembedding[[3, 4]], precision)


def ours(directory: Path, ids: list[list[int]], labels: Any, *, by_length: bool, half: bool) -> list[float]:
    """Loss of every batch by ``w2s.training.loop``. half: matrix products in bfloat16."""
    import torch

    from w2s.engine.checkpoints import Checkpoint
    from w2s.models.vocabulary import keep_used_rows
    from w2s.training.batching import Texts
    from w2s.training.loop import Evaluation, Recipe, Runtime, Schedule, train
    from w2s.training.objectives import loss_of
    from w2s.training.specs import Objective

    network, texts = classifier_of(directory, "bfloat16" if half else "float32"), Texts(ids)
    keep_used_rows(network, texts.used())
    schedule = Schedule(1, BATCH, RATE, 0.0, max(1, len(ids) // BATCH), 0, by_length=by_length)
    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(Checkpoint(Path(folder) / "checkpoint.pt"))
        torch.manual_seed(0)
        history, _ = train(
            network, texts, labels, Recipe(loss_of(Objective(name="naive")), schedule), Evaluation(), runtime
        )
    return [row["train_loss"] for row in history]


def trainer(directory: Path, ids: list[list[int]], labels: Any, *, runner: str) -> list[float]:
    """Loss of every batch by the Hugging Face Trainer, over a transformers model."""
    import numpy as np
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pad_sequence
    from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

    from w2s.training.batching import batches_by_length, epochs_order

    grouped, order = runner == "grouped", epochs_order(len(ids), 1, 0)
    if runner == "trainer_by_length":
        order = list(chain(*batches_by_length(np.array([len(text) for text in ids]), 1, BATCH, 0)))
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)

    class Finetuned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = model.base_model
            self.head = nn.Linear(model.config.hidden_size, 2, bias=False)
            self.head.weight.data.copy_(model.get_output_embeddings().weight[[3, 4]])

        def forward(self, input_ids: Any, last: Any, labels: Any) -> dict[str, Any]:
            hidden = self.backbone(input_ids=input_ids, use_cache=False).last_hidden_state
            logits = self.head(hidden[torch.arange(len(last)), last])
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        texts = [torch.tensor(row["input_ids"]) for row in rows]
        return {
            "input_ids": pad_sequence(texts, batch_first=True),
            "last": torch.tensor([len(text) - 1 for text in texts]),
            "labels": torch.stack([row["labels"] for row in rows]),
        }

    class Ordered(Trainer):  # type: ignore[misc]
        def _get_train_sampler(self, *arguments: Any) -> Any:
            return super()._get_train_sampler(*arguments) if grouped else order

    rows = [{"input_ids": text, "labels": label} for text, label in zip(ids, labels, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=BATCH,
            num_train_epochs=1,
            learning_rate=RATE,
            weight_decay=0.0,
            max_grad_norm=0.0,
            lr_scheduler_type="linear",
            optim="adamw_torch_fused",
            use_cpu=True,
            bf16=runner.endswith(HALF),
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
            **({"train_sampling_strategy": "group_by_length"} if grouped else {}),
        )
        training = Ordered(Finetuned(), arguments, data_collator=collate, train_dataset=rows)
        training.train()
    return [float(entry["loss"]) for entry in training.state.log_history if "loss" in entry]


def openai(directory: Path, ids: list[list[int]], labels: Any, *, clone: str, micro_batch: int) -> list[float]:
    """Loss of every batch by ``weak_to_strong.train.train_model`` of a clone of openai/weak-to-strong."""
    import torch
    from torch.optim import lr_scheduler
    from transformers import PreTrainedModel  # noqa: F401  # before the empty modules: it looks for wandb

    from w2s.training.batching import epochs_order

    for name in ("torch_optimizer", "wandb"):  # imported by the clone, unused here
        sys.modules.setdefault(name, ModuleType(name))
    sys.path.insert(0, clone)
    from weak_to_strong import logger, loss, train
    from weak_to_strong.model import TransformerWithHead

    def linear(optimizer: torch.optim.Optimizer, steps: int) -> lr_scheduler.LRScheduler:
        return lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / max(1, steps))

    losses: list[float] = []
    logger.configure()
    logger.logkvs = lambda values: losses.append(values["loss"])
    lr_scheduler.CosineAnnealingLR = linear  # type: ignore[assignment, misc]
    model = TransformerWithHead.from_pretrained(directory, num_labels=2, dtype=torch.float32)
    model.score.weight.data.copy_(model.lm.get_output_embeddings().weight[[3, 4]])
    rows = [{"input_ids": ids[place], "soft_label": labels[place].tolist()} for place in epochs_order(len(ids), 1, 0)]
    cross_entropy = loss.xent_loss()
    train.train_model(model, rows, BATCH, RATE, cross_entropy, minibatch_size=micro_batch, lr_schedule="cosine_anneal")
    return losses


def worker(runner: str, texts: int, vocabulary: int, directory: Path, clone: str) -> dict[str, Any]:
    """One measurement: examples per CPU second, and the losses."""
    import contextlib
    import io

    import torch

    one_thread(ours=runner in OURS)
    torch.set_flush_denormal(True)

    def run(count: int) -> list[float]:
        ids, labels = work(count, vocabulary)
        if runner in OURS:
            return ours(directory, ids, labels, by_length="by_length" in runner, half=runner.endswith(HALF))
        if runner in OPENAI:
            return openai(directory, ids, labels, clone=clone, micro_batch=OPENAI[runner])
        return trainer(directory, ids, labels, runner=runner)

    with contextlib.redirect_stdout(io.StringIO()):
        run(2)  # imports, first calls of libraries: not what is measured
        started = time.process_time()
        losses = run(texts)
    return {"examples_per_second": texts / (time.process_time() - started), "losses": losses}


def measure(name: str, texts: int, vocabulary: int, directory: str, repeats: int, clone: str) -> list[tuple[str, ...]]:
    """Rows of the table for one model; exits with a message if loss curves differ."""
    runners = (*RUNNERS, *OURS, *(OPENAI if clone else ()))
    arguments = (str(texts), str(vocabulary), directory, clone)
    found = in_turns(runners, lambda runner: fresh(__file__, runner, *arguments), repeats)
    apart = {}
    for our, peer in (*SAME, *(("ours", peer) for peer in OPENAI)):
        if peer not in found:
            continue
        curves = zip(found[our][0]["losses"], found[peer][0]["losses"], strict=True)
        apart[peer] = max(abs(one - other) for one, other in curves)
        if apart[peer] > (ROUGHLY if peer.endswith(HALF) else AGREE):
            sys.exit(f"{name}: losses of {our} and {peer} differ by {apart[peer]:.2g}: not the same work")
    speeds = {runner: [one["examples_per_second"] for one in some] for runner, some in found.items()}
    best = {runner: max(some) for runner, some in speeds.items()}
    return [
        (
            name,
            runner,
            spread(speeds[runner], ".3g"),
            f"{best['ours'] / best[runner]:.2f}",
            f"{best['by_length'] / best[runner]:.2f}",
            f"{best['ours_bfloat16'] / best[runner]:.2f}",
            f"{apart[runner]:.0e}" if runner in apart else "",
        )
        for runner in runners
    ]


def main() -> None:
    """Measure, or be one of the measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--shapes", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--model", type=Path, help="a model in the hub's layout, in place of the shapes")
    parser.add_argument("--texts", type=int, default=64, help="texts, with --model")
    parser.add_argument("--openai", type=Path, metavar="CLONE", help="of openai/weak-to-strong, to measure it too")
    parser.add_argument("--worker", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        runner, texts, vocabulary, directory, clone = options.worker
        print(json.dumps(worker(runner, int(texts), int(vocabulary), Path(directory), clone)))
        return
    if options.openai and not (options.openai / "weak_to_strong" / "train.py").is_file():
        sys.exit(f"{options.openai}: no weak_to_strong/train.py here; --openai takes a clone of openai/weak-to-strong")
    clone = str(options.openai.resolve()) if options.openai else ""
    print(machine())
    rows: list[tuple[str, ...]] = []
    if options.model:
        vocabulary = json.loads((options.model / "config.json").read_text())["vocab_size"]
        rows += measure(options.model.name, options.texts, vocabulary, str(options.model), options.repeats, clone)
    for name in [] if options.model else options.shapes:
        from w2s.models.pretraining import new_model

        case = CASES[name]
        shape = {"width": case.width, "intermediate": case.width * 8 // 3 // 8 * 8, "layers": case.layers}
        with tempfile.TemporaryDirectory() as folder:
            model: Any = new_model({**shape, "heads": case.width // 32}, case.vocabulary, 0)
            model.save_pretrained(folder)
            rows += measure(name, case.texts, case.vocabulary, folder, options.repeats, clone)
    header = (
        "model",
        "loop",
        "examples / CPU s",
        "ours is faster by",
        "by_length is",
        "in bfloat16",
        "losses differ by",
    )
    print(table("One finetuning run beside others' loops", header, rows))


if __name__ == "__main__":
    main()
