"""One pair on one task of each setting: naive finetuning, the best method, the ceiling (Figure 2).

Which method is the best one: the paper's choice (``figure2_best: paper``), or that with the best test accuracy of all
but naive finetuning that the experiment has (``measured``, or where it lacks the paper's choice).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from w2s.analysis import pairs
from w2s.analysis.bootstrap import Estimate
from w2s.analysis.results import Results, Row
from w2s.chess import analysis as chess
from w2s.chess.plan import TASK
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run, unique
from w2s.reward import analysis as reward

CONFIDENCE = "confidence"  # the paper's choice for NLP; for chess it is bootstrapping, for reward generative finetuning
BARS = {pairs.TRUTH: "ceiling", pairs.NAIVE: "naive"}


def shown(plan: Plan) -> list[str]:
    """The settings of the experiment that have a best method."""
    return [name for name in plan.experiment.shown() if name in SETTINGS]


def runs(plan: Plan, setting: str) -> list[Run]:
    """What ``rows`` reads, each run once."""
    return unique(SETTINGS[setting][0](plan))


def rows(plan: Plan, setting: str, results: Results) -> list[Row]:
    """The runs' accuracies; ``bar`` says which bar a run is (the weak one is the students' ``weak``)."""
    return SETTINGS[setting][1](plan, results)


def _measured(plan: Plan) -> bool:
    return plan.experiment.figure2_best == "measured"


def _candidates(plan: Plan, methods: Sequence[str], chosen: str) -> list[str]:
    """Of a setting's methods: the chosen one if it is there, else all that could be the best."""
    others = [name for name in methods if name != pairs.NAIVE]
    return [chosen] if chosen in others and not _measured(plan) else others


def _with_naive(methods: Sequence[str], candidates: Iterable[str]) -> list[str]:
    return [name for name in methods if name == pairs.NAIVE] + list(candidates)


def _best(rows: Sequence[Row], column: str = "method") -> str | None:
    """What a column says of the third bar: of students that are not naive, those with the best mean accuracy."""
    accuracies: dict[str, list[Estimate]] = {}
    for row in rows:
        if "weak" in row and row["method"] != pairs.NAIVE:
            accuracies.setdefault(row[column], []).append(row["accuracy"])
    return max(accuracies, key=lambda name: Estimate.mean(accuracies[name]).value, default=None)


def _with_bars(rows: Sequence[Row], best: str | None) -> list[Row]:
    bars = BARS | ({best: "best"} if best else {})
    return [row | {"bar": bars[row["method"]]} if row["method"] in bars else row for row in rows]


# -- NLP ---------------------------------------------------------------------------------------------------


def _nlp_place(plan: Plan) -> tuple[list[str], list[str], pairs.Pair]:
    """(methods, the task, the pair)."""
    nlp = plan.nlp.config
    weak, strong = nlp.example_pair()
    methods = _with_naive(nlp.methods, _candidates(plan, nlp.methods, CONFIDENCE))
    return methods, [nlp.example.task or nlp.all_tasks()[0]], (plan.nlp.rung(weak), plan.nlp.rung(strong))


def _nlp_runs(plan: Plan) -> list[Run]:
    methods, tasks, pair = _nlp_place(plan)
    return pairs.runs(plan.nlp, methods, tasks, only=[pair])


def _nlp_rows(plan: Plan, results: Results) -> list[Row]:
    methods, tasks, pair = _nlp_place(plan)
    found = pairs.compare(plan.nlp, methods, results, tasks, only=[pair])
    return _with_bars(found, _best(found))


# -- chess -------------------------------------------------------------------------------------------------


def _chess_pair(plan: Plan) -> pairs.Pair:
    weak, strong = plan.chess.config.example_pair()
    return plan.chess.rung(weak), plan.chess.rung(strong)


def _chains(plan: Plan) -> list[chess.Chain]:
    """Chains from the weak rung to the strong one; if there is none, those that end elsewhere, as the paper's does.

    A chain of two rungs is the naive student, so it is none.
    """
    weak, strong = plan.chess.config.example_pair()
    whole = [chain for chain in plan.chess.config.chains() if chain[0] == weak]
    there = [chain for chain in chess.steps(plan.chess) if chain[0] == weak and chain[-1] == strong]
    return [chain for chain in there if len(chain) > 2] or [chain for chain in whole if len(chain) > 2]


def _chess_runs(plan: Plan) -> list[Run]:
    naive = pairs.runs(plan.chess, [pairs.NAIVE], [TASK], only=[_chess_pair(plan)])
    return naive + chess.chain_runs(plan.chess, _chains(plan))


def _chess_rows(plan: Plan, results: Results) -> list[Row]:
    naive = pairs.compare(plan.chess, [pairs.NAIVE], results, [TASK], only=[_chess_pair(plan)])
    chained = chess.chained(plan.chess, results, _chains(plan))
    best = _best(chained, "chain")
    return _with_bars(naive, None) + [row | {"bar": "best"} if row["chain"] == best else row for row in chained]


# -- reward ------------------------------------------------------------------------------------------------


def _reward_pair(plan: Plan) -> pairs.Pair:
    """The example; a student that the config does not name is one that is finetuned generatively, if there is any."""
    setting = plan.reward.config
    weak, strong = setting.example_pair()
    started = [student.name for supervisor, student in setting.generative_pairs() if supervisor.name == weak]
    if setting.example.student is None and started and strong not in started:
        strong = started[-1]
    return plan.reward.rung(weak), plan.reward.rung(strong)


def _reward_place(plan: Plan) -> tuple[list[str], bool, list[str], pairs.Pair]:
    """(methods without generative finetuning, whether with it too, the task, the pair)."""
    setting, pair = plan.reward.config, _reward_pair(plan)
    generative = pair[1] in setting.generative_rungs()
    candidates = [] if generative and not _measured(plan) else _candidates(plan, setting.methods, "")
    return _with_naive(setting.methods, candidates), generative, [setting.example_task()], pair


def _reward_runs(plan: Plan) -> list[Run]:
    methods, generative, tasks, pair = _reward_place(plan)
    found = pairs.runs(plan.reward, methods, tasks, only=[pair])
    if generative:
        found += pairs.runs(reward.of_generative(plan.reward), [pairs.NAIVE], tasks, only=[pair])
    return found


def _reward_rows(plan: Plan, results: Results) -> list[Row]:
    """The ceiling is that of the best method: after generative finetuning if that is it, as in the paper's figure."""
    methods, generative, tasks, pair = _reward_place(plan)
    found = pairs.compare(plan.reward, methods, results, tasks, only=[pair])
    if generative:
        started = pairs.compare(reward.of_generative(plan.reward), [pairs.NAIVE], results, tasks, only=[pair])
        found += reward.renamed(started)
    best = _best(found)
    rows = _with_bars(found, best)
    if best != reward.GENERATIVE:
        return rows
    moved = {reward.GENERATIVE_TRUTH: "ceiling", pairs.TRUTH: None}
    return [row | {"bar": moved[row["method"]]} if row["method"] in moved else row for row in rows]


SETTINGS: dict[str, tuple[Callable[[Plan], list[Run]], Callable[[Plan, Results], list[Row]]]] = {
    pairs.NLP: (_nlp_runs, _nlp_rows),
    chess.CHESS: (_chess_runs, _chess_rows),
    reward.REWARD: (_reward_runs, _reward_rows),
}
