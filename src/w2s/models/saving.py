"""Trained models in the hub's layout: weights in float32 or as trained, config, and the base model's tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from w2s.engine.space import room_for
from w2s.errors import UserError, first_line
from w2s.models import decoder, encoding
from w2s.models.base import TEXT_FILES
from w2s.models.classifier import Classifier
from w2s.models.decoder import WEIGHTS, Decoder
from w2s.models.generator import Generator

NOT_TOKENIZER = ("manifest.json", "generation_config.json", "model.safetensors.index.json", "source.json")
HEAD = "score.weight"  # of transformers' classifiers, whatever the decoder


def language_model(network: Generator, base: Path, folder: Path) -> None:
    """Write a trained model as its library would, with the tokenizer of the base model. Adapters are merged."""
    state = _merged(network.backbone)
    with room_for(folder / WEIGHTS, _size(state)):
        if isinstance(network.backbone, Decoder):
            assert network.output is None, "an own rung's unembedding is its embedding"
            _write({f"{decoder.PREFIX}{name}": value for name, value in state.items()}, folder)
        else:
            _save_library(state, network.output, base, folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    _copy_texts(base, folder)


def classifier(network: Classifier, base: Path, folder: Path) -> None:
    """Write a finetuned classifier for ``AutoModelForSequenceClassification``, in float32.

    The network is changed: adapters are merged. transformers reads the last token that is no padding. Padding is the
    tokenizer's own token, or else its end token.
    """
    model: Any = counterpart(network, base)
    state = {f"{model.base_model_prefix}.{name}": value for name, value in _merged(network.backbone.float()).items()}
    state[HEAD] = network.head.weight.detach().cpu()
    with room_for(folder / WEIGHTS, _size(state)):
        _write(state, folder)
    model.config.architectures, model.config.dtype = [type(model).__name__], "float32"
    model.config.save_pretrained(folder)
    _copy_texts(base, folder)


def counterpart(network: Classifier, base: Path) -> nn.Module:
    """The classifier of transformers that has a network's weights, as tensors without content.

    UserError if transformers has none.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification

    refused = f"{base}: transformers has no classifier with this model's weights; set execution.keep_weights: never"
    config: Any = AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False, num_labels=2)
    padding = getattr(encoding.tokenizer_of(base), "pad_token_id", None)
    try:
        config.pad_token_id = encoding.end_of(base) if padding is None else padding
        with torch.device("meta"):
            model: Any = AutoModelForSequenceClassification.from_config(config, trust_remote_code=False)
    except (UserError, ValueError, AssertionError) as error:
        raise UserError(f"{refused} ({first_line(error)})") from None
    names = {f"{model.base_model_prefix}.{name}" for name in map(_own_name, network.backbone.state_dict()) if name}
    if apart := sorted((names | {HEAD}) ^ set(model.state_dict())):
        raise UserError(f"{refused} ({apart[0]})")
    return model  # type: ignore[no-any-return]


def _merged(backbone: nn.Module) -> dict[str, Tensor]:
    """The weights on the CPU, low-rank adapters merged into those that they adapt."""
    for module in backbone.modules():
        merge: Any = getattr(module, "merge", None)
        if merge is not None and hasattr(module, "lora_A"):
            merge()
    state = ((_own_name(name), value) for name, value in backbone.state_dict().items())
    return {name: value.cpu().contiguous() for name, value in state if name}


def _own_name(name: str) -> str | None:
    """What a weight is called in a model without adapters; None for the adapters themselves."""
    return None if "lora_" in name else name.replace("base_layer.", "")


def _size(state: Mapping[str, Tensor]) -> int:
    return sum(value.nbytes for value in state.values())


def _write(state: Mapping[str, Tensor], folder: Path) -> None:
    from safetensors.torch import save_file

    save_file(dict(state), folder / WEIGHTS, metadata={"format": "pt"})


def _save_library(state: Mapping[str, Tensor], output: nn.Module | None, base: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    model: Any = AutoModelForCausalLM.from_pretrained(
        base, local_files_only=True, trust_remote_code=False, dtype=torch.float32
    )  # float32 as in training, whatever the base model's files hold
    model.base_model.load_state_dict(state)
    if output is not None:
        model.get_output_embeddings().load_state_dict(output.state_dict())
    model.save_pretrained(folder)


def _copy_texts(base: Path, folder: Path) -> None:
    """Copy the tokenizer's files, and what else is text and not there yet."""
    for pattern in TEXT_FILES:
        for path in base.glob(pattern):
            if path.is_file() and not (folder / path.name).exists() and path.name not in NOT_TOKENIZER:
                (folder / path.name).write_bytes(path.read_bytes())
