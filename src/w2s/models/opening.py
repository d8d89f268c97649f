"""The ``open_model`` stage: an open base model is there, a decoder, and as declared.

A model in a directory or on the hub stays where it is (``w2s.models.base``). A GGUF file is converted, and the artifact
is the converted model.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.models import base, encoders, gguf, wheels


def make(build: artifacts.Build, place: Mapping[str, Any]) -> None:
    """Check an open model and record where it is; convert a GGUF file.

    place: its declared ``parameters``; ``directory`` of a local one; ``gguf``, the path of a GGUF file, and the
    ``wheels`` that it comes from, if any.
    """
    source = build.identity.spec["source"]
    out = build.folder.with_name(build.name)
    wanted_by = f"rung {out.name.rsplit('-', 1)[0]!r}"
    if "gguf" in source:
        _convert(build, place, out, wanted_by)
        return
    local = "hub" not in source
    folder = Path(place["directory"]) if local else base.fetch(source["hub"], source["revision"], wanted_by)
    encoders.refuse_in(folder, wanted_by)
    base.make(build, place)


def _convert(build: artifacts.Build, place: Mapping[str, Any], out: Path, wanted_by: str) -> None:
    path = Path(place["gguf"])
    if "wheels" in place and not path.is_file():
        raise UserError(f"{wanted_by}: {place['wheels']} is not in {wheels.CACHE}; run `w2s fetch [EXPERIMENT]`")
    gguf.check(path, wanted_by)
    if artifacts.sha256(path) != build.identity.spec["source"]["gguf"]:
        raise UserError(f"{wanted_by}: {path} has changed since this job was planned; run the same command again")
    gguf.convert(path, build.folder, wanted_by)
    described = base.describe(build.folder, wanted_by)
    base.check_parameters(described["parameters"], place["parameters"], wanted_by)
    build.measured |= described | {
        "directory": str(out),
        "gguf": str(path),
        "gguf_version": metadata.version("gguf"),  # of the package that dequantizes
        "wheels": place.get("wheels"),
    }
    print(f"{path}: {described['architecture']}, {described['parameters']:,} parameters, converted to float32")
