"""Where preference pairs lie outside of results/, and what identifies them."""

from __future__ import annotations

from pathlib import Path

from w2s.engine.rows import split_files, splits
from w2s.engine.sources import Source, folder_in, split_contents
from w2s.reward.config import PairTask, Reward
from w2s.reward.tasks import PREFERENCES


def preferences(config: Reward, choice: PairTask, root: Path) -> Source:
    """The splits of a reward task: on the hub by commit, in a directory by their files' content.

    The identity has a ``test`` unless the test set is to be cut from the training rows. root: the project's folder.
    """
    task = PREFERENCES[choice.name]
    wanted = splits(choice.train or task.train, choice.test or task.test)
    if config.source == "hub":
        place = {"hub": task.hub.repository, "revision": choice.revision or task.hub.revision}
        return Source(place | {"files": task.hub.files} | wanted, {})
    folder = folder_in("reward.directory", config.directory, choice.folder or task.folder, task.name, root)
    files = {part: split_files(folder, split, task.hub.files) for part, split in wanted.items()}
    return split_contents(files, f"task {task.name!r}")
