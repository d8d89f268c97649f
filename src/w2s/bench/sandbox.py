"""A process that sees a folder, Python and the system's libraries, and nothing else: Linux namespaces.

It has its own root directory (read-only, but for one folder and /tmp), processes, network and IPC, no capabilities, and
an environment that is made for it. Root starts it as the user ``nobody``; other users in a user namespace of their own.
Where the platform does not allow this, ``unavailable`` says why, and the process runs without it: not sealed.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32"]
SYSTEM += ["/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"]
DEVICES = ("null", "zero", "random", "urandom")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOBODY = 65534
POLL = 0.2  # seconds between looks at whether to stop
ISOLATED = ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]


@dataclass(frozen=True)
class Process:
    """What runs. folder: read-only; out: a folder of its own that it may write; hidden: folders that it never sees.

    command: Python's arguments, in which {folder} and {out} stand for where it finds them.
    """

    command: Sequence[str]
    folder: Path
    out: Path
    variables: Mapping[str, str]
    hidden: Sequence[Path] = ()

    def run(self, log: Path, *, sealed: bool, stop: threading.Event | None = None) -> int:
        """Run it to its end, or until ``stop`` is set, with its output in a file; its exit status."""
        folder, out = ("/sealed", "/out") if sealed else (str(self.folder), str(self.out))
        places = {"folder": folder, "out": out}
        command = [sys.executable, *(word.format(**places) for word in self.command)]
        variables = {name: value.format(**places) for name, value in self.variables.items()}
        variables |= {"PATH": PATH, "HOME": "/tmp", "USER": "nobody", "LANG": "C.UTF-8", "TMPDIR": "/tmp"}
        if sealed:
            script = [*mounts(self.folder, self.out, self.hidden), "exec " + shlex.join([*unprivileged(), *command])]
            command = [*isolated(), "/bin/sh", "-euc", "\n".join(script)]
        else:
            variables |= {"HOME": out, "TMPDIR": out}
        if sealed and os.geteuid() == 0:
            os.chown(self.out, NOBODY, NOBODY)
        with (
            log.open("wb") as file,
            subprocess.Popen(
                command, env=variables, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd="/"
            ) as running,
        ):
            while running.poll() is None:
                if stop is not None and stop.is_set():
                    running.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    running.wait(POLL)
            return running.returncode


def isolated() -> list[str]:
    """The program that gives a command its own namespaces; it ends with the process that starts it."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["setpriv", "--pdeathsig=KILL", "unshare", *user, *ISOLATED]


def unprivileged() -> list[str]:
    """The program that takes a command's rights away, for good."""
    # The signal anew: another user's process would lose it, and outlive a scorer that is killed.
    rights = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--pdeathsig=KILL"]
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["setpriv", *(user if os.geteuid() == 0 else []), *rights]


def mounts(folder: Path, out: Path, hidden: Iterable[Path]) -> list[str]:
    """Lines of a shell script that builds the root directory and moves into it."""
    root = folder.parent / "root"  # an empty folder to mount on, in the new namespace only
    lines = ["umask 022", f"chmod -R a+rX {_q(folder)}"]  # nobody reads it, whatever root's umask is
    lines += [f"mkdir -p {_q(root)}", f"mount -t tmpfs -o mode=0755 tmpfs {_q(root)}", f"cd {_q(root)}"]
    # First /tmp: Python may lie there.
    lines += ["mkdir -p dev tmp proc", "mount -t tmpfs -o mode=1777 tmpfs tmp", "mount -t proc -o ro proc proc"]
    python = dict.fromkeys(str(Path(prefix).resolve()) for prefix in (sys.prefix, sys.base_prefix))
    shown = [*SYSTEM, *(path for path in python if not path.startswith("/usr/"))]
    for path in map(Path, shown):
        if path.is_symlink():
            lines.append(f"ln -s {_q(os.readlink(path))} .{_q(path)}")
        elif path.exists():
            lines += _bound(path, str(path))
    if sys.prefix != str(Path(sys.prefix).resolve()):  # the interpreter is called by a path with links
        place = Path(sys.prefix)
        lines += [f"mkdir -p .{_q(place.parent)}", f"[ -e .{_q(place)} ] || ln -s {_q(place.resolve())} .{_q(place)}"]
    for path in sorted(one.resolve() for one in hidden):
        # Inside of what is shown, a checkout or an installed package is covered.
        if any(path.is_relative_to(Path(one).resolve()) for one in shown) and path.is_dir():
            lines.append(f"mount -t tmpfs -o ro,mode=0000 tmpfs .{_q(path)}")
    lines += _bound(folder, "/sealed")
    lines += _bound(out, "/out", writable=True)
    for name in DEVICES:
        lines += [f": > dev/{name}", f"mount --bind /dev/{name} dev/{name}"]
    lines += ["mkdir dev/shm", "mount -t tmpfs -o mode=1777 tmpfs dev/shm"]
    return [
        *lines,
        "mkdir .old",
        "pivot_root . .old",
        "cd /",
        "umount -l /.old",
        "rmdir /.old",
        "mount -o remount,ro /",
    ]


def _bound(path: Path, place: str, *, writable: bool = False) -> list[str]:
    at = f".{_q(place)}"
    create = f"mkdir -p {at}" if path.is_dir() else f"mkdir -p $(dirname {at}); : > {at}"
    lines = [create, f"mount --rbind {_q(path)} {at}"]
    return lines if writable else [*lines, f"mount -o remount,bind,ro {at}"]


def _q(path: object) -> str:
    return shlex.quote(str(path))


def unavailable() -> str | None:
    """Why a process cannot be sealed here, in one line; None if it can: it was tried."""
    if sys.platform != "linux":
        return f"namespaces need Linux, this is {sys.platform}"
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for folder in ("folder", "out"):
            (place / folder).mkdir()
        try:
            status = Process(["-c", "pass"], place / "folder", place / "out", {}).run(place / "log", sealed=True)
        except OSError as error:
            return f"{error.filename} cannot be started ({error.strerror})"
        said = (place / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return None if status == 0 else (said[-1] if said else f"the sealed process ended with status {status}")
