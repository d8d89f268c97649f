"""What reports say about each figure, with a sentence or two for readers who have not read the paper."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from w2s import figures

SETTINGS = {"nlp": "NLP tasks", "chess": "Chess puzzles", "reward": "Reward models", "vision": "Vision"}


@dataclass(frozen=True)
class Description:
    """A figure in words. label: "Figure 5"; reading: how to read it, or ""."""

    name: str
    label: str
    title: str
    caption: str
    reading: str


def describe(name: str) -> Description:
    """A figure by its module: the title is the first sentence of its docstring, without the place in the paper."""
    module, label = figures.module(name), name.capitalize()
    for prefix, words in {"fig": "Figure", "table": "Table"}.items():
        if name.removeprefix(prefix).isdigit():
            label = f"{words} {name.removeprefix(prefix)}"
    first = (inspect.getdoc(module) or name).split("\n")[0].removeprefix(f"{label}: ")
    title = first.split(". ")[0].rstrip(".").split(" (")[0]
    return Description(name, label, title[:1].upper() + title[1:], module.CAPTION, READING.get(name, ""))


READING = {
    "fig1": "Arrows point from who labels to who learns. This is a drawing without results.",
    "fig2": (
        "If the third bar is above the second, the method helps. The question is how far the students' bars reach from "
        "the supervisor (left) to the ceiling (right): all the way is a PGR of 100%."
    ),
    "fig3": (
        "Top: each coloured curve starts at its supervisor's own size; where it rises above its first point, students "
        "exceed their supervisor. Bottom: 0% is no better than the supervisor, 100% is as good as training on ground "
        "truth."
    ),
    "fig4": (
        "If a square is above the dotted point of the same colour and size, supervising through intermediate students "
        "worked better than supervising the large student directly."
    ),
    "fig5": (
        "Where triangles are above the dotted curve of the same colour, the confidence loss beats naive finetuning. "
        "The paper finds this for large gaps between supervisor and student, and the opposite for small ones."
    ),
    "fig6": (
        "Like the left panel of Figure 5, with one panel per task. Single tasks are noisy: look for what most panels "
        "share."
    ),
    "fig7": (
        "(a) A curve that rises and then falls overfits to its labels. (b) The distance from dotted to starred is the "
        "possible gain from stopping at the best moment. (c) The same as PGR. Stopping on ground truth is an upper "
        "bound, since it uses the test set."
    ),
    "fig8": (
        "High values in the right panel (where the supervisor is wrong) mean that students copy errors. The ideal "
        "student agrees fully in the middle panel and not at all in the right one. Agreement should fall with the "
        "student's size."
    ),
    "fig9": (
        "Compare weak labels in the prompt (b) with finetuning on the same labels (c), and both with ground truth (a)."
    ),
    "fig10": (
        "If pentagons are above dotted points, learning the data's language first, without preferences, helps. The "
        "ceiling rises too, so PGR (b) can differ from accuracy (a)."
    ),
    "fig11": (
        "Compare ft(weak)+lp(gt) with lp(gt), both probes on ground truth: if the first is higher, finetuning on weak "
        "labels has improved the features. If ft(weak) is above lp(weak), finetuning makes better use of weak labels "
        "than probing."
    ),
    "fig12": "Like Figure 6, for all tasks. Where the black curve is flat, there is no gap to recover.",
    "fig13": (
        "(a) A curve that falls towards the end learns its supervisor's errors late in training. (b) If stopping on "
        "ground truth is far above the last step, knowing when to stop would pay off."
    ),
    "fig14": "The model's input and the expected answer. This figure has no results.",
    "fig15": (
        "(a, b) Students above the thick dotted line are better than their prompted base model. (c) If agreement falls "
        "with size, larger students copy less."
    ),
    "fig16": "Like Figure 8: high values in the right panel mean that students copy their supervisor's errors.",
    "fig17": "Like Figure 10, at each student's best moment: the remaining effect is not due to when training ends.",
    "fig18": (
        "Like Figure 10, but supervisors also start from generative finetuning. A smaller distance from dotted to "
        "pentagons means that the supervisor gained as well."
    ),
    "fig19": (
        "Points on the diagonal lose nothing by training on easy puzzles only; points below it do. Lower curves have "
        "stricter cutoffs."
    ),
    "fig20": (
        "If green is close to blue on the right, outside the shaded range, training on easy puzzles generalizes to "
        "hard ones. If curves are far above the open circles, training elicits knowledge."
    ),
    "fig21": (
        "A flat curve means that easy examples teach as much as hard ones. All points of a curve use the same number "
        "of examples; only their difficulty differs."
    ),
    "fig22": (
        "(a) If boxes rise from left to right, the judge recognises what is difficult for models. (b) If curves are "
        "close together, little is lost by training on what the judge finds easy."
    ),
    "fig23": (
        "Like the accuracy panels of Figure 3, with probes instead of finetuning. A coloured curve above its first "
        "point exceeds its supervisor."
    ),
    "fig24": (
        "If a student can simulate its labels' errors (left), more features bring it closer to its labels but no "
        "further. If errors are random (middle), more features bring it closer to the ground truth."
    ),
    "fig25": (
        "All bars of a panel have the same number of wrong labels. A high bar for random errors and a low one for the "
        "weak supervisor mean that it matters which labels are wrong."
    ),
    "fig26": (
        "Rising dotted curves mean that errors are learned. If dotted stays low while solid rises, students do not "
        "pick up this kind of error."
    ),
    "fig27": "Bars lower than their crosses mean that students imitate a supervisor more when its answers are given.",
    "table1": (
        "From left to right, examples are lost: to equal answers, to the test set, to balancing. The test set is "
        "balanced exactly even if the data set is not."
    ),
    "table2": "Text in brackets is filled in from the example.",
    "table3": (
        "Students above the weak supervisor and below their ceilings show weak-to-strong generalization. Compare left "
        "with right to see the effect of the learning rate schedule."
    ),
    "methods": (
        "Points to the right of the dotted line (naive) are methods that help. Where whiskers (lowest and highest "
        "seed) of two methods overlap, the difference may be noise. Labels of several supervisors, of none, or with a "
        "little truth are no fair comparison with the others."
    ),
    "preference": (
        "dpo to the right of naive means that the language model's own probabilities generalize better from weak "
        "preferences than a head does. The ceiling is not trained by dpo, so dpo may lose to it for two reasons: its "
        "labels, and its form."
    ),
    "diagnostics": (
        "(a) Marks above the dashed line are students that rank examples better than they classify them: their "
        "threshold is off. (d) A high calibration error beside a high AUROC (b): the order is right, the probabilities "
        "are not. In smoke, naive students are right more often than they say, as their labels are no surer. (f) If "
        "overlap density decided how much a student recovers, marks would rise to the right; the footer says how PGR "
        "and overlap density correlate over tasks."
    ),
    "labels": (
        "A curve that is flat at its right end suggests that more weak labels of the same kind would not help. The gap "
        "to the black line is then due to the labels' quality, not to their number."
    ),
    "shift": (
        "Where a filled circle is as far right as the open one, what the run learned carries over to other questions. "
        "Students that stay behind on their own test set alone know the answers, but were not taught to give them in "
        "this layout. Reward models that fall to 50% have learned nothing that the other preferences ask for. Compare "
        "two PGRs only where supervisor and ceiling are far apart on both test sets."
    ),
    "misfit": (
        "Points above zero are students better than their supervisor. Theory predicts points on or above the dashed "
        "line where students are ideal (a convex class that contains the truth, the least squared distance to weak "
        "labels); the further below it, the more of the misfit is lost instead of gained. The bottom row never "
        "exceeds the line: each disagreement corrects at most one error."
    ),
    "sandwiching": (
        "The assistant helps where the assisted weak model is above both the weak model alone and the assistant alone. "
        "Students of its labels show whether better labels make better students."
    ),
}
