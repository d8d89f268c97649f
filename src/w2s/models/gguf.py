"""GGUF files as base models: found and identified by the plan, converted once by the ``open_model`` stage.

Light: the gguf package (an extra of this one), torch and transformers are imported for the conversion alone.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from importlib.util import find_spec
from pathlib import Path

from w2s.engine import streams
from w2s.errors import UserError, first_line, located
from w2s.models import base, encoders

SUFFIX = ".gguf"
MAGIC = b"GGUF"


def find(source: Path, wanted_by: str) -> Path | None:
    """The GGUF file that a local source is or contains; None for a directory without one.

    UserError for a file that is missing or of another format, and for a directory with several.
    """
    if source.suffix == SUFFIX and not source.is_dir():
        check(source, wanted_by)
        return source
    found = sorted(path for path in source.glob(f"*{SUFFIX}") if path.is_file())
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(f"{wanted_by}: {str(source)!r} contains several GGUF files; name one of them: {names}")
    for path in found:
        check(path, wanted_by)
    return found[0] if found else None


def check(path: Path, wanted_by: str) -> None:
    """UserError unless a file is there and starts as GGUF files do."""
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise UserError(f"{wanted_by}: {path} cannot be read ({error.strerror})") from None
    if start != MAGIC:
        with located(wanted_by):
            streams.refuse_pointer(path)
        raise UserError(f"{wanted_by}: {path} is not a GGUF file (it does not start with {MAGIC.decode()})")


def convert(path: Path, out: Path, wanted_by: str) -> None:
    """Write the model and tokenizer of a GGUF file into a directory as ``save_pretrained`` does, in float32.

    Float32 holds dequantized weights exactly. UserError without the gguf package, and for a file that is damaged,
    incomplete, not a decoder's, or of an architecture that transformers does not read from GGUF files.
    """
    if find_spec("gguf") is None:
        raise UserError(f"{wanted_by}: {path} needs the gguf package: pip install -c constraints.txt -e '.[gguf]'")
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()  # what is wrong is said below, in one line
    logging.disable_progress_bar()
    try:
        with tempfile.TemporaryDirectory() as alone:  # transformers would also read a tokenizer's files beside it
            (Path(alone) / path.name).symlink_to(path.resolve())
            place = {"pretrained_model_name_or_path": alone, "gguf_file": path.name, "trust_remote_code": False}
            config = AutoConfig.from_pretrained(**place)
            encoders.refuse(config, path, wanted_by)
            tokenizer = AutoTokenizer.from_pretrained(**place)
            with contextlib.redirect_stderr(io.StringIO()):  # a progress bar that no setting turns off
                model, loaded = AutoModelForCausalLM.from_pretrained(
                    **place, config=config, dtype=torch.float32, output_loading_info=True
                )
    except (UserError, MemoryError):
        raise
    except Exception as error:  # whatever libraries say of a file that is not what it should be
        raise UserError(
            f"{wanted_by}: {path} cannot be converted ({first_line(error)}): it is damaged or incomplete, or "
            "transformers does not read its architecture from GGUF files"
        ) from None
    model.hf_quantizer = None  # its weights are plain tensors now
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    base.save(model, tokenizer, loaded, out, f"{wanted_by}: {path}")
