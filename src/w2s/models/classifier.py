"""A base model with a two-way head, as the paper finetunes it (Appendix A.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from w2s.errors import UserError, first_line
from w2s.models import context, decoder, packing
from w2s.models.decoder import Decoder
from w2s.models.encoding import tokenizer_of
from w2s.models.packing import Spans
from w2s.models.precision import Precision

LOUD = 1e4  # by which logits are multiplied to see whether a model changes them


@dataclass(frozen=True)
class Computing:
    """How a base model is computed, independent of a run's objective and data."""

    precision: str = "float32"  # or bfloat16: of computation; trained weights are float32 always
    adapters: Mapping[str, Any] | None = None  # rank and alpha of low-rank adapters; None: all weights are trained
    checkpointing: bool = False  # recompute activations in the backward pass


class Classifier(nn.Module):
    """A decoder whose unembedding is replaced by a linear head with two outputs.

    The head reads the hidden state of the last token, found from the lengths, and starts as the unembedding
    rows of the two answers (label 0, label 1). packs: whether micro-batches are to be packed (``pack``).
    """

    def __init__(self, backbone: nn.Module, rows: Tensor, precision: str = "float32") -> None:
        super().__init__()
        self.backbone = backbone
        self.precision = Precision.of(precision, backbone)
        self.packs = False
        self.head = nn.Linear(rows.shape[1], 2, bias=False)
        with torch.no_grad():
            self.head.weight.copy_(rows)

    def forward(self, ids: Tensor, lengths: Tensor, longest: int | None = None) -> Tensor:
        """ids: (batch, longest) right-padded; lengths: (batch,). Returns logits (batch, 2), float32.

        Attention is causal, so padding on the right does not affect the last token. With ``longest``, the tokens of the
        longest text, ids are packed, (tokens,): the texts one after another (``pack``).
        """
        logits: Tensor = self.head(self._last(ids, lengths, longest).float())
        return logits

    def _last(self, ids: Tensor, lengths: Tensor, longest: int | None) -> Tensor:
        """(texts, width) hidden states of the texts' last tokens."""
        with self.precision.computing(ids.device):
            if longest is not None:
                return self._last_of_packed(ids, Spans.of(lengths, longest))
            if isinstance(self.backbone, Decoder):
                return self.backbone(ids, lengths)  # type: ignore[no-any-return]
            return decoder.at(self.backbone(input_ids=ids, use_cache=False).last_hidden_state, lengths - 1)

    def _last_of_packed(self, ids: Tensor, spans: Spans) -> Tensor:
        """(texts, width) hidden states of the last tokens of (tokens,) ids."""
        positions = spans.positions(len(ids))
        if isinstance(self.backbone, Decoder):
            last: Tensor = self.backbone(ids[None], queries=spans.last[None], positions=positions, spans=spans)
            return last[0]
        among: dict[str, Any] = {"cu_seq_lens_q": spans.bounds, "cu_seq_lens_k": spans.bounds}
        among |= {"max_length_q": spans.longest, "max_length_k": spans.longest}
        output = self.backbone(input_ids=ids[None], position_ids=positions[None], use_cache=False, **among)
        hidden: Tensor = output.last_hidden_state[0]
        return hidden[spans.last]


def load(directory: Path, answers: Sequence[str], computing: Computing | None = None) -> Classifier:
    """The base model of a directory without dropout, its head set for these answers, ready for training.

    Remote code is never executed. UserError if the directory holds no decoder with an unembedding.
    """
    computing = computing or Computing()
    backbone, unembedding = backbone_of(directory, computing)
    rows = torch.stack([_answer_row(unembedding, directory, answer) for answer in answers])
    network = Classifier(backbone, rows, computing.precision)
    if computing.checkpointing:
        check_recomputes(network, lambda: network(torch.tensor([[1, 2]]), torch.tensor([2])), directory)
    return network


@torch.no_grad()
def pack(network: Classifier, longest: int) -> bool:
    """Let a network, on its device, read packed texts; False, and nothing is changed, if it gives other results so.

    longest: tokens of the longest text that it will read; the test is made at this length, so that windows show.
    """
    lengths = [max(2, longest), 2, max(2, longest // 2)]
    where = network.head.weight.device
    texts = [torch.arange(length, device=where) * 7919 % 41 + 3 for length in lengths]
    counts = torch.tensor(lengths, device=where)
    was_training, before = network.training, None
    network.eval()
    try:
        padded = network._last(pad_sequence(texts, batch_first=True), counts, None).float()
        if not isinstance(network.backbone, Decoder):
            before = packing.use_in(network.backbone)
        found = network._last(torch.cat(texts), counts, max(lengths)).float()
        tolerance = 2e-2 if network.precision.half else 1e-3
        network.packs = torch.allclose(found, padded, atol=tolerance, rtol=tolerance)
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError):  # of a library that has no such attention
        network.packs = False
    if before is not None and not network.packs:
        model: Any = network.backbone
        model.set_attn_implementation(before)
    network.train(was_training)
    return network.packs


def backbone_of(directory: Path, computing: Computing) -> tuple[nn.Module, Tensor]:
    """The base model of a directory without its head, and its unembedding (vocabulary, width).

    UserError if the directory holds no decoder with an unembedding.
    """
    shape = decoder.own_shape(directory)
    if shape and computing.adapters is None:
        weights = own_weights(directory)
        backbone = decoder.with_weights(shape, weights, directory, checkpointing=computing.checkpointing)
        return backbone, weights[decoder.UNEMBEDDING]
    network, output = from_library(directory, computing)
    return network, output.get_parameter("weight").detach()


@lru_cache(maxsize=2)  # of the last base models: a process trains run after run
def own_weights(directory: Path) -> Mapping[str, Tensor]:
    """The weights of a directory that ``w2s.models.decoder`` can compute; not to be changed."""
    return decoder.read_weights(directory)


def from_library(directory: Path, computing: Computing, *, generates: bool = False) -> tuple[nn.Module, nn.Module]:
    """(decoder, unembedding) by transformers, whatever the architecture; they may share a weight.

    generates: UserError unless the unembedding's outputs are the model's own logits.
    """
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.utils import logging

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
    output = model.get_output_embeddings()
    if output is None:
        raise UserError(f"{directory}: {type(model).__name__} has no unembedding to initialize the head from")
    _check_loaded(model, output, loaded, directory)
    backbone = model.base_model
    try:
        _check_causal(backbone, directory)
    except (TypeError, AttributeError) as error:
        kind = type(model).__name__
        raise UserError(f"{directory}: {kind} is not supported: it has no KV cache ({first_line(error)})") from None
    if generates:
        _check_logits(model, output, directory)
    if computing.adapters is not None:
        backbone = _with_adapters(backbone, computing.adapters)
    if computing.checkpointing:
        try:
            model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        except ValueError as error:
            said = first_line(error)
            raise UserError(f"{directory}: {said.rstrip('.')}; set checkpointing: false") from None
        if frozen:  # else no gradient would reach the adapters through the recomputed blocks
            model.enable_input_require_grads()
    return backbone, output


def _check_loaded(model: Any, output: nn.Module, loaded: Mapping[str, Any], directory: Path) -> None:
    """UserError unless a model's weights are those of its files: a library fills in or drops others and goes on."""
    absent = sorted(loaded["missing_keys"]) + sorted(map(str, loaded["mismatched_keys"]))
    unembedding = [name for name, module in model.named_modules() if module is output]
    if any(name.rpartition(".")[0] in unembedding for name in absent):
        raise UserError(
            f"{directory}: it has no weights of the unembedding ({', '.join(unembedding)}), and its config does not "
            "tie it to the embedding; use a model with a language modelling head"
        )
    if absent:
        raise UserError(f"{directory}: {len(absent)} weights are missing or have another shape, first {absent[0]}")
    dropped = sorted(name for name in map(str, loaded["unexpected_keys"]) if _belongs(name, model))
    if dropped:
        raise UserError(
            f"{directory}: config.json leaves out {len(dropped)} weights that the files hold, first {dropped[0]}"
        )


def _belongs(name: str, model: nn.Module) -> bool:
    """Whether a weight that a model does not take is of its own kind: a bias of a layer without one, a further layer.

    Old buffers, and weights of parts that a language model lacks, may be left out.
    """
    modules = dict(model.named_modules())
    nearest = name.rpartition(".")[0]
    if nearest in modules:
        return isinstance(getattr(modules[nearest], "weight", None), nn.Parameter)
    while nearest not in modules:
        nearest = nearest.rpartition(".")[0]
    return isinstance(modules[nearest], nn.ModuleList)


def check_recomputes(network: nn.Module, ask: Callable[[], Tensor], directory: Path) -> None:
    """UserError unless the backward pass computes blocks again: a library's flag may do nothing, unseen.

    ask: calls the network on some text.
    """
    block = next((module[0] for module in network.modules() if isinstance(module, nn.ModuleList)), None)
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    was_training = network.training
    network.train()
    # Hooks of the block's own children: a recomputed block may itself be called under another name.
    hooks = [child.register_forward_pre_hook(count) for child in list(block.children())[:1]] if block else []
    logits = ask()
    # One weight's gradient makes the whole way back; all weights' would take as much memory as the model.
    weights = block.parameters() if block else network.parameters()
    torch.autograd.grad(logits.sum(), next(weight for weight in weights if weight.requires_grad))
    for hook in hooks:
        hook.remove()
    network.train(was_training)
    if calls != 2:
        raise UserError(f"{directory}: activations are not recomputed in the backward pass; set checkpointing: false")


@torch.no_grad()
def _check_causal(backbone: nn.Module, directory: Path) -> None:
    """UserError if a token sees what follows it: padding on the right would then change its reading."""
    backbone.eval()
    short, long = (backbone(input_ids=torch.tensor([ids]), use_cache=False) for ids in ([1, 2], [1, 2, 3]))
    first, same = short.last_hidden_state[0, 1].float(), long.last_hidden_state[0, 1].float()
    if not torch.allclose(first, same, atol=1e-2, rtol=1e-2):
        raise UserError(f"{directory}: {type(backbone).__name__} is not a decoder: its attention is not causal")


@torch.no_grad()
def _check_logits(model: Any, output: nn.Module, directory: Path) -> None:
    """UserError if a model does more to its hidden states than to unembed them.

    Its unembedding is made loud meanwhile: a cap on logits shows on large ones alone.
    """
    ids = torch.tensor([[1, 2, 3]])
    expected = LOUD * output(model.base_model(input_ids=ids, use_cache=False).last_hidden_state)
    loud = output.register_forward_hook(lambda module, given, logits: LOUD * logits)
    found = model(input_ids=ids, use_cache=False).logits
    loud.remove()
    if not torch.allclose(found, expected, atol=1e-2 * LOUD, rtol=1e-2):
        raise UserError(
            f"{directory}: {type(model).__name__} changes its logits after the unembedding, which is not supported"
        )


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
    try:
        adapted: nn.Module = inject_adapter_in_model(settings, backbone)
    except ValueError as error:
        raise UserError(f"{type(backbone).__name__} does not support adapters ({first_line(error)})") from None
    for name, parameter in adapted.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if "lora_" in name:
            parameter.data = parameter.data.float()
    return adapted


def _answer_row(unembedding: Tensor, directory: Path, answer: str) -> Tensor:
    """The unembedding row of an answer behind a text; the mean of several if the tokenizer splits it."""
    (ids,) = context.words(tokenizer_of(directory), [answer])
    if not ids:
        raise UserError(f"answer {answer!r} has no tokens")
    return unembedding[ids].float().mean(0)
