"""The generative_finetuning stage: generative finetuning of a base model (Section 5.2.2).

The language modelling loss on every completion of the comparison data's training halves, each after its prefix, whether
preferred or not. The result is a base model like any other. The loss covers the completion and the end token after it;
the paper does not say whether it covers prefixes too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from w2s.engine import artifacts, distributed
from w2s.errors import UserError
from w2s.models import context, encoding, generator, saving
from w2s.models.base import directory_of
from w2s.models.base import max_length as longest
from w2s.reward.specs import GenerativeFinetuningSpec
from w2s.training.generative import AnswerExamples, answer_examples, backward
from w2s.training.job import Job
from w2s.training.loop import Evaluation, Schedule, optimise

HALVES = ("weak", "strong")


def make(build: artifacts.Build, data: Path, model: Path, environment: Mapping[str, Any] | None = None) -> None:
    """Train, and write config, weights and tokenizer of the finetuned base model.

    environment: of the job, without effect on results: ``checkpointing``, ``gpus``.
    """
    spec = GenerativeFinetuningSpec.from_spec(build.identity.spec)
    job, base = Job(build, environment), directory_of(model)
    computing = job.computing(spec)
    network = job.load(lambda: generator.load(base, computing), spec.seed)
    learned = completions(data, base, spec.training.max_length)
    schedule = Schedule.of(spec.training, spec.learning_rate, spec.seed)
    job.train(network, schedule.epochs * learned.inputs.tokens, compiles=network.backbone)

    def gradient(batch: Sequence[int], progress: float, tokens: int) -> Tensor:
        return backward(network, learned, batch, tokens)

    history, _ = optimise(network, len(learned), gradient, schedule, Evaluation(), job.runtime())
    if trained := distributed.gather_weights(network, lambda: generator.load(base, computing)):
        saving.language_model(trained, base, build.folder)
    measured = {
        "loss": round(history[-1]["train_loss"], 4),
        "steps": int(history[-1]["step"]),
        "completions": len(learned),
    }
    job.finish(measured)
    print(f"{len(learned):,} completions, mean loss {history[-1]['train_loss']:.4f} nats per token")


def completions(data: Path, base: Path, max_length: int) -> AnswerExamples:
    """Every distinct completion of the training halves after its prefix; long dialogues lose their beginning."""
    table = artifacts.read_table(data / "examples.parquet").to_pydict()
    texts = {
        (prefix, text): None
        for part, prefix, first, second in zip(
            table["part"], table["prefix"], table["first"], table["second"], strict=True
        )
        if part in HALVES
        for text in (first, second)
    }
    tokenizer = encoding.tokenizer_of(base)
    start, end = encoding.start_of(tokenizer), encoding.end_of(base)
    room = min(max_length, longest(base) or max_length) - len(start)
    if room < 2:
        raise UserError(f"reward.training.max_length: {max_length} leaves no room for text; increase it")
    before, after = ([text[place] for text in texts] for place in (0, 1))
    prefixes, answers = encoding.bare_ids(tokenizer, before), context.following(tokenizer, before, after)
    ended = [[*answer, end][-(room - 1) :] for answer in answers]  # at least one token before any learned one
    shown = [_last(prefix, room - len(answer)) for prefix, answer in zip(prefixes, ended, strict=True)]
    if not start and not all(shown):
        raise UserError(f"{base}: a completion has no prefix, and the tokenizer has no start token")
    return answer_examples([[*start, *prefix] for prefix in shown], ended)


def _last(ids: list[int], count: int) -> list[int]:
    return ids[-count:] if count > 0 else []
