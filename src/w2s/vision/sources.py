"""Where images and published networks lie outside of results/, and what identifies them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from w2s.engine import hashes
from w2s.engine.sources import Source, Sources, at, contents, readable
from w2s.errors import UserError, located
from w2s.models.base import WEIGHTS
from w2s.vision import folder
from w2s.vision.config import TRANSFORMERS, Images, Published

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")  # of a folder, the first that is there
LAYOUT = ("config.json", "preprocessor_config.json")  # what a folder of transformers' image models has beside weights
LAYOUT_SAID = f"{', '.join(LAYOUT)} and {' or '.join(WEIGHTS)}"


def images(choice: Images, root: Path) -> Source:
    """Labelled images: digits, on the hub by commit, in files or a folder by content. root: the project's folder."""
    if choice.source == "digits":
        return Source({"digits": {"pretraining": choice.pretraining, "seed": choice.seed}}, {})
    if choice.source == "hub":
        return Source({"hub": choice.hub, "revision": choice.revision, "files": choice.files}, {})
    key = "vision.images.paths"
    place = at(choice.paths[0], root)
    if len(choice.paths) == 1 and place.is_dir():
        with readable(key):
            return Source({"folder": folder.identity(place)}, {"images": [str(place)]})
    content, files = contents(key, choice.paths, root)
    for file in files:
        if not file.endswith(".parquet"):
            raise UserError(f"{key}: {file!r} is neither a .parquet file nor a folder with one subfolder per class")
    return Source({"files": content}, {"images": files})


def network(choice: Published, name: str, sources: Sources) -> Source:
    """A published network. identity: what a features spec says of it; name: the rung's, for messages."""
    found = Source({}, {})
    if choice.weights is not None:
        found = _weights(choice, choice.weights, name, sources.root)
    identity: dict[str, Any] = {"architecture": choice.architecture, "weights": dict(found.identity)}
    if not choice.is_own:
        return Source(identity, found.location)
    with located(f"rung {name!r}"):
        code = sources.code(choice.architecture)
    return Source(identity | {"code": code.identity["code"]}, {**found.location, **code.location})


def _weights(choice: Published, weights: str, name: str, root: Path) -> Source:
    """Weights: on the hub by commit, on the web by address, in files by content."""
    if choice.is_address:
        return Source({"address": weights}, {})
    if not choice.is_local:
        return Source({"hub": weights, "revision": choice.revision}, {})
    path = at(weights, root)
    if choice.architecture == TRANSFORMERS:
        return _in_layout(path, name)
    if path.is_dir():
        path = _file_in(path, name)
    if not path.is_file():
        raise UserError(
            f"rung {name!r}: no file {str(path)!r}; weights should be a file, a folder, an https address or a hub id"
        )
    with readable(f"rung {name!r}"):
        return Source({"file": hashes.of_files([path])[0]}, {"weights": str(path)})


def _in_layout(directory: Path, name: str) -> Source:
    """A folder as ``save_pretrained`` of an image model and its image processor leave it."""
    weights = next((found for pattern in WEIGHTS if (found := sorted(directory.glob(pattern)))), [])
    for file in LAYOUT:
        if not (directory / file).is_file():
            raise UserError(f"rung {name!r}: no file {str(directory / file)!r}; transformers' layout has {LAYOUT_SAID}")
    if not weights:
        raise UserError(f"rung {name!r}: no weights in {str(directory)!r}; transformers' layout has {LAYOUT_SAID}")
    files = [*(directory / file for file in LAYOUT), *sorted(directory.glob("*.index.json")), *weights]
    with readable(f"rung {name!r}"):
        digests = dict(zip([path.name for path in files], hashes.of_files(files), strict=True))
    return Source({"files": digests}, {"weights": str(directory)})


def _file_in(directory: Path, name: str) -> Path:
    """The one file of weights in a folder."""
    named = [directory / file for file in WEIGHT_FILES if (directory / file).is_file()]
    if named:
        return named[0]
    there = [path for path in sorted(directory.iterdir()) if path.suffix in (".pth", ".pt", ".safetensors")]
    if len(there) != 1:
        what = "no file of weights" if not there else f"{len(there)} files of weights; name one of them"
        raise UserError(f"rung {name!r}: {str(directory)!r} holds {what}")
    return there[0]
