"""A folder of images, with a folder a class inside. Light: the plan lists it to know what it holds."""

from __future__ import annotations

import os
from pathlib import Path

from w2s.engine import hashes
from w2s.engine.sources import CHANGED, readable
from w2s.errors import UserError

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def listed(folder: Path) -> tuple[str, ...]:
    """class/name of every image, by class and name; UserError if there are none.

    The order is that of torchvision's ImageFolder: an image's label is its class's place among the classes' names.
    """
    found = []
    with os.scandir(folder) as classes:
        for one in sorted(classes, key=lambda entry: entry.name):
            if not one.is_dir():
                continue
            with os.scandir(one.path) as images:
                names = sorted(image.name for image in images)
            found += [f"{one.name}/{name}" for name in names if name.lower().endswith(ENDINGS)]
    if not found:
        raise UserError(f"{folder}: no images; expected one folder per class with {', '.join(ENDINGS)} files")
    return tuple(found)


def identity(folder: Path) -> str:
    """A hash of the names and contents of all images."""
    return hashes.of_folder(folder, listed(folder))


def unchanged(folder: Path, planned: str) -> None:
    """UserError unless a folder holds the images that the job's key speaks of."""
    with readable("vision.images"):
        if identity(folder) != planned:
            raise UserError(f"vision.images: {folder} {CHANGED}")
