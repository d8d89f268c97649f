"""Tokens of a text as they are behind what stands before it.

Tokenizers such as Llama 2's put a space before every text, so that " yes" alone is other tokens than at the end of
"Answer: yes". Tokens of pieces that are joined come from the joined text. Byte-level tokenizers give the same for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from w2s.models.encoding import bare_ids

CUE = ":"  # what stands for any text that ends where an answer begins


def following(tokenizer: Any, before: Sequence[str], texts: Sequence[str]) -> list[list[int]]:
    """Tokens of each text behind the one before it, without special tokens.

    They are what tokens of both have more than those of the first. Where these are no beginning of the former, because
    a token spans the border, they are those behind ``CUE``, so that no space is made up, or else of the text alone.
    """
    if not texts:
        return []
    firsts = list(dict.fromkeys(before))
    known = dict(zip(firsts, bare_ids(tokenizer, firsts), strict=True))
    joined = bare_ids(tokenizer, [first + text for first, text in zip(before, texts, strict=True)])
    found: list[list[int]] = []
    for first, text, ids in zip(before, texts, joined, strict=True):
        length = len(known[first])
        if not first or ids[:length] == known[first]:
            found.append(ids[length if first else 0 :])
        else:
            found += bare_ids(tokenizer, [text]) if first == CUE or _is_closed(tokenizer) else words(tokenizer, [text])
    return found


def words(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Tokens of each text behind any text: of a word that answers, of what stands between two examples."""
    return following(tokenizer, ["" if _is_closed(tokenizer) else CUE] * len(texts), texts)


def _is_closed(tokenizer: Any) -> bool:
    """Whether a tokenizer has a token for each word of a closed vocabulary, which may not hold ``CUE``."""
    return type(getattr(tokenizer, "model", None)).__name__ == "WordLevel"
