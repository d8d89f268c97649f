"""Chess: greedy answers to puzzles by a rung of 10 million parameters, and the reading of games from a .pgn.zst.

Answers: ``ours`` keeps keys and values and lets whole batches of like length write on together; ``transformers`` is
``generate`` on batches of 32, padded on the left. Prompts are made-up positions in the notation ``position``; both
give the same answers. Games: random ones, each file read by a process of its own; memory should not grow with it.

    python benchmarks/puzzles.py [--repeats N] [--puzzles N] [--games N]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import fresh, in_turns, machine, table

SHAPE = {"width": 320, "intermediate": 848, "layers": 8, "heads": 8}
VOCABULARY, PIECES, MOST, BATCH = 814, (3, 32), 3, 32
RUNNERS = ("transformers", "ours")
DISTINCT = 400  # games that a file repeats: what is read does not depend on it


def prompts(count: int) -> list[list[int]]:
    """Token ids as long as prompts of positions are: a word a piece, the side to move, a colon."""
    choose = random.Random(0)
    return [[choose.randrange(1, VOCABULARY) for _ in range(choose.randint(*PIECES) + 2)] for _ in range(count)]


def answers(runner: str, folder: Path, texts: list[list[int]]) -> list[list[int]]:
    """What the model says behind each prompt, ``MOST`` tokens at most, none behind the end token."""
    import torch

    if runner == "ours":
        from w2s.models.generator import load
        from w2s.training.batching import Texts
        from w2s.training.generative import greedy

        return greedy(load(folder), Texts(texts), end=0, most=MOST)
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    said: list[list[int]] = []
    for start in range(0, len(texts), BATCH):
        some = texts[start : start + BATCH]
        longest = max(map(len, some))
        ids = torch.tensor([[0] * (longest - len(text)) + text for text in some])
        mask = torch.tensor([[0] * (longest - len(text)) + [1] * len(text) for text in some])
        rows = model.generate(
            ids, attention_mask=mask, max_new_tokens=MOST, do_sample=False, eos_token_id=0, pad_token_id=0
        )
        for row in rows[:, longest:].tolist():
            said.append(row[: row.index(0)] if 0 in row else row)
    return said


def write_on(runner: str, folder: Path, count: int) -> dict[str, Any]:
    """CPU and wall seconds, and a digest of the answers."""
    import hashlib

    texts = prompts(count)
    answers(runner, folder, texts[:BATCH])
    cpu, wall = time.process_time(), time.perf_counter()
    said = answers(runner, folder, texts)
    measured = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    return measured | {"said": hashlib.sha256(json.dumps(said).encode()).hexdigest()}


def write_games(path: Path, count: int) -> None:
    """Random games as PGN, compressed."""
    import chess
    import chess.pgn
    import zstandard

    choose, texts = random.Random(0), []
    for _ in range(min(count, DISTINCT)):
        board, game = chess.Board(), chess.pgn.Game({"WhiteElo": "2000", "BlackElo": "2000"})
        while len(board.move_stack) < 80 and not board.is_game_over():
            board.push(choose.choice(list(board.legal_moves)))
        game.add_line(board.move_stack)
        texts.append(f"{game}\n\n".encode())
    with zstandard.open(path, "wb") as out:
        for number in range(count):
            out.write(texts[number % len(texts)])


def read_games(path: Path) -> dict[str, Any]:
    """Games a CPU second, and the process's peak memory in MiB."""
    from w2s.chess.games import read_games as read

    cpu = time.process_time()
    count = sum(1 for _ in read(path))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return {"games": count, "cpu": time.process_time() - cpu, "peak": peak}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--puzzles", type=int, default=5000)
    parser.add_argument("--games", type=int, default=5000)
    parser.add_argument("--worker", nargs=3)
    options = parser.parse_args()
    if options.worker:
        what, path, count = options.worker
        print(json.dumps(read_games(Path(path)) if what == "games" else write_on(what, Path(path), int(count))))
        return
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(answering(folder, options.puzzles, options.repeats))
        print(reading(folder, options.games))


def answering(folder: Path, count: int, repeats: int) -> str:
    """The table of greedy answers."""
    from w2s.models.pretraining import new_model

    model: Any = new_model(SHAPE, VOCABULARY, 0)
    model.save_pretrained(folder)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    found = in_turns(RUNNERS, lambda runner: fresh(__file__, runner, str(folder), str(count)), repeats)
    said = {one["said"] for many in found.values() for one in many}
    if len(said) > 1:
        sys.exit("the two do not give the same answers")
    best = {runner: min(many, key=lambda one: one["cpu"]) for runner, many in found.items()}
    slowest = best[RUNNERS[0]]["cpu"]
    rows = [
        [runner, f"{one['cpu']:.1f}", f"{one['wall']:.1f}", f"{slowest / one['cpu']:.2f}"]
        for runner, one in best.items()
    ]
    title = f"Greedy answers to {count:,} puzzles by {parameters / 1e6:.1f} million parameters, one thread"
    return table(title, ["how", "CPU s", "s", "ratio"], rows)


def reading(folder: Path, count: int) -> str:
    """The table of games read."""
    rows = []
    for times in (1, 4):
        path = folder / f"games{times}.pgn.zst"
        write_games(path, times * count)
        one = fresh(__file__, "games", str(path), "0")
        rows.append([f"{one['games']:,}", f"{one['games'] / one['cpu']:,.0f}", f"{one['peak']:.0f}"])
    return table("Games read from one .pgn.zst", ["games", "games / CPU s", "peak MiB"], rows)


if __name__ == "__main__":
    main()
