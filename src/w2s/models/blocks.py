"""The first blocks of an open model as a rung of its own: cheaper and weaker, from the same pretraining."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from w2s.errors import UserError
from w2s.models import base

LAYER_TYPES = "layer_types"  # a list with an entry per block, in configs of models that mix kinds of attention


def keep_first(folder: Path, out: Path, count: int, wanted_by: str) -> None:
    """Write the model of a directory into another one, in float32, without the blocks after the first ``count``.

    The last norm and the unembedding stay and are applied after the last block that is left. UserError if the model has
    no more blocks than that.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()  # transformers would list all weights that are left out
    logging.disable_progress_bar()
    config: Any = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    there = config.num_hidden_layers
    if count >= there:
        raise UserError(f"{wanted_by}: blocks: {count} of {there}; it should be fewer, or null for the whole model")
    config.num_hidden_layers = count
    if getattr(config, LAYER_TYPES, None):
        config.layer_types = config.layer_types[:count]
    model, loaded = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, trust_remote_code=False, output_loading_info=True
    )
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    base.save(model, tokenizer, loaded, out, f"{wanted_by}: {folder}")
