"""Texts into token ids, by the tokenizer that a model directory holds.

A tokenizer that is one file (an own rung's) is read by the tokenizers library alone; any other by transformers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from w2s.errors import UserError, first_line
from w2s.models.base import max_length as longest

AT_ONCE = 1000  # texts: what a tokenizer returns takes 100 times the memory of the ids


@cache
def tokenizer_of(directory: Path) -> Any:
    """The tokenizer of a model directory. UserError if there is none."""
    tokenizer = _one_file(directory) or _from_library(directory)
    if not bare_ids(tokenizer, [_known(tokenizer)])[0]:  # what a directory without a tokenizer's files gives
        raise UserError(f"{directory}: no tokenizer (tokenizer.json, or the files of its class)")
    return tokenizer


def size_of(directory: Path) -> int:
    """Tokens of the tokenizer's vocabulary. Those added to it are left out: models may lack those that no text has."""
    tokenizer = tokenizer_of(directory)
    if hasattr(tokenizer, "encode_batch"):
        return int(tokenizer.get_vocab_size(with_added_tokens=False))
    return int(tokenizer.vocab_size)


def _one_file(directory: Path) -> Any:
    """The tokenizer of a directory whose tokenizer.json says all; None for others."""
    from tokenizers import Tokenizer

    path, settings = directory / "tokenizer.json", directory / "tokenizer_config.json"
    try:
        kind = json.loads(settings.read_text(encoding="utf-8"))["tokenizer_class"]
        if kind != "PreTrainedTokenizerFast" or not path.is_file():
            return None
        tokenizer = Tokenizer.from_file(str(path))
    except Exception:  # the library that reads every kind says what is wrong
        return None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _from_library(directory: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{directory}: its tokenizer cannot be loaded ({first_line(error)})") from None
    tokenizer.model_max_length = 10**9  # lengths are cut here, from the other side
    return tokenizer


def _known(tokenizer: Any) -> str:
    """A text that the tokenizer has tokens for: any letter, or of a closed vocabulary its last word."""
    closed = type(getattr(tokenizer, "model", None)).__name__ == "WordLevel"
    return str(tokenizer.id_to_token(tokenizer.get_vocab_size() - 1)) if closed else "a"


def bare_ids(tokenizer: Any, texts: Sequence[str], *, special: bool = False) -> list[list[int]]:
    """Token ids of each text; special: with what the tokenizer puts around it."""
    if hasattr(tokenizer, "encode_batch"):
        return [one.ids for one in tokenizer.encode_batch(list(texts), add_special_tokens=special)]
    return list(tokenizer(list(texts), add_special_tokens=special)["input_ids"])


def encode(directory: Path, texts: Iterable[str], max_length: int) -> list[list[int]]:
    """``encode_each``, all at once: as Python lists, ten times the memory of the ids themselves."""
    return list(encode_each(directory, texts, max_length))


def encode_each(directory: Path, texts: Iterable[str], max_length: int) -> Iterator[list[int]]:
    """Token ids of each text, behind the start token that the tokenizer itself puts there, if any.

    A text longer than ``max_length`` tokens, or than the model takes, loses its beginning: the question and
    its cue stand at the end. No text is ever dropped.
    """
    tokenizer = tokenizer_of(directory)
    start = start_of(tokenizer)
    limit = min(max_length, longest(directory) or max_length)
    room = limit - len(start)
    if room < 1:
        raise UserError(f"training.max_length: {limit} leaves no room for text; allowed: more than {len(start)}")
    remaining = iter(texts)
    while some := list(islice(remaining, AT_ONCE)):
        for text, ids in zip(some, bare_ids(tokenizer, some), strict=True):
            if not ids and not start:
                raise UserError(f"{directory}: its tokenizer returns no tokens for {text[:40]!r}")
            yield start + ids[-room:]


def end_of(directory: Path) -> int:
    """The token that ends a text. UserError for a tokenizer that has none."""
    tokenizer = tokenizer_of(directory)
    end = getattr(tokenizer, "eos_token_id", None)
    if end is None:
        end = tokenizer.get_vocab().get(_end_token(directory))
    if end is None:
        raise UserError(f"{directory}: its tokenizer has no end token, so answers cannot end")
    return int(end)


def _end_token(directory: Path) -> str | None:
    """What a tokenizer's files call its end token; newer ones say it in the first, older ones in the second file."""
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        try:
            named = json.loads((directory / name).read_text(encoding="utf-8")).get("eos_token")
        except (OSError, ValueError, AttributeError):
            continue
        if named:
            return str(named["content"] if isinstance(named, dict) else named)
    return None


def texts_of(tokenizer: Any, several: Sequence[Sequence[int]]) -> list[str]:
    """Token ids back into texts, without special tokens."""
    if hasattr(tokenizer, "encode_batch"):
        return list(tokenizer.decode_batch([list(ids) for ids in several]))
    return [tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False) for ids in several]


def start_of(tokenizer: Any) -> list[int]:
    """What the tokenizer puts before a text. What it would put behind is left out: the cue must stay last."""
    known = [_known(tokenizer)]
    (whole,), (bare,) = bare_ids(tokenizer, known, special=True), bare_ids(tokenizer, known)
    for place in range(len(whole) - len(bare) + 1):
        if whole[place : place + len(bare)] == bare:
            return list(whole[:place])
    return []
