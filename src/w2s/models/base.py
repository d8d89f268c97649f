"""Open base models: present, whole and as declared. A small record stands for them under results/models.

Weights stay where they are (the hub's cache or the user's directory): a run finds them through the record, so
nothing of many gigabytes is copied or hashed again and again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from w2s.engine import artifacts, hub
from w2s.engine.sources import unchanged
from w2s.errors import UserError, first_line

TEXT_FILES = ("*.json", "*.txt", "*.model", "*.jinja")  # config, tokenizer, index of shards
WEIGHTS = ("*.safetensors", "*.bin")  # the first kind that a repository has
NOT_WEIGHTS = ("training_args.bin",)
TOLERANCE = 0.01  # of declared parameters
LIMITS = ("max_position_embeddings", "n_positions", "max_seq_len")  # how architectures call the tokens they take
SWITCHING = {"longrope", "su"}  # rotary positions with other angles for long texts, by their names in configs


def fetch(repository: str, revision: str, wanted_by: str) -> Path:
    """The snapshot of a hub model: its texts, and its weights as safetensors (as .bin where there are none)."""
    for pattern in WEIGHTS:
        folder = hub.snapshot(repository, "model", revision, [pattern, *TEXT_FILES], wanted_by=wanted_by)
        if _weights(folder):
            return folder
    raise UserError(f"{wanted_by}: {repository!r} at {revision} has no weights ({', '.join(WEIGHTS)})")


def _weights(folder: Path) -> list[Path]:
    for pattern in WEIGHTS:
        found = [path for path in sorted(folder.glob(pattern)) if path.name not in NOT_WEIGHTS]
        if found:
            return found
    return []


def make(build: artifacts.Build, place: Mapping[str, Any]) -> None:
    """Check an open model and record where it is. place: its declared ``parameters``; ``directory`` of a local one."""
    spec = build.identity.spec
    name = build.name.rsplit("-", 1)[0]
    source = spec["source"]
    wanted_by = f"rung {name!r}"
    if "hub" in source:
        folder = fetch(source["hub"], source["revision"], wanted_by)
    else:
        folder = Path(place["directory"]).resolve()
        check_content(folder, source["files"], wanted_by)
    described = describe(folder, wanted_by)
    check_parameters(described["parameters"], place["parameters"], wanted_by)
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    build.measured |= described | {
        "directory": str(folder),
        "commit": folder.name if "hub" in source else None,
        "files": {path.name: path.stat().st_size for path in files},
    }
    longest = described["max_length"] or "any number of"
    print(f"{folder}: {described['architecture']}, {described['parameters']:,} parameters, {longest} tokens at most")


def check_parameters(found: int, declared: int, wanted_by: str) -> None:
    """UserError if a model has not about as many parameters as its ladder says: its compute would be wrong."""
    if abs(found - declared) > TOLERANCE * declared:
        raise UserError(f"{wanted_by}: the model has {found:,} parameters, the ladder {declared:,}; correct the ladder")


def describe(folder: Path, wanted_by: str) -> dict[str, Any]:
    """Architecture, parameters (a tied embedding once) and longest text of a model directory, without its weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from w2s.models import encoding

    files = _weights(folder)
    if not files:
        raise UserError(f"{wanted_by}: {folder} has no weights ({', '.join(WEIGHTS)})")
    for path in files:
        if path.suffix == ".bin":
            _check_pickle(path, wanted_by)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except Exception as error:  # whatever libraries say of a config that is not what it should be
        raise UserError(f"{wanted_by}: {folder} is not a decoder that can be loaded ({first_line(error)})") from None
    tokens, rows = encoding.size_of(folder), model.get_input_embeddings().weight.shape[0]
    if tokens > rows:
        raise UserError(
            f"{wanted_by}: the tokenizer of {folder} has {tokens:,} tokens, its model an embedding of {rows:,}"
        )
    return {
        "architecture": type(model).__name__,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "max_length": max_length(folder),
    }


def _check_pickle(path: Path, wanted_by: str) -> None:
    """UserError unless a file of the older kind holds tensors alone: nothing in it may be run."""
    import pickle

    import torch

    try:
        try:
            torch.load(path, map_location="meta", weights_only=True, mmap=True)
        except RuntimeError:  # older still, and not to be mapped into memory
            torch.load(path, map_location="meta", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise UserError(
            f"{wanted_by}: {path} is not a file of weights alone, and is not opened "
            f"({first_line(error).split('. ')[0]}); use a revision with safetensors"
        ) from None


def save(model: Any, tokenizer: Any, loaded: Mapping[str, Any], out: Path, where: str) -> None:
    """Write a loaded model and its tokenizer as a base model. loaded: what transformers says of loading it.

    UserError for weights that its files lack: transformers has filled them with random numbers.
    """
    if absent := sorted(loaded["missing_keys"]):
        raise UserError(f"{where} lacks {len(absent)} weights, first {absent[0]}")
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def max_length(folder: Path) -> int | None:
    """Tokens that the model takes at most, from its config; None where it sets no limit.

    With the rotary positions of Phi-3's long versions ("longrope"), what it was pretrained on: beyond that, angles of
    all texts of a batch depend on its longest.
    """
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    ropes = [config[name] for name in ("rope_parameters", "rope_scaling") if isinstance(config.get(name), dict)]
    ropes += [inner for rope in ropes for inner in rope.values() if isinstance(inner, dict)]  # by type of layer
    switching = [one for one in ropes if {one.get("rope_type"), one.get("type")} & SWITCHING]
    original = "original_max_position_embeddings"
    limits = [config.get(name) for name in LIMITS]
    limits += [one.get(original) or config.get(original) for one in switching]
    return min((int(limit) for limit in limits if limit), default=None)


def directory_of(artifact: Path) -> Path:
    """Where a base model's files are: in its artifact, or where an open model's record says."""
    record = artifacts.read(artifact)
    if record["stage"] != "open" or "blocks" in record["spec"]:
        return artifact
    source = record["spec"]["source"]
    folder = Path(record["measured"]["directory"])
    if not (folder / "config.json").is_file():  # results were copied, or the cache was moved
        if "hub" not in source:
            raise UserError(f"{artifact}: its base model is no longer at {folder}; delete {artifact} and run again")
        folder = fetch(source["hub"], source["revision"], str(artifact))
    if "files" in source:
        check_content(folder, source["files"], str(artifact))
    return folder


def check_content(folder: Path, digests: Mapping[str, str], where: str) -> None:
    """UserError unless a local model's files are those that its key speaks of (name -> sha256)."""
    unchanged([folder / name for name in digests], list(digests.values()), where)
