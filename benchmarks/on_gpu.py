"""The processes that ``gpu.py`` starts: each measures a model, and prints a line of JSON for every row."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# layers, width, heads, feed-forward
SHAPES = {
    "tiny": (2, 32, 2, 64),
    "pythia-1.4b": (24, 2048, 16, 8192),
    "pythia-410m": (24, 1024, 16, 4096),
    "pythia-70m": (6, 512, 8, 2048),
}
VOCABULARY, BATCH = 50_304, 32
Form = tuple[int, int, int, int]
EVERY = 4  # steps between two looks at the clock, for which the device has to be done
TEXTS_OF = {"same": "of one length", "mixed": "of mixed lengths"}
Emit = Callable[..., None]


class EnoughError(Exception):
    """The time of a measurement is up."""


@dataclass(frozen=True)
class Lengths:
    """How many texts there are to read again and again, and their tokens."""

    texts: int = 1024
    shortest: int = 32
    longest: int = 512


TINY = Lengths(64, 8, 32)


@dataclass
class Clock:
    """Looks at the clock every few steps, and ends a training when it has run for long enough.

    The first look is at the end of the warm-up, when processes side by side wait for each other. waits: looks that
    belong to the warm-up; syncs: waits for the device in the last steps, as far as torch sees them.
    """

    seconds: float
    waits: int = 1
    steps: int = 0
    began: float = 0.0
    ended: float = 0.0
    first: int = 0
    last: int = 0
    syncs: int | None = None

    def look(self) -> bool:
        """Whether it was long enough. To be called every ``EVERY`` steps, when the device is done."""
        now, self.steps = time.perf_counter(), self.steps + EVERY
        self.waits -= 1
        if self.waits > 0:
            return False
        if not self.first:
            meet()
            self.began, self.first = time.perf_counter(), self.steps
        elif now - self.began >= self.seconds:
            self.ended, self.last = now, self.steps
            return True
        return False


def meet() -> None:
    """Wait for the processes that are measured beside this one."""
    folder, count = os.environ.get("SIDE_BY_SIDE", ":1").rsplit(":", 1)
    if folder:
        (Path(folder) / str(os.getpid())).touch()
        while len(list(Path(folder).iterdir())) < int(count):
            time.sleep(0.01)


def texts_of(kind: str, of: Lengths, vocabulary: int = VOCABULARY) -> list[list[int]]:
    """Random token ids, the same in every process; the last token says which of two labels a text has."""
    import torch

    generator = torch.Generator().manual_seed(0)
    drawn = of.shortest * (of.longest / of.shortest) ** torch.rand(of.texts, generator=generator)
    lengths = drawn.round().int().tolist() if kind == "mixed" else [of.longest] * of.texts
    ids = [torch.randint(5, vocabulary, (length - 1,), generator=generator).tolist() for length in lengths]
    return [[*text, 3 + number % 2] for number, text in enumerate(ids)]


def lengths_of(shape: Form) -> Lengths:
    """Of the texts that a shape reads."""
    return TINY if shape == SHAPES["tiny"] else Lengths()


def model_of(shape: Form, kind: str) -> Any:
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


@dataclass(frozen=True)
class Cost:
    """FLOP of training a token: 6 for each weight it is multiplied with, attention's 12 x layers x width x length.

    width: layers x width, 0 where it is not known.
    """

    weights: float
    width: float = 0.0

    @classmethod
    def of(cls, shape: Form) -> Cost:
        """Of one of ``SHAPES``."""
        layers, width, _, wide = shape
        return cls(layers * (4.0 * width**2 + 2.0 * width * wide), float(layers * width))

    def flop(self, lengths: Sequence[int]) -> float:
        """Of texts of these lengths."""
        return 6 * self.weights * sum(lengths) + 12 * self.width * sum(length**2 for length in lengths)


def speed(clock: Clock, ids: Sequence[Sequence[int]], epochs: float, cost: Cost) -> dict[str, Any]:
    """What was done between the first and the last look at the clock."""
    import torch

    from w2s.training.batching import epochs_order

    order = epochs_order(len(ids), epochs, 0)
    lengths = [len(ids[number]) for number in order[clock.first * BATCH : clock.last * BATCH]]
    seconds = clock.ended - clock.began
    cuda = torch.cuda.is_available()
    return {
        "tokens_per_second": sum(lengths) / seconds,
        "flop_per_second": cost.flop(lengths) / seconds,
        "gib": torch.cuda.max_memory_allocated() / 2**30 if cuda else None,
        "syncs_per_step": None if clock.syncs is None else clock.syncs / EVERY,
    }


def by_trainer(shape: Form, kind: str, seconds: float, rows: int) -> dict[str, Any]:
    """The Trainer of transformers. rows: of a micro-batch."""
    import torch
    from torch.nn.utils.rnn import pad_sequence
    from transformers import Trainer, TrainerCallback, TrainingArguments

    from w2s.training.batching import epochs_order

    ids, epochs, clock = texts_of(kind, lengths_of(shape)), 500.0, Clock(seconds)
    order = epochs_order(len(ids), epochs, 0)

    class Looking(TrainerCallback):
        def on_step_end(self, arguments: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step % EVERY == 0:
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                control.should_training_stop = clock.look()

    class Ordered(Trainer):  # type: ignore[misc]
        def _get_train_sampler(self, *_: Any) -> Any:
            return order

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        texts = [torch.tensor(row["input_ids"]) for row in rows]
        mask = pad_sequence([torch.ones_like(text) for text in texts], batch_first=True)
        labels = torch.tensor([row["labels"] for row in rows])
        return {"input_ids": pad_sequence(texts, batch_first=True), "attention_mask": mask, "labels": labels}

    data = [{"input_ids": text, "labels": number % 2} for number, text in enumerate(ids)]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=rows,
            gradient_accumulation_steps=BATCH // rows,
            max_steps=len(order) // BATCH,
            learning_rate=1e-5,
            bf16=torch.cuda.is_available(),
            optim="adamw_torch_fused",
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            dataloader_pin_memory=torch.cuda.is_available(),
        )
        trainer = Ordered(
            model_of(shape, "Trainer"), arguments, train_dataset=data, callbacks=[Looking()], data_collator=collate
        )
        trainer.train()
    return speed(clock, ids, epochs, Cost.of(shape))


def trainer(shape: Form, seconds: float, emit: Emit) -> None:
    """The Trainer on texts of the same and of mixed lengths, with the largest micro-batch that fits."""
    import torch

    for kind in TEXTS_OF:
        rows = BATCH
        while True:
            try:
                found = by_trainer(shape, kind, seconds, rows)
                break
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
                rows //= 2
        emit("Trainer", kind, **found)


def by_ours(network: Any, ids: list[list[int]], seconds: float, cost: Cost, *, waits: int = 1) -> dict[str, Any]:
    """``w2s.training.loop``. waits: as in ``Clock``."""
    import torch

    from w2s.engine import distributed
    from w2s.engine.checkpoints import Checkpoint
    from w2s.training.batching import Texts
    from w2s.training.loop import Evaluation, Recipe, Runtime, Schedule, train
    from w2s.training.objectives import loss_of
    from w2s.training.specs import Objective

    epochs, clock = 500.0, Clock(seconds, waits)
    history: list[list[dict[str, float]]] = []
    steps = round(epochs * len(ids)) // BATCH
    labels = torch.eye(2)[torch.arange(len(ids)) % 2]

    def evaluate() -> dict[str, float]:  # the loss was read: the device is done
        if clock.syncs is not None:
            torch.cuda.set_sync_debug_mode("default")
            raise EnoughError
        if distributed.broadcast(clock.look()):
            if not torch.cuda.is_available():
                raise EnoughError
            torch.cuda.set_sync_debug_mode("warn")
            clock.syncs = 0
        return {}

    class Kept(Checkpoint):
        """Saves nothing, and knows the history of a training that is cut off."""

        def resume(self, fresh: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            history.append(fresh["history"])
            return 0, fresh

        def maybe_save(self, *_: Any, **__: Any) -> None:
            pass

    def count(message: Any, *_: Any, **__: Any) -> None:
        if clock.syncs is not None and "synchroniz" in str(message):
            clock.syncs += 1

    schedule = Schedule(epochs, BATCH, 1e-5, 0.0, steps / EVERY / epochs, 0)
    recipe = Recipe(loss_of(Objective(name="naive")), schedule)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), contextlib.suppress(EnoughError):
        warnings.simplefilter("always")
        warnings.showwarning = count
        runtime = Runtime(Kept(Path(folder) / "checkpoint.pt"))
        train(network, Texts(ids), labels, recipe, Evaluation(evaluate), runtime)
    losses = [row["train_loss"] for row in history[0]]
    return speed(clock, ids, epochs, cost) | {"losses": [losses[0], losses[-1]]}


def compiled(network: Any) -> None:
    """As jobs compile a model."""
    from w2s.engine.devices import compile_where_it_pays, device

    compile_where_it_pays(network, device(), float("inf"))


def classifier_of(shape: Form) -> Any:
    """Our classifier on a model with random weights, on the device at hand."""
    import torch

    from w2s.engine.devices import device
    from w2s.models.classifier import Classifier

    where = device()
    precision = "bfloat16" if where.type == "cuda" else "float32"
    return Classifier(model_of(shape, "ours"), torch.zeros(2, shape[1]), precision).to(where)


def ours(shape: Form, seconds: float, emit: Emit) -> None:
    """Our loop; what each of its parts is worth; evaluation."""
    import torch

    from w2s.models.classifier import pack
    from w2s.training import losses

    network, cost, lengths = classifier_of(shape), Cost.of(shape), lengths_of(shape)
    same, mixed = texts_of("same", lengths), texts_of("mixed", lengths)
    emit("ours", "same", **by_ours(network, same, seconds, cost))
    emit("ours", "mixed", **by_ours(network, mixed, seconds, cost))
    usual, losses.AT_ONCE = losses.AT_ONCE, 1
    emit("ours, a wait for every loss", "same", **by_ours(network, same, seconds, cost))
    losses.AT_ONCE = usual
    if pack(network, lengths.longest):
        emit("ours, packed", "mixed", **by_ours(network, mixed, seconds, cost))
        network.packs = False
        network.backbone.set_attn_implementation("sdpa")
    for times in (1, 4, 16):
        emit(f"evaluation, {times} x the tokens of training", "mixed", **evaluation(network, mixed, times, cost))
    if os.environ["W2S_COMPILE"] == "always":
        torch.cuda.empty_cache()
        compiled(network)
        emit("ours, compiled", "same", **by_ours(network, same, seconds, cost, waits=3))
        emit("ours, compiled", "mixed", **by_ours(network, mixed, seconds, cost, waits=3))


def evaluation(network: Any, ids: list[list[int]], times: int, cost: Cost) -> dict[str, Any]:
    """One evaluation of all texts, with so many times the tokens of a training's micro-batch; a third of the FLOP."""
    import torch

    from w2s.engine.memory import budget_of
    from w2s.training import loop
    from w2s.training.batching import Texts

    usual, loop.EVALUATION = loop.EVALUATION, times
    texts, budget = Texts(ids), budget_of(next(network.parameters()).device)
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        loop.probabilities(network, texts, budget)  # plans and warms up
    began = time.perf_counter()
    loop.probabilities(network, texts, budget)
    seconds = time.perf_counter() - began
    loop.EVALUATION = usual
    return {
        "tokens_per_second": texts.tokens / seconds,
        "flop_per_second": cost.flop([len(text) for text in ids]) / 3 / seconds,
        "gib": torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else None,
    }


def small(shape: Form, seconds: float, emit: Emit) -> None:
    """One of several runs side by side."""
    emit(
        "ours", "mixed", **by_ours(classifier_of(shape), texts_of("mixed", lengths_of(shape)), seconds, Cost.of(shape))
    )


def real(path: str, seconds: float, emit: Emit) -> None:
    """A real model; compiled, unless it is one of several processes."""
    from w2s.engine import distributed
    from w2s.engine.devices import device
    from w2s.models import gguf
    from w2s.models.classifier import Classifier, Computing, backbone_of
    from w2s.training.job import multiplied

    where = device()
    if distributed.size() > 1:
        distributed.join()
    computing = Computing("bfloat16" if where.type == "cuda" else "float32")
    with tempfile.TemporaryDirectory() as folder:
        if path.endswith(gguf.SUFFIX):
            gguf.convert(Path(path), Path(folder), path)
        directory = Path(folder) if path.endswith(gguf.SUFFIX) else Path(path)

        def load() -> Classifier:
            backbone, unembedding = backbone_of(directory, computing)
            return Classifier(backbone, unembedding[[3, 4]], computing.precision)

        network = distributed.load_on(load, where)
        vocabulary = json.loads((directory / "config.json").read_text())["vocab_size"]
    cost, mixed = Cost(multiplied(network)), texts_of("mixed", TINY if where.type == "cpu" else Lengths(), vocabulary)
    name = f"ours, {distributed.size()} processes" if distributed.size() > 1 else "ours"
    found = by_ours(network, mixed, seconds, cost)
    if distributed.rank() == 0:
        emit(name, "mixed", **found)
    if distributed.size() > 1:
        distributed.leave()
    elif os.environ["W2S_COMPILE"] == "always":
        compiled(network)
        emit("ours, compiled", "mixed", **by_ours(network, mixed, seconds, cost, waits=3))


def work(what: str, name: str, seconds: float) -> None:
    """A process that measures: a line of JSON for every row."""

    def emit(loop: str, kind: str, **found: Any) -> None:
        row = {"model": Path(name).stem, "loop": loop, "texts": TEXTS_OF[kind], **found}
        print(f"\n{json.dumps(row)}", flush=True)

    measures: dict[str, Callable[[Any, float, Emit], None]] = {"Trainer": trainer, "ours": ours, "small": small}
    if what == "real":
        real(name, seconds, emit)
    else:
        measures[what](SHAPES[name], seconds, emit)


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], float(sys.argv[3]))
