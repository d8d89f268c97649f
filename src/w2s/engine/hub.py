"""The Hugging Face hub: parts of a repository at a commit, from the local cache where they are already there.

Nothing that a repository holds is ever executed. Everything else (cache, tokens, mirrors, offline mode, progress bars)
is ``huggingface_hub``'s: HF_HOME, HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE work as everywhere. Messages never show a
token, nor more of an address than its host: an endpoint may hold a password.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from w2s.engine import space
from w2s.errors import UserError, first_line

ENDPOINT = "HF_ENDPOINT"
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_PASSWORD", "WANDB_API_KEY")
PROXIES = tuple(f"{scheme}_proxy" for scheme in ("http", "https", "all"))
ADDRESSES = ("MLFLOW_TRACKING_URI", "WANDB_BASE_URL", *PROXIES, *map(str.upper, PROXIES))  # may hold a password
NO_HUB = (KeyError, TypeError, AttributeError)  # what the library raises where an answer lacks what a hub's has
SECONDS = 15  # for the hub to answer a first question
PREFETCH = "on a machine with network and the same HF_HOME, run `w2s fetch [EXPERIMENT]`"


@dataclass(frozen=True, slots=True)
class Hub:
    """Where a data set lies on the Hugging Face hub, as files that need no loading script.

    files: where a split's parquet (jsonl, csv) lies in the repository; ``{split}`` stands for its name.
    note: what is not certain about it, or why it is not the first-party repository.
    """

    repository: str
    revision: str
    files: str = "data/{split}-*.parquet"
    note: str = ""


def snapshot(
    repository: str, kind: Literal["model", "dataset"], revision: str, patterns: Sequence[str], *, wanted_by: str
) -> Path:
    """A local folder with the files of a repository that match; UserError in one line if they cannot be had.

    patterns: the first is what cannot be done without. The folder's name is the commit.
    """
    _check_endpoint()
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        GatedRepoError,
        HFValidationError,
        HTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.utils import disable_progress_bars, logging  # type: ignore[attr-defined]

    if not sys.stderr.isatty():
        disable_progress_bars()  # a job's log needs none
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # what is wrong is said below, once
    warnings.filterwarnings("ignore", "Not enough free disk space")
    where = f"{wanted_by}: {kind} {repository!r} at {revision}"
    download = partial(snapshot_download, repository, repo_type=kind, revision=revision, allow_patterns=[*patterns])
    there = None
    try:
        with contextlib.suppress(LocalEntryNotFoundError):
            there = Path(download(local_files_only=True))
            if _is_whole(there):
                return there
        HfApi().repo_info(repository, repo_type=kind, revision=revision, timeout=SECONDS)  # asks once, without retries
        return Path(download())
    except GatedRepoError:
        raise UserError(f"{where} is gated: accept its terms on the hub and set HF_TOKEN") from None
    except RepositoryNotFoundError:
        raise UserError(f"{where}: the hub has no such repository, or HF_TOKEN gives no access to it") from None
    except RevisionNotFoundError:
        raise UserError(f"{where}: the repository has no such revision; set another one in the config") from None
    except HFValidationError as error:
        raise UserError(f"{where}: not a hub id ({without_secrets(first_line(error))})") from None
    except (OSError, HTTPError, ValueError, RuntimeError, *NO_HUB) as error:
        if space.is_full(error):
            raise UserError(f"{where}: {_no_room(download)}") from None
        if isinstance(error, RuntimeError):
            raise
        if isinstance(error, OSError) and error.filename:
            raise UserError(
                f"{where}: the cache cannot be used: {error.filename} ({error.strerror}); set HF_HOME"
            ) from None
        if there is not None and any(there.glob(patterns[0])):
            return there  # of an older cache, which does not say whether it is whole
        reason = without_secrets(first_line(error))
        if isinstance(error, OfflineModeIsEnabled):
            reason = "HF_HUB_OFFLINE is set"
        elif isinstance(error, NO_HUB):
            reason = "its answer is not a hub's"
        raise UserError(
            f"{where} is not in the local cache and the hub cannot be reached ({reason.rstrip('.')}); {PREFETCH}"
        ) from None


def check_publishing(repository: str) -> None:
    """UserError unless a repository can be published to, as far as one knows without asking the hub."""
    _check_endpoint()
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise UserError(f"{repository!r} is not a repository; expected OWNER/NAME")
    from huggingface_hub import get_token
    from huggingface_hub.constants import HF_HUB_OFFLINE
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise UserError(f"{repository!r} is not a repository ({first_line(error).rstrip('.')})") from None
    if HF_HUB_OFFLINE:
        raise UserError(f"{repository}: HF_HUB_OFFLINE is set; unset it to publish")
    if not get_token():
        raise UserError(
            f"{repository}: no token of the hub; run `hf auth login`, or set HF_TOKEN to one that can write"
        )


def publish(folder: Path, repository: str, *, private: bool) -> str:
    """Put a folder's files into a model repository, made if missing, in one commit; returns the commit's address.

    private: for a new repository. UserError in one line if the hub refuses, or cannot be reached.
    """
    check_publishing(repository)
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]
    from huggingface_hub.utils import disable_progress_bars, logging  # type: ignore[attr-defined]

    if not sys.stderr.isatty():
        disable_progress_bars()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # what is wrong is said below, once
    warnings.filterwarnings("ignore", "It seems that you are about to commit a data file")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    operations = [CommitOperationAdd(path.relative_to(folder).as_posix(), path) for path in files]
    api = HfApi()
    try:
        api.create_repo(repository, private=private or None, exist_ok=True)
        done = api.create_commit(repository, operations, commit_message="A run of w2s")
    except HfHubHTTPError as error:
        status = error.response.status_code
        reason = {401: "the token is not valid", 403: "the token may not write there"}.get(status)
        raise UserError(f"{repository}: {reason or without_secrets(first_line(error))}") from None
    except (OSError, HTTPError, ValueError, *NO_HUB) as error:
        reason = "its answer is not a hub's" if isinstance(error, NO_HUB) else without_secrets(first_line(error))
        raise UserError(f"{repository}: the hub cannot be reached ({reason.rstrip('.')})") from None
    return without_secrets(f"{repository}: published as commit {done.oid}")


def _no_room(download: Callable[..., Any]) -> str:
    """The largest file that a full disk has no room for: the library names none, and leaves nothing of it."""
    from huggingface_hub.constants import HF_HUB_CACHE

    missing: list[tuple[int, str]] = []
    with contextlib.suppress(Exception):  # the hub may not answer a second time, and nothing is known then
        missing = [(file.file_size or 0, file.local_path) for file in download(dry_run=True) if file.will_download]
    size, path = max(missing, default=(0, HF_HUB_CACHE))
    return space.said(Path(path), size or None)


def without_secrets(text: str) -> str:
    """A library's message without tokens and secrets of variables; of addresses, scheme and host stay."""
    endpoint = os.environ.get(ENDPOINT, "").strip().rstrip("/")
    address = urlsplit(endpoint)
    secrets = [os.environ.get(name, "").strip() for name in TOKENS]
    secrets += [address.username or "", address.password or "", address.path.strip("/"), address.query]
    text = text.replace(endpoint, _host_of(endpoint)) if endpoint else text
    for other in (os.environ.get(name, "").strip().rstrip("/") for name in ADDRESSES):
        scheme, user, host = _parts(other)
        if user:
            text = text.replace(other, scheme + host)
            secrets += user.split(":", 1)
    text = re.sub(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+", lambda found: _host_of(found.group()), text)
    for secret in sorted({one for raw in secrets for one in (raw, unquote(raw))}, key=len, reverse=True):
        if len(secret) >= 4:  # a shorter one would be found in ordinary words; addresses are cut already
            text = text.replace(secret, "***")
    return text


def _parts(address: str) -> tuple[str, str, str]:
    """(scheme, what may be a user's name and password, the rest), also of what is no sound address."""
    scheme, mark, rest = address.partition("://") if "://" in address else ("", "", address)
    user, _, host = rest.rpartition("@")
    return scheme + mark, user, host


def _host_of(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0].rpartition('@')[2]}"


def _check_endpoint() -> None:
    """UserError, without showing it, for an endpoint that is not an address: a library's error would show it."""
    endpoint = os.environ.get(ENDPOINT, "")
    try:
        address = urlsplit(endpoint)
        sound = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
        sound = sound and not re.search(r"\s", endpoint.strip()) and "@" not in address.path + address.query
    except ValueError:
        sound = False
    if endpoint and not sound:
        raise UserError(
            f"{ENDPOINT} (not shown, it may hold a password) is not an address; allowed: https://HOST, with special "
            "characters of a user's name or password as %XX"
        )


def _is_whole(folder: Path) -> bool:
    """Whether the cache holds the commit's list of files, against which a snapshot was then checked."""
    return (folder.parents[1] / "trees" / f"{folder.name}.json").is_file()
