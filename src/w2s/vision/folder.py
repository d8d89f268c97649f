"""A folder of images, with a folder a class inside. Light: the plan lists it to know what it holds."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from w2s.errors import UserError

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


@cache
def listed(folder: Path) -> tuple[tuple[str, int], ...]:
    """(class/name, bytes) of every image, by class and name; UserError if there are none.

    The order is that of torchvision's ImageFolder: an image's label is its class's place among the classes' names.
    """
    found = []
    with os.scandir(folder) as classes:
        for one in sorted(classes, key=lambda entry: entry.name):
            if not one.is_dir():
                continue
            with os.scandir(one.path) as images:
                for image in sorted(images, key=lambda entry: entry.name):
                    if image.name.lower().endswith(ENDINGS):
                        found.append((f"{one.name}/{image.name}", image.stat().st_size))
    if not found:
        raise UserError(f"{folder}: no images; expected one folder per class with {', '.join(ENDINGS)} files")
    return tuple(found)


def identity(folder: Path) -> str:
    """A hash of names and sizes: tens of thousands of images are too much to read for a plan."""
    total = hashlib.sha256()
    for name, size in listed(folder):
        total.update(f"{name}\0{size}\n".encode())
    return total.hexdigest()
