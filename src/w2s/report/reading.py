"""How to read each figure: a sentence or two for somebody who has not read the paper. Below the caption in reports."""

READING = {
    "fig1": "Arrows lead from who labels to who learns. A drawing: it holds no result.",
    "fig2": (
        "The third bar above the second means that the method helps. What matters is how far the students' bars "
        "reach from the supervisor's (left) to the ceiling (right): all the way is a PGR of 100%."
    ),
    "fig3": (
        "Above: each coloured curve begins at its supervisor's own size; where it rises above its first point, "
        "students exceed their supervisor. Below: 0% is no better than the supervisor, 100% as good as training "
        "on truth."
    ),
    "fig4": (
        "A square above the dotted point of the same colour and size means that teaching through students of "
        "growing size did better than teaching the large student directly."
    ),
    "fig5": (
        "Triangles above the dotted curve of the same colour mean that the confidence loss beats naive "
        "finetuning. The paper finds this for large gaps between supervisor and student, and the contrary for "
        "small ones."
    ),
    "fig6": "As the left panel of Figure 5, a panel a task. Single tasks are noisy: look for what most panels share.",
    "fig7": (
        "(a) A curve that rises and then falls overfits to its labels. (b) The distance from dotted to starred is "
        "what stopping at the best moment would gain. (c) The same as PGR; stopping on truth is a bound, since it "
        "looks at the test set."
    ),
    "fig8": (
        "High on the right panel (where the supervisor is wrong) means that students copy mistakes. The ideal "
        "student agrees fully in the middle and not at all on the right. It should fall with the student's size."
    ),
    "fig9": "Compare weak labels in the prompt (b) with finetuning on the same labels (c), and both with truth (a).",
    "fig10": (
        "Pentagons above dotted points mean that learning the data's language first, without preferences, helps; "
        "the ceiling rises too, so PGR (b) may say something else than accuracy (a)."
    ),
    "fig11": (
        "Compare ft(weak)+lp(gt) with lp(gt), both probes on truth: if the first is higher, finetuning on weak "
        "labels has made the features better. ft(weak) above lp(weak) means that finetuning gets more out of weak "
        "labels than probing does."
    ),
    "fig12": "As Figure 6, all tasks. Where the black curve is flat, no gap is there to be recovered.",
    "fig13": (
        "(a) A curve that falls towards the end learns its supervisor's errors late in training. (b) If stopping "
        "on truth is far above the last step, it would pay to know when to stop."
    ),
    "fig14": "What a model is given and what it should answer. It holds no result.",
    "fig15": (
        "(a, b) Students above the thick dotted line know more than their base model when it is prompted. (c) "
        "Agreement that falls with size means that larger students copy less."
    ),
    "fig16": "As Figure 8: high on the right panel means that students copy their supervisor's mistakes.",
    "fig17": (
        "As Figure 10, at each student's best moment: what is left of the effect is not due to when training ends."
    ),
    "fig18": (
        "As Figure 10, but the supervisor began with the same step; a smaller distance from dotted to pentagons "
        "means that the supervisor gained as well."
    ),
    "fig19": (
        "Points on the diagonal lose nothing by training on easy puzzles only; points below it do. Lower curves "
        "have stricter cutoffs."
    ),
    "fig20": (
        "Green near blue on the right, outside of the shaded range, means that easy puzzles teach hard ones. Far "
        "above the open circles means that training elicits something at all."
    ),
    "fig21": (
        "A flat curve means that easy examples teach as much as hard ones. Every point has as many examples as "
        "its neighbours, so what differs is their difficulty."
    ),
    "fig22": (
        "(a) Boxes that rise from left to right mean that the judge sees what is difficult for models. (b) Curves "
        "close together mean that little is lost by training on what it finds easy."
    ),
    "fig23": (
        "As the accuracy panels of Figure 3, with probes in place of finetuning. A coloured curve above its first "
        "point exceeds its supervisor."
    ),
    "fig24": (
        "Where a student can simulate its labels' errors (left), more features bring it to its labels, no "
        "further. Where errors are random (middle), more features bring it to the truth."
    ),
    "fig25": (
        "All bars of a panel have as many wrong labels. A high bar for random errors and a low one for the weak "
        "supervisor's mean that it matters which labels are wrong."
    ),
    "fig26": (
        "Dotted curves that rise mean that mistakes are learned. Where dotted stays low while solid rises, the "
        "errors are of a kind that students do not pick up."
    ),
    "fig27": (
        "Bars lower than their crosses mean that students imitate a supervisor more when its answers are easy to know."
    ),
    "table1": (
        "From left to right examples are lost to balancing. What is unbalanced before is exactly balanced in the "
        "test set."
    ),
    "table2": "What stands in brackets is filled in from the example.",
    "table3": (
        "Students above the weak supervisor and below their ceilings show weak-to-strong generalization. "
        "Comparing left with right shows what the schedule of the learning rate does."
    ),
    "methods": (
        "Points right of the dotted line (naive) are methods that help. Where whiskers (lowest and highest seed) "
        "of two methods overlap, the difference may be noise."
    ),
    "sandwiching": (
        "The weak model with an assistant is of use where it lies above both the weak model alone and the assistant "
        "alone. Students of its labels show whether better labels make better students."
    ),
}
