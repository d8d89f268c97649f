"""The paper's own numbers, as data.

All of it was read out of the vector art of the figures of Burns et al. 2023 (arXiv 2312.09390v1), exact to about
0.1 points. ``supervisor`` and ``student`` are log10 of pretraining compute as a fraction of GPT-4's; accuracies,
agreements and PGRs are in percent; ``method`` is ours, ``truth`` the ground-truth line.

* ``fig12.csv``: Figure 12, test accuracy on each of the 22 NLP data sets; ``dataset`` is the number that the paper
  prints instead of a name. Vertices that the figure lacks are missing here: ground truth of data sets 15 and 16 at
  -2.39, one confidence point of data set 9.
* ``nlp_medians.csv``: Figures 3 and 5, medians over those data sets. Figure 3's accuracies are Figure 5's naive and
  ground-truth ones to within 0.05, so they stand here once; neither has the naive PGR of -1.64 to GPT-4.
* ``nlp_agreement.csv``: Figure 8, agreement with the supervisor on all test examples, on those on which it is right
  and on those on which it is wrong. The first leaves out students at -6.48, -6 and -4.67 that the others have.
* ``bars.csv``: Figure 2 (accuracies) and Figure 13b (median PGR and half of its error bar).
"""

from __future__ import annotations

import csv
from importlib.resources import files


def read(name: str) -> list[dict[str, str]]:
    """Rows of one of the files, as text."""
    with files(__name__).joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def bars(figure: int, setting: str = "nlp") -> dict[str, tuple[float, float]]:
    """Bar -> (height, half of its error bar or 0) of Figure 2 or 13b, in percent."""
    return {
        row["bar"]: (float(row["value"]), float(row["error"] or 0))
        for row in read("bars")
        if row["figure"] == str(figure) and row["setting"] == setting
    }
