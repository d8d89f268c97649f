"""Guards against leaks and imbalance: run on every build of a task, and kept in its manifest.

One of them is hard: a text must not depend on which answer is right (``check_relabelled``), nor may words or
lengths alone give (nearly) every label away. The others are measurements for a reader to judge.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from w2s.engine.splits import check_groups, shared_groups
from w2s.errors import UserError
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

HALVES = ("weak", "strong")
GIVEN_AWAY = 0.99  # test accuracy of a probe beyond which the label must be in the text; no panel of Figure 12 is there
ENOUGH = 100  # test examples, for a probe to be believed
TRAINED_ON, TESTED_ON = 4000, 2000  # examples that a probe sees, at most
COMPARED, COMPARED_WITH = 1000, 4000  # examples sought for near-duplicates, at most, and among how many
NEAR = 0.8  # Jaccard similarity of two texts' words and word pairs


class Labelled(Protocol):
    """What guards read of an example."""

    @property
    def id(self) -> str:
        """What no other example has."""
        ...

    @property
    def group(self) -> str:
        """What stays on one side of every split."""
        ...

    @property
    def text(self) -> str:
        """The text that models see."""
        ...

    @property
    def label(self) -> int:
        """0 or 1."""
        ...


Parts = Mapping[str, Sequence[Labelled]]


def check_relabelled(task: Task, row: Row, candidates: Sequence[Candidate], where: str) -> None:
    """UserError if the row's texts show which answer is right: if they change when another one is."""
    if task.relabel is None or not candidates:
        return
    other = task.formatter(task.relabel(row))
    here, there = ({one.text: one.label for one in some} for some in (candidates, other))
    if here.keys() != there.keys():
        text = min(here.keys() ^ there.keys())
        raise UserError(
            f"{where}: the text contains its label: with another answer it would not be {_short(text)}; "
            f"fix the formatter of {task.name!r}"
        )
    if here == there and len(here) == len(candidates):  # equal answers say nothing about each other
        raise UserError(f"{where}: its labels do not change with the right answer; fix the formatter of {task.name!r}")


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"...{text[-77:]}")


def measure(task: Task, parts: Parts, question_of: Mapping[str, str]) -> dict[str, Any]:
    """All guards of a built task. question_of: id -> question. UserError if words give the label away."""
    train = [example for part in HALVES for example in parts[part]]
    found: dict[str, Any] = {
        "positive_share": {name: _share(part) for name, part in parts.items()},
        "groups_in_several_parts": len(shared_groups(parts)),
        "near_duplicates": {
            f"{name} of weak": near_duplicates(parts["weak"], parts[name]) for name in ("strong", "test")
        },
        "bag_of_words_accuracy": probe(train, parts["test"], words=True),
        "length_only_accuracy": probe(train, parts["test"], words=False),
    }
    if task.per_question:
        found["questions_with_unequal_answers"] = {name: _unequal(part, question_of) for name, part in parts.items()}
    check_groups(parts, f"task {task.name!r}")
    if task.relabel is not None:
        found["text_independent_of_answer"] = True  # every row was checked while it was formatted
    for guard in ("bag_of_words_accuracy", "length_only_accuracy"):
        if len(parts["test"]) >= ENOUGH and found[guard] is not None and found[guard] >= GIVEN_AWAY:
            raise UserError(
                f"task {task.name!r}: {guard.replace('_', ' ')} on the test set is {found[guard]:.1%}, so the text "
                "reveals its label; fix its formatter or data"
            )
    return found


def _share(examples: Sequence[Labelled]) -> float:
    return round(sum(example.label for example in examples) / len(examples), 4)


def _unequal(examples: Sequence[Labelled], question_of: Mapping[str, str]) -> int:
    balance: Counter[str] = Counter()
    for example in examples:
        balance[question_of[example.id]] += 1 if example.label else -1
    return sum(difference != 0 for difference in balance.values())


# -- probes: what words or lengths alone can tell ----------------------------------------------------------


def tokens(text: str) -> list[str]:
    """Words, and words together with the line that they stand in: order between lines is a cue as well."""
    words = []
    for number, line in enumerate(text.split("\n")):
        for word in re.findall(r"\w+", line.lower()):
            words += [word, f"{number}:{word}"]
    return words


def probe(train: Sequence[Labelled], test: Sequence[Labelled], *, words: bool) -> float | None:
    """Test accuracy of a logistic regression on bags of words, or on lengths; None where there is one class."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    learned, asked = _some(train, TRAINED_ON), _some(test, TESTED_ON)
    labels = [example.label for example in learned]
    if len(set(labels)) < 2 or not asked:
        return None
    texts = [[example.text for example in part] for part in (learned, asked)]
    x: list[Any]
    if words:
        vectorizer = HashingVectorizer(analyzer=tokens, n_features=2**18, alternate_sign=False, norm=None, binary=True)
        x = [vectorizer.transform(part) for part in texts]
    else:
        scaler = StandardScaler().fit([_lengths(text) for text in texts[0]])
        x = [scaler.transform([_lengths(text) for text in part]) for part in texts]
    model = LogisticRegression(solver="liblinear", random_state=0).fit(x[0], labels)
    reached: float = model.score(x[1], [example.label for example in asked])
    return round(float(reached), 4)


def _lengths(text: str) -> list[float]:
    """Characters and words of the text, and of its last line but one, where an answer stands."""
    lines = text.split("\n")
    last = lines[-2] if len(lines) > 1 else lines[-1]
    return [float(size) for size in (len(text), len(text.split()), len(last), len(last.split()))]


def _some(examples: Sequence[Labelled], count: int) -> list[Labelled]:
    """Every n-th example, so that there are at most ``count``: they are in the order of their ids, a hash."""
    step = -(-len(examples) // count) or 1
    return list(examples[::step])


def near_duplicates(reference: Sequence[Labelled], examples: Sequence[Labelled]) -> float:
    """Share of the examples whose words and word pairs are nearly those of one in ``reference``."""
    import numpy as np

    sought = _shingles(_some(examples, COMPARED))
    known = _shingles(_some(reference, COMPARED_WITH))
    sizes = [np.asarray(matrix.sum(1)).ravel() for matrix in (sought, known)]
    close = 0
    for start in range(0, sought.shape[0], 200):
        rows = slice(start, start + 200)
        common = (sought[rows] @ known.T).toarray()
        union = sizes[0][rows].reshape(-1, 1) + sizes[1].reshape(1, -1) - common
        close += int(((common >= NEAR * union) & (union > 0)).any(axis=1).sum())
    return round(close / max(1, int(sought.shape[0])), 4)


def _shingles(examples: Sequence[Labelled]) -> csr_matrix:
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(ngram_range=(1, 2), n_features=2**20, alternate_sign=False, norm=None, binary=True)
    return vectorizer.transform([example.text for example in examples])
