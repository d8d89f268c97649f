"""A run in two processes gives the results of one alone: losses, thresholds, predictions, whatever is split how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine import pair
from w2s.engine import checkpoints, distributed
from w2s.engine import sharded as shards
from w2s.engine.rank import Worker

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group(__name__)]  # what these tests share is made once


@pytest.fixture(scope="module")
def root(models: dict[str, Path]) -> Path:
    return next(iter(models.values())).parent


@pytest.fixture(scope="module")
def found(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return pair.together(root, tmp_path_factory.mktemp("pair") / "work")


@pytest.mark.parametrize("name", list(pair.CASES))
def test_two_processes_give_the_results_of_one(name: str, found: dict[str, Any], root: Path, tmp_path: Path) -> None:
    alone, two = pair.train_case(name, root, tmp_path), found[name]
    exact = {"atol": 2e-5, "rtol": 2e-4}
    near = {"atol": 2e-2, "rtol": 2e-2} if "bfloat16" in name else exact
    assert len(two["history"]) == len(alone["history"])
    for one, other in zip(two["history"], alone["history"], strict=True):
        assert one == pytest.approx(other, abs=near["atol"], rel=near["rtol"])
    for values in ("said", "states", "gradient", "weights"):
        if values in alone:
            ours, theirs = torch.tensor(two[values]), torch.tensor(alone[values])
            torch.testing.assert_close(ours, theirs, atol=near["atol"], rtol=near["rtol"])
    for same in ("best", "answers", "shots"):
        assert two.get(same) == alone.get(same)


def as_worker(monkeypatch: pytest.MonkeyPatch, rank: int, size: int) -> None:
    monkeypatch.setattr(distributed, "worker", lambda: Worker(rank, size, "", ""))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 4, 7])
def test_every_number_is_dealt_to_one_process_and_all_have_as_many_parts(
    size: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_two(numbers: Any) -> list[list[int]]:
        return [list(numbers[start : start + 2]) for start in range(0, len(numbers), 2)]

    parts = []
    for rank in range(size):
        as_worker(monkeypatch, rank, size)
        parts.append(distributed.split_by_rank(range(count), by_two))
    assert sorted(number for own in parts for part in own for number in part) == list(range(count))
    assert len({len(own) for own in parts}) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_another_number_of_processes_goes_on_from_a_checkpoint(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of weights with more rows, and with fewer, than there are processes."""
    weights = {"many": torch.randn(7, 3), "few": torch.randn(1, 2)}
    as_worker(monkeypatch, 0, 1)
    for rank in range(3):
        held = {name: value.split(-(-len(value) // 3)) for name, value in weights.items()}
        own = {name: parts[rank] if rank < len(parts) else parts[0][:0] for name, parts in held.items()}
        parts = {"model": own, "chance": {"cpu": torch.arange(5)}, "optimizer": {"step": torch.tensor(4.0)}}
        content = {"step": 4, "parts": parts, "gathered": {"losses": [1.0, 2.0], "best": {"weights": own, "step": 2}}}
        checkpoints.save(content, tmp_path / f"{rank}-of-3.pt")
    found = []
    for rank in range(size):
        as_worker(monkeypatch, rank, size)
        found.append(shards.local_content(tmp_path))
    for name, value in weights.items():
        assert torch.equal(torch.cat([one["parts"]["model"][name] for one in found]), value)
        assert torch.equal(torch.cat([one["gathered"]["best"]["weights"][name] for one in found]), value)
    for one in found:
        assert torch.equal(one["parts"]["chance"]["cpu"], torch.arange(5))
        assert (one["step"], one["gathered"]["losses"], one["parts"]["optimizer"]["step"]) == (4, [1.0, 2.0], 4.0)
    as_worker(monkeypatch, 1 % size, size)
    harmed = bytearray((tmp_path / "1-of-3.pt").read_bytes())
    harmed[len(harmed) // 2] ^= 1
    (tmp_path / "1-of-3.pt").write_bytes(harmed)
    with pytest.raises(ValueError, match="checksum"):
        shards.local_content(tmp_path)
    (tmp_path / "1-of-3.pt").unlink()
    with pytest.raises(FileNotFoundError):
        shards.local_content(tmp_path)
