"""An independent client trades on the Binance sandbox with only its hosts changed: ccxt."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.brokers.sandbox.client import venue

ORACLE = Path(sys.prefix) / "oracle" / "bin" / "python"
LIMIT_S = 60.0


@pytest.mark.skipif(not ORACLE.exists(), reason="no ccxt: make .venv/oracle/.installed")
async def test_ccxt_trades_with_only_its_hosts_changed() -> None:
    """Orders, fills, position, money and book as ccxt reads them; its own words for refusals."""
    async with venue() as at:
        at.stage.depth(((1000, 10), (999, 20)), ((1001, 10), (1002, 20)))
        process = await asyncio.create_subprocess_exec(
            ORACLE, stranger_path(), f"http://127.0.0.1:{at.client.port}",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={},
        )  # fmt: skip
        async with asyncio.timeout(LIMIT_S):
            out, err = await process.communicate()
    assert 0 == process.returncode, err.decode()[-2_000:]
    got = json.loads(out)

    assert ["BTC/USDT:USDT", "ETH/USDT:USDT"] == got["markets"]
    assert 0.4 == got["limits"]
    assert [[[100.0, 0.01]], [[100.1, 0.01]]] == got["book"]
    assert {"free": 10_000.0, "used": 0.0, "total": 10_000.0} == got["before"]
    assert ["open", "stranger-1", 99.5, True] == got["placed"]
    assert ["open", 0.02, 99.0] == got["changed"]
    assert got["is_same"]
    assert (["stranger-1"], "canceled") == (got["open"], got["canceled"])
    assert [3, [99.4, 99.5], []] == got["batch"]
    assert (["ISOLATED", 7], 7) == (got["margin"], got["leverage"])
    assert set(got["bars"]) == {6}
    assert ["closed", 0.005, 100.1] == got["bought"]
    assert [["long", 0.005, 100.1]] == got["held"]
    assert [["buy", 0.005, 100.1, "taker", 0.00025025]] == got["trades"]
    assert [] == got["flat"]
    fees = (0.005 * 100.1 + 0.005 * 100.0) * 0.0005
    assert got["after"] == pytest.approx(10_000 - 0.005 * 0.1 - fees, abs=1e-8)
    assert ("InvalidOrder -5022", "ExchangeError -2019") == (got["crossing"], got["poor"])
    assert ("OrderNotFound -2011", "AuthenticationError -1022") == (got["unknown"], got["stranger"])


def stranger_path() -> str:
    return str(Path(__file__).with_name("stranger.py"))
