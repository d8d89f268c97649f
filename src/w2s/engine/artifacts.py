"""Artifacts on disk: a directory that appears whole or not at all, with a manifest that proves it.

Every artifact directory holds its data files and one JSON manifest, written last: the stage, key, resolved
spec and parents' keys that identify it, the SHA-256 of every file, and what the making measured. Writing
goes aside (same parent directory, a name of its own), is fsynced and renamed into place under a lock for the key, so
two processes never make the same artifact twice and a killed one leaves nothing that looks finished. Where two do it
all the same (two checkouts that share results/, but not work/), the first result stays and the second is dropped.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import json
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from w2s.engine import space
from w2s.errors import UserError, naming
from w2s.graph.artifact import Identity, canonical
from w2s.graph.stage import MANIFESTS

if TYPE_CHECKING:
    import pyarrow as pa

    from w2s.engine.tracking import Reporter

WORK = Path("work")  # locks and checkpoints of runs in progress, beside results/
LOCKS = ("lock", "holder")  # files of a lock: what flock is called on, and who has it
BEAT = 15.0  # seconds between two signs of life of a lock's holder
DEAD = 120.0  # seconds without one after which a holder on another machine is given up; NFS may show it a minute late


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with naming(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: object) -> None:
    """Readable JSON with a final newline; atomic (see ``written``)."""
    with written(path) as file:
        file.write(json.dumps(content, indent=2) + "\n")


@contextlib.contextmanager
def written(path: Path) -> Iterator[IO[str]]:
    """A text file that replaces ``path`` whole when the block ends well, and leaves it alone otherwise.

    UserError where the disk has no room for it.
    """
    text = io.StringIO(newline="")
    yield text
    write_whole(path, text.getvalue().encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write or replace a file whole, or leave it alone. UserError where the disk has no room for it."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")  # process numbers are not unique across machines
    try:
        with space.room_for(path, len(content)), aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def all_or_none(paths: Iterable[Path]) -> Iterator[None]:
    """Remove these files, which were not there before, if the block that writes them fails."""
    try:
        yield
    except BaseException:
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink()
        raise


def write_table(path: Path, columns: Mapping[str, Any]) -> None:
    """A parquet table whose bytes follow from its columns alone. UserError where the disk has no room for it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(dict(columns))
    with space.room_for(path, table.nbytes):
        pq.write_table(table, path, compression="zstd", store_schema=False)


def read_table(path: Path) -> pa.Table:
    """A parquet table; UserError if the file cannot be read as one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:  # read_table would import pyarrow.dataset
            return file.read()
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: not a readable parquet file ({str(error).splitlines()[0]})") from None


# -- reading -----------------------------------------------------------------------------------------------


def read(directory: Path, *, expect: str | None = None) -> dict[str, Any]:
    """The manifest of a finished artifact, after checking every file against it.

    expect: the key that the caller wants to find there. Raises UserError naming the file that is missing,
    truncated or edited, and the way out.
    """
    manifest = _manifest_of(directory)
    path = directory / manifest
    way_out = f"delete {directory} and run the same command again"
    try:
        with naming(path):
            record = json.loads(path.read_text(encoding="utf-8"))
        identity = Identity(record["stage"], record["version"], record["spec"], record["parents"])
        files = dict(record["files"])
        key, sealed = record["key"], record.pop("seal")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: damaged manifest ({type(error).__name__}: {error}); {way_out}") from None
    if sealed != _seal(record):
        raise UserError(f"{path}: edited after it was made (its checksum does not match); {way_out}")
    if identity.key != key or expect not in (None, key):
        raise UserError(f"{path}: key {key} does not belong to this spec ({expect or identity.key}); {way_out}")
    for name, digest in files.items():
        file = directory / name
        if not file.is_file():
            raise UserError(f"{file}: missing, although {manifest} lists it; {way_out}")
        if sha256(file) != digest:
            raise UserError(f"{file}: truncated or edited after it was made (its hash differs); {way_out}")
    return dict(record)


def _seal(record: Mapping[str, Any]) -> str:
    """A hash over the whole manifest, so that a number in it cannot be edited unnoticed."""
    return hashlib.sha256(canonical(record).encode()).hexdigest()[:16]


def _manifest_of(directory: Path) -> str:
    for name in MANIFESTS:
        if (directory / name).is_file():
            return name
    raise UserError(f"{directory}: no finished artifact here (no {' or '.join(sorted(MANIFESTS))})")


def is_complete(directory: Path, key: str) -> bool:
    """Whether the artifact is there, whole and unharmed."""
    try:
        read(directory, expect=key)
    except UserError:
        return False
    return True


# -- making ------------------------------------------------------------------------------------------------

PARTIAL = re.compile(r"^\.partial-[0-9a-f]{8}-")  # a folder in which an artifact is made, before the artifact's name


@dataclass
class Build:
    """An artifact in the making: put files under ``folder``, and what was measured into ``measured``.

    reporter: to an experiment tracker, where there is one (``w2s.engine.tracking``).
    """

    identity: Identity
    folder: Path
    work: Path
    measured: dict[str, Any] = field(default_factory=dict)
    made_with: dict[str, Any] = field(default_factory=dict)  # what this process cannot see of others that did the work
    reporter: Reporter | None = None

    @property
    def name(self) -> str:
        """The last part of the path that the artifact will have."""
        return PARTIAL.sub("", self.folder.name)


@contextlib.contextmanager
def building(
    out: Path, identity: Identity, manifest: str = MANIFESTS[0], estimate: Mapping[str, Any] | None = None
) -> Iterator[Build | None]:
    """Make the artifact ``identity`` at ``out``; yields None if it is already there.

    manifest: the name of its manifest. estimate: what it was expected to take (``w2s.jobs.resources``), for its record.

    Holds the key's lock all the while. Nothing appears at ``out`` unless the block ends without error.
    """
    if not out.name.endswith(identity.key):
        raise UserError(f"{out}: the path should end in {identity.key}, the key of this spec and these parents")
    work = WORK / identity.key
    aside = out.parent / f".partial-{secrets.token_hex(4)}-{out.name}"
    note = work / "partial"  # a link that says which folder that is, for whoever comes after a kill
    with locked(work):
        if is_complete(out, identity.key):
            print(f"{out} is already complete", flush=True)
            _clear(work)  # what a kill right after publication left
            yield None
            return
        with contextlib.suppress(OSError):
            shutil.rmtree(out.parent / note.readlink())
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
            note.symlink_to(aside.name)
        aside.mkdir(parents=True)
        build = Build(identity, aside, work)
        forget_peak_memory()
        started, processor = time.time(), time.process_time()
        try:
            yield build
            build.measured["seconds"] = round(time.time() - started, 3)
            build.measured["processor_seconds"] = round(time.process_time() - processor, 3)
            _publish(build, out, manifest, estimate)
        except Exception as error:
            if not isinstance(error, UserError) and space.is_full(error):
                raise UserError(space.said(_in_the_making(error, build, out))) from None
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            note.unlink(missing_ok=True)


def _in_the_making(error: Exception, build: Build, out: Path) -> Path:
    """The file that a library could not write: what the error names, or else what was written last."""
    named = getattr(error, "filename", None)
    files = sorted((path.lstat().st_mtime_ns, path) for path in build.folder.rglob("*") if not path.is_dir())
    return Path(str(named)) if named else files[-1][1] if files else out


def _publish(build: Build, out: Path, manifest: str, estimate: Mapping[str, Any] | None) -> None:
    identity, folder = build.identity, build.folder
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    record = {
        "stage": identity.stage,
        "version": identity.version,
        "key": identity.key,
        "spec": identity.spec,
        "parents": identity.parents,
        "files": {str(path.relative_to(folder)): sha256(path) for path in files},
        "measured": build.measured,
        "made_with": provenance() | build.made_with | ({"estimated": dict(estimate)} if estimate else {}),
    }
    for path in files:
        _fsync(path)
    write_json(folder / manifest, record | {"seal": _seal(record)})
    _fsync(folder)
    _place(folder, out, identity.key)
    _fsync(out.parent)
    _clear(build.work)


def _place(folder: Path, out: Path, key: str) -> None:
    """Rename a finished folder, unless another process has published the same artifact in the meantime."""
    while True:
        try:
            folder.rename(out)  # also over an empty folder, which the workflow makes
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        if is_complete(out, key):
            print(f"{out} was completed by another process in the meantime", flush=True)
            return
        damaged = folder.with_name(f"{folder.name}.damaged")
        with contextlib.suppress(FileNotFoundError):
            out.rename(damaged)
        shutil.rmtree(damaged, ignore_errors=True)


def _clear(work: Path) -> None:
    """Remove checkpoints of what is made now."""
    for leftover in work.iterdir():
        if leftover.is_dir():
            shutil.rmtree(leftover)
        elif leftover.name not in LOCKS:
            leftover.unlink()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(work: Path) -> Iterator[None]:
    """Hold ``work/lock``; waits, saying so, while another process works on the same key.

    On some file systems (Lustre with ``localflock``, NFS with local locks) flock tells only of processes on the same
    machine. So ``work/holder`` also says who holds it, and is touched while the holder lives. It is a link to nowhere:
    made at once, with its content, and even on a full disk.
    """
    lock = work / "lock"
    while True:
        work.mkdir(parents=True, exist_ok=True)
        try:
            file = lock.open("w")
        except FileNotFoundError:  # the last holder removed the folder in between
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{work}: another process is working on this; waiting for it", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(file.fileno()).st_ino == lock.stat().st_ino:
                mine = _claim(work / "holder")
                break
        file.close()
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=(work / "holder", ended), daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()
        with contextlib.suppress(OSError):
            if _holder(work / "holder") == mine:  # another machine's is left alone
                (work / "holder").unlink()
            if not [path for path in work.iterdir() if path.name != "lock"]:
                lock.unlink()
                work.rmdir()
        file.close()


def _claim(holder: Path) -> str:
    """Say who holds a lock; waits while a process of another machine does. Called with flock held.

    FileNotFoundError if the folder is gone.
    """
    mine = f"{os.uname().nodename} {machine()} {secrets.token_hex(8)}"
    seen, since, said = ("", 0), time.monotonic(), False
    while True:
        try:
            holder.symlink_to(mine)
            return mine
        except FileExistsError:
            pass
        except PermissionError:  # no links here: flock alone decides
            return mine
        found = _holder(holder), _sign_of_life(holder)
        if found != seen:
            seen, since = found, time.monotonic()
        name, where, *_ = [*found[0].split(), "", ""]
        if where == machine() or time.monotonic() - since >= DEAD:  # flock is ours, so a holder of this machine is dead
            with contextlib.suppress(FileNotFoundError):
                holder.unlink()
        else:
            if not said:
                print(f"{holder.parent}: {name or 'another machine'} is working on this; waiting for it", flush=True)
                said = True
            time.sleep(min(1.0, DEAD))


def _holder(holder: Path) -> str:
    """Who holds a lock; nothing if nobody does."""
    with contextlib.suppress(OSError):
        return str(holder.readlink())
    return ""


def _sign_of_life(holder: Path) -> int:
    """When its holder last showed that it lives, in nanoseconds; 0 if nobody holds it."""
    with contextlib.suppress(OSError):
        return holder.lstat().st_mtime_ns
    return 0


def _beat(holder: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with contextlib.suppress(OSError):
            os.utime(holder, follow_symlinks=False)


@cache
def machine() -> str:
    """Where flock works between processes: one kernel, whatever its containers call themselves."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return platform.node() or "unknown"


def is_locked(work: Path) -> bool:
    """Whether a process works on a key, on this machine or (as far as its last sign of life tells) on another."""
    try:
        with (work / "lock").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    there = _holder(work / "holder")
    return machine() not in there and time.time() - _sign_of_life(work / "holder") / 1e9 < DEAD


# -- provenance --------------------------------------------------------------------------------------------


@cache
def git_commit() -> str:
    """The commit of the source tree, with ``+changes`` where it was not clean; ``unknown`` outside git.

    Unknown also for a package installed inside of another project's repository.
    """
    here = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)
        return git("rev-parse", "--short=10", "HEAD") + ("+changes" if git("status", "--porcelain", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def provenance() -> dict[str, Any]:
    """Commit, versions and machine: what a reader needs to judge a number, none of it part of its identity."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for package in ("w2s", "torch", "transformers", "tokenizers", "numpy", "pyarrow"):
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "commit": git_commit(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "versions": versions,
        "machine": f"{platform.system()} {platform.machine()}",
        "command": Path(sys.argv[0]).name,
        "peak_memory_mib": peak_memory_mib(),
    }


def forget_peak_memory() -> None:
    """Restart the measurement of the peak: a warm process makes one artifact after another."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mib() -> int:
    """The most memory that this process held since ``forget_peak_memory`` (where Linux tells; else ever), in MiB."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return round(int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**10)
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
