"""Claims on easy-to-hard generalization, the structure of errors, and vision (paper, appendices C, D.1 and E)."""

from __future__ import annotations

from w2s.claims import measures as m
from w2s.claims.claim import IMAGENET, PGR_NEAR, Claim, Target, above, below, near
from w2s.claims.measures import CONFIDENCE, NAIVE, measure

NLP, VISION = "nlp", "vision"
WEAK, RANDOM, CONFIDENT = "weak", "random", "confident"  # kinds of labels

CLAIMS = (
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
        one_task=True,
    ),
    Claim(
        "random-errors-corrected",
        NLP,
        "appendix E.1, Figure 24",
        "Errors at random are corrected: students are much better than labels with so many flipped.",
        "fig24",
        "accuracy of the full student less that of the flipped labels, those with most flips; much: ten points",
        measure(m.gain_of_worst_labels, "unsimulable"),
        above(0.1),
        one_task=True,
    ),
    Claim(
        "random-errors-easier",
        NLP,
        "appendix E.2, Figure 25",
        "Random errors are easier to overcome than a weak supervisor's at the same rate.",
        "fig25",
        "PGR, random labels less those of the weak supervisor, naive",
        measure(m.labels_gain, RANDOM, WEAK, NAIVE),
        above(0),
    ),
    Claim(
        "adversarial-errors-hardest",
        NLP,
        "appendix E.2, Figure 25",
        "Errors where a strong model is right and confident are the hardest to overcome.",
        "fig25",
        "PGR, errors where the strong model is confidently correct less the weak supervisor's, naive",
        measure(m.labels_gain, CONFIDENT, WEAK, NAIVE),
        below(0),
    ),
    Claim(
        "errors-imitated",
        NLP,
        "appendix E.2, Figure 26",
        "In training, students imitate labels that are wrong, more than their own accuracy alone explains.",
        "fig26",
        "agreement where the weak supervisor's labels are right plus that where they are wrong, less 1, mean over "
        "training: 0 for students of any accuracy whose errors are their own, 1 for copies",
        measure(m.labels_imitated, WEAK, NAIVE),
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
        about=IMAGENET,
    ),
)
