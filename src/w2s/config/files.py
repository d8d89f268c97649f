"""Config files: YAML as mappings, and overlays laid over them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from w2s.errors import UserError

TRAP = re.compile(r"[-+]?0[0-7_]*[0-7]|[-+]?[0-9_]+(?::[0-9]+)+")


def deep_merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Sections merge; everything else, lists too, is replaced: what Snakemake does with --configfile."""
    merged = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = deep_merge(merged[key], value) if both else value
    return merged


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a mapping; UserError with the line of a syntax error, or of a key that stands there twice."""
    import yaml

    kind = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # of libyaml, where it was built in: ten times as fast
    try:
        text = path.read_text(encoding="utf-8")
        # JSON is YAML but for tabs, which it has between values alone
        loader = kind(text.expandtabs(1) if path.suffix == ".json" else text)
        node = loader.get_single_node()
        _refuse_traps(node, path)
        content = loader.construct_document(node) if node else None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not readable as utf-8 text ({error})") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: should be a mapping of keys to values")
    return content


def _refuse_traps(node: Any, path: Path, above: Sequence[Any] = ()) -> None:
    """UserError for what YAML reads in another way than people do. node: of a parsed file; above: those that hold it.

    Of a key that stands there twice it drops the first; 010 is 8 to it, and 1:30 is 90.
    """
    from yaml import MappingNode, ScalarNode, SequenceNode

    if any(one is node for one in above):
        raise UserError(f"{path}:{node.start_mark.line + 1}: it holds an alias (*) of itself; allowed: of other parts")
    if isinstance(node, ScalarNode) and node.tag.endswith(":int") and TRAP.fullmatch(node.value):
        raise UserError(
            f"{path}:{node.start_mark.line + 1}: {node.value} is read by YAML as another number (of base 8 or 60); "
            "write it without zeros in front and without colons, or as text in quotes"
        )
    lines: dict[str, int] = {}
    children = node.value if isinstance(node, SequenceNode) else []
    if isinstance(node, MappingNode):
        children = [value for _, value in node.value]
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, ScalarNode):
                if key.value in lines:
                    raise UserError(f"{path}:{line}: {key.value!r} is already in line {lines[key.value]}; allowed once")
                lines[key.value] = line
    for child in children:
        _refuse_traps(child, path, (*above, node))


CODE = "__use_yte__"  # a file that Snakemake loads and that has this key is a program: what follows a ``?`` is run


def read_config(path: Path) -> dict[str, Any]:
    """A YAML file that Snakemake will load as a config; UserError also where it would run code in it."""
    content = read_yaml(path)
    if CODE in content:
        raise UserError(f"{path}: {CODE} is not allowed: Snakemake would run Python in this file; a config is values")
    return content
