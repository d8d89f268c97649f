"""A checkpoint that the disk changed is noticed and not resumed from, wherever the change is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from w2s.engine.checkpoints import DAMAGE, Checkpoint, load, save


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    monkeypatch.setenv("W2S_CHECKPOINT_SECONDS", "0")
    model = torch.nn.Linear(2, 1)
    saved = Checkpoint(tmp_path / "checkpoint.pt", {"model": model, "optimizer": torch.optim.AdamW(model.parameters())})
    saved.maybe_save(3, lambda: {"losses": [1.0]})
    return saved


def test_every_changed_byte_is_noticed(checkpoint: Checkpoint) -> None:
    """Also those that no record's own checksum covers, such as a flag that makes torch read an empty record."""
    sound = checkpoint.path.read_bytes()
    for place in range(len(sound)):
        harmed = bytearray(sound)
        harmed[place] ^= 1 << (place % 8)
        checkpoint.path.write_bytes(harmed)
        with pytest.raises(DAMAGE):
            load(checkpoint.path)


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: content + b"\0",
        lambda content: b"",
        lambda content: content[:-71],  # as torch alone writes it, without a checksum
        lambda content: content[:900] + bytes(100) + content[1000:],
        lambda content: content[:900] + bytes([content[900] ^ 1]) + content[901:],
    ],
    ids=["cut by a byte", "cut in half", "longer", "empty", "no checksum", "a hole", "a flipped bit"],
)
def test_a_harmed_checkpoint_starts_from_the_beginning(
    checkpoint: Checkpoint, capsys: pytest.CaptureFixture[str], harm: object
) -> None:
    assert callable(harm)
    checkpoint.path.write_bytes(harm(checkpoint.path.read_bytes()))
    before = [weight.clone() for weight in checkpoint.parts["model"].state_dict().values()]
    assert checkpoint.resume({"losses": []}) == (0, {"losses": []})
    after = checkpoint.parts["model"].state_dict().values()
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    said = f"{checkpoint.path}: damaged (its checksum does not match); starting from the beginning\n"
    assert capsys.readouterr().out == said
    checkpoint.maybe_save(5, lambda: {"losses": [2.0]})
    assert checkpoint.resume({}) == (5, {"losses": [2.0]})


@pytest.mark.parametrize("mmap", [False, True])
def test_what_was_saved_is_loaded(tmp_path: Path, mmap: bool) -> None:
    save({"numbers": torch.arange(2**18), "step": 4}, tmp_path / "large.pt")
    content = load(tmp_path / "large.pt", mmap=mmap)
    assert content["step"] == 4
    assert torch.equal(content["numbers"], torch.arange(2**18))


def test_a_slow_disk_is_written_to_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that takes 30 s is followed by 10 times as long without one, and 60 s are kept from its end."""
    now, written = [0.0], []
    monkeypatch.setattr("w2s.engine.checkpoints.time.monotonic", lambda: now[0])

    def slow(content: dict[str, object], path: Path) -> None:
        written.append(content["step"])
        now[0] += 30
        path.touch()

    monkeypatch.setattr("w2s.engine.checkpoints.save", slow)
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    for step in range(1, 101):
        now[0] += 10
        checkpoint.maybe_save(step, dict)
    assert written == [6, 36, 66, 96]
