"""Games from PGN files: the mainline and nothing else, every move legal, what is skipped counted by reason."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import chess.pgn
import pytest
import zstandard

from tests.conftest import REAL_DATA, needs_real_data
from w2s.chess.games import Counts, Game, key, read_games
from w2s.errors import UserError

REAL = REAL_DATA / "chess" / "games_elo1800.pgn.zst"
PLAYERS = '[WhiteElo "1900"]\n[BlackElo "2000"]\n'
GOOD = PLAYERS + "\n1. e4 e5 2. Nf3 Nc6 1-0\n"
ENDGAME = "7k/8/6K1/8/8/8/8/3Q4 w - - 0 1"


def write(folder: Path, *games: str, name: str = "games.pgn") -> Path:
    path = folder / name
    text = "\n".join(games).encode()
    path.write_bytes(zstandard.ZstdCompressor().compress(text) if name.endswith(".zst") else text)
    return path


def read(folder: Path, *games: str, least_elo: int = 1800) -> tuple[list[Game], Counts]:
    counts = Counts()
    return list(read_games(write(folder, *games), least_elo=least_elo, counts=counts)), counts


def test_a_game_is_its_moves_in_uci(tmp_path: Path) -> None:
    (game,), counts = read(tmp_path, GOOD)
    assert game.moves == ("e2e4", "e7e5", "g1f3", "b8c6")
    assert game.start is None
    assert len(game.id) == 16
    assert counts == Counts(kept=1)


def test_comments_variations_and_annotations_are_left_out(tmp_path: Path) -> None:
    text = (
        "% escaped: 1. d4\n1. e4! $1 {the best; (really) 1. d4} e5 (1... c5 2. Nf3 (2. c3 {why}) d6) 2.Nf3 ; 2. f4 \n"
        "{[%clk 0:03:00]\n\n[%eval 0.3] over\n[three lines]} 2...Nc6!? 3. Bb5?! $146 a6 (3... Nf6) 4.Bxc6 1/2-1/2 e5\n"
    )
    (game,), counts = read(tmp_path, PLAYERS + "\n" + text)
    assert " ".join(game.moves) == "e2e4 e7e5 g1f3 b8c6 f1b5 a7a6 b5c6"
    assert counts == Counts(kept=1)


@pytest.mark.parametrize(
    "text",
    [
        "1. e4 e5 2. Nf3 {a developing move} 2. ... Nc6 3. Bb5 1/2",
        "1. e4 {best} 1. ... e5 2. Nf3 ... Nc6 3. Bb5 1:0",
        "1 e4 e5 2 Nf3 Nc6 3 Bb5 1-0.",
        "1.e4$1 $10 e5!? 2.Nf3!! ? Nc6⩲ 3.Bb5± ½-½",
        "1.e4 ! e5 +- 2.Nf3= Nc6+/= 3.Bb5-+ N -/+ 0–1",  # noqa: RUF001
        "1. e4 e5 2. ♘f3 ♞c6 3. ♗b5□ ∞ *",
        "1.e2–e4 e7–e5 2.Ng1–f3 Nb8–c6 3.Bf1–b5 ½",  # noqa: RUF001
        "1) e4 e5 2) Nf3 Nc6 3: Bb5 1-0",
        "1. e4 e5 2. nf3 nc6 3. bb5 1-0",
        "1. Pe4 Pe5 2. Nf3N Nc6TN 3. Bb5 1-0",
        "1. e4 {a {nested {twice} }comment} e5 2. Nf3 {once} Nc6 3. Bb5 {:-{ } 1-0",
        "1. e4 {[%eval 0.17] [%clk 0:00:30]} 1... e5\n\n2. Nf3 Nc6 3. Bb5 1-0",
        "{A remark.}\n\n1. e4 e5 2. Nf3 Nc6\n\n3. Bb5 1-0",
        "1…… e4 1… e5 2. Nf3 2… Nc6 3. Bb5 ⇆ 1-0",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_moves_are_understood_as_people_write_them(text: str, encoding: str, tmp_path: Path) -> None:
    if encoding == "cp1252" and any(character in text for character in "⩲♘∞⇆"):
        encoding = "utf-8"
    path = tmp_path / "games.pgn"
    path.write_bytes(f"{PLAYERS}\n{text}\n\n".encode(encoding) * 200)
    counts = Counts()
    games = list(read_games(path, counts=counts))
    assert {" ".join(game.moves) for game in games} == {"e2e4 e7e5 g1f3 b8c6 f1b5"}
    assert counts == Counts(kept=200)


@pytest.mark.parametrize(
    "taken", ["exd6e.p.", "exd6 e.p.", "exd6 e. p.", "exd6ep", "exd6 ep", "exd6 (e.p.)", "exd6!e.p.!", "e\u00d7d6"]
)
def test_a_capture_en_passant_may_say_so(taken: str, tmp_path: Path) -> None:
    (game,), _ = read(tmp_path, f"{PLAYERS}\n1. e4 a6 2. e5 d5 3. {taken} 3... exd6 1-0\n")
    assert " ".join(game.moves) == "e2e4 a7a6 e4e5 d7d5 e5d6 e7d6"


@pytest.mark.parametrize("promoted", ["b8=Q", "b8Q", "b8(Q)", "b8/Q", "b8(=Q)", "b8=Q+(b8=N Kg7)"])
def test_a_promotion_may_be_written_in_any_way(promoted: str, tmp_path: Path) -> None:
    fen = "4k3/1P6/8/8/8/8/8/4K3 w - - 0 1"
    (game,), _ = read(tmp_path, f'{PLAYERS}[FEN "{fen}"]\n\n44. {promoted} 44. ... Kf7 1-0\n')
    assert game.moves == ("b7b8q", "e8f7")


def test_a_variation_right_behind_a_move_is_no_promotion(tmp_path: Path) -> None:
    (game,), _ = read(tmp_path, f"{PLAYERS}\n1. Nf3 d5 2. Ng1(Nc3 d4) d4 1-0\n")
    assert game.moves == ("g1f3", "d7d5", "f3g1", "d5d4")


@pytest.mark.parametrize(
    ("text", "moves"),
    [
        ("1. Nf3 Nf6 2. g3 g6 3. Bg2 Bg7 4. 0-0 o-o", "g1f3 g8f6 g2g3 g7g6 f1g2 f8g7 e1g1 e8g8"),
        ("1. Nf3 Nf6 2. g3 g6 3. Bg2 Bg7 4. OO! 0-0", "g1f3 g8f6 g2g3 g7g6 f1g2 f8g7 e1g1 e8g8"),
        ("1. e4 d5 2. e:d5 q:d5 3. nc3 qa5", "e2e4 d7d5 e4d5 d8d5 b1c3 d5a5"),
        ("1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 4. bxc6 bxc6", "e2e4 e7e5 g1f3 b8c6 f1b5 a7a6 b5c6 b7c6"),
        ("1. e4 f5 2. Qh5ch g6 3. Qxg6 dbl.ch. hxg6", "e2e4 f7f5 d1h5 g7g6 h5g6 h7g6"),
        ("1. e4 a6 2. e5 d5 3. exd6 e.p 3... exd6", "e2e4 a7a6 e4e5 d7d5 e5d6 e7d6"),
    ],
)
def test_pieces_castling_and_checks_may_be_written_otherwise(text: str, moves: str, tmp_path: Path) -> None:
    (game,), _ = read(tmp_path, f"{PLAYERS}\n{text} 1-0\n")
    assert " ".join(game.moves) == moves


@pytest.mark.parametrize(
    "headers",
    [
        '[WhiteElo "1900"][BlackElo "2000"]',
        '[WhiteElo "1900"] [Event "a \\"]\\" b"] [BlackElo "2000"]',
        '  [ WhiteElo "1900" ]\n\t[BlackElo " 2000 "]',
        '[WhiteElo "1900"] ; or so\n[BlackElo "2000"]',
    ],
)
def test_headers_may_share_a_line_and_have_spaces(headers: str, tmp_path: Path) -> None:
    games, counts = read(tmp_path, GOOD, f"{headers}\n\n1. e4 *\n", GOOD)
    assert [len(game.moves) for game in games] == [4, 1, 4]
    assert counts == Counts(kept=3)


def test_a_byte_order_mark_in_joined_files_costs_no_game(tmp_path: Path) -> None:
    games, counts = read(tmp_path, *[f"\ufeff{GOOD}"] * 3)
    assert counts == Counts(kept=3)
    assert len({game.moves for game in games}) == 1


def test_games_without_headers_end_at_their_results_or_before_a_first_move(tmp_path: Path) -> None:
    games, _ = read(tmp_path, "1. e4 *\n\n1. d4 d5\n\n1. c4\n\n1... e5 *\n\n2. f4 *\n", "1. f4", least_elo=0)
    assert [game.moves for game in games] == [("e2e4",), ("d2d4", "d7d5"), ("c2c4", "e7e5"), ("f2f4",), ("f2f4",)]


@pytest.mark.parametrize("word", ["Ñf3", "Sf3", "e", "wins"])
def test_what_is_no_move_still_spoils_its_game(word: str, tmp_path: Path) -> None:
    _, counts = read(tmp_path, GOOD, f"{PLAYERS}\n1. e4 e5 2. {word} 1-0\n")
    assert counts == Counts(kept=1, malformed=1)


def test_a_game_whose_next_one_follows_without_an_empty_line_ends(tmp_path: Path) -> None:
    games, counts = read(tmp_path, GOOD + GOOD.rstrip() + "\r\n" + GOOD)
    assert [game.moves for game in games] == [games[0].moves] * 3
    assert counts == Counts(kept=3)


@pytest.mark.parametrize(
    "elos", ['[WhiteElo "1799"]\n[BlackElo "2400"]', '[WhiteElo "2400"]', '[WhiteElo "?"]\n[BlackElo "2400"]', ""]
)
def test_both_players_need_the_elo_and_none_is_below(elos: str, tmp_path: Path) -> None:
    games, counts = read(tmp_path, GOOD, elos + "\n\n1. e4 not looked at *\n")
    assert len(games) == 1
    assert counts == Counts(kept=1, below_elo=1)


def test_a_limit_of_zero_elo_keeps_games_without_any(tmp_path: Path) -> None:
    games, _ = read(tmp_path, '[Event "?"]\n\n1. e4 *\n', least_elo=0)
    assert [game.moves for game in games] == [("e2e4",)]


@pytest.mark.parametrize(
    "moves", ["1. e4 e5 2. Ke3", "1. e4 {never closed", "1. e4 e5) 2. Nf3", "1. e4 e5 2. Nf3 what"]
)
def test_a_corrupt_game_is_skipped_and_counted_and_the_next_one_is_read(moves: str, tmp_path: Path) -> None:
    games, counts = read(tmp_path, GOOD, f"{PLAYERS}\n{moves} 1-0\n", GOOD)
    assert len(games) == 2
    assert counts == Counts(kept=2, malformed=1)


def test_a_corrupt_file_is_one_line_with_the_first_bad_game(tmp_path: Path) -> None:
    bad = f"{PLAYERS}\n1. e4 e5 2. Ke3 1-0\n"
    counts = Counts()
    path = write(tmp_path, *[GOOD] * 120, *[bad] * 10)
    with pytest.raises(
        UserError, match=r"games.pgn: 7 of the first 127 games read are malformed, more than 5%; the first is "
        "game 121, ply 3, no legal move 'Ke3'"
    ):  # fmt: skip
        list(read_games(path, counts=counts))
    assert counts == Counts(kept=120, malformed=7)


def test_what_is_no_pgn_at_all_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "games.pgn"
    for content in (b"", b"\x00\xff" * 5000, b"PuzzleId,FEN\n1,2\n"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"games.pgn: no game of two players with Elo 1800 or more \(0 kept"):
            list(read_games(path))
    path.write_bytes(b"x" * 9_000_000)
    with pytest.raises(UserError, match=r"games.pgn: not a text file with lines: one has more than 4,194,304 bytes"):
        list(read_games(path))


def test_a_game_from_a_position_keeps_it(tmp_path: Path) -> None:
    games, counts = read(
        tmp_path,
        f'{PLAYERS}[SetUp "1"]\n[FEN "{ENDGAME}"]\n\n1. Qd8# 1-0\n',
        f'{PLAYERS}[Variant "From Position"]\n[FEN "{ENDGAME.replace(" w ", " b ")}"]\n\n1... Kg8 2. Qd8# 1-0\n',
        f'{PLAYERS}[FEN "{chess.STARTING_FEN}"]\n\n1. e4 *\n',
    )
    assert [(game.start, game.moves) for game in games] == [
        (ENDGAME, ("d1d8",)),
        (ENDGAME.replace(" w ", " b "), ("h8g8", "d1d8")),
        (None, ("e2e4",)),
    ]
    assert counts == Counts(kept=3)


@pytest.mark.parametrize(
    "fen", ["nonsense", "8/8/8/8/8/8/8/8 w - - 0 1", "7k/8/6K1/8/8/8/8/3Q4 w", "kk6/8/8/8/8/8/8/K7 w - - 0 1"]
)
def test_a_broken_fen_is_counted(fen: str, tmp_path: Path) -> None:
    _, counts = read(tmp_path, GOOD, f'{PLAYERS}[FEN "{fen}"]\n\n1. Qd8# 1-0\n')
    assert (counts.kept, counts.malformed) == ((2, 0) if fen.endswith("3Q4 w") else (1, 1))


@pytest.mark.parametrize(
    "headers",
    [
        '[Variant "Chess960"]\n[FEN "bnnqrkrb/pppppppp/8/8/8/8/PPPPPPPP/BNNQRKRB w KQkq - 0 1"]',
        '[FEN "bnnqrkrb/pppppppp/8/8/8/8/PPPPPPPP/BNNQRKRB w KQkq - 0 1"]',  # castling rights give it away
        '[Variant "Atomic"]',
        '[Variant "Crazyhouse"]',
    ],
)
def test_chess960_and_other_variants_are_skipped_and_counted(headers: str, tmp_path: Path) -> None:
    games, counts = read(tmp_path, GOOD, f"{PLAYERS}{headers}\n\n1. e4 e5 *\n", GOOD)
    assert len(games) == 2
    assert counts == Counts(kept=2, variants=1)


def test_a_variant_does_not_reach_into_the_next_game(tmp_path: Path) -> None:
    """Headers without moves, not even a result."""
    games, counts = read(tmp_path, f'{PLAYERS}[Variant "Atomic"]\n', GOOD)
    assert len(games) == 1
    assert counts == Counts(kept=1, variants=1)


@pytest.mark.parametrize("null", ["--", "Z0"])
def test_null_moves_are_skipped_and_counted(null: str, tmp_path: Path) -> None:
    games, counts = read(tmp_path, GOOD, f"{PLAYERS}\n1. e4 {null} 2. d4 *\n", GOOD)
    assert len(games) == 2
    assert counts == Counts(kept=2, null_moves=1)


def test_a_game_without_moves_is_counted(tmp_path: Path) -> None:
    _, counts = read(tmp_path, GOOD, PLAYERS + "\n1-0\n", PLAYERS + "\n{forfeit} 0-1\n", GOOD)
    assert counts == Counts(kept=2, empty=2)


def test_a_file_without_any_game_to_keep_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no game of two players with Elo 2800 or more \(0 kept, 1 below elo"):
        read(tmp_path, GOOD, least_elo=2800)


# -- files -----------------------------------------------------------------------------------------------


def test_a_compressed_file_reads_like_a_plain_one_and_so_do_two_frames(tmp_path: Path) -> None:
    plain = list(read_games(write(tmp_path, *[GOOD] * 50)))
    path = write(tmp_path, *[GOOD] * 50, name="games.pgn.zst")
    assert list(read_games(path)) == plain
    path.write_bytes(path.read_bytes() + zstandard.ZstdCompressor().compress(b"\n" + GOOD.encode()))
    assert len(list(read_games(path))) == 51


def test_a_limit_stops_early(tmp_path: Path) -> None:
    counts = Counts()
    assert len(list(read_games(write(tmp_path, *[GOOD] * 50), limit=7, counts=counts))) == counts.kept == 7


@pytest.mark.parametrize("window", [27, 31])
def test_a_file_compressed_with_a_long_window_is_read(window: int, tmp_path: Path) -> None:
    """As by ``zstd --long=31``, which the library refuses unless it is told otherwise."""
    parameters = zstandard.ZstdCompressionParameters(window_log=window, hash_log=6, chain_log=6)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()  # of unknown size: the window stays
    path = tmp_path / "games.pgn.zst"
    path.write_bytes(packer.compress(GOOD.encode()) + packer.flush())
    assert len(list(read_games(path))) == 1


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_truncated_compressed_file_is_one_line(share: float, tmp_path: Path) -> None:
    """The library's own reader takes the place where such a file stops for its end."""
    content = zstandard.ZstdCompressor().compress("\n".join([GOOD] * 5 + [f"; {n**5}" for n in range(50_000)]).encode())
    path = tmp_path / "games.pgn.zst"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match=r"games.pgn.zst: truncated: its zstandard data end early"):
        list(read_games(path))


def test_a_corrupt_compressed_file_is_one_line(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, name="games.pgn.zst")
    content = path.read_bytes()
    for broken in (b"not zstandard at all", content + b"garbage"):
        path.write_bytes(broken)
        with pytest.raises(UserError, match=r"games.pgn.zst: corrupt, not readable as zstandard"):
            list(read_games(path))


def test_a_missing_file_and_one_of_another_kind_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.pgn: not readable \(No such file"):
        list(read_games(tmp_path / "none.pgn"))
    with pytest.raises(UserError, match=r"games.pgn.gz: not a file of games"):
        list(read_games(tmp_path / "games.pgn.gz"))


def test_positions_are_the_same_by_what_can_be_played_not_by_clocks() -> None:
    one, other = chess.Board(), chess.Board()
    for board, moves in ((one, "g1f3 g8f6 b1c3"), (other, "b1c3 g8f6 g1f3")):
        for move in moves.split():
            board.push_uci(move)
    assert key(one) == key(other)
    after, quiet = chess.Board(), chess.Board("rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1")
    after.push_uci("e2e4")  # nobody can take en passant, so it does not matter
    assert key(after) == key(quiet)
    quiet.turn = chess.WHITE
    assert key(after) != key(quiet)


# -- python-chess's own reader ---------------------------------------------------------------------------


def by_python_chess(text: str) -> Iterator[tuple[str, ...]]:
    file = io.StringIO(text)
    while (game := chess.pgn.read_game(file)) is not None:
        yield tuple(move.uci() for move in game.mainline_moves())


def test_python_chess_reads_the_same_games_from_annotated_text(tmp_path: Path) -> None:
    text = "\n".join(
        [
            PLAYERS
            + "\n1.e4 c5 2.Nf3 $1 d6 {Najdorf (to come)} 3.d4 cxd4 4.Nxd4 Nf6 5.Nc3 a6 (5...g6 6.Be3 (6.f3)) 6.Bg5 *\n",
            PLAYERS + "\n1. e4 e5 2. f4 exf4 3. Bc4 Qh4+ 4. Kf1 b5 5. Bxb5 Nf6 6. Nf3 Qh6 0-1\n",
            PLAYERS + "\n1. d4 Nf6 2. c4 e6 3. Nc3 Bb4 4. e3 O-O 5. Bd3 d5 6. Nf3 c5 7. O-O dxc4 8. Bxc4 1/2-1/2\n",
        ]
    )
    assert [game.moves for game in read_games(write(tmp_path, text))] == list(by_python_chess(text))


@needs_real_data
def test_python_chess_reads_the_same_real_games() -> None:
    counts = Counts()
    games = list(read_games(REAL, limit=150, counts=counts))
    with REAL.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file).read(1 << 20).decode("latin-1")
    expected = [moves for moves, _ in zip(by_python_chess(text), games, strict=False)]
    assert [game.moves for game in games] == expected
    assert counts == Counts(kept=150)
