"""The paper's own numbers, as data.

``fig12.csv`` and ``nlp_medians.csv`` were read out of the vector art of Figures 3, 5 and 12 of Burns et al.
2023 (arXiv 2312.09390v1), exact to about 0.1 points. ``supervisor`` and ``student`` are log10 of pretraining
compute as a fraction of GPT-4's; accuracies and PGRs are in percent; ``dataset`` is the number that the paper
prints instead of a name. Vertices that the figures lack are missing here: ground truth of data sets 15 and 16
at -2.39, one confidence point of data set 9.
"""

from __future__ import annotations

import csv
from importlib.resources import files


def read(name: str) -> list[dict[str, str]]:
    """Rows of one of the files, as text."""
    with files(__name__).joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
