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
* ``bars.csv``: Figure 2 (accuracies), Figure 7c (median PGR; its error bars were not read out) and Figure 13b (median
  PGR and half of its error bar). The best chess bar is the last student of Figure 4's chain, which is not the GPT-4 of
  the two bars beside it but -1.64. The best reward bar is Figure 10's -7.06 to -2.39 or -1.64 (62.01, 62.03), the
  ceiling beside it none of those sizes (69.08, 69.86) but near -4.67 (65.15).
* ``chess.csv``: Figure 3b and 3e (ground truth and naive; Figures 4 and 15 repeat them), the chains of Figure 4, and
  zero-shot accuracy and agreement of Figure 15. ``supervisor`` of a chain is its first model; its first accuracy is
  the naive same-size student. Figure 4b draws its squares stretched along x: here they stand at the students of 4a,
  and the last one (-2.39 to 0) is missing.
* ``chess_easy_to_hard.csv``: Figure 19, accuracy on all test puzzles and on hard ones (rated 2000 and above): ``all``
  is the model trained on puzzles of every rating (its ground-truth run), ``value`` that trained on easy ones, or
  zero-shot.
* ``nlp_difficulty.csv``: Figure 21, test accuracy on seven data sets; ``cutoff`` is the log10 compute of the model up
  to which examples are trained on, or ``any``.
* ``nlp_judged.csv``: Figure 22b, mean test accuracy; its 22a (Elo ratings on MATH) has nothing to be laid beside.
* ``error_structure.csv``: Figures 25 (three data sets, ``kind`` of supervisor) and 27 (nine); ``pgr`` in percent.
* ``error_dynamics.csv``: Figure 26, agreement with labels that are ``right`` and that are ``wrong``; epochs as they
  were read out, 0.005 and 2.02 being 0 and 2.
* ``chess_by_rating.csv``: Figure 20, accuracy by puzzle rating in bins of 100, ``rating`` the middle. Its zero-shot
  circles were not read out; it has no model of -6.
* ``vision.csv``: Table 3 (printed, ``oscillating``), and the same after the open code's scheduler was corrected
  (``cosine``): the README of github.com/openai/weak-to-strong at 1dbfbd6 and at 0a6d4ab. ``place`` counts students from
  the weakest; the supervisor has none. PGRs of the corrected rows are computed from their accuracies.
* ``bars.csv`` also has Figure 11, mean accuracy over an unstated subset of tasks (its text says 82 where ft(gt) is
  drawn at 80.4).
* ``prompting.csv``: Figure 9, mean accuracy over seven tasks; ``supervisor`` of few-shot prompts is whose labels stand
  in them, of the truth none.
* ``simulable.csv``: Figure 24; ``labels`` and ``student`` are numbers of features (simulable), accuracies of the labels
  or shares of noise; equal ones stand for the labeller itself. Its agreement panels begin with the labeller's accuracy.
* ``claims.csv``: what claims are tried on beyond the above, in the columns of our tables: Figures 3c (reward models),
  7c, 9, 10, 11, 16 to 18, 22b, 23, 24a and 24b (labels themselves, and students at full size), 25, 26 (means over
  training), 27, and Table 3. Its PGRs are percent too.
* ``reward.csv``: Figure 3c and 3f (ground truth and naive reward models; the PGRs of -7.06 to -6.48 and of -5.25 to
  -4.67 are not in it, but in Figure 10), and agreement of Figure 16.
* ``reward_stopping.csv``: Figure 7b, the best accuracy in training and the last.
* ``reward_generative.csv``: Figures 10, 17 and 18; ``generative`` and ``generative-truth`` are students and ceilings
  after generative finetuning, the rest is Figure 3's (of Figure 17: stopped early).
"""

from __future__ import annotations

import csv
from importlib.resources import files


def read(name: str) -> list[dict[str, str]]:
    """Rows of one of the files, as text."""
    with files(__name__).joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def bars(figure: int, setting: str = "nlp") -> dict[str, tuple[float, float]]:
    """Bar -> (height, half of its error bar or 0) of Figure 2, 7c or 13b, in percent."""
    return {
        row["bar"]: (float(row["value"]), float(row["error"] or 0))
        for row in read("bars")
        if row["figure"] == str(figure) and row["setting"] == setting
    }
