"""monitor_session.sh: a session in readable lines, to its end and with its exit code."""

import signal
from pathlib import Path

from tests.end_to_end.shell import Process, session
from tests.laptop_agents.recorded import age
from tests.scripts.shell import BUSY, Script, script

NAME = "monitor_session.sh"


def test_a_session_is_followed_to_its_end(tmp_path: Path) -> None:
    """What was before, heartbeats, alerts, the end; then with the session's own exit code."""
    limits = ("--set", "risk.max_trades=4", "--set", "health.max_rss_mb=10")
    running = Process(tmp_path, "--headless", "--duration", "5", *BUSY[:2], *limits)
    running.until(lambda: b"heartbeat" in (running.run.path / "session.log").read_bytes())
    monitor = Script(tmp_path, NAME)
    done = monitor.end()
    lines = done.out.splitlines()

    assert 3 == done.code == running.end().code
    assert f"following {monitor.run.path}\n" == done.err
    assert "Z  ALERT warning: rss_mb passed its limit" in done.out
    assert "Z  BREAKER max_trades: 4.000000, limit 4, stop" in done.out
    assert "Z  STATE session: ACTIVE -> STOPPED, by MAX_TRADES" in done.out
    assert any("Z  ACTIVE  equity 9999." in line and "fills" in line for line in lines)
    assert lines[-1].endswith("Z  ENDED by max_trades, exit 3")
    assert "{" not in done.out


def test_a_session_that_ended_before(tmp_path: Path) -> None:
    """Its last lines, at once."""
    session(tmp_path, "--duration", "0.1", "--speed", "max")
    done = script(tmp_path, NAME, "latest")

    assert 0 == done.code
    assert done.out.endswith("ENDED by duration, exit 0\n")


def test_a_session_that_was_killed(tmp_path: Path) -> None:
    """No word came and none will: exit 1, and how it stands."""
    running = Process(tmp_path, "--headless", *BUSY, "--set", "session.run_id=gone")
    running.until_trading()
    running.send(signal.SIGKILL)
    running.end()
    age(tmp_path / "runs" / "gone", days=1)
    done = script(tmp_path, NAME, "gone")

    assert 1 == done.code
    assert "no log line for 3 s: ended abruptly, equity " in done.err


def test_no_such_run(tmp_path: Path) -> None:
    """Exit 2, as the program says it."""
    done = script(tmp_path, NAME, "nowhere")

    assert (2, "") == (done.code, done.out)
    assert "no run 'nowhere'" in done.err
