"""A user's own code, named ``module:function`` in the config and found in the project's folder.

The plan knows it by its file's content; only the stage that needs it imports it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from w2s.artifacts import sha256
from w2s.errors import UserError


def described(reference: str, root: Path = Path()) -> tuple[dict[str, Any], dict[str, Any]]:
    """(identity, place) of ``module:function``. UserError if there is no such file in the project's folder."""
    module, _, function = reference.partition(":")
    path = root.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        raise UserError(f"{reference!r}: no file {str(path)!r} in the project's folder; it should define {function}")
    return {"function": function, "code": sha256(path)}, {"module": str(path), "reference": reference}


def load(identity: dict[str, Any], place: dict[str, Any]) -> Callable[..., Any]:
    """The function; UserError if the file changed since it was planned, fails, or does not define it."""
    path, name = Path(place["module"]), identity["function"]
    if not path.is_file() or sha256(path) != identity["code"]:
        raise UserError(f"{path}: changed since this was planned; run the same command again")
    spec = importlib.util.spec_from_file_location(f"own_{identity['code'][:16]}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # what lies beside it can be imported
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"{path}: cannot be imported ({type(error).__name__}: {error})") from None
    finally:
        sys.path.remove(folder)
    function = getattr(module, name, None)
    if not callable(function):
        raise UserError(f"{path}: defines no function {name!r}")
    return function  # type: ignore[no-any-return]
