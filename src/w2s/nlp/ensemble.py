"""The ensemble stage: several supervisors' weak labels, averaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from w2s.engine import artifacts
from w2s.nlp.labels import PREDICTED, join, weak_labels


def make(build: artifacts.Build, runs: list[Path]) -> None:
    """Write ``predictions.parquet`` (id, part, truth, probability), as a supervisor's is read.

    runs: the supervisors', on the same data. probability: the mean of theirs.
    """
    import torch

    first = artifacts.read_table(runs[0] / "predictions.parquet").to_pydict()
    each = [join(first["id"], weak_labels(run), where=f"{run}/predictions.parquet") for run in runs]
    mean = torch.stack(each).double().mean(0)
    columns: dict[str, list[Any]] = {name: first[name] for name in ("id", "part", "truth")}
    artifacts.write_table(build.folder / "predictions.parquet", columns | {"probability": mean.tolist()})
    right = (mean > 0.5) == torch.tensor(first["truth"], dtype=torch.bool)
    for part in PREDICTED:
        inside = torch.tensor([name == part for name in first["part"]])
        build.measured[f"right_{part}"] = round(right[inside].double().mean().item(), 4)
    print(f"mean of {len(runs)} supervisors: {build.measured}")
