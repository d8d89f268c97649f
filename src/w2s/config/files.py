"""Config files: YAML as mappings, and overlays laid over them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from w2s.errors import UserError


def deep_merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Sections merge; everything else, lists too, is replaced: what Snakemake does with --configfile."""
    merged = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = deep_merge(merged[key], value) if both else value
    return merged


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a mapping; UserError with the line of a syntax error."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: should be a mapping of keys to values")
    return content


CODE = "__use_yte__"  # a file that Snakemake loads and that has this key is a program: what follows a ``?`` is run


def read_config(path: Path) -> dict[str, Any]:
    """A YAML file that Snakemake will load as a config; UserError also where it would run code in it."""
    content = read_yaml(path)
    if CODE in content:
        raise UserError(f"{path}: {CODE} is not allowed: Snakemake would run Python in this file; a config is values")
    return content
