"""Rungs of open models, and their artifacts made in the folder that a test runs in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from w2s.config.ladder import OpenRung
from w2s.engine import artifacts
from w2s.graph.artifact import Artifact
from w2s.models.plan import open_model


def rung(source: Path | dict[str, Any], parameters: int = 1) -> OpenRung:
    """A rung whose name is ``tiny``."""
    place = source if isinstance(source, dict) else str(source.resolve())
    return OpenRung.model_validate(
        {"name": "tiny", "source": place, "parameters": parameters, "tokens": 1, "learning_rate": 1e-3}
    )


def made(wanted: OpenRung, artifact: Artifact | None = None) -> Path:
    """The directory of a rung's artifact, as its job makes it. artifact: as it was planned before."""
    planned = artifact or open_model(wanted)
    out = Path(planned.path)
    with artifacts.building(out, planned.identity, planned.stage.manifest) as build:
        assert build is not None
        planned.stage.make(build, {}, planned.environment)
    return out
