"""The paper's own numbers as tables with our columns, so that the rules of claims can be tried on them.

Values are fractions, rungs are called by log10 of their compute (a fraction of GPT-4's). Where a figure shows medians
over tasks that were read out only as such, the table has one task, ``all``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from w2s import paper
from w2s.analysis.pairs import NAIVE, TRUTH

Row = dict[str, Any]
NUMBERS = ("accuracy", "accuracy_hard", "weak", "ceiling", "pgr", "agreement", "agreement_right", "agreement_wrong")
ALL = "all"  # stands for the task
STEP = " > "


def table(figure: str, setting: str) -> list[Row]:
    """The rows of a figure that the paper's own numbers give; none where it was not read out."""
    made = OWN.get((figure, setting))
    if made:
        return [_typed(row) for row in made()]
    number = figure.removeprefix("fig")
    rows = (row for row in paper.read("claims") if (row["figure"], row["setting"]) == (number, setting))
    return [_typed(row) for row in rows]


def _typed(row: dict[str, str] | Row) -> Row:
    found: Row = {name: value for name, value in row.items() if value not in ("", None)}
    found |= {name: float(found[name]) / 100 for name in NUMBERS if name in found}
    for role in ("supervisor", "student"):
        if role in found and f"{role}_compute" not in found:
            power = _power(found[role])
            found |= {} if power is None else {f"{role}_compute": 10**power}
    for name in ("share", "told"):
        found |= {name: float(found[name])} if name in found else {}
    return {"task": ALL, "seed": "paper"} | found


def _power(name: str) -> float | None:
    """log10 of a rung's compute; None for what is not named after it (numbers of features, say)."""
    try:
        power = float(name)
    except ValueError:
        return None
    return power if power <= 0 else None


def _compared(rows: Iterable[dict[str, str]], quantity: str = "accuracy", value: str = "value") -> list[Row]:
    """Rows of ground truth and students, with supervisor's accuracy and ceiling from the ground truth beside them."""
    found = [row for row in rows if row.get("quantity", quantity) == quantity]
    truth = {(row.get("dataset", ALL), row["student"]): row[value] for row in found if row["method"] == TRUTH}
    made = []
    for row in found:
        task = row.get("dataset", ALL)
        one: Row = {"task": task, "method": row["method"], "supervisor": row["supervisor"], "student": row["student"]}
        one["accuracy"] = row[value]
        if row["supervisor"]:
            one["weak"] = truth.get((task, row["supervisor"]), "")
            one["ceiling"] = truth.get((task, row["student"]), "")
        made.append(one)
    return made


def _nlp() -> list[Row]:
    """Figures 3 and 5 are medians over the data sets of Figure 12."""
    return _compared(paper.read("fig12"), value="accuracy")


def _nlp_naive() -> list[Row]:
    return [row for row in _nlp() if row["method"] in (TRUTH, NAIVE)]


def _nlp_example() -> list[Row]:
    return _bars("nlp", "confidence")


def _chess_example() -> list[Row]:
    return _bars("chess", "bootstrap")


def _reward_example() -> list[Row]:
    return _bars("reward", "generative")


def _bars(setting: str, best: str) -> list[Row]:
    heights = {bar: value for bar, (value, _) in paper.bars(2, setting).items()}
    pair = {"supervisor": "-5.25", "student": "0", "weak": heights["weak"], "ceiling": heights["ceiling"]}
    students = {NAIVE: heights["naive"], best: heights["best"]}
    rows: list[Row] = [pair | {"method": method, "accuracy": value} for method, value in students.items()]
    return [*rows, {"method": TRUTH, "student": "0", "accuracy": heights["ceiling"]}]


def _stopping() -> list[Row]:
    return [{"method": NAIVE, "stopping": rule, "pgr": value} for rule, (value, _) in paper.bars(13).items()]


def _agreement() -> list[Row]:
    """Figure 8; the supervisor's accuracy is Figure 12's median ground truth."""
    from statistics import median

    truth: dict[str, list[float]] = {}
    for row in paper.read("fig12"):
        if row["method"] == TRUTH:
            truth.setdefault(row["student"], []).append(float(row["accuracy"]))
    cells: dict[tuple[str, str, str], Row] = {}
    for row in paper.read("nlp_agreement"):
        place = (row["method"], row["supervisor"], row["student"])
        cell = cells.setdefault(place, dict(zip(("method", "supervisor", "student"), place, strict=True)))
        cell |= {row["quantity"]: row["value"], "weak": median(truth[row["supervisor"]])}
    return list(cells.values())


def _chess() -> list[Row]:
    return _compared(row for row in paper.read("chess") if row["figure"] == "3")


def _chains() -> list[Row]:
    """Figure 4; a chain's first value is that of the same-size student, which is no step of ours."""
    truth = {row["student"]: row["accuracy"] for row in _chess() if row["method"] == TRUTH}
    rows = _chess()
    reached: dict[str, list[str]] = {}
    for row in paper.read("chess"):
        if row["method"] != "bootstrap" or row["quantity"] != "accuracy":
            continue
        weak, strong = row["supervisor"], row["student"]
        chain = reached.setdefault(weak, [weak])
        if strong != weak:
            chain.append(strong)
            one = {"supervisor": weak, "student": strong, "chain": STEP.join(chain), "accuracy": row["value"]}
            rows.append({"method": "bootstrap"} | one | {"weak": truth[weak], "ceiling": truth[strong]})
    return rows


def _chess_beside() -> list[Row]:
    """Figure 15: naive students with their agreement, and zero-shot."""
    agreed = {
        (row["supervisor"], row["student"]): row["value"]
        for row in paper.read("chess")
        if row["quantity"] == "agreement"
    }
    rows = [row | {"agreement": agreed.get((row["supervisor"], row["student"]), "")} for row in _chess()]
    prompted = [row for row in paper.read("chess") if row["method"] == "zero-shot"]
    return rows + [{"method": "zero-shot", "student": row["student"], "accuracy": row["value"]} for row in prompted]


def _easy() -> list[Row]:
    """Figure 19."""
    cells: dict[tuple[str, str], Row] = {}
    for row in paper.read("chess_easy_to_hard"):
        column = {"all": "accuracy", "hard": "accuracy_hard"}[row["test"]]
        for method, value in ((row["method"], row["value"]), ("all", row["all"])):
            cell = cells.setdefault((method, row["student"]), {"method": method, "student": row["student"]})
            cell[column] = value
    return list(cells.values())


OWN: dict[tuple[str, str], Callable[[], list[Row]]] = {
    ("fig2", "nlp"): _nlp_example,
    ("fig2", "chess"): _chess_example,
    ("fig2", "reward"): _reward_example,
    ("fig3", "nlp"): _nlp_naive,
    ("fig3", "chess"): _chess,
    ("fig4", "chess"): _chains,
    ("fig5", "nlp"): _nlp,
    ("fig8", "nlp"): _agreement,
    ("fig13", "nlp"): _stopping,
    ("fig15", "chess"): _chess_beside,
    ("fig19", "chess"): _easy,
}
