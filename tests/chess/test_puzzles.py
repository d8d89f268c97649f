"""Puzzles from files: the FEN is before the opponent's move, every move is replayed, what is unsound is counted."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chess
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
import zstandard

from tests.conftest import REAL_DATA, needs_real_data, refused
from w2s.chess import notation, sources
from w2s.chess.build import check_text
from w2s.chess.config import Puzzles
from w2s.chess.puzzles import Puzzle, PuzzleCounts, read_puzzles
from w2s.errors import UserError

BEFORE = "7k/8/6K1/8/8/8/8/3Q4 b - - 0 1"  # black goes to g8 and is mated on d8
OPENING = "e4 e5 Bc4 Nc6 Qh5"


def row(number: int = 0, **changed: Any) -> dict[str, Any]:
    """A row of the Lichess dump, made up."""
    made = {
        "PuzzleId": f"p{number:04}",
        "FEN": BEFORE,
        "Moves": "h8g8 d1d8",
        "Rating": "700",
        "RatingDeviation": "75",
        "Popularity": "90",
        "NbPlays": "1000",
        "Themes": "mate mateIn1",
        "GameUrl": f"https://lichess.org/game{number:04}/black#48",
        "OpeningTags": "",
    }
    return made | changed


def board_after(sans: str) -> chess.Board:
    board = chess.Board()
    for san in sans.split():
        board.push_san(san)
    return board


def from_game(number: int = 0, **changed: Any) -> dict[str, Any]:
    """A row with the moves of its game."""
    known = {"FEN": board_after(OPENING).fen(), "Moves": "g8f6 h5f7", "game_moves": f"{OPENING} Nf6 Qxf7#"}
    return row(number, **known) | changed


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    if ".csv" in path.name:
        file = io.StringIO()
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        text = file.getvalue()
    else:
        text = "".join(json.dumps(one) + "\n" for one in rows)
    path.write_bytes(
        zstandard.ZstdCompressor().compress(text.encode()) if path.name.endswith(".zst") else text.encode()
    )
    return path


def read(folder: Path, rows: list[dict[str, Any]]) -> list[Puzzle]:
    return list(read_puzzles(write(folder / "puzzles.jsonl", rows)))


def counted(folder: Path, bad: dict[str, Any], good: dict[str, Any] | None = None) -> PuzzleCounts:
    """What the counts say of a file with one bad row among twenty good ones."""
    counts = PuzzleCounts()
    rows = [*[good or row(number) for number in range(20)], bad]
    puzzles = list(read_puzzles(write(folder / "puzzles.jsonl", rows), counts=counts))
    assert len(puzzles) == counts.kept == 20
    return counts


def test_the_fen_is_before_the_opponents_move(tmp_path: Path) -> None:
    (puzzle,) = read(tmp_path, [row()])
    assert puzzle == Puzzle("p0000", "game0000", BEFORE, ("h8g8",), "d1d8", 700)
    assert puzzle.position().board_fen() == "6k1/8/6K1/8/8/8/8/3Q4"
    assert puzzle.position().turn == chess.WHITE


@pytest.mark.parametrize("ending", [".csv", ".csv.zst", ".jsonl", ".jsonl.zst", ".parquet"])
def test_all_kinds_of_file_give_the_same_puzzles(ending: str, tmp_path: Path) -> None:
    rows = [row(number) for number in range(30)]
    assert list(read_puzzles(write(tmp_path / f"puzzles{ending}", rows))) == read(tmp_path, rows)


def test_the_hubs_newer_columns_give_the_same_puzzles(tmp_path: Path) -> None:
    newer = row(Rating=700, Themes=["mate", "mateIn1"], OpeningTags=[], GameId="game0000")
    del newer["GameUrl"]
    assert list(read_puzzles(write(tmp_path / "puzzles.parquet", [newer]))) == read(tmp_path, [row()])


@pytest.mark.parametrize("beyond", ["", " Nf6", " Nf6 Qxf7#"])
def test_a_known_game_starts_at_its_beginning_wherever_its_moves_end(beyond: str, tmp_path: Path) -> None:
    (puzzle,) = read(tmp_path, [from_game(game_moves=OPENING + beyond)])
    assert puzzle.start is None
    assert puzzle.moves == ("e2e4", "e7e5", "f1c4", "b8c6", "d1h5", "g8f6")
    assert notation.prompt(puzzle, "pgn") == "1. e4 1... e5 2. Bc4 2... Nc6 3. Qh5 3... Nf6 4."
    assert notation.answer(puzzle, "pgn") == " Qxf7#"
    assert puzzle.group == "game0000"


def test_a_group_is_the_game_by_id_or_by_its_first_moves_or_the_puzzle_itself(tmp_path: Path) -> None:
    groups = [
        read(tmp_path, [one])[0].group
        for one in (
            row(1, GameUrl="https://lichess.org/AbCd1234#3"),
            row(2, GameUrl="https://lichess.org/AbCd1234/black#60"),
            row(3, GameUrl=""),
            from_game(4, GameUrl=""),
            from_game(5, GameUrl="", game_moves=OPENING),
        )
    ]
    assert groups[:3] == ["AbCd1234", "AbCd1234", "p0003"]
    assert groups[3] == groups[4] not in ("p0004", "p0005")


def test_a_rating_may_be_unknown(tmp_path: Path) -> None:
    assert [puzzle.rating for puzzle in read(tmp_path, [row(Rating=""), row(Rating=None), row(Rating=1500.0)])] == [
        None,
        None,
        1500,
    ]


STALEMATE = {"FEN": "k7/8/1K6/8/8/8/8/2Q5 w - - 0 1", "Moves": "c1c7 a8b8"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Moves": "h8g8 d1d9"}, "with an illegal answer"),
        ({"Moves": "h8g8 d1e8 e8e7"}, "with an illegal answer"),
        ({"Moves": "h8g8 0000"}, "with an illegal answer"),
        ({"Moves": "0000 d1d8"}, "with an illegal first move"),
        (STALEMATE, "without a legal move in the position"),
        ({"Moves": "h8g7 d1d8"}, "with an illegal first move"),
        ({"Moves": "h8g8"}, "without an answer in Moves"),
        ({"Moves": ""}, "without an answer in Moves"),
        ({"Moves": None}, "without an answer in Moves"),
        ({"FEN": "nonsense"}, "with a broken FEN"),
        ({"FEN": ""}, "with a broken FEN"),
        ({"FEN": "8/8/8/8/8/8/8/8 w - - 0 1"}, "with a FEN that is no legal position"),
        ({"Rating": "strong"}, "with a Rating that is no number"),
        ({"PuzzleId": ""}, "without PuzzleId"),
    ],
)
def test_an_unsound_row_is_skipped_and_counted_by_reason(changed: dict[str, Any], reason: str, tmp_path: Path) -> None:
    assert counted(tmp_path, row(99, **changed)).skipped == {reason: 1}


@pytest.mark.parametrize(
    ("moves", "reason"),
    [
        ("e4 e5 Bc4 Nc6 Qf3 Nf6", "whose game_moves do not lead to the position"),
        ("e4 e5 Bc4 Nc6", "whose game_moves do not lead to the position"),
        (f"{OPENING} Qe7", "whose game_moves do not lead to the position"),  # not the opponent's move
        ("e4 e5 Bc4 Nc6 Qh6", "with an illegal move in game_moves"),
    ],
)
def test_a_game_that_does_not_lead_to_the_position_is_counted(moves: str, reason: str, tmp_path: Path) -> None:
    assert counted(tmp_path, from_game(99, game_moves=moves), from_game()).skipped == {reason: 1}


def test_a_file_of_many_unsound_rows_is_one_line_with_the_first(tmp_path: Path) -> None:
    rows = [*(row(number) for number in range(150)), *(row(number, Moves="h8g8 d1d9") for number in range(150, 200))]
    message = (
        r"puzzles.jsonl: 8 of the first 158 rows are not valid puzzles, more than 5% "
        r"\(150 kept, 8 with an illegal answer\); the first is p0150 \(with an illegal answer\)"
    )
    with pytest.raises(UserError, match=message):
        read(tmp_path, rows)


def test_a_small_file_of_many_unsound_rows_is_one_line_too(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"1 of the first 2 rows are not valid puzzles"):
        read(tmp_path, [row(0), row(1, **STALEMATE)])


@pytest.mark.parametrize("column", ["PuzzleId", "FEN", "Moves", "Rating"])
def test_a_missing_column_is_named(column: str, tmp_path: Path) -> None:
    made = row()
    del made[column]
    for ending in (".jsonl", ".csv", ".parquet"):
        with pytest.raises(UserError, match=f"puzzles{ending} has no column '{column}'; it has: "):
            list(read_puzzles(write(tmp_path / f"puzzles{ending}", [made])))


OTHERWISE = {"PuzzleId": "id", "FEN": "fen", "Moves": "solution", "Rating": "elo", "GameUrl": "game"}


def test_columns_that_are_called_otherwise_are_named_in_the_config(tmp_path: Path) -> None:
    rows = [row(number) for number in range(3)]
    renamed = [{OTHERWISE.get(name, name): value for name, value in made.items()} for made in rows]
    path = write(tmp_path / "puzzles.csv", renamed)
    with pytest.raises(
        UserError,
        match=r"puzzles.csv has no column 'PuzzleId', 'FEN', 'Moves', 'Rating'; it has: id, fen, .*; where they",
    ) as caught:
        list(read_puzzles(path))
    all_at_once = "{PuzzleId: its PuzzleId, FEN: fen, Moves: its Moves, Rating: its Rating, GameUrl: its GameUrl}"
    assert str(caught.value).endswith(f"say chess.puzzles.columns: {all_at_once}")
    with pytest.raises(UserError, match=r"say chess.puzzles.columns: \{FEN: fen\}$"):
        list(read_puzzles(path, columns={ours: theirs for ours, theirs in OTHERWISE.items() if ours != "FEN"}))
    assert list(read_puzzles(path, columns=OTHERWISE)) == list(read_puzzles(write(tmp_path / "p.csv", rows)))


@pytest.mark.parametrize("written", [str.lower, str.upper, "{}_".format])
def test_columns_in_another_case_are_suggested_all_at_once(written: Callable[[str], str], tmp_path: Path) -> None:
    rows = [row(number) for number in range(3)]
    path = write(tmp_path / "p.csv", [{written(name): value for name, value in made.items()} for made in rows])
    with pytest.raises(UserError) as caught:
        list(read_puzzles(path))
    said = yaml.safe_load(str(caught.value).partition("chess.puzzles.columns: ")[2])
    named = {name: written(name) for name in ("PuzzleId", "FEN", "Moves", "Rating", "GameUrl")}
    assert said == {name: theirs for name, theirs in named.items() if name != theirs}
    assert list(read_puzzles(path, columns=said)) == list(read_puzzles(write(tmp_path / "o.csv", rows)))


def test_a_wrong_name_of_a_column_is_one_line(tmp_path: Path, config: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"no column 'x' \(chess.puzzles.columns.FEN\); it has: PuzzleId, FEN"):
        list(read_puzzles(write(tmp_path / "puzzles.csv", [row()]), columns={"FEN": "x"}))
    config["chess"]["puzzles"]["columns"] = {"Fen": "fen"}
    refused(config, ["chess.puzzles.columns", "'Fen'", "'FEN'"])


def test_columns_are_part_of_a_key_only_where_there_are_some(config: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "puzzles.csv", [row()])
    place = {"source": "files", "paths": (str(path),)}
    assert "columns" not in sources.puzzles(Puzzles(**place), tmp_path).identity
    assert sources.puzzles(Puzzles(**place, columns={"FEN": "fen"}), tmp_path).identity["columns"] == {"FEN": "fen"}


def test_a_file_that_does_not_say_which_game_is_one_line(tmp_path: Path) -> None:
    made = row()
    del made["GameUrl"]
    with pytest.raises(UserError, match="has none of the columns GameUrl, GameId, game_moves"):
        read(tmp_path, [made])


def test_a_limit_stops_early(tmp_path: Path) -> None:
    path = write(tmp_path / "puzzles.csv", [row(number) for number in range(30)])
    assert [puzzle.id for puzzle in read_puzzles(path, limit=3)] == ["p0000", "p0001", "p0002"]


def test_what_is_wrong_with_a_file_is_one_line(tmp_path: Path) -> None:
    def reading(name: str, content: bytes) -> None:
        (tmp_path / name).write_bytes(content)
        list(read_puzzles(tmp_path / name))

    with pytest.raises(UserError, match=r"a.csv.zst: truncated"):
        reading("a.csv.zst", zstandard.ZstdCompressor().compress(b"PuzzleId,FEN\n" * 99)[:-3])
    with pytest.raises(UserError, match=r"b.jsonl:1: not valid JSON"):
        reading("b.jsonl", b"{")
    with pytest.raises(UserError, match=r"c.jsonl:1: not an object"):
        reading("c.jsonl", b"[1]")
    with pytest.raises(UserError, match=r"d.csv:2: the row and the header differ in their number of fields"):
        reading("d.csv", b"PuzzleId,FEN,Moves,Rating,GameUrl\n1,2\n")
    with pytest.raises(UserError, match=r"e.csv: no puzzles"):
        reading("e.csv", b"PuzzleId,FEN,Moves,Rating,GameUrl\n")
    with pytest.raises(UserError, match=r"f.parquet: not a readable parquet file"):
        reading("f.parquet", b"PAR1")
    with pytest.raises(UserError, match=r"g.txt is not a table of rows"):
        reading("g.txt", b"")
    with pytest.raises(UserError, match=r"h.csv: not readable as utf-8"):
        reading("h.csv", b"PuzzleId\xff\n")
    with pytest.raises(UserError, match=r"i.csv: not readable \(No such file"):
        list(read_puzzles(tmp_path / "i.csv"))


# -- prompts that are text already -----------------------------------------------------------------------

CTX = "1. e4 1... e5 2. Bc4 2... Nc6 3. Qh5 3... Nf6 4."


def test_a_ready_prompt_comes_back_as_it_was(tmp_path: Path) -> None:
    black = "1. e4 1... d5 2. Nc3 2... Nf6 3. Nxd5 3..."
    puzzles = read(tmp_path, [{"ctx": CTX, "target": " Qxf7#"}, {"ctx": black, "target": " Nxd5"}])
    assert [notation.prompt(puzzle, "pgn") for puzzle in puzzles] == [CTX, black]
    assert [notation.answer(puzzle, "pgn") for puzzle in puzzles] == [" Qxf7#", " Nxd5"]
    assert [puzzle.rating for puzzle in puzzles] == [None, None]
    assert len({puzzle.id for puzzle in puzzles} | {puzzle.group for puzzle in puzzles}) == 4


def test_puzzles_of_one_long_game_share_a_group(tmp_path: Path) -> None:
    shuffle = "Nf3 Nf6 Ng1 Ng8 " * 6
    rows = []
    for plies in (20, 22):
        board, words = chess.Board(), []
        for ply, san in enumerate(shuffle.split()[:plies]):
            words.append(f"{ply // 2 + 1}{'...' if ply % 2 else '.'} {san}")
            board.push_san(san)
        rows.append({"ctx": " ".join([*words, f"{plies // 2 + 1}."]), "target": " e4"})
    first, second = read(tmp_path, rows)
    assert first.group == second.group
    assert first.id != second.id


@pytest.mark.parametrize(
    ("ctx", "target", "reason"),
    [
        (CTX, " Qxh8", "with an illegal answer"),
        (CTX, "", "without ctx or target"),
        ("", " e4", "without ctx or target"),
        (f"{CTX} Qxf7#", " Qxf7#", "whose ctx does not end in the number of the next move"),  # the answer leaks
        (CTX.replace("4.", "5."), " Qxf7#", "whose ctx does not end in the number of the next move"),
        (CTX.replace("Qh5", "Qh6"), " Qxf7#", "with an illegal move in ctx"),
        (f"{CTX} Qxf7# 4...", " Kxf7", "without a legal move in the position"),
    ],
)
def test_an_unsound_prompt_is_skipped_and_counted(ctx: str, target: str, reason: str, tmp_path: Path) -> None:
    good = {"ctx": CTX, "target": " Qxf7#"}
    assert counted(tmp_path, {"ctx": ctx, "target": target}, good).skipped == {reason: 1}


def test_a_prompt_without_answers_is_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no column 'target'; it has: ctx"):
        read(tmp_path, [{"ctx": CTX}])


# -- real samples ----------------------------------------------------------------------------------------


@needs_real_data
def test_real_puzzles_with_their_game_become_prompts_that_replay_to_the_position() -> None:
    """The prompt's own text, replayed, ends where FEN and Moves[0] lead."""
    path = REAL_DATA / "chess" / "puzzles_with_game_moves.jsonl"
    rows = {one["PuzzleId"]: one for one in map(json.loads, path.read_text().splitlines())}
    for puzzle in read_puzzles(path, limit=20):
        board = chess.Board()
        text = notation.prompt(puzzle, "pgn")
        for word in text.split():
            if not word[0].isdigit():
                move = board.parse_san(word)
                assert board.san(move) == word
                board.push(move)
        expected = chess.Board(rows[puzzle.id]["FEN"])
        expected.push_uci(rows[puzzle.id]["Moves"].split()[0])
        assert (board.board_fen(), board.turn) == (expected.board_fen(), expected.turn)
        assert board.castling_rights == expected.castling_rights
        assert text.endswith(f"{expected.fullmove_number}{'.' if expected.turn else '...'}")
        assert puzzle.answer == rows[puzzle.id]["Moves"].split()[1]
        check_text(puzzle, text, notation.answer(puzzle, "pgn"), "pgn")


@needs_real_data
@pytest.mark.parametrize("name", ["lichess_db_puzzle_sample.csv.zst", "lichess_db_puzzle_more.csv.zst"])
def test_real_rows_of_the_dump_are_sound(name: str) -> None:
    counts = PuzzleCounts()
    puzzles = list(read_puzzles(REAL_DATA / "chess" / name, limit=300, counts=counts))
    assert counts.kept == 300
    assert not counts.skipped
    for puzzle in puzzles[:50]:
        for kind in ("fen", "squares", "position"):
            check_text(puzzle, notation.prompt(puzzle, kind), notation.answer(puzzle, kind), kind)
    assert all(400 <= (puzzle.rating or 0) <= 3300 for puzzle in puzzles)
