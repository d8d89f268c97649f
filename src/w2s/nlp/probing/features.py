"""The features stage: the input of a two-way head for every text (Section 5.2.3, Appendix D.2), computed once.

Features are the hidden state of the last token after the last norm, before the unembedding: of a base model, or of a
finetuned run at its selected step. Runs need not keep their weights, so it is finetuned again from the spec in its
record, with the same bits on a CPU. Its own artifact is not changed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from w2s.engine import artifacts
from w2s.engine.space import room_for
from w2s.graph.artifact import Identity
from w2s.models import classifier
from w2s.models.base import directory_of
from w2s.models.classifier import Classifier
from w2s.nlp import finetune
from w2s.nlp.labels import weak_labels
from w2s.nlp.parts import encoded
from w2s.nlp.probing.table import EXAMPLES, FILE
from w2s.nlp.specs import FeaturesSpec
from w2s.training.batching import joined
from w2s.training.job import Job
from w2s.training.states import last_states

ANY = ("0", "1")  # answers for a head that is not used


def make(
    build: artifacts.Build,
    data: Path,
    model: Path,
    run: Path | None = None,
    labels: Path | None = None,
    environment: Mapping[str, Any] | None = None,
) -> None:
    """Write ``features.npy`` and ``examples.parquet``, row by row the same examples.

    run: a finetuned run of this model on these data, or None for the base model; labels: that run's weak labels, if
    any. environment: of the job, without effect on results.
    """
    spec = FeaturesSpec.from_spec(build.identity.spec)
    job, base = Job(build), directory_of(model)
    if run is None:
        computing = job.computing(spec)
        network = job.load(lambda: classifier.load(base, ANY, computing), seed=0)
    else:
        network = finetune_again(build, data, model, run, labels, environment or {})
    parts = encoded(data, base, spec.max_length)
    texts = joined([part.texts for part in parts.values()])
    job.read(network, texts.tokens)
    values = last_states(network, texts, job.budget).numpy()
    with room_for(build.folder / FILE, values.nbytes):
        np.save(build.folder / FILE, values, allow_pickle=False)
    columns: dict[str, list[Any]] = {"id": [], "part": [], "truth": []}
    for name, part in parts.items():
        columns["id"] += part.ids
        columns["part"] += [name] * len(part.ids)
        columns["truth"] += part.truth.int().tolist()
    artifacts.write_table(build.folder / EXAMPLES, columns)
    job.finish({"examples": len(texts), "width": values.shape[1]})
    print(f"{len(texts)} texts, {values.shape[1]} features each")


def finetune_again(
    build: artifacts.Build,
    data: Path,
    model: Path,
    run: Path,
    labels: Path | None,
    environment: Mapping[str, Any],
) -> Classifier:
    """The network of a finished run at its selected step, finetuned again; measures the difference of predictions."""
    record = artifacts.read(run)
    identity = Identity(record["stage"], record["version"], record["spec"], record["parents"])
    with tempfile.TemporaryDirectory() as folder:
        redone = artifacts.Build(identity, Path(folder), build.work)
        network = finetune.make(redone, data, model, labels, environment, may_keep=False)
        before, now = (weak_labels(directory) for directory in (run, Path(folder)))
    difference = max(abs(now[name] - value) for name, value in before.items())
    build.measured["largest_difference_from_run"] = difference
    print(f"finetuned again: predictions differ from the run's by at most {difference:.2g}")
    return network
