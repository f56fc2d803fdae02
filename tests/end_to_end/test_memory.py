"""Memory of a long, busy session: small, and not growing."""

from pathlib import Path

import pytest

from tests.end_to_end.shell import session
from tests.sweeps import counted

pytestmark = pytest.mark.usefixtures("fresh_interpreters")
PATIENCE_S = 280
MINUTES = counted(10, sample=4)


@pytest.mark.timeout(PATIENCE_S + 20)
def test_busy_minutes_stay_small(tmp_path: Path) -> None:
    """600 events a second: under 80 MB, evidence included, and the last third like the second."""
    done = session(
        tmp_path, "--duration", str(MINUTES), "--speed", "max", "--set", "mock.events_per_s=600",
        seconds=PATIENCE_S,
    )  # fmt: skip
    used = [float(row["rss_mb"]) for row in done.run.metrics() if row["rss_mb"]]
    third = len(used) // 3

    assert 0 == done.code
    assert list((done.run.path / "evidence").iterdir()), "which reads half minutes back"
    assert 50 * MINUTES < len(used)
    assert max(used) < 80
    assert max(used[2 * third :]) - max(used[third : 2 * third]) < 5
    events = int(done.run.report()["journal"]["events"])
    assert events > 30_000 * MINUTES
