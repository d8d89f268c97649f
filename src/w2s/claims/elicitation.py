"""Claims on prompting, probes and other ways to draw out what a student knows (paper, 5.2, appendices B, D.2)."""

from __future__ import annotations

from w2s.claims import measures as m
from w2s.claims.claim import Claim, Target, above, below
from w2s.claims.measures import CONFIDENCE, NAIVE, ZERO_SHOT, measure

NLP = "nlp"
PROMPTING, PROBING = "section 5.2.1, p. 13-14", "section 5.2.3, p. 16"
FEW = "few-shot"  # with a supervisor: weak labels in the prompt

CLAIMS = (
    Claim(
        "prompting-examples-help",
        NLP,
        PROMPTING,
        "A prompt with true examples does better than one without.",
        "fig9",
        "accuracy, few-shot less zero-shot, the largest model",
        measure(m.between_methods, FEW, ZERO_SHOT, sizes="largest"),
        above(0),
    ),
    Claim(
        "prompting-grows",
        NLP,
        PROMPTING,
        "Prompting works for large models only: finetuning on truth is far better for small ones.",
        "fig9",
        "accuracy, finetuned on truth less few-shot, the smallest model; far: ten points",
        measure(m.between_methods, "truth", FEW, sizes="smallest"),
        above(0.1),
    ),
    Claim(
        "prompting-near-finetuning",
        NLP,
        PROMPTING,
        "For the largest model, a prompt with true examples comes close to finetuning on truth.",
        "fig9",
        "accuracy, finetuned on truth less few-shot, the largest model; close: five points",
        measure(m.between_methods, "truth", FEW, sizes="largest"),
        Target(-0.05, 0.05),
    ),
    Claim(
        "prompting-weak-beats-naive",
        NLP,
        PROMPTING,
        "For the largest model, weak labels in the prompt do better than naive finetuning on those of the weakest "
        "supervisor ...",
        "fig9",
        "accuracy, few-shot with weak labels less naive finetuning, weakest supervisor, largest student",
        measure(m.at_pair, FEW, NAIVE),
        above(0),
    ),
    Claim(
        "prompting-weak-below-confidence",
        NLP,
        PROMPTING,
        "... and worse than the confidence loss.",
        "fig9",
        "accuracy, few-shot with weak labels less confidence, weakest supervisor, largest student",
        measure(m.at_pair, FEW, CONFIDENCE),
        below(0),
    ),
    Claim(
        "probe-after-finetuning-share",
        NLP,
        PROBING,
        "After finetuning on weak labels, a linear probe on truth closes 60% of the gap between a probe of the base "
        "model and finetuning on truth.",
        "fig11",
        "how far ft(weak)+lp(gt) gets from lp(gt) to ft(gt); 60%, give or take ten points",
        measure(m.share_of_gap, "ft(weak)+lp(gt)", "lp(gt)", "ft(gt)"),
        Target(0.5, 0.7),
        "percent",
        flaw="60% fits the text's 82% for ft(gt); Figure 11 draws 80.4%, which gives 71%",
    ),
    Claim(
        "probe-after-finetuning",
        NLP,
        PROBING,
        "Finetuning on weak labels makes the task more linearly represented: a probe on truth does better after it.",
        "fig11",
        "accuracy, ft(weak)+lp(gt) less lp(gt)",
        measure(m.bars, "ft(weak)+lp(gt)", "lp(gt)"),
        above(0),
    ),
    Claim(
        "probe-beats-weak-finetuning",
        NLP,
        PROBING,
        "The same probe does better than the finetuned student itself.",
        "fig11",
        "accuracy, ft(weak)+lp(gt) less ft(weak)",
        measure(m.bars, "ft(weak)+lp(gt)", "ft(weak)"),
        above(0),
    ),
    Claim(
        "probe-weak-lowest",
        NLP,
        PROBING,
        "A linear probe trained on weak labels does worse than finetuning on them.",
        "fig11",
        "accuracy, ft(weak) less lp(weak)",
        measure(m.bars, "ft(weak)", "lp(weak)"),
        above(0),
    ),
    Claim(
        "linear-probing-students",
        NLP,
        "appendix D.2, p. 41",
        "With linear probes as supervisors and students, students do better than their supervisors too.",
        "fig23",
        "accuracy of a student less its supervisor's, median over pairs",
        m.middle_above_supervisor,
        above(0),
    ),
    Claim(
        "thresholding-useful-only-when-weak",
        NLP,
        "appendix B, p. 34",
        "Keeping only confident weak labels helps where these are very bad (about 60% right), not from 70 to 80% on.",
        "",
        untested="said without a figure: no table tests it",
    ),
    Claim(
        "other-methods-no-gain",
        NLP,
        "appendix B, p. 34-36",
        "Regularization, LoRA, probing first, augmentation, robust losses and averaged weights gain nothing.",
        "",
        untested="said without a figure: no table tests it",
    ),
    Claim(
        "four-orders",
        NLP,
        "p. 48",
        "Aligning models will have to bridge at most about four orders of magnitude of effective compute.",
        "",
        untested="an assumption about the future, not a measurement",
    ),
)
