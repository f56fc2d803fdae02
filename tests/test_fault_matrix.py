"""Every fault of the matrix has tests that exist, and says what they leave open."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.fault_matrix import MATRIX, OPEN, Row

TESTS = Path(__file__).parent
NUMBERS = {*range(1, 56), 109, 110, 111, 116, 121}


@cache
def names(file: str) -> frozenset[str]:
    """The tests of a file, those of a class behind its name."""
    tree = ast.parse((TESTS / file).read_text())
    found = set()
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {
            prefix + one.name
            for one in inside
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    return frozenset(name for name in found if name.rpartition("::")[2].startswith("test_"))


def test_no_row_is_missing() -> None:
    assert sorted(NUMBERS) == [row.number for row in MATRIX]
    assert set(OPEN) <= NUMBERS


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: str(row.number))
def test_a_row_is_proven_or_says_why_not(row: Row) -> None:
    assert row.tests or row.number in OPEN, "no test, and no word about it"
    assert len(set(row.tests)) == len(row.tests)
    for test in row.tests:
        file, _, name = test.partition("::")
        assert (TESTS / file).is_file(), test
        assert name in names(file), test


@pytest.mark.parametrize("venue", ["binance", "bitunix", "hyperliquid"])
def test_every_venue_passes_the_suite(venue: str) -> None:
    """The rows of the suite count because each venue has a class of it."""
    source = (TESTS / "brokers" / venue / "test_conformance.py").read_text()
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert any(
        one.name.startswith("Test") and "Conformance" in [ast.unparse(base) for base in one.bases]
        for one in classes
    )
