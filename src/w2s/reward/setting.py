"""Reward modelling as a setting: what the rest of the package knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from w2s.config.user_code import is_own
from w2s.engine.sources import Sources
from w2s.errors import UserError, allowed
from w2s.graph.artifact import Artifact, unique
from w2s.graph.setting import Examples, Setting
from w2s.graph.work import Size
from w2s.reward.config import DPO, Reward
from w2s.reward.plan import RewardPlan
from w2s.reward.stages import STAGES
from w2s.reward.tasks import PREFERENCES
from w2s.reward.work import WORK


class RewardSetting(Setting):
    """Reward models on preference pairs (Section 4.1, Appendix A.3)."""

    name = "reward"
    section = Reward
    stages = STAGES
    work = WORK

    def check(self, experiment: Any, sources: Sources) -> None:
        """Tasks that exist; methods that are an objective alone, or direct preference optimisation."""
        if experiment.reward.dpo and DPO in experiment.methods:
            raise UserError(f"methods: {DPO!r} is taken: it stands for reward.dpo in figures; allowed: another name")
        for name in experiment.reward.methods:
            if name == DPO and experiment.reward.dpo:
                continue
            if name not in experiment.methods:
                raise UserError(f"reward.methods: unknown method {name!r}; {allowed(name, experiment.methods)}")
            method = experiment.methods[name]
            if method.beside() or is_own(method.objective):
                what = ", ".join(method.beside()) or method.objective
                raise UserError(
                    f"reward.methods: {name!r} has {what}; allowed: methods that consist of an objective only"
                )
        shift = experiment.reward.shift
        named = {f"tasks[{number}]": task.name for number, task in enumerate(experiment.reward.tasks)}
        named |= {f"shift.tests[{number}]": test.other for number, test in enumerate((shift and shift.tests) or ())}
        for key, name in named.items():
            if name not in PREFERENCES:
                raise UserError(f"reward.{key}: unknown task {name!r}; {allowed(name, PREFERENCES)}")

    def plan(self, experiment: Any, sources: Sources) -> RewardPlan:
        """The setting's part of the run graph."""
        return RewardPlan(experiment, experiment.reward, sources)

    def is_synthetic(self, experiment: Mapping[str, Any]) -> str | None:
        """Dialogues may be invented."""
        return "synthetic dialogues" if experiment["reward"]["source"] == "world" else None

    def size(self, data: Artifact) -> Size:
        """Invented dialogues are as many as the world says, and short; a pair is two texts."""
        rows = data.spec["rows"]
        return Size(rows["world"]["pairs"] / 2, 70) if "world" in rows else Size()

    def examples(self, plan: RewardPlan, task: str, number: int) -> Examples:
        """Prefixes with the better completion, then the worse one."""
        from w2s.reward.build import comparisons
        from w2s.reward.data import rows_of

        of, data = PREFERENCES[task], plan.data(task, plan.seeds[0])
        rows = rows_of(of, data.spec["rows"], data.environment)
        found = comparisons(of, rows.parts["train"], "train", rows.origins["train"], {})
        shown = [f"{one.prefix}{one.better}\n[rather than]{one.worse}" for one in islice(found, number)]
        return Examples(f"{of.title} ({task}), from {rows.origins['train']}", shown)

    def fetch(self, plan: RewardPlan) -> Iterator[str]:
        """Comparisons from the hub; each is formatted once."""
        if plan.config.source != "hub":
            return
        from w2s.reward.build import comparisons
        from w2s.reward.data import rows_of

        data = [plan.data(name, plan.seeds[0]) for name in plan.tasks]
        if plan.config.shift:
            data += [plan.shift.data(test, plan.shift.seeds[0]) for test in plan.shift.chosen]
        for one in unique(data):
            name, place = one.spec["task"], one.spec["rows"]
            of = PREFERENCES[name]
            rows = rows_of(of, place, {})
            for part, some in rows.parts.items():
                count = sum(1 for _ in comparisons(of, some, part, rows.origins[part], {}))
                yield f"{name}: {rows.origins[part]} at {rows.commit}: {len(some):,} rows, {count:,} pairs"


SETTING = RewardSetting()
