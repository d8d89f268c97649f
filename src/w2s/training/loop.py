"""The training loop: soft labels, any objective, any micro-batching, evaluation as it goes.

Paper: Appendix A.1 (2 epochs, batch 32, full finetuning, early stopping on weak labels), 2.5 for what the
evaluations are for. AdamW with linear decay to 0 and no dropout are ours (the paper does not say).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from w2s.checkpoints import Checkpoint
from w2s.errors import UserError
from w2s.progress import Progress
from w2s.training.batching import Texts, epochs_order, token_budget
from w2s.training.objectives import OBJECTIVES, SEPARABLE

Evaluate = Callable[[], dict[str, float]]


@dataclass(frozen=True)
class Recipe:
    """What decides a finetuning's numbers, apart from model and data (the run's spec)."""

    objective: str
    parameters: Mapping[str, float]
    epochs: float
    batch: int
    learning_rate: float
    weight_decay: float
    evaluations_per_epoch: int
    seed: int


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
        """Name -> weights, not copied."""
        return {name: value.detach() for name, value in self.model.named_parameters() if value.requires_grad}

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
) -> tuple[list[dict[str, float]], Best]:
    """Finetune in place; returns the history, one row an evaluation, and the best weights.

    labels: (texts, 2) probabilities. evaluate: called ``evaluations_per_epoch`` times an epoch, the last
    time after the last step; its values go into the history. prefer: the value whose maximum is kept as
    ``Best``, the last one of several equal ones (None keeps nothing). Raises UserError if the loss stops being
    a number.
    """
    device = next(model.parameters()).device
    labels = labels.to(device)
    order = epochs_order(len(texts), recipe.epochs, recipe.seed)
    batches = [order[start : start + recipe.batch] for start in range(0, len(order), recipe.batch)]
    evaluated = evaluation_steps(len(batches), recipe.epochs, recipe.evaluations_per_epoch)
    trained = Trained(model)
    optimizer = torch.optim.AdamW(
        trained.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    objective = partial(OBJECTIVES[recipe.objective], **recipe.parameters)
    checkpoint.parts = {"model": trained, "optimizer": optimizer}
    first, gathered = checkpoint.resume({"history": [], "losses": [], "best": vars(Best())})
    history: list[dict[str, float]] = gathered["history"]
    losses: list[float] = gathered["losses"]
    best = Best(**gathered["best"])
    progress = Progress(len(batches), "examples", start=first)
    model.train()
    for step in range(first, len(batches)):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * (1 - step / len(batches))
        optimizer.zero_grad(set_to_none=True)
        loss = backward(
            model,
            texts,
            labels,
            batches[step],
            partial(objective, progress=step / len(batches)),
            separable=recipe.objective in SEPARABLE,
        )
        if not math.isfinite(loss):
            raise UserError(f"diverged: loss {loss} at step {step} of {len(batches)}; lower the learning rate")
        optimizer.step()
        losses.append(loss)
        if step + 1 in evaluated:
            row = {
                "step": step + 1,
                "epoch": round(recipe.epochs * (step + 1) / len(batches), 6),
                "train_loss": sum(losses) / len(losses),
            }
            history.append(row | evaluate())
            losses.clear()
            if prefer and history[-1][prefer] >= best.score:
                weights = {name: value.to("cpu", copy=True) for name, value in trained.state_dict().items()}
                best = Best(history[-1][prefer], step + 1, weights)
        progress.update(step + 1, len(batches[step]), f"loss {loss:.3f}")
        checkpoint.maybe_save(step + 1, {"history": history, "losses": losses, "best": vars(best)})
    return history, best


def evaluation_steps(steps: int, epochs: float, per_epoch: int) -> set[int]:
    """After how many steps to evaluate: evenly, never before the first step, and at the end."""
    count = max(1, round(epochs * per_epoch))
    return {max(1, round(steps * number / count)) for number in range(1, count + 1)}


def backward(
    model: nn.Module,
    texts: Texts,
    labels: Tensor,
    batch: Sequence[int],
    objective: Callable[[Tensor, Tensor], Tensor],
    *,
    separable: bool,
    budget: int | None = None,
) -> float:
    """Add the gradient of one batch's loss to the parameters, a micro-batch at a time; returns the loss.

    The gradient is that of the whole batch, whatever the budget (tokens a micro-batch). An objective under
    which one example's loss depends on the others needs all logits before any gradient: they are then computed
    once without gradient, and the loss's gradient at each logit is carried into a second pass.
    """
    device = labels.device
    parts = list(texts.split(batch, budget or token_budget()))
    if separable or len(parts) == 1:
        losses = []
        for part in parts:
            loss = objective(model(*texts.tensors(part, device)), labels[part]).sum() / len(batch)
            loss.backward()
            losses.append(loss.item())
        return float(sum(losses))
    with torch.no_grad():
        logits = torch.cat([model(*texts.tensors(part, device)) for part in parts])
    logits.requires_grad_()
    each = objective(logits, labels[[number for part in parts for number in part]]) / len(batch)
    (gradient,) = torch.autograd.grad(each.sum(), logits)
    sizes = [len(part) for part in parts]
    for part, of_part in zip(parts, gradient.split(sizes), strict=True):
        model(*texts.tensors(part, device)).backward(of_part)
    return float(sum(of_part.sum().item() for of_part in each.detach().split(sizes)))


@torch.no_grad()
def probabilities(model: nn.Module, texts: Texts) -> Tensor:
    """(texts,) float32 on the CPU: the probability of class 1 for every text, in their order."""
    device = next(model.parameters()).device
    result = torch.empty(len(texts))
    was_training = model.training
    model.eval()
    for part in texts.split(range(len(texts)), 4 * token_budget()):
        logits = model(*texts.tensors(part, device))
        result[part] = logits.softmax(-1)[:, 1].cpu()
    model.train(was_training)
    return result


def accuracy(predicted: Tensor, labels: Tensor) -> float:
    """Share of examples on which two probabilities of class 1, (n,) each, fall on the same side of 1/2."""
    return ((predicted > 0.5) == (labels > 0.5)).double().mean().item()


def summary(row: Mapping[str, Any]) -> str:
    """One line of a history row, for logs."""
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items())
