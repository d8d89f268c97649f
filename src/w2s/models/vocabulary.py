"""Train only the rows of an embedding that a run's texts use.

A row that no text uses has no gradient, so without weight decay AdamW leaves it as it is. For large vocabularies the
gradient and the optimiser's state of these rows are most of a step's memory traffic: Gemma 3 270M has 168 million
parameters in its embedding, of which a task uses some 2%.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

LEAST = 2**22  # unused weights from which on it pays


def keep_used_rows(network: nn.Module, used: Tensor) -> Callable[[], None]:
    """Cut a network's input embedding down to the rows of some token ids; returns a function that undoes it.

    used: (n,) token ids, all that the network will read. Ids stay as they are in the texts. Padding (id 0) is kept.
    Nothing is done where little is saved, or if the embedding is frozen or is the unembedding as well.
    """
    backbone = getattr(network, "backbone", network)
    embedding = _input_embedding(backbone)
    if embedding is None or not embedding.weight.requires_grad:
        return _nothing
    kept = torch.unique(torch.cat([used.cpu().long(), torch.zeros(1, dtype=torch.long)]))
    full = embedding.weight.detach()
    if (len(full) - len(kept)) * full.shape[1] < LEAST or _shared(network, embedding):
        return _nothing
    row = torch.zeros(len(full), dtype=torch.long)
    row[kept] = torch.arange(len(kept))
    kept, row, padding = kept.to(full.device), row.to(full.device), embedding.padding_idx
    embedding.weight = nn.Parameter(full[kept])
    # The library gives no gradient to this row, wherever it lies now.
    embedding.padding_idx = int(row[padding]) if padding is not None and bool((kept == padding).any()) else None

    def renumber(_: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        return (row[arguments[0]], *arguments[1:])

    hook = embedding.register_forward_pre_hook(renumber)

    def undo() -> None:
        hook.remove()
        full[kept] = embedding.weight.detach()
        embedding.weight, embedding.padding_idx = nn.Parameter(full), padding

    return undo


def _nothing() -> None:
    pass


def _input_embedding(backbone: nn.Module) -> nn.Embedding | None:
    """The embedding of token ids; None where it cannot be told."""
    ask: Any = getattr(backbone, "get_input_embeddings", None)
    found = ask() if ask else getattr(backbone, "embed_tokens", None)
    return found if isinstance(found, nn.Embedding) else None


def _shared(network: nn.Module, embedding: nn.Embedding) -> bool:
    """Whether another module holds the same weight."""
    owners = [module for module in network.modules() if getattr(module, "weight", None) is embedding.weight]
    return len(owners) != 1
