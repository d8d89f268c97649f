"""What each tracker holds, read back by its own package."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path("tracking")
Values = dict[str, list[tuple[int, float]]]  # metric -> (step, value)
INSTALLED = [
    pytest.param(
        name, marks=pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed: its tracker")
    )
    for name in ("tensorboard", "mlflow", "wandb")
]


def of(name: str, key: str) -> tuple[dict[str, Any], Values]:
    """(parameters, metrics) of the run with a key, in the working directory. One run only."""
    return {"tensorboard": _tensorboard, "mlflow": _mlflow, "wandb": _wandb}[name](key)


def runs(name: str) -> set[str]:
    """Keys of the runs that a tracker holds."""
    if name == "tensorboard":
        return {path.parent.name[-10:] for path in FOLDER.rglob("events.out.tfevents.*")}
    if name == "wandb":
        return {path.name[-10:] for path in FOLDER.glob("wandb/offline-run-*")}
    return {str(run.data.tags["w2s.key"]) for run in _mlflow_runs()}


def _tensorboard(key: str) -> tuple[dict[str, Any], Values]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    (folder,) = {path.parent for path in FOLDER.rglob("events.out.tfevents.*") if path.parent.name.endswith(key)}
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}, purge_orphaned_data=False)
    events.Reload()
    tags = events.Tags()
    values = {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in tags["scalars"]}
    (text,) = events.Tensors("parameters/text_summary")
    parameters = json.loads(text.tensor_proto.string_val[0])
    content = events.summary_metadata.get("_hparams_/session_start_info")
    if content:  # of a run that is finished
        table = HParamsPluginData.FromString(content.plugin_data.content).session_start_info.hparams
        assert set(table) == set(parameters)
    return parameters, values


def _mlflow_runs() -> list[Any]:
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow import MlflowClient

    client = MlflowClient((FOLDER / "mlflow").absolute().as_uri())
    experiment = client.get_experiment_by_name("w2s")
    return list(client.search_runs([experiment.experiment_id])) if experiment else []


def status(key: str) -> str:
    """Of an MLflow run."""
    (run,) = (run for run in _mlflow_runs() if run.data.tags["w2s.key"] == key)
    return str(run.info.status)


def _mlflow(key: str) -> tuple[dict[str, Any], Values]:
    from mlflow import MlflowClient

    (run,) = (run for run in _mlflow_runs() if run.data.tags["w2s.key"] == key)
    client = MlflowClient((FOLDER / "mlflow").absolute().as_uri())
    values = {
        name: [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, name)]
        for name in run.data.metrics
    }
    return dict(run.data.params), values


def _wandb(key: str) -> tuple[dict[str, Any], Values]:
    from wandb.proto import wandb_internal_pb2

    (file,) = FOLDER.glob(f"wandb/offline-run-*-{key}/run-{key}.wandb")
    parameters: dict[str, Any] = {}
    values: Values = {}
    final: dict[str, float] = {}
    for content in _records(file.read_bytes()):
        record = wandb_internal_pb2.Record.FromString(content)
        if record.HasField("run"):
            parameters |= {one.key: json.loads(one.value_json) for one in record.run.config.update}
        row = {"/".join(one.nested_key) or one.key: json.loads(one.value_json) for one in record.history.item}
        for name, value in row.items():
            if not name.startswith("_") and name != "step":
                values.setdefault(name, []).append((row["step"], value))
        for one in record.summary.update:
            final["/".join(one.nested_key) or one.key] = json.loads(one.value_json)
    values |= {name: [(-1, value)] for name, value in final.items() if name.startswith("final/")}
    parameters.pop("_wandb", None)
    return parameters, values


def _records(content: bytes) -> Iterator[bytes]:
    """Of a log in LevelDB's format, with a header of 7 bytes: blocks of 32 KiB, in them chunks of records."""
    place, begun = 7, b""
    while place + 7 <= len(content):
        left = 2**15 - place % 2**15
        if left < 7:
            place += left
            continue
        length, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        begun += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or its last chunk
            yield begun
            begun = b""
