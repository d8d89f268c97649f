"""Where images and published networks lie outside of results/, and what identifies them."""

from __future__ import annotations

from pathlib import Path

from w2s.engine import hashes
from w2s.engine.sources import Source, contents, readable
from w2s.errors import UserError
from w2s.vision import folder
from w2s.vision.config import Images, Published

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")  # of a folder, the first that is there


def images(choice: Images) -> Source:
    """Labelled images: digits, on the hub by commit, in files or a folder by content."""
    if choice.source == "digits":
        return Source({"digits": {"pretraining": choice.pretraining, "seed": choice.seed}}, {})
    if choice.source == "hub":
        return Source({"hub": choice.hub, "revision": choice.revision, "files": choice.files}, {})
    key = "vision.images.paths"
    root = Path(choice.paths[0]).expanduser()
    if len(choice.paths) == 1 and root.is_dir():
        with readable(key):
            return Source({"folder": folder.identity(root)}, {"images": [str(root)]})
    content, files = contents(key, choice.paths)
    for file in files:
        if not file.endswith(".parquet"):
            raise UserError(f"{key}: {file!r} is neither a .parquet file nor a folder with one subfolder per class")
    return Source({"files": content}, {"images": files})


def network(choice: Published, name: str) -> Source:
    """Weights: on the hub by commit, on the web by address, in a file by content.

    name: the rung's, for messages.
    """
    if choice.is_address:
        return Source({"address": choice.weights}, {})
    if not choice.is_local:
        return Source({"hub": choice.weights, "revision": choice.revision}, {})
    path = Path(choice.weights).expanduser()
    if path.is_dir():
        path = _file_in(path, name)
    if not path.is_file():
        raise UserError(
            f"rung {name!r}: no file {str(path)!r}; weights should be a file, a folder, an https address or a hub id"
        )
    with readable(f"rung {name!r}"):
        return Source({"file": hashes.of_files([path])[0]}, {"weights": str(path)})


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
