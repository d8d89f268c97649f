"""What sections of the config are made of: strict models, names and numbers in range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Revision = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|refs/.+)$")]  # a commit, or a branch of the hub's own
Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]  # what generators of all libraries take
Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]

K = TypeVar("K")
V = TypeVar("V")


def _without_removed(value: Any) -> Any:
    """Mappings without the keys whose value is null."""
    return {key: one for key, one in value.items() if one is not None} if isinstance(value, Mapping) else value


# A mapping whose keys are data (methods, tasks, subsets). Overlays add to it; null removes an inherited key.
Entries = Annotated[dict[K, V], BeforeValidator(_without_removed)]


class Strict(BaseModel):
    """A section of the config: immutable, and unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
