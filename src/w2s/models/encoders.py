"""Encoders such as BERT are no base models, although transformers would load them as language models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from w2s.errors import UserError

CAUSAL = ("is_decoder", "causal", "is_encoder_decoder")  # of those that can be either, by their config


def refuse_in(folder: Path, wanted_by: str) -> None:
    """UserError for a model directory with an encoder. A config that cannot be read is for others to report."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception:  # whatever transformers says of it
        return
    refuse(config, folder, wanted_by)


def refuse(config: Any, path: Path, wanted_by: str) -> None:
    """UserError for an encoder's config. path: where the model is."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    is_masked = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if is_masked and not any(getattr(config, name, False) for name in CAUSAL):
        raise UserError(
            f"{wanted_by}: {path} is an encoder ({config.model_type}); a rung is a decoder, such as GPT-2 or Llama"
        )
