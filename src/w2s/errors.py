"""The one exception for a user's mistake: commands print it as one line, without a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class UserError(Exception):
    """What is wrong, where, and what would be right, in one line."""


class LackingError(UserError):
    """An experiment lacks what a figure shows. The other figures can still be drawn."""


class DivergedError(UserError):
    """Training went wrong: a loss or a prediction is no longer a number. Nothing of it is a result."""


def allowed(value: object, choices: Iterable[str], *, what: str = "allowed") -> str:
    """The tail of a message about a name that is not known: a guess first, then what is allowed."""
    names = sorted(choices)
    guess = difflib.get_close_matches(str(value), names, n=1)
    hint = f"did you mean {guess[0]!r}? " if guess else ""
    return f"{hint}{what}: {', '.join(names) or 'none'}"


def first_line(error: Exception) -> str:
    """The first line of what a library says, or its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError of the block names the file: reading what is open already does not."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


@contextmanager
def located(where: str) -> Iterator[None]:
    """Say where a mistake is: ``where: `` goes before the message of a UserError (or ValueError, which becomes one)."""
    try:
        yield
    except LackingError:
        raise
    except (UserError, ValueError) as error:
        raise UserError(f"{where}: {error}") from None
