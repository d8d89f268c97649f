"""A base model with a two-way head, as the paper finetunes it (Appendix A.1)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from w2s.errors import UserError


class Classifier(nn.Module):
    """A decoder whose unembedding is replaced by a linear head with two outputs.

    The head reads the hidden state of the last token, found from the lengths, and starts as the unembedding
    rows of the two answers (label 0, label 1).
    """

    def __init__(self, backbone: nn.Module, rows: Tensor) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(rows.shape[1], 2, bias=False)
        with torch.no_grad():
            self.head.weight.copy_(rows)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """ids: (batch, longest) right-padded; lengths: (batch,). Returns logits (batch, 2), float32.

        Attention is causal, so what pads a text on its right cannot reach its last token.
        """
        hidden = self.backbone(input_ids=ids, use_cache=False).last_hidden_state
        last = hidden[torch.arange(len(ids), device=ids.device), lengths - 1]
        logits: Tensor = self.head(last)
        return logits.float()


def load(directory: Path, answers: Sequence[str]) -> Classifier:
    """The base model of a directory in float32, without dropout, its head set for these answers."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(directory, local_files_only=True, dtype=torch.float32)
    unembedding = model.get_output_embeddings().weight.detach()
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    rows = torch.stack([_answer_row(unembedding, tokenizer, answer) for answer in answers])
    classifier = Classifier(model.base_model, rows)
    for module in classifier.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return classifier


def _answer_row(unembedding: Tensor, tokenizer: Tokenizer, answer: str) -> Tensor:
    """The unembedding row of an answer; the mean of several if the tokenizer splits it."""
    ids = tokenizer.encode(answer, add_special_tokens=False).ids
    if not ids:
        raise UserError(f"answer {answer!r} has no tokens")
    return unembedding[ids].mean(0)


def encode(directory: Path, texts: Sequence[str], max_length: int) -> list[list[int]]:
    """Token ids of each text, with the tokenizer's own start token if it has one.

    A text longer than ``max_length`` tokens loses its beginning: the question and its cue stand at the end.
    """
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    start = tokenizer.encode("").ids
    room = max_length - len(start)
    if room < 1:
        raise UserError(f"training.max_length: {max_length} leaves no room for text; allowed: more than {len(start)}")
    encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    return [start + one.ids[-room:] for one in encoded]
