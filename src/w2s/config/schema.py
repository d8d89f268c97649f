"""What sections of the config are made of: strict models, names and numbers in range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic_core import InitErrorDetails

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
    """A section of the config: immutable; unknown keys are mistakes, and so are values of another kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="wrap")
    @classmethod
    def _keeps_its_kind(cls, value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        """Pydantic would take yes for 1 and 0 for false. Its strict mode also refuses lists, 2.0 and YAML's 1e-3."""
        made = validate(value)
        mistakes = list(_of_another_kind(value, made))
        if mistakes:
            raise ValidationError.from_exception_data(cls.__name__, mistakes)
        return made


def _of_another_kind(given: Any, made: Any, place: tuple[int | str, ...] = ()) -> Iterator[InitErrorDetails]:
    """Truth values that became numbers, and numbers that became truth values.

    Text stays what pydantic makes of it: ``--config`` hands all that stands in a list over as text.
    """
    if isinstance(given, (list, tuple)) and isinstance(made, tuple):
        for number, (one, result) in enumerate(zip(given, made, strict=False)):
            yield from _of_another_kind(one, result, (*place, number))
    elif isinstance(given, Mapping) and isinstance(made, dict):
        for key, result in made.items():
            yield from _of_another_kind(given.get(key), result, (*place, key))
    elif (
        isinstance(given, (bool, int, float))
        and isinstance(made, (bool, int, float))
        and isinstance(given, bool) != isinstance(made, bool)
    ):
        yield {"type": f"{type(made).__name__}_type", "loc": place, "input": given}
