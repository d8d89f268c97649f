"""Claims on reward models (paper, sections 4.2, 4.3.1, 5.1.1, 5.2.2 and figures 2, 3, 7, 10, 16 to 18)."""

from __future__ import annotations

from w2s.claims import measures as m
from w2s.claims.claim import NUMBERS, Claim, Target, above, below, near
from w2s.claims.measures import GENERATIVE, NAIVE, measure

REWARD = "reward"
TEN_NEAR, STOPPING_NEAR = 0.05, 0.025  # narrower than elsewhere: students that gain nothing are outside
NAIVE_SECTION, STOPPING, FINETUNING = "section 4.2, p. 8", "section 5.1.1, p. 12", "section 5.2.2, p. 15"

CLAIMS = (
    Claim(
        "reward-ten-percent",
        REWARD,
        NAIVE_SECTION,
        "On reward modelling, students recover roughly 10% of the gap.",
        "fig3",
        "median PGR over pairs, naive; roughly: give or take five points",
        measure(m.median, NAIVE),
        near(0.1, TEN_NEAR),
        "percent",
        about=NUMBERS,
    ),
    Claim(
        "reward-hardly-above-twenty",
        REWARD,
        NAIVE_SECTION,
        "PGR is almost never above 20%.",
        "",
        untested="a student that recovers nothing meets it, and noise alone puts pairs above a limit",
    ),
    Claim(
        "reward-no-bootstrapping",
        REWARD,
        "section 4.3.1, p. 9",
        "Bootstrapping gains nothing on reward modelling.",
        "",
        untested="said without a figure: no table tests it",
    ),
    Claim(
        "reward-stopping",
        REWARD,
        STOPPING,
        "Stopping on ground truth gains about 5 points of PGR.",
        "fig7",
        "median PGR over pairs, best on ground truth less last step (the paper's bars: 5.9); about: within 2.5 points, "
        "because a best step is never below the last",
        measure(m.stopping_gain, "truth", "last"),
        near(0.05, STOPPING_NEAR),
        about=NUMBERS,
    ),
    Claim(
        "reward-generative-gain",
        REWARD,
        FINETUNING,
        "Generative finetuning of the student first gains 10 to 20 points of PGR.",
        "fig10",
        "PGR with generative finetuning less naive, mean over pairs",
        measure(m.mean_gain, GENERATIVE, NAIVE),
        Target(0.1, 0.2),
        about=NUMBERS,
    ),
    Claim(
        "reward-generative-accuracy",
        REWARD,
        FINETUNING,
        "Generative finetuning makes students more accurate, although their ceilings rise too.",
        "fig10",
        "accuracy with generative finetuning less naive, mean over pairs",
        measure(m.mean_gain, GENERATIVE, NAIVE, value="accuracy"),
        above(0),
    ),
    Claim(
        "reward-generative-and-stopping",
        REWARD,
        FINETUNING,
        "With generative finetuning and stopping on ground truth, PGR is 30 to 40% in all.",
        "fig17",
        "median PGR over pairs with generative finetuning, stopped on ground truth",
        measure(m.median, GENERATIVE),
        Target(0.3, 0.4),
        "percent",
        about=NUMBERS,
    ),
    Claim(
        "reward-generative-everywhere",
        REWARD,
        "Figure 18",
        "With generative finetuning of supervisors as well, students still recover part of the gap.",
        "fig18",
        "median PGR over pairs with generative finetuning",
        measure(m.median, GENERATIVE),
        above(0),
        "percent",
    ),
    Claim(
        "reward-errors-imitated",
        REWARD,
        "section 5.1.3, Figure 16",
        "Students imitate errors: they agree with their supervisor's more than their own accuracy alone explains.",
        "fig16",
        "agreement where the supervisor is right plus that where it is wrong, less 1, naive, mean over students: 0 for "
        "students of any accuracy whose errors are their own, 1 for copies",
        measure(m.mean_over_students, NAIVE, "imitation"),
        above(0),
    ),
    Claim(
        "reward-agreement-falls",
        REWARD,
        "section 5.1.3, Figure 16",
        "Larger students imitate their supervisor's errors less.",
        "fig16",
        "slope along the student's compute of imitation (agreement where the supervisor is right plus that where it is "
        "wrong, less 1), naive; growing accuracy alone leaves it at 0",
        measure(m.slope, "imitation", "student", NAIVE),
        below(0),
        "points a decade",
    ),
    Claim(
        "reward-example-best",
        REWARD,
        "Figure 2, p. 3",
        "Generative finetuning is better than naive finetuning.",
        "fig2",
        "accuracy with generative finetuning less naive",
        measure(m.method_difference, "accuracy", GENERATIVE, NAIVE),
        above(0),
    ),
)
