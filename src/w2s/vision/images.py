"""The images stage: an index of labelled images; and the images themselves, read when a network sees them.

Digits are small enough to lie in the index. Of all others it says where they are, and nothing is copied.
"""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from w2s.engine import artifacts
from w2s.engine.rows import hub_files, whole
from w2s.engine.sources import unchanged
from w2s.errors import UserError, first_line
from w2s.vision import folder

if TYPE_CHECKING:
    from PIL.Image import Image

PRETRAINING, EVALUATION = "pretraining", "evaluation"
WHERE = "vision.images"
DIGITS = 16  # the largest value of a pixel of scikit-learn's digits
READERS = 8  # threads that decode at most

Pixels = np.ndarray[Any, np.dtype[Any]]  # ([n], channels, height, width), of bytes or as a network takes them


@dataclass(frozen=True)
class Index:
    """Images in order. pixels: (n, 1, 8, 8) of digits, None of others, which are read by ``names``."""

    ids: list[str]
    parts: list[str]
    labels: list[int]
    names: list[str]
    pixels: Pixels | None

    def __len__(self) -> int:
        return len(self.ids)


def make(build: artifacts.Build, environment: Mapping[str, Any]) -> None:
    """Write ``index.parquet``: id, part, label, and pixels or the name in its folder. environment: ``images``."""
    place, aside = build.identity.spec["images"], build.identity.spec.get("pretraining")
    check(place, environment)
    if "digits" in place:
        columns = _digits(**place["digits"])
    elif "folder" in place:
        columns = _of_folder(Path(environment["images"][0]))
    else:
        columns = _of_tables(tables(place, environment))
    if aside is not None:
        columns["part"] = _parts(len(columns["id"]), aside["images"], aside["seed"])
    artifacts.write_table(build.folder / "index.parquet", columns)
    parts, labels = Counter(columns["part"]), columns["label"]
    if min(labels) < 0:
        raise UserError(f"images: {columns['id'][labels.index(min(labels))]} has no label (it says {min(labels)})")
    build.measured |= {"classes": max(labels) + 1, "counts": dict(parts)}
    print(f"{len(labels):,} images of {len(set(labels))} classes: {dict(parts)}")


def check(place: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
    """UserError unless files and folders of images have the content that the key speaks of."""
    if "folder" in place:
        folder.unchanged(Path(environment["images"][0]), place["folder"])
    elif "hub" not in place and "digits" not in place:
        unchanged(environment["images"], place["files"], WHERE)


def _digits(pretraining: int, seed: int) -> dict[str, list[Any]]:
    """scikit-learn's 1,797 digits, so many of them to be pretrained on."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    count = len(digits.target)
    return {
        "id": [f"digit-{number:04}" for number in range(count)],
        "part": _parts(count, pretraining, seed),
        "label": digits.target.tolist(),
        "pixels": digits.images.astype(np.uint8).reshape(count, -1).tolist(),
    }


def _parts(count: int, pretraining: int, seed: int) -> list[str]:
    """The part of each image: so many, drawn with the seed, are set aside. UserError if that leaves none."""
    if pretraining >= count:
        raise UserError(f"vision.images.pretraining: {pretraining} leaves none of the {count} images; use fewer")
    chosen = set(np.random.default_rng(seed).permutation(count)[:pretraining].tolist())
    return [PRETRAINING if number in chosen else EVALUATION for number in range(count)]


def _of_folder(root: Path) -> dict[str, list[Any]]:
    names = list(folder.listed(root))
    classes = {name: number for number, name in enumerate(sorted({name.split("/")[0] for name in names}))}
    labels = [classes[name.split("/")[0]] for name in names]
    return {"id": names, "part": [EVALUATION] * len(names), "label": labels, "name": names}


def tables(place: Mapping[str, Any], environment: Mapping[str, Any]) -> list[Path]:
    """The parquet files that a spec speaks of, from the hub where they are there."""
    if "hub" not in place:
        return [Path(path) for path in environment["images"]]
    return hub_files(place, WHERE)[0]


def _of_tables(paths: Sequence[Path]) -> dict[str, list[Any]]:
    """Columns image (bytes and path, as the hub's image data sets have them) and label of parquet files.

    Read by pyarrow, which can leave the images' bytes where they are; the row reader takes whole columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, list[Any]] = {"id": [], "part": [], "label": [], "name": []}
    for number, path in enumerate(paths):
        try:
            with pq.ParquetFile(path) as file:
                table = file.read(columns=["label", "image.path"])
            labels, names = table["label"].to_pylist(), [one["path"] for one in table["image"].to_pylist()]
        except (OSError, KeyError, TypeError, pa.ArrowException) as error:
            reason = first_line(error)
            raise UserError(f"{path}: no parquet file with columns image (bytes, path) and label ({reason})") from None
        columns["label"] += [_class(label, f"{path}: row {row}") for row, label in enumerate(labels)]
        columns["id"] += [name or f"{number}-{row}" for row, name in enumerate(names)]
        columns["name"] += [f"{number}-{row}" for row in range(len(names))]
    if len(set(columns["id"])) < len(columns["id"]):
        columns["id"] = list(columns["name"])
    columns["part"] = [EVALUATION] * len(columns["id"])
    if not columns["id"]:
        raise UserError("vision.images: the files have no rows")
    return columns


def _class(label: object, where: str) -> int:
    """A class's number; -1 for a missing one. UserError for a label that is no whole number."""
    found = whole(label)
    if found is None:
        return -1
    if not isinstance(found, int):
        raise UserError(f"{where}: label {label!r} is not allowed; allowed: the number of a class, from 0")
    return int(found)


# -- reading -----------------------------------------------------------------------------------------------


def read_index(images: Path, part: str | None = EVALUATION) -> Index:
    """One part of the images stage's table; None: all images."""
    table = artifacts.read_table(images / "index.parquet").to_pydict()
    chosen = [number for number, name in enumerate(table["part"]) if part in (None, name)]

    def column(name: str) -> list[Any]:
        return [table[name][number] for number in chosen] if name in table else []

    pixels = np.array(column("pixels"), dtype=np.uint8).reshape(-1, 1, 8, 8) if "pixels" in table else None
    return Index(column("id"), column("part"), column("label"), column("name"), pixels)


def chunks(
    index: Index,
    place: Mapping[str, Any],
    environment: Mapping[str, Any],
    prepare: Callable[[Image], Pixels] | None,
    size: int,
    first: int = 0,
) -> Iterator[Pixels]:
    """All images in order, so many at once, from chunk ``first`` on. prepare: None for the pixels of digits.

    The next chunk is decoded, by several threads, while the caller works on this one. UserError for what is no image,
    and for images that are of several sizes when prepared.
    """
    if prepare is None:
        assert index.pixels is not None
        for start in range(first * size, len(index), size):
            yield index.pixels[start : start + size]
        return
    named = zip(index.ids[first * size :], _encoded(index, place, environment, first * size), strict=True)

    def read(one: tuple[str, bytes | Path | Pixels]) -> Pixels:
        return _prepared(prepare, decoded(one[1], one[0]), one[0])

    with ThreadPoolExecutor(min(READERS, os.cpu_count() or 1)) as readers:
        ahead = [readers.submit(read, one) for one in islice(named, size)]
        while ahead:
            chunk, ahead = ahead, [readers.submit(read, one) for one in islice(named, size)]
            yield _stacked([one.result() for one in chunk])


def _prepared(prepare: Callable[[Image], Pixels], image: Image, name: str) -> Pixels:
    """Bytes, or float32. UserError where the preprocessing, which may be a user's own, fails."""
    try:
        found = np.asarray(prepare(image))
        return found if found.dtype == np.uint8 else found.astype(np.float32, copy=False)
    except Exception as error:
        raise UserError(f"image {name}: cannot be prepared ({type(error).__name__}: {first_line(error)})") from None


def _stacked(images: Sequence[Pixels]) -> Pixels:
    shapes = sorted({one.shape for one in images})
    if len(shapes) > 1 or len(shapes[0]) != 3:
        raise UserError(f"images have shapes {shapes[0]} and {shapes[-1]} when prepared; expected one of three numbers")
    return np.stack(images)


def _encoded(
    index: Index, place: Mapping[str, Any], environment: Mapping[str, Any], start: int
) -> Iterator[bytes | Path | Pixels]:
    """What each image is read from, in the index's order."""
    if index.pixels is not None:
        yield from index.pixels[start:, 0]
        return
    if "folder" in place:
        root = Path(environment["images"][0])
        yield from (root / name for name in index.names[start:])
        return
    import pyarrow.parquet as pq

    wanted = set(index.names[start:])
    for number, path in enumerate(tables(place, environment)):
        if not any(name.startswith(f"{number}-") for name in wanted):
            continue
        with pq.ParquetFile(path) as file:
            row = 0
            for batch in file.iter_batches(64, columns=["image.bytes"]):
                for one in batch["image"].to_pylist():
                    if f"{number}-{row}" in wanted:
                        yield one["bytes"] or b""
                    row += 1


def decoded(source: bytes | Path | Pixels, name: str) -> Image:
    """An RGB image, from an encoded one or a digit's pixels (8, 8). UserError for what is no image."""
    from PIL import Image, UnidentifiedImageError

    if isinstance(source, np.ndarray):
        return Image.fromarray((source.astype(np.float64) * 255 / DIGITS).round().astype(np.uint8)).convert("RGB")
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as file:
            return file.convert("RGB")
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"image {name}: cannot be read ({first_line(error)})") from None


def cut(image: Image, resize: int, crop: int) -> Pixels:
    """(3, crop, crop) bytes: shorter side to ``resize``, the square in the middle (Appendix D.1's usual)."""
    from PIL.Image import Resampling

    width, height = image.size
    shorter = min(width, height)
    scaled = image.resize((int(resize * width / shorter), int(resize * height / shorter)), Resampling.BILINEAR)
    left, top = round((scaled.width - crop) / 2), round((scaled.height - crop) / 2)
    return np.asarray(scaled.crop((left, top, left + crop, top + crop))).transpose(2, 0, 1)
