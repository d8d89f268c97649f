"""The training loop: soft labels, any objective, any micro-batching, evaluation as it goes.

Paper: Appendix A.1 (2 epochs, batch 32, full finetuning, early stopping on weak labels), 2.5 for what the
evaluations are for. AdamW with linear decay to 0 and no dropout are ours (the paper does not say).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from w2s.engine import distributed
from w2s.engine.checkpoints import Checkpoint
from w2s.engine.memory import Budget, budget_of
from w2s.engine.progress import Progress
from w2s.errors import DivergedError
from w2s.training.averaging import Average
from w2s.training.batching import Micro, Texts, epochs_order, shape_for
from w2s.training.consistency import doubled
from w2s.training.dropout import Dropout
from w2s.training.objectives import SEPARABLE, resolve

Evaluate = Callable[[], dict[str, float]]
Bound = Callable[[Tensor, Tensor], Tensor]  # an objective at a point of training
# (which examples, share of the steps done before, tokens at once) -> loss; adds the batch's gradient to the parameters
Gradient = Callable[[Sequence[int], float, int], float]
Rate = Callable[[int, int], float]  # (steps done, steps) -> learning rate as a share of the recipe's
EVALUATION = 4  # times as many tokens as in training: nothing is held for a backward pass


def falling(step: int, steps: int) -> float:
    """1 at the first step, linearly to 0 behind the last."""
    return 1 - step / steps


@dataclass(frozen=True)
class Schedule:
    """Which examples are seen when, at what rate, and when to evaluate."""

    epochs: float
    batch: int
    learning_rate: float
    weight_decay: float
    evaluations_per_epoch: float
    seed: int


@dataclass(frozen=True)
class Recipe:
    """What decides a finetuning's numbers, apart from model and data (the run's spec)."""

    objective: str
    parameters: Mapping[str, Any]
    epochs: float
    batch: int
    learning_rate: float
    weight_decay: float
    evaluations_per_epoch: float
    seed: int
    code: str | None = None  # of a user's own objective, as it was planned
    method: Mapping[str, Any] = field(default_factory=dict)  # dropout, average, consistency: what else is done

    @property
    def schedule(self) -> Schedule:
        """All but the objective."""
        names = (field.name for field in fields(Schedule))
        return Schedule(**{name: getattr(self, name) for name in names})


@dataclass
class Best:
    """The weights (on the CPU) at the evaluation that early stopping prefers, and which one it was."""

    score: float = -math.inf
    step: int = 0
    weights: dict[str, Tensor] | None = None


class Trained:
    """The weights of a model that are trained: all, or its adapters and head. What is frozen is not saved."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser sees."""
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    def state_dict(self) -> dict[str, Tensor]:
        """Name -> weights (of several processes: what this one holds of them), not copied."""
        named = self.model.named_parameters()
        return {name: distributed.local_shard(value.detach()) for name, value in named if value.requires_grad}

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Put saved weights back; KeyError for one that is missing."""
        with torch.no_grad():
            for name, value in self.state_dict().items():
                value.copy_(state_dict[name])


def train(
    model: nn.Module,
    texts: Texts,
    labels: Tensor,
    recipe: Recipe,
    *,
    evaluate: Evaluate,
    checkpoint: Checkpoint,
    prefer: str | None = None,
    budget: Budget | None = None,
) -> tuple[list[dict[str, float]], Best]:
    """Finetune a classifier in place, as ``optimise`` does with an objective of soft labels.

    labels: (texts, 2) probabilities.
    """
    labels = labels.to(next(model.parameters()).device)
    objective = partial(resolve(recipe.objective, recipe.code), **recipe.parameters)
    separable = recipe.objective in SEPARABLE
    method = recipe.method
    backbone = getattr(model, "backbone", model)
    dropout = Dropout(model, backbone, method["dropout"], recipe.seed) if "dropout" in method else None
    again = dropout is not None  # whoever computes activations again needs the masks of the text in hand

    def gradient(batch: Sequence[int], done: float, tokens: int) -> float:
        bound = partial(objective, progress=done)
        if dropout is not None:
            dropout.at(done)
        if "consistency" in method:
            both, losses = doubled(texts, labels, batch, bound, method["consistency"], f"{recipe.seed} {done}")
            parts = both.split(range(len(both)), tokens, labels.device, shape_for(model, labels.device))
            return float(through(model, parts, losses, len(batch), tokens=tokens, again=again).sum())
        return backward(model, texts, labels, batch, bound, separable=separable, tokens=tokens, again=again)

    try:
        return optimise(
            model,
            len(texts),
            recipe.schedule,
            gradient,
            evaluate=evaluate,
            checkpoint=checkpoint,
            prefer=prefer,
            budget=budget,
            decay=method["average"]["decay"] if "average" in method else None,
        )
    finally:
        if dropout is not None:
            dropout.remove()


def optimise(
    model: nn.Module,
    count: int,
    schedule: Schedule,
    gradient: Gradient,
    *,
    evaluate: Evaluate,
    checkpoint: Checkpoint,
    prefer: str | None = None,
    budget: Budget | None = None,
    rate: Rate = falling,
    decay: float | None = None,
) -> tuple[list[dict[str, float]], Best]:
    """Train on ``count`` examples in place; returns the history, one row an evaluation, and the best weights.

    evaluate: called ``evaluations_per_epoch`` times an epoch, the last time after the last step; its values go
    into the history. prefer: the value whose maximum is kept as ``Best``, the last one of several equal ones (None
    keeps nothing). budget: lowered where memory runs out. rate: falls linearly to 0 by default. decay: the model is
    evaluated, and left, with the moving average of its weights (None: with the weights themselves). Raises
    DivergedError if the loss, or what the model predicts, stops being a number.
    """
    budget = budget or budget_of(next(model.parameters()).device)
    order = epochs_order(count, schedule.epochs, schedule.seed)
    batches = [order[start : start + schedule.batch] for start in range(0, len(order), schedule.batch)]
    evaluated = evaluation_steps(len(batches), schedule.epochs, schedule.evaluations_per_epoch)
    trained = Trained(model)
    optimizer = torch.optim.AdamW(
        trained.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
    )
    checkpoint.parts = {"model": trained, "optimizer": optimizer, "budget": budget}
    average = Average(trained, decay) if decay is not None else None
    if average is not None:
        checkpoint.parts["average"] = average
    first, gathered = checkpoint.resume({"history": [], "losses": [], "best": vars(Best())})
    history: list[dict[str, float]] = gathered["history"]
    losses: list[float] = gathered["losses"]
    best = Best(**gathered["best"])
    progress = Progress(len(batches), "examples", start=first)
    model.train()
    for step in range(first, len(batches)):
        for group in optimizer.param_groups:
            group["lr"] = schedule.learning_rate * rate(step, len(batches))

        def attempt(tokens: int, step: int = step) -> float:
            optimizer.zero_grad(set_to_none=True)
            return gradient(batches[step], step / len(batches), tokens)

        loss = budget.attempt(attempt)
        if not math.isfinite(loss):
            raise DivergedError(f"diverged: loss {loss} at step {step} of {len(batches)}; lower the learning rate")
        optimizer.step()
        if average is not None:
            average.update()
        losses.append(loss)
        if step + 1 in evaluated:
            row = {
                "step": step + 1,
                "epoch": round(schedule.epochs * (step + 1) / len(batches), 6),
                "train_loss": sum(losses) / len(losses),
            }
            with average.shown() if average is not None else nullcontext():
                try:
                    history.append(row | evaluate())
                except DivergedError as error:
                    place = f"after step {step + 1} of {len(batches)}, loss {loss:.4g}"
                    raise DivergedError(f"{error} {place}; lower the learning rate") from None
                losses.clear()
                if prefer and history[-1][prefer] >= best.score:
                    weights = {name: value.to("cpu", copy=True) for name, value in trained.state_dict().items()}
                    best = Best(history[-1][prefer], step + 1, weights)
        progress.update(step + 1, len(batches[step]), f"loss {loss:.3f}")
        gathered = {"history": history, "losses": losses, "best": vars(best)}
        checkpoint.maybe_save(step + 1, gathered, last=step + 1 == len(batches))
    if average is not None:
        average.put()
    return history, best


def evaluation_steps(steps: int, epochs: float, per_epoch: float) -> set[int]:
    """After how many steps to evaluate: evenly, never before the first step, and at the end."""
    count = max(1, round(epochs * per_epoch))
    return {max(1, round(steps * number / count)) for number in range(1, count + 1)}


def backward(
    model: nn.Module,
    texts: Texts,
    labels: Tensor,
    batch: Sequence[int],
    objective: Bound,
    *,
    separable: bool,
    tokens: int,
    again: bool = False,
) -> float:
    """Add the gradient of one batch's loss to the parameters, a micro-batch at a time; returns the loss.

    The gradient is that of the whole batch, however many ``tokens`` go through the model at once, and no more
    than those are ever held for the backward pass. An objective under which one example's loss depends on the
    others needs all logits before any gradient, and goes ``through`` the model.
    """
    parts = texts.split(batch, tokens, labels.device, shape_for(model, labels.device))
    if separable or (len(parts) == 1 and distributed.size() == 1):
        losses = []
        for part in parts:
            loss = objective(read(model, part), labels[part.numbers]).sum() / len(batch)
            loss.backward()
            losses.append(loss.detach())
        return total(losses)

    def of_all(logits: Tensor, numbers: Sequence[int]) -> Tensor:
        return objective(logits, labels[list(numbers)])

    each = through(model, parts, of_all, len(batch), tokens=tokens, again=again)
    if distributed.size() > 1:
        return float(each.sum())
    return total([of_part.sum() for of_part in each.split([len(part.numbers) for part in parts])])


def read(model: nn.Module, part: Micro) -> Tensor:
    """(n, 2) logits of a micro-batch: none of a text that nobody asked for."""
    logits: Tensor = model(part.ids, part.lengths)
    return logits if part.numbers else logits[:0]


def through(
    model: nn.Module,
    parts: Sequence[Micro],
    losses: Callable[[Tensor, Sequence[int]], Tensor],
    count: int,
    *,
    tokens: int,
    again: bool = False,
) -> Tensor:
    """Add the gradient of losses that need the logits of all parts at once; returns them, divided by ``count``.

    losses: of all (rows, 2) logits, given the numbers of their texts, whichever process read them. Where the parts hold
    more than ``tokens`` (or ``again``) logits are computed once without gradient, and the gradient at each is carried
    into a second pass.
    """
    fits = not again and (len(parts) == 1 or distributed.size() == 1)
    fits = fits and (distributed.size() > 1 or sum(part.ids.numel() for part in parts) <= tokens)
    with torch.set_grad_enabled(fits):
        outputs = [read(model, part) for part in parts]
    own = torch.cat([output.detach() for output in outputs])
    logits, numbers = distributed.gather(own, [number for part in parts for number in part.numbers])
    logits.requires_grad_()
    each = losses(logits, numbers) / count
    (gradient,) = torch.autograd.grad(each.sum(), logits)
    sizes = [len(part.numbers) for part in parts]
    for part, output, of_part in zip(parts, outputs, distributed.scatter(gradient).split(sizes), strict=True):
        (output if fits else read(model, part)).backward(of_part)
    return each.detach()


def total(losses: Sequence[Tensor]) -> float:
    """The sum of scalars, of all processes' ones, with one wait for the device."""
    return distributed.all_sum(float(sum(torch.stack(list(losses)).tolist())))


@torch.no_grad()
def probabilities(model: nn.Module, texts: Texts, budget: Budget | None = None) -> Tensor:
    """(texts,) float32 on the CPU: the probability of class 1 for every text, in their order.

    DivergedError if one of them is not a number.
    """
    device = next(model.parameters()).device

    def predict(tokens: int) -> Tensor:
        parts: list[Micro] = texts.all(EVALUATION * tokens, device, shape_for(model, device) * 2)
        own = torch.cat([read(model, part) for part in parts])
        logits, numbers = distributed.gather(own, [number for part in parts for number in part.numbers])
        found = torch.empty(len(texts))
        found[numbers] = logits.softmax(-1)[:, 1].cpu()
        return found

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
