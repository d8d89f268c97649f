"""Results without training: accuracies that a test chooses, as predictions and histories that have them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from w2s.analysis.results import Predictions
from w2s.config.shift import ELSEWHERE
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact, Run

EXAMPLES = 100
EVALUATIONS = 4
IDS = [f"e{number:03}" for number in range(EXAMPLES)]  # of the test set
STUDENT = (-0.1, 0.1, 0.0, -0.05)  # how far a student is from its accuracy at each evaluation


# How many tenths of the gap students of flipped-label supervisors recover.
FLIPPED = {"weak": 5, "random": 8, "longest": 4, "shortest": 6, "unconfident": 7, "confident": -2}
PROMPTED = 0.2  # a prompted base model is so far below its ground truth
HELP = 4  # points that a non-expert with an assistant gains, and its students
LOST = 10  # in a hundred examples of another test set that runs on truth lose; students lose twice as many
LABELLED = 60  # in a hundred images are labelled right by the supervisor of the vision setting
MATED = "7k/Q7/6K1/8/8/8/8/8 w - - 0 1"
COMPLETED = "6k1/5ppp/8/8/8/8/8/R3K2R b KQ - 0 1"


def with_other_tests(run: Run, found: Predictions, right: int) -> Predictions:
    """The predictions of a run with those on the other test sets that it is scored on. right: on its own."""
    there = right - (LOST if run.labels == "truth" else 2 * LOST)
    said = [0.9] * there + [0.1] * (EXAMPLES - there)
    for role in (role for role in run.parents if role.startswith(ELSEWHERE)):
        more: Predictions = {
            "id": [f"{role}-{one}" for one in IDS],
            "part": [role] * EXAMPLES,
            "truth": [1] * EXAMPLES,
            "label": [math.nan] * EXAMPLES,
            "probability_last": [0.9] * EXAMPLES,
        }
        found = {name: column + more.get(name, said) for name, column in found.items()}
    return found


def halfway(plan: Plan) -> Callable[[Run], float]:
    """Truth reaches 60% at the first rung and up to 90% at the last; students get half way to their ceiling.

    Those without a single supervisor are as good as students of the first rung.

    In chess, chains get 5 points further than naive students, and what is trained on puzzles below a rating lacks a
    point for every hundred of rating that it misses.
    """
    experiment = plan.experiment
    ladders = [section.ladder for section in (experiment.nlp, experiment.chess, experiment.reward) if section]
    places = {rung.name: (place, len(ladder)) for ladder in ladders for place, rung in enumerate(ladder)}

    def vision(run: Run) -> float:
        ceiling = 80 + 10 * plan.vision.config.ladder.index(plan.vision.rung(run.rung))
        return (ceiling if run.labels == "truth" else (LABELLED + ceiling) / 2) / 100

    def truth(name: str) -> int:
        place, rungs = places[name]
        return 60 + 30 // (rungs - 1) * place

    def accuracy(run: Run) -> float:
        if run.stage.name == "vision_probe":
            return vision(run)
        if run.stage.name == "reward_model":
            return reward_accuracy(run, truth)
        ceiling = truth(run.rung)
        if run.method == "zero-shot":
            return ceiling / 100 - PROMPTED
        if run.method.startswith("below-"):
            return (ceiling - (2500 - int(run.method.removeprefix("below-"))) // 100) / 100
        if run.labels == "truth":
            return (ceiling - 10 * (run.method == "hard") + HELP * run.method.startswith("assisted-")) / 100
        if run.labels.startswith("flipped-"):
            weak = truth(run.labels.split("-")[-1])
            return (weak + FLIPPED[run.labels.split("-")[1]] * (ceiling - weak) // 10) / 100
        taught = run.labels.removeprefix("from-").removeprefix("chain-").split("-")[0]
        weak = truth(taught) if taught in places else 60  # labels of no single rung
        more = 5 * run.labels.startswith("chain-") + HELP * ("-assisted-" in run.labels)
        return (weak + (ceiling - weak) // 2 + more) / 100

    return accuracy


def leveled(rungs: int) -> Predictions:
    """Four examples of every level and the rest of the last one; ratings rise with it, two are trained on."""
    levels = [level for level in range(rungs + 1) for _ in range(4)]
    ids = [f"e{number:03}" for number in range(4 * 13)]
    columns: Predictions = {
        "id": ids,
        "level": levels + [rungs] * (len(ids) - len(levels)),
        "elo": [1400.0 + 10 * number for number in range(len(ids))],
    }
    return columns | {f"up_to_{cutoff}": [number < 2 for number in range(len(ids))] for cutoff in range(rungs + 1)}


# -- reward --------------------------------------------------------------------------------------------------

STARTED = "+generative"
GAIN = 4  # points that generative finetuning adds to ground truth
MORE = 6  # and to students, to which a supervisor with that gain adds it too
BEST = 0.1  # how far a student's best evaluation is above its last
REWARD_STUDENT = (-0.1, BEST, 0.05, 0.0)  # at each evaluation


def reward_accuracy(run: Run, truth: Callable[[str], int]) -> float:
    """As ``halfway`` without generative finetuning."""
    plain = run.rung.removesuffix(STARTED)
    started = plain != run.rung
    if run.labels == "truth":
        return (truth(plain) + GAIN * started) / 100
    taught = run.labels.removeprefix("from-")
    weak = truth(taught.removesuffix(STARTED))
    return (weak + (truth(plain) - weak) // 2 + MORE * started + GAIN * taught.endswith(STARTED)) / 100


# -- results -------------------------------------------------------------------------------------------------


class Fake:
    """A ``Results``; remembers which runs were asked for. accuracy: of a run on the test set, in hundredths."""

    def __init__(self, accuracy: Callable[[Run], float]) -> None:
        self.accuracy = accuracy
        self.read: set[str] = set()

    def predictions(self, run: Run) -> Predictions:
        """All truths are 1; the supervisor is right on the first half, the last step always.

        Of chess: ratings 610, 630, ... 2590, the lowest are completed with the right move, the others with one wrong
        move that is the same for all and, of every second puzzle, not legal.
        """
        self.read.add(run.key)
        right = round(EXAMPLES * self.accuracy(run))
        if run.stage.name == "vision_probe":
            weak = LABELLED if run.labels != "truth" else EXAMPLES
            return {
                "part": ["test"] * EXAMPLES,
                "truth": [7] * EXAMPLES,
                "label": [7] * weak + [3] * (EXAMPLES - weak),
                "answer": [7] * right + [1] * (EXAMPLES - right),
                "correct": [1] * right + [0] * (EXAMPLES - right),
            }
        if run.task == "puzzles":
            wrong = EXAMPLES - right
            return {
                "id": [f"p{number:03}" for number in range(EXAMPLES)] + ["s000"],
                "part": ["test"] * EXAMPLES + ["strong"],
                "rating": [*range(610, 610 + 20 * EXAMPLES, 20), 700],
                "truth": [" Qa8"] * (EXAMPLES + 1),
                "label": [" Qa8"] * (EXAMPLES + 1),
                "answer": [" Qa8#"] * right + [" Qb8"] * wrong + [" Qc8"],
                "correct": [1] * right + [0] * (wrong + 1),
                "legal": [1] * right + [number % 2 for number in range(wrong)] + [0],
            }
        if (
            run.stage.name == "prompt"
        ):  # a second draw of examples gets three more wrong, and has room for fewer of them
            fewer = [0, 3][: run.spec["draws"]]
            said = [[0.9] * (right - less) + [0.1] * (EXAMPLES - right + less) for less in fewer]
            ids, parts = [*IDS] * len(fewer), ["test"] * EXAMPLES * len(fewer)
            draws = [draw for draw in range(len(fewer)) for _ in range(EXAMPLES)]
            if "predicts" in run.spec:  # a question of the strong half too
                ids, parts, draws, said = [*ids, "s"], [*parts, "strong"], [*draws, 0], [*said, [0.9]]
            return {
                "id": ids,
                "part": parts,
                "draw": draws,
                "shots": [max(0, run.spec["shots"] - draw) for draw in draws],
                "truth": [1] * len(ids),
                "label": [0.8] * len(ids),
                "probability": [one for draw in said for one in draw],
            }
        if run.stage.name == "reward_model":  # nothing stops early
            best = min(EXAMPLES, right + round(EXAMPLES * BEST))
            last = [0.9] * right + [0.1] * (EXAMPLES - right) + [0.1]
            modelled: Predictions = {
                "part": ["test"] * EXAMPLES + ["strong"],
                "truth": [1] * (EXAMPLES + 1),
                "label": [0.8] * (EXAMPLES // 2) + [0.2] * (EXAMPLES // 2) + [0.2],
                "probability": last,
                "probability_last": last,
                "probability_stopped": [0.9] * best + [0.1] * (EXAMPLES - best) + [0.1],
            }
            return with_other_tests(run, modelled, right)
        found: Predictions = {
            "id": [*IDS, "v", "s"],
            "part": ["test"] * EXAMPLES + ["validation", "strong"],
            "truth": [1] * (EXAMPLES + 2),
            "label": [0.8] * (EXAMPLES // 2) + [0.2] * (EXAMPLES // 2) + [0.2, 0.2],
            "probability": [0.9] * right + [0.1] * (EXAMPLES - right) + [0.1, 0.9],
            "probability_last": [0.9] * (EXAMPLES + 2),
        }
        return with_other_tests(run, found, right)

    def history(self, run: Run) -> list[dict[str, float]]:
        """Best on the test set at the second of four evaluations, last preferred by weak labels at the third.

        Where agreement is told apart, a row before training, then ever more with right labels and less with wrong ones.
        """
        self.read.add(run.key)
        labels = (0.6, 0.7, 0.7, 0.65)
        if run.stage.name == "reward_model":  # no validation part
            return [
                {
                    "step": 5.0 * (number + 1),
                    "epoch": 0.25 * (number + 1),
                    "train_loss": 0.5,
                    "test_labels": labels[number],
                    "test_truth": self.accuracy(run) + REWARD_STUDENT[number],
                }
                for number in range(EVALUATIONS)
            ]
        rows = [
            {
                "step": 10.0 * (number + 1),
                "epoch": 0.5 * (number + 1),
                "train_loss": 0.5,
                "validation_labels": labels[number],
                "validation_truth": 0.5,
                "test_labels": 0.5,
                "test_truth": self.accuracy(run) + STUDENT[number],
            }
            for number in range(EVALUATIONS)
        ]
        if not run.spec.get("agreement"):
            return rows
        before = {"step": 0.0, "epoch": 0.0, "train_loss": math.nan}
        return [
            row | {"test_labels_right": 0.5 + number / 10, "test_labels_wrong": 0.5 - number / 10}
            for number, row in enumerate([rows[0] | before, *rows])
        ]

    def examples(self, data: Artifact) -> Predictions:
        """Five puzzles of the test set, and one that is not in it and would fit best.

        Of easy-to-hard studies: see ``leveled``.
        """
        self.read.add(data.key)
        if data.stage.name in ("levels", "judge"):
            return leveled(int(data.spec.get("rungs", 2)))
        ratings = [500, 710, 1500, 2300, 2790, 695]
        return {
            "id": ["e", "d", "c", "b", "a", "f"],
            "part": ["test"] * 5 + ["weak"],
            "group": ["e", "d", "c", "b", "a", "f"],
            "rating": ratings,
            "fen": [MATED, MATED, MATED, COMPLETED, MATED, MATED],
            "prompt": [f"prompt {number} white :" for number in range(6)],
            "answer": [" Qa7 a8"] * 6,
        }

    def record(self, artifact: Artifact) -> dict[str, Any]:
        """What building a task counts and measures; of errors, fits whose accuracies follow from their place."""
        self.read.add(artifact.key)
        if artifact.stage.name == "errors":
            return {"measured": {"fits": fits(artifact.spec)}}
        part = {"examples": 40, "groups": 20, "positive_share": 0.5}
        counts = {
            "train": {"candidates": 400, "examples": 200, "positive_share": 0.4},
            "training_examples_of_a_test_group_dropped": 12,
            "rebalanced": True,
            "after_balancing": 160,
            "parts": dict.fromkeys(("weak", "strong", "validation", "test"), part),
        }
        if artifact.stage.name == "finetune":
            return {"measured": {"examples": round(200 * artifact.spec.get("share", 1.0))}}
        guards = {"bag_of_words_accuracy": 0.5, "length_only_accuracy": None}
        return {"measured": {"counts": counts, "guards": guards}}


def fits(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Labellers of 60, 62, ... percent; a student is a point better for each place it is further, and agrees in 90."""

    def one(panel: str, labels: str, student: str, draw: int, accuracy: float, agreement: float) -> dict[str, Any]:
        values = {"panel": panel, "labels": labels, "student": student, "draw": draw}
        return values | {"accuracy": accuracy, "agreement": agreement}

    few = [str(count) for count in spec["features"]]
    found = []
    for place, labels in enumerate([*few, "full"]):
        found.append(one("simulable", labels, labels, 0, 0.6 + place / 50, 1.0))
        for further, student in enumerate([*few, "full"][place + 1 :], start=1):
            found.append(one("simulable", labels, student, 0, 0.6 + place / 50 + further / 100, 0.9))
    for draw in range(spec["draws"]):
        for panel, names in (("unsimulable", few), ("mixed", [f"{share:g}" for share in spec["noise"]])):
            for place, labels in enumerate(names):
                found.append(one(panel, labels, "labeller", draw, 0.6 + place / 50, 1.0))
                found.append(one(panel, labels, "full", draw, 0.7 + draw / 100, 0.65))
    return found
