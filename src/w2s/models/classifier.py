"""A base model with a two-way head, as the paper finetunes it (Appendix A.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from w2s.errors import UserError, first_line
from w2s.models.base import max_length as longest


@dataclass(frozen=True)
class Computing:
    """How a base model is trained, apart from what a run's objective and data say."""

    precision: str = "float32"  # or bfloat16: of computation; trained weights are float32 always
    adapters: Mapping[str, Any] | None = None  # rank and alpha of low-rank adapters; None: all weights are trained
    checkpointing: bool = False  # compute activations again in the backward pass instead of keeping them


class Classifier(nn.Module):
    """A decoder whose unembedding is replaced by a linear head with two outputs.

    The head reads the hidden state of the last token, found from the lengths, and starts as the unembedding
    rows of the two answers (label 0, label 1).
    """

    def __init__(self, backbone: nn.Module, rows: Tensor, precision: str = "float32") -> None:
        super().__init__()
        self.backbone = backbone
        self.precision = getattr(torch, precision)
        self.head = nn.Linear(rows.shape[1], 2, bias=False)
        with torch.no_grad():
            self.head.weight.copy_(rows)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """ids: (batch, longest) right-padded; lengths: (batch,). Returns logits (batch, 2), float32.

        Attention is causal, so what pads a text on its right cannot reach its last token.
        """
        with torch.autocast(ids.device.type, self.precision, enabled=self.precision != torch.float32):
            hidden = self.backbone(input_ids=ids, use_cache=False).last_hidden_state
        last = hidden[torch.arange(len(ids), device=ids.device), lengths - 1]
        logits: Tensor = self.head(last.float())
        return logits


def load(directory: Path, answers: Sequence[str], computing: Computing | None = None) -> Classifier:
    """The base model of a directory without dropout, its head set for these answers, ready to be trained.

    Remote code is never executed. UserError if the directory holds no decoder with an unembedding.
    """
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.utils import logging

    computing = computing or Computing()
    logging.disable_progress_bar()
    frozen = computing.adapters is not None
    stored = getattr(torch, computing.precision) if frozen else torch.float32
    try:
        config = AutoConfig.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
        _without_dropout(config)
        model, loaded = AutoModelForCausalLM.from_pretrained(
            directory,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            dtype=stored,
            output_loading_info=True,
        )
    except MemoryError:
        raise
    except Exception as error:  # whatever libraries say of a directory that is not what it should be
        if "out of memory" in str(error).lower():
            raise
        raise UserError(f"{directory}: cannot be loaded ({first_line(error)})") from None
    absent = sorted(loaded["missing_keys"]) + sorted(map(str, loaded["mismatched_keys"]))
    if absent:  # a library would fill them with random numbers and go on
        raise UserError(f"{directory}: {len(absent)} of its weights are missing or of another shape, {absent[0]} first")
    output = model.get_output_embeddings()
    if output is None:
        raise UserError(f"{directory}: {type(model).__name__} has no unembedding to take a head from")
    unembedding = output.weight.detach()
    tokenizer = tokenizer_of(directory)
    rows = torch.stack([_answer_row(unembedding, tokenizer, answer) for answer in answers])
    backbone = model.base_model
    _check_causal(backbone, directory)
    if computing.adapters is not None:
        backbone = _with_adapters(backbone, computing.adapters)
    if computing.checkpointing:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        if frozen:  # else no gradient would reach the adapters through the recomputed blocks
            model.enable_input_require_grads()
    return Classifier(backbone, rows, computing.precision)


@torch.no_grad()
def _check_causal(backbone: nn.Module, directory: Path) -> None:
    """UserError if a token sees what follows it: padding on the right would then change its reading."""
    backbone.eval()
    short, long = (backbone(input_ids=torch.tensor([ids]), use_cache=False) for ids in ([1, 2], [1, 2, 3]))
    first, same = short.last_hidden_state[0, 1].float(), long.last_hidden_state[0, 1].float()
    if not torch.allclose(first, same, atol=1e-2, rtol=1e-2):
        raise UserError(f"{directory}: {type(backbone).__name__} is not a decoder: its tokens see what follows them")


def _without_dropout(config: Any) -> None:
    """Set every dropout probability of a model's config to 0, whatever the architecture calls it."""
    for name, value in config.to_dict().items():
        if ("dropout" in name or "pdrop" in name) and isinstance(value, float):
            setattr(config, name, 0.0)


def _with_adapters(backbone: nn.Module, adapters: Mapping[str, Any]) -> nn.Module:
    """The backbone with trainable low-rank adapters (float32) on every linear layer, all else frozen."""
    from peft import LoraConfig, inject_adapter_in_model
    from transformers.pytorch_utils import Conv1D

    settings = LoraConfig(
        r=adapters["rank"],
        lora_alpha=adapters["alpha"],
        target_modules="all-linear",
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in backbone.modules()),  # GPT-2's own layers
    )
    adapted: nn.Module = inject_adapter_in_model(settings, backbone)
    for name, parameter in adapted.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if "lora_" in name:
            parameter.data = parameter.data.float()
    return adapted


def _answer_row(unembedding: Tensor, tokenizer: Any, answer: str) -> Tensor:
    """The unembedding row of an answer; the mean of several if the tokenizer splits it."""
    ids = tokenizer(answer, add_special_tokens=False)["input_ids"]
    if not ids:
        raise UserError(f"answer {answer!r} has no tokens")
    return unembedding[ids].float().mean(0)


@cache
def tokenizer_of(directory: Path) -> Any:
    """The tokenizer of a model directory. UserError if there is none."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{directory}: no tokenizer that can be loaded ({first_line(error)})") from None
    if not tokenizer("a", add_special_tokens=False)["input_ids"]:  # what a directory without a tokenizer's files gives
        raise UserError(f"{directory}: no tokenizer in it (tokenizer.json, or the files that its kind needs)")
    tokenizer.model_max_length = 10**9  # lengths are cut here, from the other side
    return tokenizer


def encode(directory: Path, texts: Sequence[str], max_length: int) -> list[list[int]]:
    """Token ids of each text, behind the start token that the tokenizer itself puts there, if any.

    A text longer than ``max_length`` tokens, or than the model takes, loses its beginning: the question and
    its cue stand at the end. No text is ever dropped.
    """
    tokenizer = tokenizer_of(directory)
    start = _start(tokenizer)
    limit = min(max_length, longest(directory) or max_length)
    room = limit - len(start)
    if room < 1:
        raise UserError(f"training.max_length: {limit} leaves no room for text; allowed: more than {len(start)}")
    encoded = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    for text, ids in zip(texts, encoded, strict=True):
        if not ids and not start:
            raise UserError(f"{directory}: its tokenizer finds nothing in {text[:40]!r}")
    return [start + ids[-room:] for ids in encoded]


def _start(tokenizer: Any) -> list[int]:
    """What the tokenizer puts before a text. What it would put behind is left out: the cue must stay last."""
    whole = tokenizer("a")["input_ids"]
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    for place in range(len(whole) - len(bare) + 1):
        if whole[place : place + len(bare)] == bare:
            return list(whole[:place])
    return []
