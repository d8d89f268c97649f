"""The writing stage: generative finetuning of a base model (Section 5.2.2; specification, 2.4).

The language model's loss on every completion of the comparison data's training halves, each behind its prefix, the
worse ones included: no preference is looked at. What comes out is a base model like any other. The loss is on the
completion and, where it ends a text, the end token; the paper does not say whether prefixes are learned too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from w2s.engine import artifacts, distributed
from w2s.engine.devices import compile_where_it_pays, described, device, peak_of
from w2s.engine.memory import budget_of
from w2s.engine.sharded import checkpoint_at
from w2s.errors import UserError, first_line
from w2s.models import decoder, encoding, generator
from w2s.models.base import TEXT_FILES, directory_of
from w2s.models.base import max_length as longest
from w2s.models.classifier import Computing
from w2s.models.decoder import Decoder
from w2s.models.generator import Generator
from w2s.training.generative import Lessons, backward, lessons
from w2s.training.loop import Schedule, optimise

HALVES = ("weak", "strong")


def make(build: artifacts.Build, data: Path, model: Path, environment: Mapping[str, Any] | None = None) -> None:
    """Train, and write config, weights and tokenizer of the finetuned base model.

    environment: what the rung needs of the machine, without effect on numbers: ``checkpointing``, ``gpus``.
    """
    environment = environment or {}
    spec, training = build.identity.spec, build.identity.spec["training"]
    where = device()
    base = directory_of(model)
    computing = Computing(
        spec.get("precision", "float32"), spec.get("adapters"), bool(environment.get("checkpointing"))
    )
    torch.manual_seed(spec["seed"])  # where adapters start
    network: Generator = distributed.load_on(lambda: generator.load(base, computing), where)
    learned = completions(data, base, training["max_length"])
    schedule = Schedule(
        epochs=training["epochs"],
        batch=training["batch"],
        learning_rate=spec["learning_rate"],
        weight_decay=training["weight_decay"],
        evaluations_per_epoch=0,
        seed=spec["seed"],
    )
    tokens = schedule.epochs * sum(learned.inputs.lengths)
    flop = 6.0 * sum(parameter.numel() for parameter in network.parameters()) * tokens
    compiled = compile_where_it_pays(network.backbone, where, flop)
    budget = budget_of(where)
    history, _ = optimise(
        network,
        len(learned),
        schedule,
        lambda batch, done, at_once: backward(network, learned, batch, at_once),
        evaluate=dict,
        checkpoint=checkpoint_at(build.work / "checkpoint.pt"),
        budget=budget,
    )
    if learnt := distributed.gather_weights(network, lambda: generator.load(base, computing)):
        save(learnt, base, build.folder)
    build.measured |= {
        "loss": round(history[-1]["train_loss"], 4),
        "steps": int(history[-1]["step"]),
        "completions": len(learned),
        "tokens": round(tokens),
        "flop": flop,
        "device": described(where),
    } | budget.record()
    if compiled:
        build.measured["compiled"] = True
    build.measured |= peak_of(where)
    print(f"{len(learned):,} completions, mean loss {history[-1]['train_loss']:.4f} nats a token")


def completions(data: Path, base: Path, max_length: int) -> Lessons:
    """Every distinct completion of the training halves behind its prefix, the end of the dialogue where it is long."""
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
        raise UserError(f"reward.training.max_length: {max_length} leaves no room for text; allowed: more")
    prefixes, answers = (encoding.bare_ids(tokenizer, [text[place] for text in texts]) for place in (0, 1))
    ended = [[*answer, end][-(room - 1) :] for answer in answers]  # before a learned token stands at least one
    shown = [_last(prefix, room - len(answer)) for prefix, answer in zip(prefixes, ended, strict=True)]
    if not start and not all(shown):
        raise UserError(f"{base}: a completion stands behind nothing; its tokenizer has no start token")
    return lessons([[*start, *prefix] for prefix in shown], ended)


def _last(ids: list[int], count: int) -> list[int]:
    return ids[-count:] if count > 0 else []


def save(network: Generator, base: Path, folder: Path) -> None:
    """Write a trained model as its library would, with the tokenizer of the base model. Adapters are merged."""
    from safetensors import SafetensorError

    merged(network.backbone)
    state = {
        name.replace("base_layer.", ""): value.cpu().contiguous()
        for name, value in network.backbone.state_dict().items()
        if "lora_" not in name
    }
    try:
        if isinstance(network.backbone, Decoder):
            _save_own(state, network.output, folder)
        else:
            _save_librarys(state, network.output, base, folder)
    except SafetensorError as error:  # which is what a full disk looks like
        raise UserError(f"{folder}: cannot be written ({first_line(error)})") from None
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


def _save_librarys(state: Mapping[str, Tensor], output: nn.Module | None, base: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    model: Any = AutoModelForCausalLM.from_pretrained(
        base, local_files_only=True, trust_remote_code=False, dtype=torch.float32
    )  # as it was trained, whatever the base model's files hold
    model.base_model.load_state_dict(state)
    if output is not None:
        model.get_output_embeddings().load_state_dict(output.state_dict())
    model.save_pretrained(folder)


NOT_TOKENIZER = ("manifest.json", "generation_config.json", "model.safetensors.index.json", "source.json")


def merged(backbone: nn.Module) -> None:
    """Add low-rank adapters to the weights that they adapt."""
    for module in backbone.modules():
        merge: Any = getattr(module, "merge", None)
        if merge is not None and hasattr(module, "lora_A"):
            merge()
