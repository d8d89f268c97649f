"""The package's folders: what lies where, and which way imports point."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "src" / "w2s"
# Each layer may import itself and those before it.
LAYERS = (
    {"config", "graph", "paper"},
    {"engine"},
    {"microworld", "models"},
    {"training", "analysis"},
    {"nlp", "chess", "reward", "vision"},
    {"experiments"},
    {"figures", "claims"},
    {"jobs", "report"},
    {"bench"},
    {"cli"},
)
PLACE = {folder: place for place, layer in enumerate(LAYERS) for folder in layer}
HEAVY = {"torch", "transformers", "tokenizers", "datasets", "pandas", "numpy", "scipy", "sklearn", "pyarrow", "chess"}
HEAVY |= {"matplotlib", "seaborn"}
FOLDERS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


class Imports(ast.NodeVisitor):
    """Modules that a source file imports, anywhere but for type checkers alone."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.found |= {f"{node.module}.{alias.name}" for alias in node.names}


def imported_by(folder: str) -> set[str]:
    """Other folders of the package that a folder imports."""
    imports = Imports()
    for path in (PACKAGE / folder).rglob("*.py"):
        imports.visit(ast.parse(path.read_text(encoding="utf-8")))
    names = {name.split(".")[1] for name in imports.found if name.startswith("w2s.")}
    return names & set(FOLDERS) - {folder}


def test_every_folder_has_its_layer() -> None:
    assert set(FOLDERS) == set(PLACE)


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_point_one_way(folder: str) -> None:
    assert {other for other in imported_by(folder) if PLACE[other] > PLACE[folder]} == set()


@pytest.mark.parametrize("folder", ["nlp", "chess", "reward", "vision"])
def test_a_setting_imports_no_other_setting(folder: str) -> None:
    assert {other for other in imported_by(folder) if PLACE[other] == PLACE[folder]} == set()


def test_no_folders_import_each_other_in_a_circle() -> None:
    TopologicalSorter({folder: imported_by(folder) for folder in FOLDERS}).prepare()  # CycleError names it


def test_no_module_lies_outside_of_the_folders() -> None:
    flat = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert flat == {"__init__.py", "__main__.py", "api.py", "errors.py", "py.typed"}


def test_the_api_for_notebooks_is_above_all_folders() -> None:
    imports = Imports()
    for folder in FOLDERS:
        for path in (PACKAGE / folder).rglob("*.py"):
            imports.visit(ast.parse(path.read_text(encoding="utf-8")))
    names = {name for name in imports.found if name.startswith("w2s.")}
    assert len(names) > 100
    assert not {name for name in names if name.split(".")[1] in ("api", "load", "plan", "draw", "pgr")}


def test_the_plan_imports_nothing_heavy() -> None:
    """Every job pays for what the plan of all experiments and the needs of all figures import."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from w2s import figures\n"
        "from w2s.config.files import read_yaml\n"
        "from w2s.jobs.workflow import Workflow\n"
        "workflow = Workflow(read_yaml(Path('config.yaml')))\n"
        "assert sum(len(workflow.figure(name)) for name in figures.names()) > 1000\n"
        f"print(sorted({HEAVY} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_command_lines_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from w2s.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'torch', 'transformers', 'pandas', 'numpy', 'pydantic'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
