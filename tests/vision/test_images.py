"""Images: digits in parts, folders in ImageFolder's order, the hub's parquet files, and the square that is cut."""

from __future__ import annotations

import io
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from w2s.engine import artifacts, hashes
from w2s.errors import UserError
from w2s.experiments.settings import STAGES
from w2s.graph.artifact import Identity
from w2s.vision import folder, images

CUT = partial(images.cut, resize=16, crop=12)


def made(root: Path, place: dict[str, Any], paths: list[Path] | None = None) -> Path:
    identity = Identity("images", STAGES["images"].version, {"images": place}, {})
    out = root / f"images-{identity.key}"
    with artifacts.building(out, identity) as build:
        assert build is not None
        images.make(build, {"images": [str(path) for path in paths or []]})
    return out


def encoded(colour: tuple[int, int, int], size: tuple[int, int] = (20, 16)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_digits_are_all_there_each_in_one_part(tmp_path: Path) -> None:
    out = made(tmp_path, {"digits": {"pretraining": 700, "seed": 0}})
    parts = [images.read_index(out, name) for name in (images.PRETRAINING, images.EVALUATION)]
    assert [len(part) for part in parts] == [700, 1097]
    assert len({one for part in parts for one in part.ids}) == 1797
    from sklearn.datasets import load_digits

    digits = load_digits()
    for part in parts:
        numbers = [int(one.removeprefix("digit-")) for one in part.ids]
        assert part.pixels is not None
        assert (part.pixels[:, 0] == digits.images[numbers]).all()
        assert part.labels == digits.target[numbers].tolist()
    assert artifacts.read(out)["measured"]["classes"] == 10


def test_pretraining_on_all_digits_leaves_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pretraining: 1797 leaves none of the 1797 images"):
        made(tmp_path, {"digits": {"pretraining": 1797, "seed": 0}})


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Ten images of three classes, of a colour each, a wide and a high one among them, and what is no image."""
    root = tmp_path / "val"
    for number in range(10):
        name = root / ("n03", "n01", "n02")[number % 3] / f"{9 - number}.PNG"
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_bytes(encoded((number, 2 * number, 7), (20, 16) if number % 2 else (16, 31)))
    (root / "README.txt").write_text("not an image")
    (root / "n01" / "list.csv").write_text("not an image")
    return root


def test_a_folders_labels_are_places_among_the_classes_names(tmp_path: Path, folders: Path) -> None:
    out = made(tmp_path, {"folder": folder.identity(folders)}, [folders])
    index = images.read_index(out)
    assert index.ids == sorted(index.ids)
    assert dict(zip(index.ids, index.labels, strict=True)) == {
        **{f"n03/{9 - number}.PNG": 2 for number in range(0, 10, 3)},
        **{f"n01/{9 - number}.PNG": 0 for number in range(1, 10, 3)},
        **{f"n02/{9 - number}.PNG": 1 for number in range(2, 10, 3)},
    }


def colours(chunks: list[images.Pixels]) -> list[int]:
    """The number that is an image's colour, for each."""
    return [int(one[0, 0, 0]) for chunk in chunks for one in chunk]


def test_chunks_have_every_image_in_order_from_any_chunk_on(tmp_path: Path, folders: Path) -> None:
    place = {"folder": folder.identity(folders)}
    index = images.read_index(made(tmp_path, place, [folders]))
    numbers = [9 - int(one.split("/")[1].split(".")[0]) for one in index.ids]
    for first in (0, 1, 2, 3):
        found = list(images.chunks(index, place, {"images": [str(folders)]}, CUT, 4, first))
        assert colours(found) == numbers[4 * first :]
        assert all(chunk.shape[1:] == (3, 12, 12) for chunk in found)


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    """130 images in the hub's columns, in two files."""
    found = []
    for number, rows in enumerate((range(100), range(100, 130))):
        content = [{"bytes": encoded((row, 0, 0)), "path": f"val_{row:08}.JPEG"} for row in rows]
        path = tmp_path / f"validation-{number}.parquet"
        pq.write_table(pa.table({"image": content, "label": [row % 7 for row in rows]}), path)
        found.append(path)
    return found


def test_parquet_files_are_read_from_any_chunk_on(tmp_path: Path, shards: list[Path]) -> None:
    place = {"files": hashes.of_files(shards)}
    index = images.read_index(made(tmp_path, place, shards))
    assert index.ids[:2] == ["val_00000000.JPEG", "val_00000001.JPEG"]
    assert index.labels == [row % 7 for row in range(130)]
    for first in (0, 3, 4):
        found = list(images.chunks(index, place, {"images": [str(path) for path in shards]}, CUT, 30, first))
        assert colours(found) == list(range(30 * first, 130))


def test_ids_are_places_where_names_are_missing_or_the_same(tmp_path: Path) -> None:
    for number, names in enumerate((["", ""], ["same", "same"])):
        path = tmp_path / f"{number}.parquet"
        content = [{"bytes": encoded((1, 1, 1)), "path": name} for name in names]
        pq.write_table(pa.table({"image": content, "label": [0, 1]}), path)
        assert images.read_index(made(tmp_path, {"files": hashes.of_files([path])}, [path])).ids == ["0-0", "0-1"]


@pytest.mark.parametrize("labels", [[0.0, 1.0], ["0", "1"], [False, True]])
def test_labels_may_be_whole_numbers_of_any_kind(labels: list[Any], tmp_path: Path) -> None:
    content = [{"bytes": encoded((1, 1, 1)), "path": name} for name in "ab"]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": content, "label": labels}), path)
    assert images.read_index(made(tmp_path, {"files": hashes.of_files([path])}, [path])).labels == [0, 1]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["cat", "dog"], "a.parquet: row 0: label 'cat' is not allowed; allowed: the number of a class, from 0"),
        ([0.0, 0.5], "a.parquet: row 1: label 0.5 is not allowed"),
        ([0.0, float("nan")], "images: b has no label"),
        (["0", None], "images: b has no label"),
    ],
)
def test_a_label_that_is_no_class_is_one_line(labels: list[Any], said: str, tmp_path: Path) -> None:
    content = [{"bytes": encoded((1, 1, 1)), "path": name} for name in "ab"]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": content, "label": labels}), path)
    with pytest.raises(UserError, match=re.escape(said)):
        made(tmp_path, {"files": hashes.of_files([path])}, [path])


def test_other_columns_and_missing_labels_are_one_line(tmp_path: Path) -> None:
    pq.write_table(pa.table({"img": [1], "label": [0]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a.parquet: no parquet file with columns image \(bytes, path\) and label"):
        made(tmp_path, {"files": hashes.of_files([tmp_path / "a.parquet"])}, [tmp_path / "a.parquet"])
    content = [{"bytes": encoded((1, 1, 1)), "path": "x"}]
    pq.write_table(pa.table({"image": content, "label": [-1]}), tmp_path / "b.parquet")
    with pytest.raises(UserError, match="images: x has no label"):
        made(tmp_path, {"files": hashes.of_files([tmp_path / "b.parquet"])}, [tmp_path / "b.parquet"])


def test_the_square_is_the_middle_of_the_scaled_image() -> None:
    """300 x 200 with its left third red: 384 x 256 when scaled, the square begins at 80, red ends at 128."""
    image = Image.new("RGB", (300, 200), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, 100, 200))
    file = io.BytesIO()
    image.save(file, "PNG")
    square = images.cut(images.decoded(file.getvalue(), "x"), 256, 224)
    assert square.shape == (3, 224, 224)
    red = (square[0] > square[2]).sum(axis=1)
    assert set(red.tolist()) == {48}
    assert (square[1] == 0).all()


def test_grey_and_transparent_images_have_three_channels() -> None:
    for mode, colour in (("L", 9), ("RGBA", (9, 9, 9, 255)), ("CMYK", (0, 0, 0, 246))):
        file = io.BytesIO()
        Image.new(mode, (16, 16), colour).save(file, "TIFF")
        assert (images.cut(images.decoded(file.getvalue(), "x"), 16, 12) == 9).all()


def test_what_is_no_image_is_one_line() -> None:
    for content in (b"", b"no image", encoded((1, 1, 1))[:40]):
        with pytest.raises(UserError, match="image val_7: cannot be read") as caught:
            images.decoded(content, "val_7")
        assert "\n" not in str(caught.value)
    assert images.cut(images.decoded(encoded((1, 1, 1)), "x"), 16, 12).dtype == np.uint8
