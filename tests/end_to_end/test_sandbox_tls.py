"""A live session and its sentinel against a sandbox over TLS, in real processes."""

import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from brokers.sandbox.certificate import self_signed
from tests.end_to_end.shell import ROOT
from tests.end_to_end.test_live_trading import agree, exchange


@pytest.mark.timeout(120)
def test_a_session_and_its_sentinel_trade_over_tls(tmp_path: Path) -> None:
    """With no more than the lines it printed; the kill file clears the account."""
    with exchange("bitunix", tmp_path, "--tls") as there:
        words = dict(line.split("=", 1) for line in there.words if "=" in line)
        assert {"https", "wss"} == {
            url.partition(":")[0] for name, url in words.items() if name.endswith("_url")
        }
        process = there.start(tmp_path, "1")
        process.until(lambda: len(process.run.lines_so_far("fill")) > 2)
        (tmp_path / "kill.txt").touch()
        ending = process.end()
        assert 4 == ending.code, ending.err
        assert [] == ending.run.report()["positions_at_end"]
        assert agree(there, ending.run)
        folder = Path(words["bitunix.ca_file"]).parent
        assert [0o700, 0o600] == [
            path.stat().st_mode & 0o777 for path in (folder, folder / "key.pem")
        ]
    assert not folder.exists()


def test_a_certificate_of_ones_own(tmp_path: Path) -> None:
    """Given as files; half of it, or what is none, is refused in a line."""
    made = self_signed(tmp_path)
    pair = ("--cert", str(made.certificate), "--key", str(made.key))
    with exchange("binance", tmp_path, *pair) as there:
        trusting = ssl.create_default_context(cafile=str(made.certificate))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
        )
        with opener.open(there.faults, timeout=20) as answer:
            assert b"accept_then_timeout" in answer.read()
    swapped = ("--cert", str(made.key), "--key", str(made.certificate))
    for wrong in (pair[:2], swapped):
        command = [sys.executable, "-m", "laptop_agents", "sandbox", "binance", *wrong]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert (2, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr
