"""The errors stage: which of a supervisor's errors can a student reproduce (Appendix E.1, Figure 24).

All models are logistic regression with scikit-learn's defaults on the first k features of one base model: M_k. The
weak half's truth trains M_k; the strong half (validation part included) is what students learn, with hard labels.

* simulable: M_k's labels; a student that sees more features sees these too;
* unsimulable: the truth, of which as large a share is flipped at random as M_k gets wrong on the test set;
* mixed: one M_k's labels, of which a share is flipped at random.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.nlp.probing.logistic import Head, Numbers, fit
from w2s.nlp.probing.table import FeaturePart, read_parts
from w2s.nlp.specs import ErrorsSpec

FULL, LABELLER = "full", "labeller"


@dataclass(frozen=True)
class Result:
    """A student (or the labeller itself) on the test set.

    panel: simulable, unsimulable or mixed. labels: whose: features that M_k sees, or a share of noise, as text.
    student: features that it sees, as text; draw: of the noise. Accuracy, and agreement with the labeller, as shares.
    """

    panel: str
    labels: str
    student: str
    draw: int
    accuracy: float
    agreement: float


def make(build: artifacts.Build, features: Path) -> None:
    """Measure ``fits``: a list of ``Result``."""
    fits = simulate(read_parts(features), ErrorsSpec.from_spec(build.identity.spec))
    build.measured["fits"] = [asdict(result) for result in fits]
    print(f"{len(fits)} fits")


def simulate(parts: Mapping[str, FeaturePart], spec: ErrorsSpec) -> list[Result]:
    """Train all labellers and students, and test them.

    Feature counts beyond the model's width are left out; UserError if this includes the noised labeller's.
    """
    width = parts["weak"].values.shape[1]
    few = [count for count in spec.features if count < width]
    if spec.noised not in few:
        raise UserError(f"nlp.probing.errors.noised: {spec.noised} is not allowed; this rung has {width} features")
    weak, test = parts["weak"], parts["test"]
    student = np.concatenate([parts[name].values for name in ("strong", "validation")])
    truth = np.concatenate([parts[name].truth for name in ("strong", "validation")])
    own = {count: fit(weak.values[:, :count], weak.truth) for count in [*few, width]}

    fits = []
    for count, labeller in own.items():
        fits.append(_fit("simulable", _name(count, width), _name(count, width), 0, labeller, test, count, None))
        taught = labeller.hard(student[:, :count])
        for more in (larger for larger in own if larger > count):
            learned = fit(student[:, :more], taught)
            on_test = labeller.hard(test.values[:, :count])
            fits.append(_fit("simulable", _name(count, width), _name(more, width), 0, learned, test, more, on_test))
    wrong = {result.labels: 1 - result.accuracy for result in fits if result.labels == result.student}
    noised = own[spec.noised]
    for draw in range(spec.draws):
        rng = np.random.default_rng([spec.seed, draw])
        clean: tuple[Numbers, Numbers] = truth, test.truth
        for count in few:
            labels = [flip(values, wrong[str(count)], rng) for values in clean]
            fits += _taught("unsimulable", str(count), draw, student, labels, test)
        clean = noised.hard(student[:, : spec.noised]), noised.hard(test.values[:, : spec.noised])
        for share in spec.noise:
            labels = [flip(values, share, rng) for values in clean]
            fits += _taught("mixed", f"{share:g}", draw, student, labels, test)
    return fits


def _taught(
    panel: str, name: str, draw: int, student: Numbers, labels: Sequence[Numbers], test: FeaturePart
) -> list[Result]:
    """The labeller and a student with all features. labels: on what the student learns, on the test set."""
    taught, on_test = labels
    right = float(np.mean(on_test == test.truth))
    learned = _fit(panel, name, FULL, draw, fit(student, taught), test, student.shape[1], on_test)
    return [Result(panel, name, LABELLER, draw, right, 1.0), learned]


def _fit(
    panel: str, labels: str, student: str, draw: int, head: Head, test: FeaturePart, count: int, on_test: Numbers | None
) -> Result:
    """on_test: the labeller's labels there; None where the model is the labeller."""
    predicted = head.hard(test.values[:, :count])
    agreement = 1.0 if on_test is None else float(np.mean(predicted == on_test))
    return Result(panel, labels, student, draw, float(np.mean(predicted == test.truth)), agreement)


def _name(count: int, width: int) -> str:
    return FULL if count == width else str(count)


def flip(labels: Numbers, share: float, rng: np.random.Generator) -> Numbers:
    """Labels (n,) of 0 and 1, so large a share of them (to the nearest example) flipped."""
    flipped = labels.copy()
    chosen = rng.permutation(len(labels))[: round(share * len(labels))]
    flipped[chosen] = 1 - flipped[chosen]
    return flipped
