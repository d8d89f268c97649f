"""Own rungs, computed without transformers: a Llama-class decoder that does no more than a loss needs.

The weights are an ordinary ``LlamaForCausalLM``'s, name for name, and so are the numbers (to rounding; held by a
test). What is gained is start-up time (no library of models to import) and work: a classifier reads the last
token alone, so the last layer computes queries, output and feed-forward for that token only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import rms_norm, scaled_dot_product_attention, silu
from torch.utils.checkpoint import checkpoint

from w2s.engine.rank import member
from w2s.errors import UserError, first_line

PREFIX = "model."  # of the decoder's weights inside a LlamaForCausalLM
UNEMBEDDING, EMBEDDING = "lm_head.weight", "embed_tokens.weight"


@dataclass(frozen=True)
class Shape:
    """What a Llama-class config says that computing needs."""

    vocabulary: int
    width: int
    intermediate: int
    layers: int
    heads: int
    epsilon: float = 1e-6
    theta: float = 10_000.0  # of rotary positions


def shape_of(config: Mapping[str, Any]) -> Shape | None:
    """The shape of a model that this module can compute; None for one that needs transformers.

    None too for one of several processes (``w2s.engine.distributed``).
    """
    if member().size > 1:  # what is in shards is gathered by blocks, which are called in parts here
        return None
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    heads = config.get("num_attention_heads", 0)
    plain = (
        config.get("model_type") == "llama"
        and config.get("hidden_act") == "silu"
        and not config.get("attention_bias")
        and not config.get("mlp_bias")
        and rope.get("rope_type", "default") == "default"
        and config.get("num_key_value_heads", heads) == heads
        and config.get("head_dim") in (None, config["hidden_size"] // heads)
    )
    if not plain:
        return None
    return Shape(
        vocabulary=config["vocab_size"],
        width=config["hidden_size"],
        intermediate=config["intermediate_size"],
        layers=config["num_hidden_layers"],
        heads=heads,
        epsilon=config["rms_norm_eps"],
        theta=float(rope.get("rope_theta", config.get("rope_theta", 10_000.0))),
    )


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


@dataclass(frozen=True)
class Kept:
    """Keys and values of a layer, (batch, heads, tokens, size) each, for texts that are written on."""

    keys: Tensor
    values: Tensor


class Attention(nn.Module):
    """Causal self-attention with rotary positions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.size = shape.width // shape.heads
        self.q_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.k_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.v_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)

    def _heads(self, projection: nn.Module, hidden: Tensor) -> Tensor:
        """(batch, tokens, width) -> (batch, heads, tokens, size)."""
        projected: Tensor = projection(hidden)
        return projected.view(*hidden.shape[:2], -1, self.size).transpose(1, 2)

    def forward(
        self, hidden: Tensor, turn: tuple[Tensor, Tensor], last: Tensor | None, kept: Kept | None = None
    ) -> Tensor:
        """hidden: (batch, tokens, width); turn: (tokens, size) cosines and sines.

        Returns (batch, tokens, width); with ``last`` (batch,), the places of the last tokens, (batch, width).
        kept: where keys and values are put, for ``step``.
        """
        cosines, sines = turn
        keys = rotated(self._heads(self.k_proj, hidden), cosines, sines)
        values = self._heads(self.v_proj, hidden)
        if kept is not None:
            kept.keys[:, :, : hidden.shape[1]], kept.values[:, :, : hidden.shape[1]] = keys, values
        if last is None:
            queries = rotated(self._heads(self.q_proj, hidden), cosines, sines)
            mixed = scaled_dot_product_attention(queries, keys, values, is_causal=True)
            return self.o_proj(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]
        queries = self._heads(self.q_proj, at(hidden, last).unsqueeze(1))
        queries = rotated(queries, cosines[last][:, None, None], sines[last][:, None, None])
        seen = torch.arange(hidden.shape[1], device=last.device) <= last[:, None]
        mixed = scaled_dot_product_attention(queries, keys, values, attn_mask=seen[:, None, None])
        return self.o_proj(mixed.flatten(1))  # type: ignore[no-any-return]

    def step(self, hidden: Tensor, turn: tuple[Tensor, Tensor], places: Tensor, kept: Kept) -> Tensor:
        """One more token of each text. hidden: (batch, width); turn: (batch, size); places: (batch,), in the text.

        What stands in ``kept`` behind a text's last token is padding: it is overwritten, and not looked at.
        """
        cosines, sines = turn[0][:, None, None], turn[1][:, None, None]
        one = hidden.unsqueeze(1)
        rows = torch.arange(len(hidden), device=hidden.device)
        kept.keys[rows, :, places] = rotated(self._heads(self.k_proj, one), cosines, sines)[:, :, 0]
        kept.values[rows, :, places] = self._heads(self.v_proj, one)[:, :, 0]
        seen = torch.arange(kept.keys.shape[2], device=places.device) <= places[:, None]
        queries = rotated(self._heads(self.q_proj, one), cosines, sines)
        mixed = scaled_dot_product_attention(queries, kept.keys, kept.values, attn_mask=seen[:, None, None])
        return self.o_proj(mixed.flatten(1))  # type: ignore[no-any-return]


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
        else:  # nothing is needed again, so nothing is written to new memory
            gated = silu(self.gate_proj(hidden), inplace=True).mul_(self.up_proj(hidden))
        down: Tensor = self.down_proj(gated)
        return down


class Layer(nn.Module):
    """Attention and feed-forward, each behind a norm and added to what came in."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = FeedForward(shape)
        self.input_layernorm = Norm(shape.width, shape.epsilon)
        self.post_attention_layernorm = Norm(shape.width, shape.epsilon)

    def forward(
        self,
        hidden: Tensor,
        turn: tuple[Tensor, Tensor],
        last: Tensor | None = None,
        kept: Kept | None = None,
    ) -> Tensor:
        """As ``Attention.forward``: all tokens, or the last ones only."""
        mixed = self.self_attn(self.input_layernorm(hidden), turn, last, kept)
        hidden = added(hidden if last is None else at(hidden, last), mixed)
        return added(hidden, self.mlp(self.post_attention_layernorm(hidden)))

    def step(self, hidden: Tensor, turn: tuple[Tensor, Tensor], places: Tensor, kept: Kept) -> Tensor:
        """As ``Attention.step``."""
        hidden = added(hidden, self.self_attn.step(self.input_layernorm(hidden), turn, places, kept))
        return added(hidden, self.mlp(self.post_attention_layernorm(hidden)))


class Decoder(nn.Module):
    """The layers of a Llama-class decoder, without its unembedding."""

    def __init__(self, shape: Shape, *, checkpointing: bool = False) -> None:
        super().__init__()
        self.shape = shape
        self.checkpointing = checkpointing
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width, shape.epsilon)
        self._turns: tuple[Tensor, Tensor] | None = None

    def forward(self, ids: Tensor, lengths: Tensor | None = None) -> Tensor:
        """ids: (batch, longest), right-padded. Returns the hidden states behind the last norm.

        (batch, longest, width); with ``lengths`` (batch,) only those of each text's last token, (batch, width).
        """
        last = None if lengths is None else lengths - 1
        hidden = self.embed_tokens(ids)
        turn = self._turn(ids.shape[1], hidden)
        for number, layer in enumerate(self.layers, start=1):
            arguments = (hidden, turn, last if number == len(self.layers) else None)
            if self.checkpointing and self.training and torch.is_grad_enabled():
                hidden = checkpoint(layer, *arguments, use_reentrant=False)
            else:
                hidden = layer(*arguments)
        return self.norm(hidden)  # type: ignore[no-any-return]

    def begin(self, ids: Tensor, lengths: Tensor, room: int) -> tuple[Tensor, list[Kept]]:
        """Read texts, as ``forward`` with lengths does, to write on: with what ``step`` needs of them.

        room: how many tokens a text may be continued by.
        """
        batch, tokens = ids.shape
        hidden = self.embed_tokens(ids)
        size = (batch, self.shape.heads, tokens + room, self.shape.width // self.shape.heads)
        kind = torch.get_autocast_dtype(ids.device.type) if torch.is_autocast_enabled(ids.device.type) else hidden.dtype
        memory = [Kept(hidden.new_zeros(size, dtype=kind), hidden.new_zeros(size, dtype=kind)) for _ in self.layers]
        turn = self._turn(tokens, hidden)
        for number, (layer, kept) in enumerate(zip(self.layers, memory, strict=True), start=1):
            hidden = layer(hidden, turn, lengths - 1 if number == len(self.layers) else None, kept)
        return self.norm(hidden), memory

    def step(self, ids: Tensor, places: Tensor, memory: Sequence[Kept]) -> Tensor:
        """The hidden states (batch, width) of one more token of each text. ids, places: (batch,)."""
        hidden = self.embed_tokens(ids)
        cosines, sines = self._turn(memory[0].keys.shape[2], hidden)
        for layer, kept in zip(self.layers, memory, strict=True):
            hidden = layer.step(hidden, (cosines[places], sines[places]), places, kept)  # type: ignore[operator]
        return self.norm(hidden)  # type: ignore[no-any-return]

    def _turn(self, tokens: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """(tokens, size) cosines and sines of rotary positions, kept for the next call."""
        turns = self._turns
        if turns is None or len(turns[0]) < tokens or turns[0].device != like.device:
            turns = self._turns = rotary(max(tokens, 256), self.shape.width // self.shape.heads, self.shape.theta, like)
        return turns[0][:tokens], turns[1][:tokens]


def rotary(tokens: int, size: int, theta: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """(tokens, size) cosines and sines of the angles by which each place turns, on the device of ``like``."""
    powers = torch.arange(0, size, 2, dtype=torch.int64).float() / size
    angles = torch.outer(torch.arange(tokens).float(), 1.0 / theta**powers)
    both = torch.cat([angles, angles], dim=-1).to(like.device)
    return both.cos(), both.sin()


def rotated(heads: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """(..., tokens, size) queries or keys, turned by their places, in their own precision."""
    cosines, sines = cosines.to(heads.dtype), sines.to(heads.dtype)
    if heads.device.type == "cpu" and not torch.compiler.is_compiling():
        turned: Tensor = Rotation.apply(heads, cosines, sines)  # type: ignore[no-untyped-call]
        return turned
    first, second = heads.chunk(2, dim=-1)  # a compiler makes one pass of it
    return heads * cosines + torch.cat([-second, first], dim=-1) * sines


class Rotation(torch.autograd.Function):
    """The same in as few passes over memory as eager operations allow; its gradient turns back."""

    @staticmethod
    def forward(ctx: Any, heads: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        """As ``rotated``."""
        ctx.save_for_backward(cosines, sines)
        return turned(heads, cosines, sines)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """By the opposite angles."""
        cosines, sines = ctx.saved_tensors
        return turned(gradient, cosines, -sines), None, None


def turned(heads: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Pairs (i, i + size / 2) of the last dimension, turned by their angles."""
    (first, second), (cosine, _), (sine, _) = heads.chunk(2, -1), cosines.chunk(2, -1), sines.chunk(2, -1)
    result = torch.empty_like(heads)
    left, right = result.chunk(2, -1)
    torch.mul(first, cosine, out=left).addcmul_(second, sine, value=-1)
    torch.mul(second, cosine, out=right).addcmul_(first, sine)
    return result


def added(hidden: Tensor, more: Tensor) -> Tensor:
    """Their sum; in the first's memory where no gradient will ask for it."""
    return hidden + more if torch.is_grad_enabled() or hidden.dtype != more.dtype else hidden.add_(more)


def at(hidden: Tensor, last: Tensor) -> Tensor:
    """(batch, tokens, width), (batch,) -> (batch, width): each row's hidden state at its own place."""
    return hidden[torch.arange(len(hidden), device=hidden.device), last]


# -- directories -------------------------------------------------------------------------------------------


def read_config(directory: Path) -> dict[str, Any]:
    """A model directory's config.json; empty if there is none that can be read (loading it will say so)."""
    try:
        content = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def read_weights(directory: Path) -> dict[str, Tensor]:
    """float32 weights of a directory with one safetensors file: the decoder's names, and the unembedding's.

    UserError for a file that is not what it should be.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = directory / "model.safetensors"
    try:
        loaded = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(f"{path}: cannot be loaded ({first_line(error)})") from None
    weights = {name.removeprefix(PREFIX): value.float() for name, value in loaded.items()}
    weights.setdefault(UNEMBEDDING, weights.get(EMBEDDING, torch.empty(0)))
    return weights


def with_weights(shape: Shape, weights: Mapping[str, Tensor], where: Path, *, checkpointing: bool = False) -> Decoder:
    """A decoder with a copy of these weights. UserError naming one that is missing or of another shape."""
    with torch.device("meta"):
        decoder = Decoder(shape, checkpointing=checkpointing)
    own = {name: weights[name].clone() for name in decoder.state_dict() if name in weights}
    expected = {name: value.shape for name, value in decoder.state_dict().items()}
    absent = [name for name, size in expected.items() if name not in own or own[name].shape != size]
    if absent:  # a library would fill them with random numbers and go on
        raise UserError(f"{where}: {len(absent)} of its weights are missing or of another shape, {absent[0]} first")
    decoder.load_state_dict(own, assign=True)
    for parameter in decoder.parameters():
        parameter.requires_grad_(True)
    return decoder
