"""The ``open_model`` stage: an open base model is there, a decoder, and as declared.

A model in a directory or on the hub stays where it is (``w2s.models.base``). A GGUF file is converted, and of a rung
with ``blocks`` the first blocks are taken: then the artifact is the converted model.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from w2s.engine import artifacts
from w2s.engine.sources import unchanged
from w2s.errors import UserError
from w2s.models import base, blocks, encoders, gguf, wheels


def make(build: artifacts.Build, place: Mapping[str, Any]) -> None:
    """Check an open model and record where it is; convert a GGUF file.

    place: its declared ``parameters``; ``directory`` of a local one; ``gguf``, the path of a GGUF file, and the
    ``wheels`` that it comes from, if any.
    """
    source, count = build.identity.spec["source"], build.identity.spec.get("blocks")
    wanted_by = f"rung {build.name.rsplit('-', 1)[0]!r}"
    if "gguf" in source and count is None:
        _convert(build, build.folder, place, wanted_by)
    elif "gguf" in source and count:
        with tempfile.TemporaryDirectory(dir=build.work) as whole:
            _convert(build, Path(whole), place, wanted_by)
            blocks.keep_first(Path(whole), build.folder, count, wanted_by)
    else:
        local = "hub" not in source
        folder = Path(place["directory"]) if local else base.fetch(source["hub"], source["revision"], wanted_by)
        encoders.refuse_in(folder, wanted_by)
        if count is None:
            base.make(build, place)
            return
        if local:
            base.check_content(folder, source["files"], wanted_by)
        base.describe(folder, wanted_by)  # UserError unless the whole model can be loaded
        blocks.keep_first(folder, build.folder, count, wanted_by)
    described = base.describe(build.folder, wanted_by)
    base.check_parameters(described["parameters"], place["parameters"], wanted_by)
    build.measured |= described | {"directory": str(build.folder.with_name(build.name))}
    print(f"{described['architecture']}, {described['parameters']:,} parameters, converted to float32")


def _convert(build: artifacts.Build, out: Path, place: Mapping[str, Any], wanted_by: str) -> None:
    """Write the model of a GGUF file into a directory."""
    path = Path(place["gguf"])
    if "wheels" in place and not path.is_file():
        raise UserError(f"{wanted_by}: {place['wheels']} is not in {wheels.CACHE}; run `w2s fetch [EXPERIMENT]`")
    gguf.check(path, wanted_by)
    unchanged([path], [build.identity.spec["source"]["gguf"]], wanted_by)
    gguf.convert(path, out, wanted_by)
    # gguf_version: of the package that dequantizes
    build.measured |= {"gguf": str(path), "gguf_version": metadata.version("gguf"), "wheels": place.get("wheels")}
