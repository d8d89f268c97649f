"""Where the rows of an NLP task lie outside of results/, and what identifies them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from w2s.engine.rows import split_files, splits
from w2s.engine.sources import Source, at, folder_in, split_contents
from w2s.errors import UserError
from w2s.nlp import user_tasks
from w2s.nlp.config import Data, TaskChoice
from w2s.nlp.task import Task
from w2s.nlp.tasks import TASKS


def rows(data: Data, choice: TaskChoice, root: Path) -> Source:
    """The splits of a task: on the hub by commit, in a directory by their files' content.

    The identity has a ``test`` unless the test set is to be cut from the training rows. root: the project's folder.
    """
    if choice.formatter is not None:
        folder = at(choice.directory, root)
        if not folder.is_dir():
            raise UserError(f"task {choice.name!r}: no directory {str(folder)!r} with its rows")
        return _files(folder, user_tasks.of_choice(choice), splits(choice.train or "train", choice.test or "test"))
    task = TASKS[choice.name]
    wanted = splits(choice.train or task.train, choice.test or task.test)
    if data.source == "hub":
        if task.hub is None:
            raise UserError(f"task {task.name!r} has no hub repository; set data.source: directory")
        place = {"hub": task.hub.repository, "revision": choice.revision or task.hub.revision}
        return Source(place | {"files": task.hub.files} | wanted, {})
    folder = folder_in("data.directory", data.directory, choice.folder or task.folder, task.name, root)
    return _files(folder, task, wanted)


def _files(folder: Path, task: Task, wanted: Mapping[str, str]) -> Source:
    pattern = task.hub.files if task.hub else None
    files = {part: split_files(folder, split, pattern) for part, split in wanted.items()}
    found = split_contents(files, f"task {task.name!r}")
    digests = {part: digest[0] if len(digest) == 1 else digest for part, digest in found.identity.items()}
    return Source(digests, found.location)
