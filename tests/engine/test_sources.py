"""Jobs of every setting refuse source files that are not those that their key speaks of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from w2s.chess import corpus
from w2s.chess import data as chess_data
from w2s.chess.games import Counts
from w2s.engine import hashes
from w2s.errors import UserError
from w2s.nlp import data as nlp_data
from w2s.nlp.tasks import TASKS
from w2s.reward import data as reward_data
from w2s.reward.tasks import PREFERENCES
from w2s.vision import folder, images

Read = Callable[[str, str], object]  # of a file, and the hash of its content


def _puzzles(path: str, digest: str) -> object:
    return list(chess_data.puzzles_of({"files": [digest], "limit": None}, {"puzzles": [path]}))


def _games(path: str, digest: str) -> object:
    return list(corpus.games_of({"files": [digest], "least_elo": 0, "limit": None}, {"games": [path]}, Counts()))


READERS: dict[str, tuple[str, Read]] = {
    "nlp": ("train.csv", lambda path, digest: nlp_data.rows_of(TASKS["sciq"], {"train": digest}, {"train": [path]})),
    "reward": (
        "train.csv",
        lambda path, digest: reward_data.rows_of(PREFERENCES["hh"], {"train": [digest]}, {"train": [path]}),
    ),
    "puzzles": ("puzzles.csv", _puzzles),
    "games": ("games.pgn", _games),
    "images": ("val.parquet", lambda path, digest: images.check({"files": [digest]}, {"images": [path]})),
}


@pytest.mark.parametrize("setting", READERS)
def test_a_file_that_changed_after_the_job_was_planned_is_one_line(setting: str, tmp_path: Path) -> None:
    name, read = READERS[setting]
    path = tmp_path / name
    path.write_text("as it was planned")
    (digest,) = hashes.of_files([path])
    path.write_text("as it became later")
    with pytest.raises(UserError, match=rf"{name} has changed since this job was planned; run the same") as caught:
        read(str(path), digest)
    assert "\n" not in str(caught.value)
    path.unlink()
    with pytest.raises(UserError, match=rf"{name} cannot be read \(No such file or directory\)"):
        read(str(path), digest)


@pytest.mark.parametrize("change", ["added", "removed", "edited"])
def test_a_folder_of_images_that_changed_is_one_line(change: str, tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    place: Mapping[str, Any] = {"folder": folder.identity(tmp_path)}
    where: Mapping[str, Sequence[str]] = {"images": [str(tmp_path)]}
    images.check(place, where)
    if change == "removed":
        (tmp_path / "cat/1.png").unlink()
    else:
        (tmp_path / ("cat/3.png" if change == "added" else "cat/1.png")).write_text("another")
    with pytest.raises(UserError, match=r"vision.images: .* has changed since this job was planned"):
        images.check(place, where)
