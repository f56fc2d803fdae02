"""Every row of the known issues, provoked: its words appear, with its exit code."""

import re
from pathlib import Path

import pytest

from tests.documents.provoked import PROVOKED, Place
from tests.documents.reading import KNOWN_ISSUES
from tests.laptop_agents.recorded import copied, record

ROW = re.compile(r"^\| `([^`]+)`[^|]*\| (\d) \| ([^|]+) \| ([^|]+) \|$", re.M)
ROWS = {row[0]: int(row[1]) for row in ROW.findall(KNOWN_ISSUES.read_text())}


@pytest.fixture(scope="module")
def recorded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run that ended."""
    home = tmp_path_factory.mktemp("recorded") / "home"
    record(home, minutes="0.1", run_id="ended")
    return home


def test_every_row_is_provoked() -> None:
    """A row nobody saw is a rumor; a provocation without a row helps nobody."""
    lines = [line for line in KNOWN_ISSUES.read_text().splitlines() if line.startswith("| `")]

    assert len(lines) == len(ROWS)
    assert set(ROWS) == set(PROVOKED)


@pytest.mark.parametrize("symptom", PROVOKED)
def test_a_row(symptom: str, recorded_home: Path, tmp_path: Path) -> None:
    """What the document quotes is what a person reads."""
    said = PROVOKED[symptom](Place(copied(recorded_home, tmp_path / "home")))

    assert ROWS[symptom] == said.code, said.text
    assert re.search(".*".join(map(re.escape, symptom.split("..."))), said.text), said.text
    assert "Traceback" not in said.text
