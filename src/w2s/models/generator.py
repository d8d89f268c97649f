"""A base model that writes on: logits at chosen places for training, and one token after another."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from w2s.models import decoder, prefix
from w2s.models.classifier import Computing, check_recomputes, from_library, own_weights
from w2s.models.decoder import Decoder, Kept
from w2s.models.prefix import Prefix


@dataclass(frozen=True)
class Past:
    """What a library's model keeps of texts that are padded on the left. mask: (batch, tokens so far)."""

    values: Any
    mask: Tensor


Memory = list[Kept] | Past


class Generator(nn.Module):
    """A decoder with its unembedding. output: None where that is the embedding (an own rung's)."""

    def __init__(self, backbone: nn.Module, output: nn.Module | None, precision: str = "float32") -> None:
        super().__init__()
        self.backbone = backbone
        self.output = output
        self.precision = getattr(torch, precision)
        self._takes_places = "position_ids" in inspect.signature(backbone.forward).parameters

    def forward(self, ids: Tensor, rows: Tensor, places: Tensor) -> Tensor:
        """Logits (n, vocabulary), float32, of what follows n places of (batch, longest) right-padded ids."""
        with self._computing(ids):
            if isinstance(self.backbone, Decoder):
                hidden = self.backbone(ids)
            else:
                hidden = self.backbone(input_ids=ids, use_cache=False).last_hidden_state
            return self._logits(hidden[rows, places])

    def begin(self, ids: Tensor, lengths: Tensor, room: int) -> tuple[Tensor, Memory]:
        """Logits (batch, vocabulary) behind right-padded texts, and what ``step`` needs for ``room`` more tokens."""
        with self._computing(ids):
            if isinstance(self.backbone, Decoder):
                hidden, kept = self.backbone.begin(ids, lengths, room)
                return self._logits(hidden), kept
            longest = ids.shape[1]
            places = torch.arange(longest, device=ids.device) - (longest - lengths)[:, None]
            mask = (places >= 0).long()
            places = places.clamp(min=0)
            hidden, past = self._ask(ids.gather(1, places), mask, places, None)
            return self._logits(hidden), Past(past, mask)

    def step(self, ids: Tensor, places: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """Logits (batch, vocabulary) behind one more token of each text. ids, places: (batch,)."""
        with self._computing(ids):
            if isinstance(memory, Past):
                mask = torch.cat([memory.mask, memory.mask.new_ones(len(ids), 1)], dim=1)
                hidden, past = self._ask(ids[:, None], mask, places[:, None], memory.values)
                return self._logits(hidden), Past(past, mask)
            assert isinstance(self.backbone, Decoder)
            return self._logits(self.backbone.step(ids, places, memory)), memory

    def read(self, ids: Sequence[int]) -> Prefix:
        """Read what several texts begin with, once, for ``behind``. No gradient should be asked of either."""
        if not ids:
            return Prefix(0, None)
        row = torch.tensor([ids], device=next(self.parameters()).device)
        with self._computing(row):
            if isinstance(self.backbone, Decoder):
                _, kept = self.backbone.begin(row, torch.tensor([len(ids)], device=row.device), 0)
                return Prefix(len(ids), kept)
            return Prefix(len(ids), self.backbone(input_ids=row, use_cache=True).past_key_values)

    def behind(self, before: Prefix, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits (batch, vocabulary) behind right-padded texts that all follow the same prefix."""
        with self._computing(ids):
            if isinstance(self.backbone, Decoder):
                if before.kept is None:
                    return self._logits(self.backbone(ids, lengths))
                return self._logits(prefix.behind(self.backbone, before.kept, ids, lengths))
            settings: dict[str, Any] = {"use_cache": False}
            if before.kept is not None:
                kept = copy.deepcopy(before.kept)  # a library's model writes on in what it is given
                kept.batch_repeat_interleave(len(ids))
                settings = {"use_cache": True, "past_key_values": kept}
                settings["attention_mask"] = ids.new_ones(len(ids), before.length + ids.shape[1])
                if self._takes_places:
                    places = torch.arange(before.length, before.length + ids.shape[1], device=ids.device)
                    settings["position_ids"] = places.expand(len(ids), -1)
            hidden = self.backbone(input_ids=ids, **settings).last_hidden_state
            return self._logits(decoder.at(hidden, lengths - 1))

    def _ask(self, ids: Tensor, mask: Tensor, places: Tensor, past: Any) -> tuple[Tensor, Any]:
        """(hidden states of the last tokens (batch, width), what is kept) of a library's model."""
        where = {"position_ids": places} if self._takes_places else {}
        said = self.backbone(input_ids=ids, attention_mask=mask, past_key_values=past, use_cache=True, **where)
        return said.last_hidden_state[:, -1], said.past_key_values

    def _logits(self, hidden: Tensor) -> Tensor:
        if self.output is not None:
            logits: Tensor = self.output(hidden)
        else:
            assert isinstance(self.backbone, Decoder)
            logits = linear(hidden, self.backbone.embed_tokens.weight)
        return logits.float()

    def _computing(self, ids: Tensor) -> AbstractContextManager[Any]:
        return torch.autocast(ids.device.type, self.precision, enabled=self.precision != torch.float32)


def load(directory: Path, computing: Computing | None = None) -> Generator:
    """The base model of a directory without dropout, ready to be trained and to write.

    Remote code is never executed. UserError if the directory holds no decoder with an unembedding.
    """
    computing = computing or Computing()
    network = _load(directory, computing)
    if computing.checkpointing:
        first = torch.zeros(1, dtype=torch.long)
        check_recomputes(network, lambda: network(torch.tensor([[1, 2]]), first, first), directory)
    return network


def _load(directory: Path, computing: Computing) -> Generator:
    shape = decoder.shape_of(decoder.read_config(directory))
    own = shape and computing.adapters is None and (directory / "model.safetensors").is_file()
    if own:
        weights = own_weights(directory)
        if weights[decoder.UNEMBEDDING] is weights[decoder.EMBEDDING]:
            assert shape
            backbone = decoder.with_weights(shape, weights, directory, checkpointing=computing.checkpointing)
            return Generator(backbone, None, computing.precision)
    backbone_, output = from_library(directory, computing, generates=True)
    if computing.adapters is not None:
        output.requires_grad_(False)
    return Generator(backbone_, output, computing.precision)
