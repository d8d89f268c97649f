"""The generative_finetuning stage: generative finetuning of a base model (Section 5.2.2).

The language modelling loss on every completion of the comparison data's training halves, each after its prefix, whether
preferred or not. The result is a base model like any other. The loss covers the completion and the end token after it;
the paper does not say whether it covers prefixes too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from w2s.engine import artifacts, distributed
from w2s.engine.space import room_for
from w2s.errors import UserError
from w2s.models import context, decoder, encoding, generator
from w2s.models.base import TEXT_FILES, directory_of
from w2s.models.base import max_length as longest
from w2s.models.decoder import Decoder
from w2s.models.generator import Generator
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
        save(trained, base, build.folder)
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


def save(network: Generator, base: Path, folder: Path) -> None:
    """Write a trained model as its library would, with the tokenizer of the base model. Adapters are merged."""
    merged(network.backbone)
    state = {
        name.replace("base_layer.", ""): value.cpu().contiguous()
        for name, value in network.backbone.state_dict().items()
        if "lora_" not in name
    }
    with room_for(folder / "model.safetensors", sum(value.nbytes for value in state.values())):
        if isinstance(network.backbone, Decoder):
            _save_own(state, network.output, folder)
        else:
            _save_library(state, network.output, base, folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    for pattern in TEXT_FILES:
        for path in base.glob(pattern):
            if path.is_file() and not (folder / path.name).exists() and path.name not in NOT_TOKENIZER:
                (folder / path.name).write_bytes(path.read_bytes())


def _save_own(state: Mapping[str, Tensor], output: nn.Module | None, folder: Path) -> None:
    """As ``save_pretrained`` names them: the unembedding is the embedding, and not stored twice."""
    from safetensors.torch import save_file

    assert output is None, "an own rung's unembedding is its embedding"
    named = {f"{decoder.PREFIX}{name}": value for name, value in state.items()}
    save_file(named, folder / "model.safetensors", metadata={"format": "pt"})


def _save_library(state: Mapping[str, Tensor], output: nn.Module | None, base: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    model: Any = AutoModelForCausalLM.from_pretrained(
        base, local_files_only=True, trust_remote_code=False, dtype=torch.float32
    )  # float32 as in training, whatever the base model's files hold
    model.base_model.load_state_dict(state)
    if output is not None:
        model.get_output_embeddings().load_state_dict(output.state_dict())
    model.save_pretrained(folder)


NOT_TOKENIZER = ("manifest.json", "generation_config.json", "model.safetensors.index.json", "source.json")


def merged(backbone: nn.Module) -> None:
    """Merge low-rank adapters into the weights that they adapt."""
    for module in backbone.modules():
        merge: Any = getattr(module, "merge", None)
        if merge is not None and hasattr(module, "lora_A"):
            merge()
