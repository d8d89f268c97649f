"""What sections of the config are made of: strict models, names and numbers in range."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Revision = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|refs/.+)$")]  # a commit, or a branch of the hub's own
Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]


class Strict(BaseModel):
    """A section of the config: immutable, and unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
