"""Numbers that decide claims, from the cells of a figure's table: ordinary arithmetic on arrays of draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from w2s.errors import LackingError

if TYPE_CHECKING:
    from w2s.claims.cells import Cells

NAIVE, CONFIDENCE, TRUTH = "naive", "confidence", "truth"
BOOTSTRAP, ZERO_SHOT, GENERATIVE = "bootstrap", "zero-shot", "generative"
FULL, LABELLER = "full", "labeller"  # students of Figure 24: with all features; none, but the labels themselves
STEP = " > "  # between the rungs of a chain
Measure = Callable[["Cells"], Any]


def measure(function: Callable[..., Any], *arguments: Any, **settings: Any) -> Measure:
    """A function of cells with all else filled in."""
    return lambda cells: function(cells, *arguments, **settings)


def at_compute(cells: Cells, method: str, weak: float, strong: float, *, value: str = "pgr") -> Any:
    """From the supervisor to the student of so much compute, as powers of ten of GPT-4's."""
    supervisor = cells.near("supervisor", weak, method=method)
    student = cells.near("student", strong, method=method, supervisor=supervisor)
    return cells.value(value, method=method, supervisor=supervisor, student=student)


def farthest(cells: Cells, method: str, *, value: str = "pgr") -> Any:
    """From the weakest supervisor to its largest student."""
    weak, strong = _farthest(cells, method)
    return cells.value(value, method=method, supervisor=weak, student=strong)


def _farthest(cells: Cells, method: str) -> tuple[str, str]:
    pairs = cells.pairs(method=method)
    return [pair for pair in pairs if pair[0] == pairs[0][0]][-1]


def gain(cells: Cells, method: str, over: str, *, value: str = "pgr") -> Any:
    """The same, of one method less another."""
    weak, strong = _farthest(cells, method)
    one, other = (cells.value(value, method=name, supervisor=weak, student=strong) for name in (method, over))
    return one - other


def median_of_weakest(cells: Cells, method: str) -> Any:
    """The median PGR of the weakest supervisor's students."""
    pairs = cells.pairs(method=method)
    return cells.median(_values(cells, "pgr", [pair for pair in pairs if pair[0] == pairs[0][0]], method))


def median(cells: Cells, method: str, value: str = "pgr") -> Any:
    """The median over pairs."""
    return cells.median(_values(cells, value, cells.pairs(method=method), method))


def median_of_largest(cells: Cells, method: str) -> Any:
    """The median over supervisors of the PGR of the largest student."""
    pairs = cells.pairs(method=method)
    top = max((strong for _, strong in pairs), key=lambda name: cells.compute[name])
    return cells.median(_values(cells, "pgr", [pair for pair in pairs if pair[1] == top], method))


def neighbours(cells: Cells, method: str) -> list[tuple[str, str]]:
    """For each supervisor the pair with the smallest student that is larger."""
    first: dict[str, tuple[str, str]] = {}
    for pair in cells.pairs(method=method):
        first.setdefault(pair[0], pair)
    return list(first.values())


def median_of_neighbours(cells: Cells, method: str) -> Any:
    """The median PGR of pairs of neighbours."""
    return cells.median(_values(cells, "pgr", neighbours(cells, method), method))


def mean_gain(cells: Cells, method: str, over: str, *, among: str = "all", value: str = "pgr") -> Any:
    """Mean over pairs of one method's value less another's. among: all, neighbours, largest (student), smallest."""
    pairs = neighbours(cells, method) if among == "neighbours" else cells.pairs(method=method)
    if among in ("largest", "smallest"):
        students = sorted({strong for _, strong in pairs}, key=lambda name: cells.compute[name])
        pairs = [pair for pair in pairs if pair[1] == students[-1 if among == "largest" else 0]]
    there = set(cells.pairs(method=over))
    pairs = [pair for pair in pairs if pair in there]
    if not pairs:
        raise LackingError(f"no pair has both {method} and {over}")
    both = zip(_values(cells, value, pairs, method), _values(cells, value, pairs, over), strict=True)
    return cells.mean([one - other for one, other in both])


def mean_gain_of_some(cells: Cells, methods: Sequence[str], over: str) -> Any:
    """The same, mean over those of some methods that the table has."""
    there = [name for name in methods if cells.matching(method=name)]
    if not there:
        raise LackingError(f"the table has none of the methods {', '.join(methods)}")
    return cells.mean([mean_gain(cells, name, over) for name in there])


def _values(cells: Cells, value: str, pairs: list[tuple[str, str]], method: str) -> list[Any]:
    return [cells.value(value, method=method, supervisor=weak, student=strong) for weak, strong in pairs]


def slope(cells: Cells, value: str, along: str, method: str) -> Any:
    """Change for each decade of the student's or supervisor's compute, the other held fixed."""
    return cells.slope(value, along, method=method)


# -- stopping ----------------------------------------------------------------------------------------------


def stopping_gain(cells: Cells, rule: str, over: str, method: str = NAIVE) -> Any:
    """The median PGR over all pairs and tasks under one rule of stopping, less that under another."""
    return cells.pooled("pgr", method=method, stopping=rule) - cells.pooled("pgr", method=method, stopping=over)


# -- agreement ---------------------------------------------------------------------------------------------


def student_pairs(cells: Cells, method: str) -> list[tuple[str, str]]:
    """All pairs, same size included."""
    found = [(cell.supervisor, cell.student) for cell in cells.matching(method=method) if cell.supervisor is not None]
    if not found:
        raise LackingError(f"the table has no students by {method}")
    return found


def mean_over_students(cells: Cells, method: str, value: str) -> Any:
    """Mean over students of one value."""
    return cells.mean(_values(cells, value, student_pairs(cells, method), method))


def mean_difference(cells: Cells, method: str, value: str, over: str) -> Any:
    """Mean over students of one value less another."""
    pairs = student_pairs(cells, method)
    both = zip(_values(cells, value, pairs, method), _values(cells, over, pairs, method), strict=True)
    return cells.mean([one - other for one, other in both])


def method_difference(cells: Cells, value: str, method: str, over: str) -> Any:
    """Mean over students of one method's value less another's."""
    pairs = [pair for pair in student_pairs(cells, method) if pair in set(student_pairs(cells, over))]
    both = zip(_values(cells, value, pairs, method), _values(cells, value, pairs, over), strict=True)
    return cells.mean([one - other for one, other in both])


# -- chains ------------------------------------------------------------------------------------------------


def chain_gain(cells: Cells, value: str) -> Any:
    """Mean over steps of chains (from the third rung on) of chain less naive student of the same pair."""
    found = []
    for cell in cells.matching(method=BOOTSTRAP):
        if len(str(cell.chain).split(STEP)) > 2:
            naive = cells.matching(method=NAIVE, supervisor=cell.supervisor, student=cell.student)
            if naive:
                found.append(cells.at(value, cell) - cells.at(value, naive[0]))
    if not found:
        raise LackingError("no chain is longer than two rungs")
    return cells.mean(found)


def rise_beyond_naive(cells: Cells) -> Any:
    """Mean over all steps of all chains of how much accuracy rises, less that of naive students of the same sizes."""
    by_chain = {cell.chain: cell for cell in cells.matching(method=BOOTSTRAP)}
    rises = []
    for chain, cell in by_chain.items():
        before = by_chain.get(STEP.join(str(chain).split(STEP)[:-1]))
        if before is None:
            continue
        naive = [
            cells.value("accuracy", method=NAIVE, supervisor=one.supervisor, student=one.student)
            for one in (before, cell)
        ]
        rises.append(cells.at("accuracy", cell) - cells.at("accuracy", before) - (naive[1] - naive[0]))
    if not rises:
        raise LackingError("no chain is longer than two rungs")
    return cells.mean(rises)


# -- models without supervisors ----------------------------------------------------------------------------


def between_methods(cells: Cells, method: str, over: str, *, value: str = "accuracy", sizes: str = "all") -> Any:
    """Mean over models (or the largest, the smallest) of one method's value less another's, without supervisors."""
    names = cells.names("student", method=method, supervisor=None)
    names = [name for name in names if cells.matching(method=over, supervisor=None, student=name)]
    if not names:
        raise LackingError(f"no model has both {method} and {over}")
    chosen = {"all": names, "largest": names[-1:], "smallest": names[:1]}[sizes]
    return cells.mean(
        [
            cells.mean_over_tasks(value, method=method, supervisor=None, student=name)
            - cells.mean_over_tasks(value, method=over, supervisor=None, student=name)
            for name in chosen
        ]
    )


def prompting_catches_up(cells: Cells, method: str) -> Any:
    """How much further finetuning on truth is ahead of prompts for the smallest model than for the largest."""
    smallest, largest = (between_methods(cells, TRUTH, method, sizes=size) for size in ("smallest", "largest"))
    return smallest - largest


def easy_gain(cells: Cells, over: str, *, value: str = "accuracy") -> Any:
    """Mean over models and easy training sets (``below-...``) of accuracy less that of another method."""
    easy = [name for name in cells.names("method") if str(name).startswith("below-")]
    if not easy:
        raise LackingError("the table has no models trained on easy examples")
    return cells.mean([between_methods(cells, name, over, value=value) for name in easy])


def zero_shot_less_student(cells: Cells) -> Any:
    """The largest model prompted, less the same model as the weakest supervisor's student."""
    weak, strong = _farthest(cells, NAIVE)
    prompted = cells.value("accuracy", method=ZERO_SHOT, student=strong)
    return prompted - cells.value("accuracy", method=NAIVE, supervisor=weak, student=strong)


def at_pair(cells: Cells, method: str, over: str) -> Any:
    """Accuracy of one method less another's, the weakest supervisor and its largest student; without a ceiling."""
    pairs = [pair for pair in student_pairs(cells, method) if pair in set(student_pairs(cells, over))]
    if not pairs:
        raise LackingError(f"no pair has both {method} and {over}")
    weak, strong = min(pairs, key=lambda pair: (cells.compute[pair[0]], -cells.compute[pair[1]]))
    one, other = (
        cells.mean_over_tasks("accuracy", method=name, supervisor=weak, student=strong) for name in (method, over)
    )
    return one - other


# -- single bars -------------------------------------------------------------------------------------------


def bar(cells: Cells, method: str, value: str = "accuracy") -> Any:
    """The mean over tasks of the one run of a method."""
    return cells.mean_over_tasks(value, method=method)


def bars(cells: Cells, method: str, over: str, value: str = "accuracy") -> Any:
    """One bar less another."""
    return bar(cells, method, value) - bar(cells, over, value)


def share_of_gap(cells: Cells, method: str, low: str, high: str) -> Any:
    """How much of the way from one bar to another a third one gets."""
    bottom, reached, top = (bar(cells, name) for name in (low, method, high))
    return cells.ratio(reached - bottom, top - bottom)


def difference_of_largest(cells: Cells, value: str, method: str, over: str) -> Any:
    """The value of a method's largest student less that of another's, whatever student each ends at."""

    def largest(name: str) -> Any:
        found = [cell for cell in cells.matching(method=name) if cell.supervisor is not None]
        if not found:
            raise LackingError(f"the table has no students by {name}")
        return cells.at(value, max(found, key=lambda cell: cells.compute[cell.student]))

    return largest(method) - largest(over)


def easy_gain_rated(cells: Cells, over: str, up_to: float) -> Any:
    """Mean over models, easy training sets and ratings up to a limit of accuracy less that of another method."""
    found = []
    for cell in cells.matching():
        rated = cell.rating is not None and float(cell.rating) <= up_to
        if rated and str(cell.method).startswith("below-"):
            others = cells.matching(method=over, student=cell.student, rating=cell.rating)
            if others:
                found.append(cells.at("accuracy", cell) - cells.at("accuracy", others[0]))
    if not found:
        raise LackingError(f"the table has no ratings with both easy training and {over}")
    return cells.mean(found)


def median_above_supervisor(cells: Cells) -> Any:
    """Median over students larger than their supervisor of what they are better by."""
    found = []
    for cell in cells.matching():
        if cell.supervisor is not None and cells.compute[cell.student] > cells.compute[cell.supervisor]:
            found.append(cells.at("accuracy", cell) - cells.at("weak", cell))
    if not found:
        raise LackingError("the table has no students larger than their supervisor")
    return cells.median(found)


def mean_pgr(cells: Cells, method: str) -> Any:
    """Mean over all students of a method of PGR."""
    found = [cells.at("pgr", cell) for cell in cells.matching(method=method) if cell.supervisor is not None]
    if not found:
        raise LackingError(f"the table has no students by {method}")
    return cells.mean(found)


# -- studies of errors and difficulty ----------------------------------------------------------------------


def between_shares(cells: Cells, share: int, over: int) -> Any:
    """Mean over models of accuracy after training on so many percent of the examples, the easiest, less another."""
    names = [name for name in cells.names("student") if cells.matching(student=name, share=share)]
    names = [name for name in names if cells.matching(student=name, share=over)]
    if not names:
        raise LackingError(f"no model is trained on the easiest {share}% and {over}%")
    values = ([cells.mean_over_tasks("accuracy", student=name, share=one) for name in names] for one in (share, over))
    return cells.mean([one - other for one, other in zip(*values, strict=True)])


def with_label_hint(cells: Cells, method: str) -> Any:
    """Mean over tasks of the PGR of students whose prompts have a label hint."""
    return cells.mean_over_tasks("pgr", method=method, told=1)


def gain_of_worst_labels(cells: Cells, panel: str) -> Any:
    """Accuracy of the student with all features less that of its labels, for the weakest labels of a panel."""
    found = []
    for name in cells.names("labels", panel=panel):
        labellers = [cell for cell in cells.matching(panel=panel, labels=name) if cell.student in (name, LABELLER)]
        students = cells.matching(panel=panel, labels=name, student=FULL)
        if name != FULL and labellers and students:
            found.append((float(name), labellers[0], students[0]))
    if not found:
        raise LackingError(f"the table has no students of labels that are {panel}")
    _, labels, student = min(found, key=lambda one: one[0])
    return cells.at("accuracy", student) - cells.at("accuracy", labels)


def labels_gain(cells: Cells, labels: str, over: str, method: str) -> Any:
    """PGR with one kind of label less another."""
    one, other = (cells.value("pgr", method=method, kind=name) for name in (labels, over))
    return one - other


def labels_imitated(cells: Cells, labels: str, method: str) -> Any:
    """Imitation of one kind of label."""
    return cells.value("imitation", method=method, kind=labels)
