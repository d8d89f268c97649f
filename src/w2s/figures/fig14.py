"""Figure 14: an easy and a hard chess puzzle of the test set, as given to models (paper, Appendix A.2)."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from w2s.analysis.results import Results, Row
from w2s.chess import analysis as chess
from w2s.chess.plan import TASK
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = "An easy and a hard chess puzzle of the test set: the position, the prompt given to the model, and the label."
RATINGS = {"easy": 695, "hard": 2253}  # of the paper's two puzzles; ours have the nearest ratings available
LIGHT, DARK = "#efe6d5", "#b39b82"
GLYPHS = dict(zip("kqrbnp", "\u265a\u265b\u265c\u265d\u265e\u265f", strict=True))
BOARD = 3.3  # inches
LETTERS, LINE = 62, 0.135  # text below a board: characters per line, inches per line


def needs(plan: Plan) -> list[Artifact]:
    """The puzzles of the first seed."""
    return [plan.chess.data(plan.chess.seeds[0])]


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """The two puzzles; without ratings, the first and the last by id."""
    (data,) = needs(plan)
    test = chess.part_of(results.examples(data))
    order = sorted(range(len(test["id"])), key=lambda number: str(test["id"][number]))
    known = [number for number in order if test["rating"][number] is not None]
    rows = []
    for difficulty, rating in RATINGS.items():
        if known:
            chosen = min(known, key=lambda number: abs(test["rating"][number] - rating))
        else:
            chosen = order[0 if difficulty == "easy" else -1]
        puzzle: Row = {name: test[name][chosen] for name in ("rating", "fen", "prompt", "answer")}
        about = {"setting": chess.CHESS, "task": TASK, "seed": plan.chess.seeds[0], "difficulty": difficulty}
        rows.append(about | {"puzzle": test["id"][chosen]} | puzzle | {"examples": len(order)})
    return rows


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Two boards, each with the full prompt and the label below it."""
    from w2s.figures import footer, style

    puzzles = table.to_dict("records")
    texts = [_below(str(row["prompt"]), str(row["answer"])) for row in puzzles]
    depth = LINE * (max(text.count("\n") for text in texts) + 2)
    figure = style.new_figure(2 * (BOARD + 0.7), BOARD + 0.4 + depth)
    axes = figure.subplots(2, 2, squeeze=False, height_ratios=[BOARD, depth])
    for column, (row, text) in enumerate(zip(puzzles, texts, strict=True)):
        board, below = axes[:, column]
        _board(board, str(row["fen"]))
        board.set_title(_title(row))
        below.set_axis_off()
        look: dict[str, Any] = {"fontsize": 6.5, "family": "DejaVu Sans Mono", "parse_math": False}
        below.text(0, 1, text, ha="left", va="top", transform=below.transAxes, **look)
    style.label_panels(axes[0])
    size = f"test set of {int(table['examples'].iloc[0]):,} puzzles, seed {table['seed'].iloc[0]}"
    footer.add(figure, about, table[["task", "seed"]], size)
    return figure


def _title(row: dict[Any, Any]) -> str:
    import pandas as pd

    mover = "White" if str(row["fen"]).split()[1] == "w" else "Black"
    rating = "not rated" if pd.isna(row["rating"]) else f"rated {row['rating']:.0f}"
    return f"{row['difficulty']}: {rating}, {mover} to move"


def _below(prompt: str, answer: str) -> str:
    """Prompt and label, wrapped. The label starts with a space, so it is quoted."""
    lines = textwrap.wrap(prompt, LETTERS - 9, break_on_hyphens=False)
    prompts = [("prompt: " if number == 0 else " " * 8) + line for number, line in enumerate(lines)]
    return "\n".join([*prompts, f'label:  "{answer}"'])


def _board(panel: Axes, fen: str) -> None:
    """Squares, pieces and the names of files and ranks; White is at the bottom."""
    from matplotlib.patheffects import withStroke

    for rank, row in enumerate(fen.split()[0].split("/")):
        for file, piece in enumerate("".join(" " * int(one) if one.isdigit() else one for one in row)):
            colour = LIGHT if (rank + file) % 2 == 0 else DARK
            panel.fill([file, file + 1, file + 1, file], [7 - rank] * 2 + [8 - rank] * 2, color=colour, linewidth=0)
            if piece != " ":
                white = piece.isupper()
                face, edge = ("#ffffff", "#222222") if white else ("#222222", "#f4f4f4")
                centre = (file + 0.5, 7.46 - rank)
                look: dict[str, Any] = {"color": face, "fontsize": 21, "family": "DejaVu Sans", "zorder": 3}
                look |= {"path_effects": [withStroke(linewidth=1.6 if white else 0.8, foreground=edge)]}
                panel.text(*centre, GLYPHS[piece.lower()], ha="center", va="center", **look)
    panel.set(xlim=(0, 8), ylim=(0, 8), aspect="equal")
    panel.set_xticks([file + 0.5 for file in range(8)], list("abcdefgh"))
    panel.set_yticks([rank + 0.5 for rank in range(8)], [str(rank + 1) for rank in range(8)])
    panel.grid(visible=False)
    panel.tick_params(length=0)
