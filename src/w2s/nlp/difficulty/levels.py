"""The levels stage: how difficult every training example is, by runs that have not seen it (Appendix C.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from w2s.engine import artifacts
from w2s.nlp.difficulty.subsets import HALVES, drawn, fitting, refuse_empty
from w2s.nlp.specs import LevelsSpec

WAY_OUT = "leave weak rungs out (nlp.difficulty.rungs or leave_out), or set nlp.difficulty.balance: false"


def level(right: Sequence[bool]) -> int:
    """The first rung from which on every rung is right, weakest first; how many there are if the last is wrong."""
    wrong = [place for place, one in enumerate(right) if not one]
    return wrong[-1] + 1 if wrong else 0


def make(build: artifacts.Build, parents: Mapping[str, Path]) -> None:
    """Write ``examples.parquet``: id, part, label, level, and for every cutoff whether it is trained on.

    parents: data, and for every rung the runs that predict the weak and the strong half without having seen it.
    """
    spec = LevelsSpec.from_spec(build.identity.spec)
    rungs, balance = spec.rungs, spec.balance
    data = artifacts.read_table(parents["data"] / "examples.parquet").to_pydict()
    rows = [number for number, part in enumerate(data["part"]) if part in HALVES]
    ids = [data["id"][number] for number in rows]
    labels = {data["id"][number]: int(data["label"][number]) for number in rows}
    hits = [
        {**held_out(parents[f"weak{place}"], "weak"), **held_out(parents[f"strong{place}"], "strong")}
        for place in range(rungs)
    ]
    levels = {one: level([hit[one] for hit in hits]) for one in ids}
    easiest = [one for one in ids if levels[one] == 0]
    count = fitting(easiest, labels, balance=balance)
    refuse_empty(count, "examples that every rung gets right", WAY_OUT)
    columns: dict[str, list[object]] = {
        "id": list(ids),
        "part": [data["part"][number] for number in rows],
        "label": [labels[one] for one in ids],
        "level": [levels[one] for one in ids],
    }
    for cutoff in range(rungs + 1):
        enough = [one for one in ids if levels[one] <= cutoff]
        chosen = set(drawn(enough, labels, count, balance=balance, seed=f"levels-{spec.seed}-{cutoff}"))
        columns[f"up_to_{cutoff}"] = [one in chosen for one in ids]
    artifacts.write_table(build.folder / "examples.parquet", columns)
    counts = [sum(one == place for one in levels.values()) for place in range(rungs + 1)]
    build.measured |= {
        "examples": len(ids),
        "levels": counts,
        "trained_on": count,
        "held_out_accuracy": [round(sum(hit[one] for one in ids) / len(ids), 4) for hit in hits],
    }
    print(f"{len(ids)} examples by level {counts}, {count} to train on")


def held_out(run: Path, part: str) -> dict[str, bool]:
    """Example of a part -> whether a run predicts it right."""
    table = artifacts.read_table(run / "predictions.parquet").to_pydict()
    columns = zip(table["id"], table["part"], table["truth"], table["probability"], strict=True)
    return {one: (said > 0.5) == (truth > 0.5) for one, where, truth, said in columns if where == part}
