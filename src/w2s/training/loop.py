"""The training loop: soft labels, any loss, any size of micro-batches, evaluation during training.

Paper: Appendix A.1 (2 epochs, batch 32, full finetuning, early stopping on weak labels). AdamW with linear decay to 0
and no dropout are our choices; the paper does not specify them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from w2s.engine import distributed
from w2s.engine.checkpoints import Checkpoint
from w2s.engine.memory import Budget, budget_of
from w2s.engine.progress import Progress
from w2s.engine.tracking import Reporter
from w2s.errors import DivergedError
from w2s.training.adamw import AdamW
from w2s.training.averaging import Average
from w2s.training.batching import Integers, Micro, Texts, batches_by_length, epochs_order, in_order, indices, shape_for
from w2s.training.consistency import doubled
from w2s.training.dropout import Dropout
from w2s.training.loss import Loss
from w2s.training.losses import Losses
from w2s.training.specs import MethodChanges, Training

# (numbers of examples, share of the steps done before, tokens of a micro-batch) -> losses that sum to the batch's, on
# the device; adds the batch's gradient
Gradient = Callable[[Sequence[int], float, int], Tensor]
Rate = Callable[[int, int], float]  # (steps done, steps) -> learning rate as a share of its peak
EVALUATION = 4  # times as many tokens as in training: nothing is kept for a backward pass


def linear_decay(step: int, steps: int) -> float:
    """1 at the first step, linearly to 0 after the last."""
    return 1 - step / steps


@dataclass(frozen=True)
class Schedule:
    """The order of examples, the learning rate, and when to evaluate.

    evaluations_per_epoch: the last evaluation always follows the last step. rate: linear decay to 0 by default.
    averaging: decay of a moving average of the weights, with which the model is evaluated and left; None: no average.
    by_length: batches of texts of similar length (``batches_by_length``) in place of random ones.
    """

    epochs: float
    batch: int
    learning_rate: float
    weight_decay: float
    evaluations_per_epoch: float
    seed: int
    rate: Rate = linear_decay
    averaging: float | None = None
    by_length: bool = False

    @classmethod
    def of(cls, training: Training, learning_rate: float, seed: int) -> Schedule:
        """The schedule of a spec."""
        return cls(
            training.epochs,
            training.batch,
            learning_rate,
            training.weight_decay,
            training.evaluations_per_epoch,
            seed,
        )


@dataclass(frozen=True)
class Recipe:
    """A finetuning's loss, schedule, and what else its method changes."""

    loss: Loss
    schedule: Schedule
    changes: MethodChanges = field(default_factory=MethodChanges)


@dataclass(frozen=True)
class Evaluation:
    """What is measured during training.

    run: returns values for the history. select_by: the value whose maximum ``Best`` keeps, the last of several equal
    ones; None keeps nothing.
    """

    run: Callable[[], dict[str, float]] = dict
    select_by: str | None = None


@dataclass(frozen=True)
class Runtime:
    """The environment of a training loop, without effect on its result.

    budget: by default that of the device. reporter: hears of every evaluation.
    """

    checkpoint: Checkpoint
    budget: Budget | None = None
    reporter: Reporter | None = None


@dataclass
class Best:
    """The weights (on the CPU) at the evaluation that early stopping selects, its step and its score."""

    score: float = -math.inf
    step: int = 0
    weights: dict[str, Tensor] | None = None


def on_cpu(weights: Mapping[str, Tensor], copies: dict[str, Tensor] | None) -> dict[str, Tensor]:
    """Weights copied to the CPU, into earlier copies if there are any. Pinned: a GPU copies at its bus's speed."""
    if copies is None:
        copies = {
            name: torch.empty_like(value, device="cpu", pin_memory=value.is_cuda) for name, value in weights.items()
        }
    for name, value in weights.items():
        copies[name].copy_(value)
    return copies


class Trained:
    """The trainable weights of a model: all, or adapters and head. Frozen weights are not saved."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def parameters(self) -> list[nn.Parameter]:
        """The parameters to optimise."""
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    def state_dict(self) -> dict[str, Tensor]:
        """Name -> weights (in distributed training the local shards), not copied."""
        named = self.model.named_parameters()
        return {name: distributed.local_shard(value.detach()) for name, value in named if value.requires_grad}

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Put saved weights back; KeyError for one that is missing."""
        with torch.no_grad():
            for name, value in self.state_dict().items():
                value.copy_(state_dict[name])


def train(
    model: nn.Module, texts: Texts, labels: Tensor, recipe: Recipe, evaluation: Evaluation, runtime: Runtime
) -> tuple[list[dict[str, float]], Best]:
    """Finetune a classifier in place with ``optimise``. labels: (texts, 2) probabilities."""
    labels = labels.to(next(model.parameters()).device)
    changes, seed = recipe.changes, recipe.schedule.seed
    backbone = getattr(model, "backbone", model)
    dropout = None if changes.dropout is None else Dropout(model, backbone, changes.dropout, seed)
    recompute = dropout is not None  # the second pass needs the masks of its own text

    def gradient(batch: Sequence[int], progress: float, tokens: int) -> Tensor:
        loss = recipe.loss.at(progress)
        if dropout is not None:
            dropout.at(progress)
        if changes.consistency is not None:
            both, losses = doubled(texts, labels, batch, loss, changes.consistency, f"{seed} {progress}")
            parts = both.split(range(len(both)), tokens, labels.device, shape_for(model, labels.device))
            each = joint_backward(model, parts, losses, len(batch), tokens=tokens, recompute=recompute)
            return of_first_rank(each.sum())
        return backward(model, texts, labels, batch, loss, tokens, recompute=recompute)

    try:
        return optimise(model, len(texts), gradient, recipe.schedule, evaluation, runtime, lengths=texts.lengths)
    finally:
        if dropout is not None:
            dropout.remove()


def optimise(
    model: nn.Module,
    count: int,
    gradient: Gradient,
    schedule: Schedule,
    evaluation: Evaluation,
    runtime: Runtime,
    *,
    lengths: Integers | None = None,
) -> tuple[list[dict[str, float]], Best]:
    """Train on ``count`` examples in place; returns the history, one row per evaluation, and the best weights.

    lengths: (count,), for batches by length. Raises DivergedError if the loss, or what the model predicts, is not a
    number.
    """
    budget = runtime.budget or budget_of(next(model.parameters()).device)
    batches = _batches(count, schedule, lengths)
    evaluated = evaluation_steps(len(batches), schedule.epochs, schedule.evaluations_per_epoch)
    trained = Trained(model)
    optimizer = AdamW(trained.parameters(), schedule.weight_decay)
    checkpoint, select_by = runtime.checkpoint, evaluation.select_by
    checkpoint.parts = {"model": trained, "optimizer": optimizer, "budget": budget}
    average = Average(trained, schedule.averaging) if schedule.averaging is not None else None
    if average is not None:
        checkpoint.parts["average"] = average
    first, gathered = checkpoint.resume({"history": [], "losses": [], "best": vars(Best())})
    history: list[dict[str, float]] = gathered["history"]
    losses = Losses(gathered["losses"], len(batches), next(model.parameters()).device)
    best = Best(**gathered["best"])

    def state() -> dict[str, Any]:
        return {"history": history, "losses": losses.read(), "best": vars(best)}

    progress = Progress(len(batches), "examples", start=first)
    model.train()
    for step in range(first, len(batches)):

        def attempt(tokens: int, step: int = step) -> Tensor:
            optimizer.zero_grad()
            return gradient(batches[step], step / len(batches), tokens)

        losses.add(step, budget.attempt(attempt))
        optimizer.step(schedule.learning_rate * schedule.rate(step, len(batches)))
        if average is not None:
            average.update()
        if step + 1 in evaluated:
            read = losses.read()
            row = {
                "step": step + 1,
                "epoch": round(schedule.epochs * (step + 1) / len(batches), 6),
                "train_loss": sum(read) / len(read),
            }
            with average.applied() if average is not None else nullcontext():
                try:
                    history.append(row | evaluation.run())
                except DivergedError as error:
                    place = f"after step {step + 1} of {len(batches)}, loss {losses.last:.4g}"
                    raise DivergedError(f"{error} {place}; lower the learning rate") from None
                losses.clear()
                if select_by and history[-1][select_by] >= best.score:
                    best = Best(history[-1][select_by], step + 1, on_cpu(trained.state_dict(), best.weights))
        progress.update(step + 1, len(batches[step]), f"loss {losses.last:.3f}")
        if step + 1 in evaluated and runtime.reporter is not None:
            runtime.reporter.evaluated(history, progress.speed)
        checkpoint.maybe_save(step + 1, state, last=step + 1 == len(batches))
    if average is not None:
        average.put()
    return history, best


def _batches(count: int, schedule: Schedule, lengths: Integers | None) -> list[list[int]]:
    """Numbers of the examples of each step."""
    if schedule.by_length:
        assert lengths is not None
        assert len(lengths) == count
        return batches_by_length(lengths, schedule.epochs, schedule.batch, schedule.seed)
    order = epochs_order(count, schedule.epochs, schedule.seed)
    return [order[start : start + schedule.batch] for start in range(0, len(order), schedule.batch)]


def evaluation_steps(steps: int, epochs: float, per_epoch: float) -> set[int]:
    """After how many steps to evaluate: evenly, never before the first step, and at the end."""
    count = max(1, round(epochs * per_epoch))
    return {max(1, round(steps * number / count)) for number in range(1, count + 1)}


def backward(
    model: nn.Module,
    texts: Texts,
    labels: Tensor,
    batch: Sequence[int],
    loss: Loss,
    tokens: int,
    *,
    recompute: bool = False,
) -> Tensor:
    """Add the gradient of one batch's loss to the parameters, a micro-batch at a time; returns losses that sum to it.

    The gradient is that of the whole batch, whatever the number of ``tokens`` in a micro-batch, and no more than these
    are ever held for the backward pass. A loss that compares examples needs all logits before any gradient
    (``joint_backward``).
    """
    parts = texts.split(batch, tokens, labels.device, shape_for(model, labels.device))
    if loss.separable or (len(parts) == 1 and distributed.size() == 1):
        losses = []
        for part in parts:
            mean = loss(logits_of(model, part), labels[indices(part.numbers, labels.device)]).sum() / len(batch)
            mean.backward()
            losses.append(mean.detach())
        return torch.stack(losses)

    def of_all(logits: Tensor, numbers: Sequence[int]) -> Tensor:
        return loss(logits, labels[indices(numbers, labels.device)])

    each = joint_backward(model, parts, of_all, len(batch), tokens=tokens, recompute=recompute)
    if distributed.size() > 1:
        return of_first_rank(each.sum())
    return torch.stack([of_part.sum() for of_part in each.split([len(part.numbers) for part in parts])])


def logits_of(model: nn.Module, part: Micro) -> Tensor:
    """(n, 2) logits of a micro-batch; none of a text that only keeps this rank in step with the others."""
    packed = () if part.longest is None else (part.longest,)
    logits: Tensor = model(part.ids, part.lengths, *packed)
    return logits if part.numbers else logits[:0]


def joint_backward(
    model: nn.Module,
    parts: Sequence[Micro],
    losses: Callable[[Tensor, Sequence[int]], Tensor],
    count: int,
    *,
    tokens: int,
    recompute: bool = False,
) -> Tensor:
    """Add the gradient of losses that depend on all logits together; returns the losses, divided by ``count``.

    losses: of all (rows, 2) logits, given the numbers of their texts, on all ranks. Where the parts hold more than
    ``tokens`` (or with ``recompute``), logits are computed once without gradient, and their gradient is carried into a
    second pass.
    """
    fits = not recompute and (len(parts) == 1 or distributed.size() == 1)
    fits = fits and (distributed.size() > 1 or sum(part.ids.numel() for part in parts) <= tokens)
    with torch.set_grad_enabled(fits):
        outputs = [logits_of(model, part) for part in parts]
    local = torch.cat([output.detach() for output in outputs])
    logits, numbers = distributed.gather(local, [number for part in parts for number in part.numbers])
    logits.requires_grad_()
    each = losses(logits, numbers) / count
    (gradient,) = torch.autograd.grad(each.sum(), logits)
    sizes = [len(part.numbers) for part in parts]
    for part, output, of_part in zip(parts, outputs, distributed.scatter(gradient).split(sizes), strict=True):
        (output if fits else logits_of(model, part)).backward(of_part)
    return each.detach()


def of_first_rank(loss: Tensor) -> Tensor:
    """A loss that every rank knows as a whole, counted once: 0 on the other ranks."""
    return loss if distributed.rank() == 0 else torch.zeros_like(loss)


@torch.no_grad()
def probabilities(model: nn.Module, texts: Texts, budget: Budget | None = None) -> Tensor:
    """(texts,) float32 on the CPU: the probability of class 1 for every text, in their order.

    DivergedError if one of them is not a number.
    """
    device = next(model.parameters()).device

    def predict(tokens: int) -> Tensor:
        parts = texts.all(EVALUATION * tokens, device, shape_for(model, device) * 2)
        return in_order(parts, partial(logits_of, model)).softmax(-1)[:, 1]

    was_training = model.training
    model.eval()
    result = (budget or budget_of(device)).attempt(predict)
    model.train(was_training)
    if not result.isfinite().all():
        raise DivergedError("diverged: predictions are not numbers")
    return result


def accuracy(predicted: Tensor, labels: Tensor) -> float:
    """Share of examples on which two probabilities of class 1, (n,) each, fall on the same side of 1/2."""
    return ((predicted > 0.5) == (labels > 0.5)).double().mean().item()


def summary(row: Mapping[str, Any]) -> str:
    """One line of a history row, for logs."""
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items())
