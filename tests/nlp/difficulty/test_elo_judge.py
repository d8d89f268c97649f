"""Elo ratings find the order that comparisons follow; judges are not told the answers, and a user's own is checked."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s.config import user_code as own
from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.nlp.difficulty import elo, judge
from w2s.nlp.specs import JudgeSpec

BUILD: Any = None  # judges that compute nothing measure nothing


def spec_of(by: Any) -> JudgeSpec:
    return JudgeSpec(
        by=by,
        rounds=1,
        step=32,
        shares=(0.5,),
        balance=True,
        seed=0,
        answers=(" no", " yes"),
        max_length=8,
    )


@given(st.integers(1, 40), st.integers(0, 5))
def test_in_every_round_a_question_meets_at_most_one_other(count: int, rounds: int) -> None:
    pairs = elo.pairs(count, rounds, "s")
    each = count // 2
    assert len(pairs) == (rounds * each if count > 1 else 0)
    for number in range(rounds if count > 1 else 0):
        met = [one for pair in pairs[number * each : (number + 1) * each] for one in pair]
        assert len(set(met)) == len(met) == 2 * each


def test_pairs_are_the_same_for_a_seed_and_others_for_another() -> None:
    assert elo.pairs(20, 3, "a") == elo.pairs(20, 3, "a") != elo.pairs(20, 3, "b")


def test_one_comparison_moves_both_by_what_was_not_expected() -> None:
    assert elo.expected(1500, 1500) == 0.5
    assert elo.expected(1900, 1500) == pytest.approx(10 / 11)
    assert elo.ratings(2, [(0, 1)], [1.0], 32) == [1516, 1484]
    assert elo.ratings(2, [(0, 1)], [0.5], 32) == [1500, 1500]
    first, second = elo.ratings(2, [(0, 1), (0, 1)], [1.0, 1.0], 32)
    assert first == pytest.approx(1516 + 32 * (1 - elo.expected(1516, 1484)))
    assert first + second == pytest.approx(3000)


def test_ratings_follow_the_order_that_the_judge_has() -> None:
    rng = random.Random(0)
    hardness = [rng.random() for _ in range(100)]
    pairs = elo.pairs(100, 30, "s")
    scores = [float(hardness[first] > hardness[second]) for first, second in pairs]
    rated = elo.ratings(100, pairs, scores, 32)
    ordered = sorted(range(100), key=lambda number: rated[number])
    apart = [
        abs(ordered.index(number) - place) for place, number in enumerate(sorted(range(100), key=hardness.__getitem__))
    ]
    assert sum(apart) / 100 < 6


def test_the_easiest_share_has_the_lowest_ratings() -> None:
    rated = {"a": 1600.0, "b": 1400.0, "c": 1500.0, "d": 1400.0}
    assert elo.easiest(list(rated), rated, 0.5) == ["b", "d"]
    assert elo.easiest(list(rated), rated, 0.01) == ["b"]


def test_confidence_is_that_of_either_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"no": 0.02, "perhaps": 0.6, "yes": 0.9}
    monkeypatch.setattr(
        judge, "answered", lambda spec, model, answers, texts, longest, build: [said[one] for one in texts]
    )
    spec = spec_of("confidence")
    easier = judge.by_confidence(spec, Path("model"), BUILD)(list(said), [(0, 1), (1, 0), (0, 2), (2, 1), (1, 1)])
    assert easier == [1.0, 0.0, 1.0, 1.0, 0.5]


def test_a_prompted_judges_liking_for_a_place_cancels_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It always prefers A by .3, and short questions by .1."""

    def answered(spec: Any, model: Path, answers: Any, texts: list[str], longest: int, build: Any) -> list[float]:
        assert answers == (" B", " A")
        assert longest > 2 * spec.max_length
        return [0.5 + 0.3 + (0.1 if text.index("short") < text.index("lengthy") else -0.1) for text in texts]

    monkeypatch.setattr(judge, "answered", answered)
    found = judge.by_prompt(spec_of("prompt"), Path("model"), BUILD)(["short", "lengthy"], [(0, 1), (1, 0)])
    assert found == pytest.approx([0.6, 0.4])


OWN = "def easier(pairs):\n    return [float(len(a) < len(b)) for a, b in pairs]\n\ndef odd(pairs):\n    return [2]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder, where jobs run."""
    (tmp_path / "mine.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_judge_of_the_users_own_is_known_by_its_code(folder: Path) -> None:
    identity, place = own.described("mine:easier", folder)
    assert identity == {"function": "easier", "code": own.digest("mine:easier", folder)}
    easier = judge.judge_of(spec_of(identity), None, place, BUILD)
    assert easier(["long one", "short"], [(0, 1), (1, 0)]) == [0.0, 1.0]
    (folder / "mine.py").write_text(OWN.replace("<", ">"))
    assert own.described("mine:easier", folder)[0] != identity


def test_mistakes_in_a_judge_of_the_users_own_are_one_line(folder: Path) -> None:
    with pytest.raises(UserError, match=r"'yours:easier': no file '.*yours.py' in the project's folder"):
        own.described("yours:easier", folder)
    with pytest.raises(UserError, match=r"mine.py: no function 'nothing'; available: easier, odd"):
        own.described("mine:nothing", folder)
    identity, place = own.described("mine:odd", folder)
    with pytest.raises(UserError, match="mine:odd: expected 1 numbers from 0 to 1"):
        judge.judge_of(spec_of(identity), None, place, BUILD)(["a", "b"], [(0, 1)])
    (folder / "mine.py").write_text("def odd(pairs):\n    return pairs\n\n\nraise RuntimeError('no')\n")
    with pytest.raises(UserError, match="changed after the workflow started"):
        own.load(identity, place)
    identity, place = own.described("mine:odd", folder)
    with pytest.raises(UserError, match=r"cannot be imported \(RuntimeError: no\)"):
        own.load(identity, place)


def test_what_is_judged_easier_is_rated_lower_and_trained_on(folder: Path, tmp_path: Path) -> None:
    numbers = range(40)
    columns = {
        "id": [f"e{number:02}" for number in numbers],
        "part": ["weak", "strong"] * 20,
        "label": [number // 2 % 2 for number in numbers],
        "text": ["x" * (number + 1) for number in numbers],
    }
    artifacts.write_table(tmp_path / "examples.parquet", columns)
    identity, place = own.described("mine:easier", folder)
    spec = {"by": identity, "rounds": 30, "step": 32, "shares": [0.25], "balance": True, "seed": 0}
    out = tmp_path / "out"
    out.mkdir()
    build: Any = SimpleNamespace(identity=SimpleNamespace(spec=spec), folder=out, measured={})
    judge.make(build, tmp_path, None, place)
    found = artifacts.read_table(out / "examples.parquet").to_pydict()
    assert found["elo"][0] < 1300 < 1700 < found["elo"][-1]
    chosen = [number for number in numbers if found["easiest_25"][number]]
    assert chosen
    assert max(chosen) < 20
    assert sum(found["label"][number] for number in chosen) == len(chosen) / 2
    assert build.measured["easiest_25"] == len(chosen)
