"""What computing an artifact took."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from w2s.report.made import Made


@pytest.mark.parametrize(
    ("measured", "seconds"),
    [
        ({"device": "cpu", "seconds": 60.0, "processor_seconds": 12.5}, 12.5),  # other work took the rest
        ({"device": "cuda", "seconds": 60.0, "processor_seconds": 12.5}, 60.0),
        ({"seconds": 60.0}, 60.0),  # of an older record
    ],
)
def test_on_a_cpu_other_work_on_the_machine_adds_nothing(measured: dict[str, object], seconds: float) -> None:
    record = {"measured": measured, "made_with": {}}
    assert Made(None, record, datetime.now(UTC)).computing == seconds  # type: ignore[arg-type]
