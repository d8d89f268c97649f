"""What a tokenizer's files say is found wherever they say it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from w2s.errors import UserError
from w2s.models import base, encoding
from w2s.models.tokenizer import END, train_tokenizer


def directory(folder: Path, **files: Any) -> Path:
    """A model directory with a tokenizer. files: name without .json -> content."""
    train_tokenizer(["a text of some words"], 280).save(str(folder / "tokenizer.json"))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("kind", ["PreTrainedTokenizerFast", "GPT2Tokenizer"])
@pytest.mark.parametrize("named", [END, {"content": END, "lstrip": False, "special": True}])
def test_the_end_token_may_be_in_special_tokens_map_alone(kind: str, named: Any, tmp_path: Path) -> None:
    config, special = {"tokenizer_class": kind}, {"eos_token": named}
    found = directory(tmp_path, tokenizer_config=config, special_tokens_map=special, config={"model_type": "llama"})
    assert encoding.end_of(found) == 0


def test_a_tokenizer_with_more_tokens_than_its_model_is_refused_with_both_sizes(
    models: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models["llama"], folder)
    rows = json.loads((folder / "config.json").read_text())["vocab_size"]
    base.describe(models["llama"], "rung 'a'")
    tokenizer = Tokenizer(
        WordLevel({"a": 0} | {f"word{number}": number for number in range(1, rows + 9)}, unk_token="a")
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    said = rf"rung 'a': the tokenizer of .* has {rows + 9:,} tokens, its model an embedding of {rows:,}$"
    with pytest.raises(UserError, match=said):
        base.describe(folder, "rung 'a'")


def test_a_tokenizer_without_an_end_token_is_one_line(tmp_path: Path) -> None:
    found = directory(tmp_path, tokenizer_config={"tokenizer_class": "PreTrainedTokenizerFast"})
    with pytest.raises(UserError, match=r"its tokenizer has no end token, so answers cannot end$"):
        encoding.end_of(found)
