"""Lines of progress, from thousands of tokens a second to a few examples a minute."""

import pytest

from w2s.engine.progress import Progress


@pytest.mark.parametrize(
    ("seconds", "units", "line"),
    [
        (10, 50_000, " 50% | 5,000 examples/s | 10 s left | "),
        (100, 32, " 50% | 0.32 examples/s | 100 s left | "),
        (3_000, 100, " 50% | 0.033 examples/s | 50 min left | "),
        (9_000, 40_000, " 50% | 4.4 examples/s | 2 h 30 min left | "),
    ],
)
def test_speed_and_time_left_are_readable(
    seconds: float, units: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("w2s.engine.progress.time.monotonic", lambda: now[0])
    progress = Progress(2, "examples")
    now[0] = seconds
    progress.update(1, units)
    assert capsys.readouterr().out == f"{line}\n"
