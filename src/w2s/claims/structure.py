"""Claims on easy-to-hard generalization, the structure of errors, and vision (paper, appendices C, D.1 and E)."""

from __future__ import annotations

from w2s.claims import measures as m
from w2s.claims.claim import PGR_NEAR, Claim, Target, above, below, near
from w2s.claims.measures import CONFIDENCE, NAIVE, measure

NLP, VISION = "nlp", "vision"
WEAK, RANDOM, CONFIDENT = "weak", "random", "confident"  # kinds of labels

CLAIMS = (
    Claim(
        "difficulty-easy-suffices",
        NLP,
        "appendix C.2, Figure 21",
        "Students trained on easy examples alone come close to those trained on all.",
        "fig21",
        "accuracy at the lowest cutoff of difficulty less that without a cutoff, mean over tasks and students; close: "
        "five points",
        m.easiest_less_all,
        Target(-0.05, 0.05),
    ),
    Claim(
        "difficulty-order",
        NLP,
        "appendix C.3, Figure 22",
        "Training on the easiest 30% is worse than on the easiest 50% ...",
        "fig22",
        "accuracy, easiest 30% less easiest 50%, mean over students",
        measure(m.between_shares, 30, 50),
        below(0),
    ),
    Claim(
        "difficulty-order-all",
        NLP,
        "appendix C.3, Figure 22",
        "... and that is worse than training on all.",
        "fig22",
        "accuracy, easiest 50% less all, mean over students",
        measure(m.between_shares, 50, 100),
        below(0),
    ),
    Claim(
        "simulable-errors-copied",
        NLP,
        "appendix E.1, Figure 24",
        "Errors that a student can simulate are copied: students of a probe on few features gain nothing.",
        "fig24",
        "accuracy of the full student less its supervisor's, labels of the probe on the fewest features",
        measure(m.gain_of_worst_labels, "simulable"),
        Target(-0.02, 0.02),
    ),
    Claim(
        "random-errors-corrected",
        NLP,
        "appendix E.1, Figure 24",
        "Errors at random are corrected: students are much better than labels with so many flipped.",
        "fig24",
        "accuracy of the full student less that of the flipped labels, the least accurate ones; much: ten points",
        measure(m.gain_of_worst_labels, "unsimulable"),
        above(0.1),
    ),
    Claim(
        "random-errors-easier",
        NLP,
        "appendix E.2, Figure 25",
        "Random errors are easier to overcome than a weak supervisor's at the same rate.",
        "fig25",
        "PGR, random labels less those of the weak supervisor, naive, mean over tasks",
        measure(m.labels_gain, RANDOM, WEAK, NAIVE),
        above(0),
    ),
    Claim(
        "adversarial-errors-hardest",
        NLP,
        "appendix E.2, Figure 25",
        "Errors where a strong model is right and confident are the hardest to overcome.",
        "fig25",
        "PGR, errors where the strong model is confidently correct less the weak supervisor's, naive, mean over tasks",
        measure(m.labels_gain, CONFIDENT, WEAK, NAIVE),
        below(0),
    ),
    Claim(
        "errors-imitated-less",
        NLP,
        "appendix E.2, Figure 26",
        "In the course of training, students agree more with labels that are right than with those that are wrong.",
        "fig26",
        "agreement where the weak supervisor's labels are right less that where they are wrong, mean over training",
        measure(m.labels_agreement, WEAK, NAIVE),
        above(0),
    ),
    Claim(
        "told-naive",
        NLP,
        "appendix E.3, p. 46",
        "Naive students that are told the supervisor's label copy it: PGR is about 0 (0.002).",
        "fig27",
        "PGR, naive, mean over tasks; about: five hundredths",
        measure(m.with_label_hint, NAIVE),
        Target(-0.05, 0.05),
        "percent",
    ),
    Claim(
        "told-confidence",
        NLP,
        "appendix E.3, p. 46",
        "The confidence loss hardly helps there: PGR is about 0.05 (0.046).",
        "fig27",
        "PGR, confidence, mean over tasks; about: ten points",
        measure(m.with_label_hint, CONFIDENCE),
        near(0.046, PGR_NEAR),
        "percent",
    ),
    Claim(
        "vision-half",
        VISION,
        "appendix D.1, Table 3",
        "On ImageNet, linear probes on strong features recover on the order of half of the gap.",
        "table3",
        "PGR under the paper's schedule of the learning rate, mean over students; on the order of: 40 to 60%",
        measure(m.mean_pgr, "oscillating"),
        near(0.5, PGR_NEAR),
        "percent",
    ),
)
