"""What jobs of the reward setting compute. Light: no torch."""

from __future__ import annotations

from w2s.models.work import HALVES, WEIGHT, finetuning
from w2s.reward.stages import GENERATIVE_FINETUNING, REWARD_MODEL

WORK = {
    REWARD_MODEL: lambda run: finetuning(run, (run.spec["half"],), unembeds="beta" in run.spec),
    # Both halves; the weights are in memory once more when they are written.
    GENERATIVE_FINETUNING: lambda model: finetuning(model, HALVES, host=2 * WEIGHT, unembeds=True),
}
