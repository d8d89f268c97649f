"""GGUF files from wheels: pip downloads them once, nothing of them is executed, and the file's hash identifies them."""

from __future__ import annotations

import hashlib
import io
import os
import random
import re
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import refused
from tests.models.making import made, rung
from tests.small_disk import needs_small_disk, run_with
from w2s.config.ladder import Wheels
from w2s.errors import UserError
from w2s.models import wheels
from w2s.models.plan import open_model

MODEL = b"GGUF" + bytes(range(256)) * 8
SHA256 = hashlib.sha256(MODEL).hexdigest()
WHERE = "rung 'tiny'"


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that stands for the user's index, seen from a project."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def publish(index: Path, name: str, files: Mapping[str, bytes]) -> None:
    about = f"{name}-1.0.dist-info"
    described = {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: absent\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": b"",
    }
    with zipfile.ZipFile(index / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, content in {**files, **described}.items():
            wheel.writestr(path, content)


def named(*requirements: str, **more: Any) -> Wheels:
    return Wheels.model_validate({"wheel": list(requirements), **more})


def in_cache() -> list[str]:
    return sorted(path.name for path in wheels.CACHE.glob("*")) if wheels.CACHE.exists() else []


@pytest.mark.slow
def test_a_file_is_fetched_once_and_then_found_without_an_index(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(index, "tinymodel", {"tinymodel/tiny.gguf": MODEL, "tinymodel/__init__.py": b"raise SystemExit"})
    first = wheels.fetch(named("tinymodel==1.0"), WHERE)
    assert first == (wheels.path_of(SHA256), SHA256, True)
    assert first.path.read_bytes() == MODEL
    assert in_cache() == [f"{SHA256}.gguf", f"{SHA256}.json"]
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("it asks pip again"))
    assert wheels.fetch(named("tinymodel==1.0", sha256=SHA256), WHERE) == (first.path, SHA256, False)


@pytest.mark.slow
def test_a_damaged_file_in_the_cache_is_fetched_again(index: Path) -> None:
    publish(index, "tinymodel", {"tinymodel/tiny.gguf": MODEL})
    wheels.CACHE.mkdir(parents=True)
    wheels.path_of(SHA256).write_bytes(MODEL[:100])
    assert wheels.fetch(named("tinymodel==1.0", sha256=SHA256), WHERE).is_new
    assert wheels.path_of(SHA256).read_bytes() == MODEL


@pytest.mark.slow
@needs_small_disk
@pytest.mark.parametrize("size", ["8k", "112k"], ids=["for pip", "for the file of the wheel"])
def test_a_full_disk_is_one_line(size: str, index: Path, tmp_path: Path) -> None:
    publish(index, "tinymodel", {"tinymodel/tiny.gguf": b"GGUF" + random.Random(0).randbytes(60_000)})
    code = (
        "import sys\nfrom w2s.config.ladder import Wheels\nfrom w2s.errors import UserError\n"
        "from w2s.models import wheels\n"
        f"try: wheels.fetch(Wheels(wheel=['tinymodel==1.0']), {WHERE!r})\n"
        "except UserError as error: sys.exit(str(error))"
    )
    done = run_with(tmp_path / wheels.CACHE, size, [sys.executable, "-c", code], tmp_path, os.environ)
    assert done.returncode == 1
    assert re.fullmatch(
        rf"{WHERE}: (pip cannot download tinymodel==1.0: data/wheels|.*/model.gguf): no space left on the disk: "
        r"(it needs 58.6 KiB, )?\d+.\d KiB are free; make room and run the same command again\n",
        done.stderr,
    ), done.stderr


@pytest.mark.slow
def test_parts_are_joined_in_the_order_of_the_wheels(index: Path) -> None:
    for number, part in enumerate((MODEL[:100], MODEL[100:])):
        publish(index, f"tinypart{number}", {f"tinypart{number}/tiny.gguf.part{number}": part})
    found = wheels.fetch(named("tinypart0==1.0", "tinypart1==1.0", file="*.part?"), WHERE)
    assert found.sha256 == SHA256


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "more", "said"),
    [
        ({"a/one.bin": MODEL}, {}, "tinymodel==1.0: source.file '*.gguf' matches no file in it"),
        (
            {"a/one.gguf": MODEL, "a/two.gguf": MODEL},
            {},
            "tinymodel==1.0: source.file '*.gguf' matches several files: a/one.gguf, a/two.gguf",
        ),
        ({"a/one.gguf": b"no model"}, {}, "is not a GGUF file"),
        ({"a/one.gguf": MODEL}, {"sha256": "0" * 64}, f"has sha256 {SHA256}, the rung says {'0' * 64}"),
    ],
    ids=["no match", "two matches", "no model", "another hash"],
)
def test_a_wheel_with_something_else_leaves_nothing_in_the_cache(
    index: Path, files: dict[str, bytes], more: dict[str, str], said: str
) -> None:
    publish(index, "tinymodel", files)
    with pytest.raises(UserError) as caught:
        wheels.fetch(named("tinymodel==1.0", **more), WHERE)
    assert str(caught.value).startswith(WHERE)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert in_cache() == []


@pytest.mark.slow
def test_what_pip_cannot_download_is_said_in_its_words(index: Path) -> None:
    with pytest.raises(UserError, match=r"pip cannot download absent==1.0 \(Could not find a version .*\)$"):
        wheels.fetch(named("absent==1.0"), WHERE)


@pytest.mark.slow
def test_a_source_distribution_is_not_built(index: Path, tmp_path: Path) -> None:
    """Building it would run its author's code."""
    setup = f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom setuptools import setup\nsetup(name='tinymodel')\n"
    with tarfile.open(index / "tinymodel-1.0.tar.gz", "w:gz") as archive:
        for name, content in (("setup.py", setup), ("PKG-INFO", "Name: tinymodel\nVersion: 1.0\n")):
            about = tarfile.TarInfo(f"tinymodel-1.0/{name}")
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content.encode()))
    with pytest.raises(UserError, match=r"pip cannot download tinymodel==1\.0"):
        wheels.fetch(named("tinymodel==1.0"), WHERE)
    assert not (tmp_path / "ran").exists()


def test_a_rung_is_planned_before_it_is_fetched_and_its_job_says_what_to_do() -> None:
    wanted = rung({"wheel": "tinymodel==1.0", "sha256": SHA256})
    with pytest.raises(UserError, match=r"^rung 'tiny': tinymodel==1.0 is not in data/wheels; run `w2s fetch"):
        made(wanted)


def test_a_file_is_the_same_model_from_wheels_and_from_a_path() -> None:
    path = Path("tiny.gguf")
    path.write_bytes(MODEL)
    from_wheels = open_model(rung({"wheel": ["a==1", "b==1"], "file": "*.part?", "sha256": SHA256}))
    assert from_wheels.key == open_model(rung(path)).key


def test_without_a_hash_the_plan_says_where_to_get_it() -> None:
    with pytest.raises(UserError, match=r"source.sha256: missing; `w2s fetch \[EXPERIMENT\]` .* prints it"):
        open_model(rung({"wheel": "tinymodel==1.0"}))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"wheel": "tinymodel"}, ["source.wheel.0: 'tinymodel'", "pattern"]),
        ({"wheel": "--index-url=x==1"}, ["source.wheel.0"]),
        ({"wheel": []}, ["source.wheel"]),
        ({"wheel": "a==1", "sha256": "abc"}, ["source.sha256: 'abc'"]),
        ({"wheel": "a==1", "fil": "x"}, ["source.fil: unknown key", "did you mean 'file'"]),
        ({"file": "x"}, ["source.wheel: missing"]),
        (7, ["source: 7 is not allowed; allowed: text"]),
    ],
    ids=str,
)
def test_a_mistake_in_a_source_names_its_key(config: dict[str, Any], source: object, said: list[str]) -> None:
    wanted = {"name": "tiny", "parameters": 1, "tokens": 1, "learning_rate": 1e-3}
    config["nlp"]["ladder"] = [wanted | {"source": source}, *config["nlp"]["ladder"]]
    refused(config, ["nlp.ladder.0", *said])


def test_wheels_have_no_revision() -> None:
    with pytest.raises(ValueError, match="revision: 'main' is not allowed with a wheel"):
        type(rung({"wheel": "a==1"})).model_validate(rung({"wheel": "a==1"}).model_dump() | {"revision": "main"})
