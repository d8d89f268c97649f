"""A Llama-class decoder for rungs pretrained here, computed without transformers.

Weights have the names of a ``LlamaForCausalLM``, and the outputs agree with it up to rounding (held by a test). It
starts faster, as transformers need not be imported, and does less work: a classifier reads the last token alone, so the
last layer computes queries, output and feed-forward for that token only.

There is one attention function. Training, classification, generation with a KV cache, texts after a shared prefix
(``w2s.models.prefix``) and two completions after one prefix (``w2s.models.branching``) differ in its mask, positions,
queries and cache.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.functional import rms_norm, scaled_dot_product_attention, silu
from torch.utils.checkpoint import checkpoint

from w2s.engine.rank import worker
from w2s.errors import UserError, first_line
from w2s.models.packing import Spans, attend

PREFIX = "model."  # of the decoder's weights inside a LlamaForCausalLM
UNEMBEDDING, EMBEDDING = "lm_head.weight", "embed_tokens.weight"
WEIGHTS = "model.safetensors"


# The keys of a Llama's config that this module knows. Any other key, or a value that it does not compute, such as a
# scaled rotary position, a bias or a quantized weight, is for transformers to read.
SIZES = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
REQUIRED = frozenset({*SIZES, "model_type", "hidden_act", "rms_norm_eps"})
CHECKED = frozenset(
    {"architectures", "attention_bias", "head_dim", "mlp_bias", "num_key_value_heads", "pad_token_id"}
    | {"rope_parameters", "rope_scaling", "rope_theta", "tie_word_embeddings"}
)
WITHOUT_EFFECT = frozenset(
    {"_name_or_path", "attention_dropout", "bos_token_id", "dtype", "eos_token_id", "initializer_range"}
    | {"max_position_embeddings", "pretraining_tp", "torch_dtype", "transformers_version", "use_cache"}
)
STORED = ("F32", "F16", "BF16")  # types of weights in a safetensors file


@dataclass(frozen=True)
class Shape:
    """The dimensions of a Llama-class decoder."""

    vocabulary: int
    width: int
    intermediate: int
    layers: int
    heads: int
    epsilon: float = 1e-6
    theta: float = 10_000.0  # of rotary positions
    tied: bool = True  # whether the unembedding is the embedding


def shape_of(config: Mapping[str, Any]) -> Shape | None:
    """The shape of a model that this module can compute; None for one that needs transformers.

    It is computed here only if every key and value of its config is understood. Also None in distributed training
    (``w2s.engine.distributed``).
    """
    if worker().size > 1:  # FSDP gathers weights when a whole block is called, which is not always so here
        return None
    keys = set(config)
    if not keys >= REQUIRED or keys - REQUIRED - CHECKED - WITHOUT_EFFECT:
        return None
    sizes, epsilon, theta = [config[name] for name in SIZES], config["rms_norm_eps"], _theta(config)
    if not all(type(size) is int and size > 0 for size in sizes) or not _is_positive(epsilon) or theta is None:
        return None
    width, heads = config["hidden_size"], config["num_attention_heads"]
    tied = config.get("tie_word_embeddings", False)  # untied is the default of this architecture
    plain = (
        config["model_type"] == "llama"
        and config.get("architectures") in (None, ["LlamaForCausalLM"])
        and config["hidden_act"] == "silu"
        and config.get("attention_bias", False) is False
        and config.get("mlp_bias", False) is False
        and config.get("pad_token_id") is None  # transformers does not train this token's embedding
        and config.get("num_key_value_heads") in (None, heads)
        and width % (2 * heads) == 0
        and config.get("head_dim") in (None, width // heads)
        and isinstance(tied, bool)
    )
    if not plain:
        return None
    vocabulary, width, intermediate, layers, heads = sizes
    return Shape(vocabulary, width, intermediate, layers, heads, epsilon, theta, tied)


def _theta(config: Mapping[str, Any]) -> float | None:
    """The base of plain rotary positions, as new configs (``rope_parameters``) or old ones say; None for any others."""
    rope, scaling, theta = (config.get(name) for name in ("rope_parameters", "rope_scaling", "rope_theta"))
    if rope is not None:
        if theta is not None or not isinstance(rope, Mapping) or set(rope) != {"rope_type", "rope_theta"}:
            return None
        theta = rope["rope_theta"] if rope["rope_type"] == "default" else None
    return float(theta) if scaling is None and _is_positive(theta) else None


def _is_positive(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


class Norm(nn.Module):
    """Root mean square norm with a gain."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, hidden: Tensor) -> Tensor:
        """(..., width) -> (..., width), in the input's precision."""
        normed: Tensor = rms_norm(hidden, hidden.shape[-1:], self.weight, self.epsilon)
        return normed


class LayerCache(Protocol):
    """Keys and values of one layer that earlier passes have computed."""

    def update(self, keys: Tensor, values: Tensor, positions: Tensor | None) -> tuple[Tensor, Tensor]:
        """Take in new keys and values, (batch, heads, tokens, size) each; returns those to attend to."""
        ...


@dataclass(frozen=True)
class KVCache:
    """Keys and values of one layer, (batch, heads, room, size) each, for generation: new tokens are written into it."""

    keys: Tensor
    values: Tensor

    def update(self, keys: Tensor, values: Tensor, positions: Tensor | None) -> tuple[Tensor, Tensor]:
        """Write at ``positions`` (batch, 1), one token per text; None: at the start, before which there is nothing.

        Whatever lies after a text's last token is padding: a later token overwrites it, and the mask hides it.
        """
        if positions is None:
            tokens = keys.shape[2]
            self.keys[:, :, :tokens], self.values[:, :, :tokens] = keys, values
            return keys, values
        rows = torch.arange(len(keys), device=keys.device)
        self.keys[rows, :, positions[:, 0]], self.values[rows, :, positions[:, 0]] = keys[:, :, 0], values[:, :, 0]
        return self.keys, self.values


@dataclass(frozen=True)
class Rotary:
    """Rotary positions of some tokens, for the queries or keys of all heads side by side.

    In each head, element i and its partner, ``half`` further on, are a pair that is rotated. A first element becomes
    itself x cosine + its partner x ``ahead`` (minus the sine), a second one itself x cosine + its partner x ``behind``
    (the sine); where they do not apply, ``ahead`` and ``behind`` are 0. All (tokens, width), or (batch, tokens, width).
    """

    cosines: Tensor
    ahead: Tensor
    behind: Tensor
    half: int

    @classmethod
    def table(cls, tokens: int, shape: Shape, like: Tensor) -> Rotary:
        """Of positions 0, 1, ..., on the device of ``like``."""
        size = shape.width // shape.heads
        powers = torch.arange(0, size, 2, dtype=torch.int64).float() / size
        angles = torch.outer(torch.arange(tokens).float(), 1.0 / shape.theta**powers)
        cosines, sines, none = angles.cos(), angles.sin(), torch.zeros_like(angles)

        def all_heads(first: Tensor, second: Tensor) -> Tensor:
            return torch.cat([first, second], -1).repeat(1, shape.heads).to(like.device)

        return cls(all_heads(cosines, cosines), all_heads(-sines, none), all_heads(none, sines), size // 2)

    def of(self, choose: Callable[[Tensor], Tensor]) -> Rotary:
        """With each tensor replaced by what is chosen of it."""
        return Rotary(choose(self.cosines), choose(self.ahead), choose(self.behind), self.half)


@dataclass(frozen=True)
class Context:
    """What all layers share in one forward pass.

    rotary: of all tokens. mask: bool, broadcastable to (batch, heads, tokens, keys), true where a token attends to a
    key; None: causal. positions: as in ``KVCache``. spans: of several texts in one row.
    """

    rotary: Rotary
    mask: Tensor | None = None
    positions: Tensor | None = None
    spans: Spans | None = None


@dataclass(frozen=True)
class Queries:
    """The tokens whose hidden states are wanted: all that the last layer computes beyond keys and values.

    indices: (batch, n) into the tokens of each row; rotary and mask: as in ``Context``, for these tokens.
    """

    indices: Tensor
    rotary: Rotary
    mask: Tensor | None


class Attention(nn.Module):
    """Multi-head self-attention with rotary positions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.size = shape.width // shape.heads
        self.q_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.k_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.v_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)

    def _heads(self, projected: Tensor) -> Tensor:
        """(batch, tokens, width) -> (batch, heads, tokens, size)."""
        return projected.view(*projected.shape[:2], -1, self.size).transpose(1, 2)

    def forward(
        self, hidden: Tensor, context: Context, queries: Queries | None = None, cache: LayerCache | None = None
    ) -> Tensor:
        """(batch, tokens, width) -> (batch, tokens, width); with ``queries`` -> (batch, n, width)."""
        keys = self._heads(rotated(self.k_proj(hidden), context.rotary))
        values = self._heads(self.v_proj(hidden))
        if cache is not None:
            keys, values = cache.update(keys, values, context.positions)
        rotary, mask = context.rotary, context.mask
        if queries is not None:
            hidden, rotary, mask = select(hidden, queries.indices), queries.rotary, queries.mask
        heads = self._heads(rotated(self.q_proj(hidden), rotary))
        if context.spans is not None:
            mixed = attend(heads, keys, values, context.spans, last=queries is not None)
        else:
            mixed = scaled_dot_product_attention(heads, keys, values, attn_mask=mask, is_causal=mask is None)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """Gated feed-forward layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.intermediate, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.intermediate, bias=False)
        self.down_proj = nn.Linear(shape.intermediate, shape.width, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        if torch.is_grad_enabled():
            gated = silu(self.gate_proj(hidden)) * self.up_proj(hidden)
        else:  # no backward pass: compute in place
            gated = silu(self.gate_proj(hidden), inplace=True).mul_(self.up_proj(hidden))
        down: Tensor = self.down_proj(gated)
        return down


class Layer(nn.Module):
    """Attention and feed-forward, each after a norm and with a residual connection."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = FeedForward(shape)
        self.input_layernorm = Norm(shape.width, shape.epsilon)
        self.post_attention_layernorm = Norm(shape.width, shape.epsilon)

    def forward(
        self, hidden: Tensor, context: Context, queries: Queries | None = None, cache: LayerCache | None = None
    ) -> Tensor:
        """As ``Attention.forward``."""
        mixed = self.self_attn(self.input_layernorm(hidden), context, queries, cache)
        hidden = added(hidden if queries is None else select(hidden, queries.indices), mixed)
        return added(hidden, self.mlp(self.post_attention_layernorm(hidden)))


class Decoder(nn.Module):
    """The layers of a Llama-class decoder, without its unembedding."""

    def __init__(self, shape: Shape, *, checkpointing: bool = False) -> None:
        super().__init__()
        self.shape = shape
        self.checkpointing = checkpointing
        # Not drawn, as weights come from elsewhere: drawing on the meta device would import torch's compiler.
        self.embed_tokens = nn.Embedding.from_pretrained(torch.zeros(shape.vocabulary, shape.width), freeze=False)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width, shape.epsilon)
        self._rotary: Rotary | None = None

    def forward(
        self,
        ids: Tensor,
        lengths: Tensor | None = None,
        *,
        queries: Tensor | None = None,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        cache: Sequence[LayerCache] | None = None,
        spans: Spans | None = None,
    ) -> Tensor:
        """Hidden states after the last norm of ids (batch, tokens), right-padded: (batch, tokens, width).

        lengths: (batch,); only the state of each text's last token is computed and returned, (batch, width). queries:
        (batch, n) indices of tokens; only their states, (batch, n, width). positions: (tokens,) or (batch, tokens), in
        the text; 0, 1, ... by default. mask: (tokens, keys) or (batch, tokens, keys) bool, true where a token attends
        to a key; causal by default, and required with positions. cache: one per layer. spans: of several texts in a
        single row, instead of a mask; queries are then their last tokens.
        """
        hidden = self.embed_tokens(ids)
        rotary = self.rotary(ids.shape[1] if mask is None else mask.shape[-1], hidden)
        if positions is not None:
            rotary = rotary.of(lambda values: values[positions])
        wanted = queries if lengths is None else (lengths - 1)[:, None]
        if wanted is None:
            chosen = None
        else:
            seen = select(mask, wanted) if mask is not None else causal(wanted, ids.shape[1]) if spans is None else None
            of_wanted = rotary.of(lambda values: select(values, wanted))
            chosen = Queries(wanted, of_wanted, None if seen is None else by_head(seen))
        attended = None if mask is None else by_head(mask)
        context = Context(rotary, attended, positions, spans)
        last = len(self.layers) - 1
        for number, layer in enumerate(self.layers):
            arguments = (hidden, context, chosen if number == last else None, cache[number] if cache else None)
            if self.checkpointing and self.training and torch.is_grad_enabled():
                hidden = checkpoint(layer, *arguments, use_reentrant=False)
            else:
                hidden = layer(*arguments)
        normed: Tensor = self.norm(hidden)
        return normed if lengths is None else normed.squeeze(1)

    def new_cache(self, batch: int, room: int) -> list[KVCache]:
        """An empty cache of every layer for ``batch`` texts of at most ``room`` tokens each."""
        weight = self.embed_tokens.weight
        kind, autocasts = weight.device.type, torch.is_autocast_enabled(weight.device.type)
        dtype = torch.get_autocast_dtype(kind) if autocasts else weight.dtype
        size = (batch, self.shape.heads, room, self.shape.width // self.shape.heads)
        return [KVCache(weight.new_zeros(size, dtype=dtype), weight.new_zeros(size, dtype=dtype)) for _ in self.layers]

    def rotary(self, tokens: int, like: Tensor) -> Rotary:
        """Rotary positions of the first tokens, computed once for all calls."""
        known = self._rotary
        if known is None or len(known.cosines) < tokens or known.cosines.device != like.device:
            known = self._rotary = Rotary.table(max(tokens, 256), self.shape, like)
        return known.of(lambda values: values[:tokens])


def causal(positions: Tensor, keys: int) -> Tensor:
    """(..., n) positions of tokens -> (..., n, keys) bool: each attends to itself and what comes before."""
    return torch.arange(keys, device=positions.device) <= positions[..., None]


def select(values: Tensor, indices: Tensor) -> Tensor:
    """Rows ``indices`` (batch, n) of (batch, tokens, size), or of (tokens, size) that all share: (batch, n, size)."""
    if values.dim() == 2:
        return values[indices]
    return values[torch.arange(len(indices), device=indices.device)[:, None], indices]


def by_head(values: Tensor) -> Tensor:
    """(batch, tokens, size) -> (batch, 1, tokens, size), the same for all heads; (tokens, size) stays as it is."""
    return values[:, None] if values.dim() == 3 else values


def rotated(values: Tensor, rotary: Rotary) -> Tensor:
    """(batch, tokens, width) queries or keys, rotated according to their positions, in their own precision."""
    rotary = rotary.of(lambda one: one.to(values.dtype))
    if values.device.type == "cpu" and not torch.compiler.is_compiling():
        result: Tensor = Rotation.apply(values, rotary)  # type: ignore[no-untyped-call]
        return result
    left, right = values.roll(-rotary.half, -1), values.roll(rotary.half, -1)  # a compiler fuses this
    return values * rotary.cosines + left * rotary.ahead + right * rotary.behind


class Rotation(torch.autograd.Function):
    """The same in passes over contiguous memory; the gradient is rotated back."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, rotary: Rotary) -> Tensor:
        """As ``rotated``."""
        ctx.rotary = rotary
        return rotate(values, rotary, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """By the opposite angles."""
        return rotate(gradient, ctx.rotary, -1), None


def rotate(values: Tensor, rotary: Rotary, sign: int) -> Tensor:
    """(batch, tokens, width) rotated by the angles times ``sign``, 1 or -1.

    All tokens of a text are one row, in which an element's partner is always as far away.
    """
    rows, half = values.flatten(1), rotary.half
    cosines, ahead, behind = (one.flatten(-2) for one in (rotary.cosines, rotary.ahead, rotary.behind))
    result = rows * cosines
    result[:, :-half].addcmul_(rows[:, half:], ahead[..., :-half], value=sign)
    result[:, half:].addcmul_(rows[:, :-half], behind[..., half:], value=sign)
    return result.view_as(values)


def added(hidden: Tensor, more: Tensor) -> Tensor:
    """Their sum, in place where no gradient needs the first."""
    return hidden + more if torch.is_grad_enabled() or hidden.dtype != more.dtype else hidden.add_(more)


def at(hidden: Tensor, last: Tensor) -> Tensor:
    """(batch, tokens, width), (batch,) -> (batch, width): the hidden state at one index per row."""
    return hidden[torch.arange(len(hidden), device=hidden.device), last]


# -- directories -------------------------------------------------------------------------------------------


def read_config(directory: Path) -> dict[str, Any]:
    """A model directory's config.json; empty if there is none that can be read (loading it will say so)."""
    try:
        content = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def own_shape(directory: Path) -> Shape | None:
    """The shape of a model directory that this module can compute; None for one that needs transformers.

    Its config is understood, and one safetensors file holds the weights that follow from it and nothing else.
    UserError for a file that is not what it should be.
    """
    from safetensors import SafetensorError, safe_open

    shape, path = shape_of(read_config(directory)), directory / WEIGHTS
    if shape is None or not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            found = {name: tuple(one.get_shape()) for name, one in slices.items()}
            types = {one.get_dtype() for one in slices.values()}
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(f"{path}: cannot be loaded ({first_line(error)})") from None
    with torch.device("meta"):
        expected = {f"{PREFIX}{name}": tuple(value.shape) for name, value in Decoder(shape).state_dict().items()}
    if not shape.tied:
        expected[UNEMBEDDING] = expected[f"{PREFIX}{EMBEDDING}"]
    return shape if found == expected and types <= set(STORED) else None


def read_weights(directory: Path) -> dict[str, Tensor]:
    """float32 weights of a directory that has an ``own_shape``: the decoder's names, and the unembedding's.

    The latter is the embedding if the file holds none. UserError for a file that is not what it should be.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = directory / WEIGHTS
    try:
        loaded = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(f"{path}: cannot be loaded ({first_line(error)})") from None
    weights = {name.removeprefix(PREFIX): value.float() for name, value in loaded.items()}
    weights.setdefault(UNEMBEDDING, weights[EMBEDDING])
    return weights


def with_weights(shape: Shape, weights: Mapping[str, Tensor], where: Path, *, checkpointing: bool = False) -> Decoder:
    """A decoder with a copy of these weights. UserError naming one that is missing or of another shape."""
    with torch.device("meta"):
        decoder = Decoder(shape, checkpointing=checkpointing)
    own = {name: weights[name].clone() for name in decoder.state_dict() if name in weights}
    expected = {name: value.shape for name, value in decoder.state_dict().items()}
    absent = [name for name, size in expected.items() if name not in own or own[name].shape != size]
    if absent:  # a library would fill them with random numbers and go on
        raise UserError(f"{where}: {len(absent)} weights are missing or have another shape, first {absent[0]}")
    decoder.load_state_dict(own, assign=True)
    for parameter in decoder.parameters():
        parameter.requires_grad_(True)
    return decoder
