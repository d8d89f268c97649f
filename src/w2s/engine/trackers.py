"""TensorBoard, MLflow and Weights & Biases behind one interface. Each package is imported when it is first used.

Without a word from the user nothing leaves the machine: all three write under ``tracking/``. A job that goes on after
a kill, and one that is repeated, continues its run there or replaces it: no step is written twice. Any method may raise
whatever its library raises.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from w2s.graph.artifact import KEY_LENGTH

PROJECT = "w2s"  # MLflow's experiment, the project of Weights & Biases
AT_ONCE = 100  # parameters that MLflow takes in one request
LONGEST = 500  # characters of a parameter's value
FINAL = "final/"  # before the name of a value of the run as a whole
# What files hold of a run that has ended well, and of no other.
_HPARAMS, _SUMMARY = b"_hparams_/session_end_info", FINAL.encode()


@dataclass(frozen=True)
class Subject:
    """What is tracked. path: of the artifact, from results/; name, group: for people."""

    key: str
    path: str
    name: str
    group: str
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)


class Tracker(Protocol):
    """A run in a tracker. steps: those that it had before. elsewhere: the variable that names another place for runs.

    The classes also have ``finished(folder)``: keys of the runs that are there and have ended well.
    """

    elsewhere: str
    steps: frozenset[int]

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Values at a step."""
        ...

    def close(self, step: int, final: Mapping[str, float], *, failed: bool) -> None:
        """End the run. step: its last; final: values of the run as a whole."""
        ...


class TensorBoard:
    """Event files in ``tensorboard/<path>``, which replace those of an earlier attempt."""

    elsewhere = ""

    @staticmethod
    def finished(folder: Path) -> frozenset[str]:
        """Keys of the runs whose table of hyperparameters is there: it is written last."""
        files = (folder / "tensorboard").rglob("events.out.tfevents.*")
        return frozenset(_key_of(path.parent) for path in files if _HPARAMS in path.read_bytes())

    def __init__(self, subject: Subject, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.steps: frozenset[int] = frozenset()
        self._parameters = dict(subject.parameters)
        where = folder / "tensorboard" / subject.path
        for earlier in where.glob("events.out.tfevents.*"):
            earlier.unlink()
        self._writer = SummaryWriter(str(where))
        lines = json.dumps(self._parameters, indent=2).splitlines()
        self._writer.add_text("parameters", "\n".join(f"    {line}" for line in lines), 0)  # indented: code in Markdown

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One scalar a value."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self, step: int, final: Mapping[str, float], *, failed: bool) -> None:
        """The table of hyperparameters, for a run that is finished."""
        if not failed:
            self._writer.add_hparams(self._parameters, dict(final), run_name=".", global_step=step)
        self._writer.close()


class MLflow:
    """A run with the tag ``w2s.key`` at ``MLFLOW_TRACKING_URI``, by default files in ``mlflow/``."""

    elsewhere = "MLFLOW_TRACKING_URI"

    @staticmethod
    def finished(folder: Path) -> frozenset[str]:
        """Keys of the runs with this status."""
        client = _mlflow_client(folder)
        experiment = client.get_experiment_by_name(_mlflow_experiment())
        found: set[str] = set()
        token = None
        while experiment:
            page = client.search_runs([experiment.experiment_id], "attributes.status = 'FINISHED'", page_token=token)
            found |= {str(run.data.tags.get("w2s.key")) for run in page}
            token = page.token
            if not token:
                break
        return frozenset(found)

    def __init__(self, subject: Subject, folder: Path) -> None:
        self._client = _mlflow_client(folder)
        from mlflow.entities import Metric, Param

        self._metric: Callable[[str, float, int, int], Any] = Metric
        experiment = self._experiment(folder)
        self._run = self._found(experiment, subject) or self._client.create_run(
            experiment, run_name=subject.name, tags={"w2s.key": subject.key, "w2s.path": subject.path}
        )
        parameters = [Param(name, str(value)[:LONGEST]) for name, value in subject.parameters.items()]
        for start in range(0, len(parameters), AT_ONCE):
            self._client.log_batch(self._run.info.run_id, params=parameters[start : start + AT_ONCE])
        # The last value that ``write`` sends: a step that has it is whole.
        known = self._client.get_metric_history(self._run.info.run_id, "epoch")
        self.steps: frozenset[int] = frozenset(one.step for one in known)

    def _experiment(self, folder: Path) -> str:
        """The experiment's id. Jobs that start together do not make it twice."""
        name = _mlflow_experiment()
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".mlflow.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = self._client.get_experiment_by_name(name)
            return str(found.experiment_id if found else self._client.create_experiment(name))

    def _found(self, experiment: str, subject: Subject) -> Any:
        """The run of an earlier attempt, running again; None if there is none."""
        found = self._client.search_runs([experiment], f"tags.`w2s.key` = '{subject.key}'", max_results=1)
        if not found:
            return None
        self._client.update_run(found[0].info.run_id, status="RUNNING")
        return found[0]

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One metric a value."""
        ordered = sorted(values.items(), key=lambda item: item[0] == "epoch")
        now = int(time.time() * 1000)
        metrics = [self._metric(name, value, now, step) for name, value in ordered]
        self._client.log_batch(self._run.info.run_id, metrics=metrics)

    def close(self, step: int, final: Mapping[str, float], *, failed: bool) -> None:
        """Metrics of the run as a whole, and its status."""
        self.write(step, {name: value for name, value in final.items() if name not in self._run.data.metrics})
        self._client.set_terminated(self._run.info.run_id, "FAILED" if failed else "FINISHED")


class WeightsAndBiases:
    """A run whose id is the key, offline in ``wandb/`` unless ``WANDB_MODE`` says otherwise."""

    elsewhere = "WANDB_DIR"

    @staticmethod
    def finished(folder: Path) -> frozenset[str]:
        """Keys of the offline runs that have a summary; a run that is online has each step once in any case."""
        files = Path(os.environ.get("WANDB_DIR") or folder).glob("wandb/offline-run-*/run-*.wandb")
        return frozenset(_key_of(path.parent) for path in files if _SUMMARY in path.read_bytes())

    def __init__(self, subject: Subject, folder: Path) -> None:
        import wandb

        self._wandb: Any = wandb
        mode = os.environ.get("WANDB_MODE") or "offline"
        where = Path(os.environ.get("WANDB_DIR") or folder)
        where.mkdir(parents=True, exist_ok=True)
        if mode == "offline":  # nothing continues an offline run
            for earlier in where.glob(f"wandb/offline-run-*-{subject.key}"):
                shutil.rmtree(earlier)
        self._run: Any = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            dir=str(where),
            id=subject.key,
            name=subject.name,
            group=subject.group,
            config=dict(subject.parameters),
            mode=mode,
            resume="allow" if mode == "online" else None,
            settings=wandb.Settings(console="off", silent=True, disable_git=True, disable_code=True),
        )
        self._run.define_metric("*", step_metric="step")
        last = self._run.summary.get("step", -1) if mode == "online" else -1
        self.steps: frozenset[int] = frozenset(range(int(last) + 1))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One row; the step is a value of it, because rows may come late."""
        self._run.log({"step": step, **values})

    def close(self, step: int, final: Mapping[str, float], *, failed: bool) -> None:
        """The summary. Ends the library's own process too: a warm process runs other jobs next."""
        self._run.summary.update(dict(final))
        self._run.finish(exit_code=int(failed))
        self._wandb.teardown()


def _mlflow_client(folder: Path) -> Any:
    # Files need no migrations, and many jobs on many machines can write them. The library asks to confirm them.
    for name, value in (("ALLOW_FILE_STORE", "true"), ("DISABLE_TELEMETRY", "true")):
        os.environ.setdefault(f"MLFLOW_{name}", value)
    for name, value in (("MAX_RETRIES", "1"), ("TIMEOUT", "20")):  # a job does not wait for minutes for a server
        os.environ.setdefault(f"MLFLOW_HTTP_REQUEST_{name}", value)
    from mlflow import MlflowClient

    return MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or (folder / "mlflow").absolute().as_uri())


def _mlflow_experiment() -> str:
    return os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT


def _key_of(directory: Path) -> str:
    return directory.name[-KEY_LENGTH:]


TRACKERS: Mapping[str, type[TensorBoard] | type[MLflow] | type[WeightsAndBiases]] = {
    "tensorboard": TensorBoard,
    "mlflow": MLflow,
    "wandb": WeightsAndBiases,
}
