"""docs/reliability.md says what the tests hold: its table is written from ``tests/faults.py``."""

from __future__ import annotations

import ast

import pytest

from tests.conftest import ROOT
from tests.faults import FAULTS, PAGE, filled


def test_the_page_has_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == filled(page), "run `python -m tests.faults`"


@pytest.mark.parametrize("test", [test for fault in FAULTS for test in fault.tests])
def test_every_test_of_the_table_exists(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_fault_is_tested_and_no_test_is_listed_twice_for_one() -> None:
    for fault in FAULTS:
        assert fault.tests
        assert len(set(fault.tests)) == len(fault.tests), fault.fault
