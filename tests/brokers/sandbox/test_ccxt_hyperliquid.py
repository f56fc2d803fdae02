"""An independent client trades on the Hyperliquid sandbox with only its host changed: ccxt."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from brokers.sandbox.hyperliquid_door import AGENT_KEY
from tests.brokers.hyperliquid.exchange import exchange

ORACLE = Path(sys.prefix) / "oracle" / "bin" / "python"
SCRIPT = Path(__file__).with_name("stranger_hyperliquid.py")
LIMIT_S = 100.0


@pytest.mark.skipif(not ORACLE.exists(), reason="no ccxt: make .venv/oracle/.installed")
async def test_ccxt_trades_with_only_its_host_changed() -> None:
    """Orders, fills, position, money and book as ccxt reads them; its own words for refusals."""
    async with exchange(50.0) as venue:
        process = await asyncio.create_subprocess_exec(
            ORACLE, SCRIPT, f"http://127.0.0.1:{venue.port}", AGENT_KEY,
            venue.sandbox.door.master,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={},
        )  # fmt: skip
        async with asyncio.timeout(LIMIT_S):
            out, err = await process.communicate()
    assert 0 == process.returncode, err.decode()[-2_000:]
    got = json.loads(out)

    assert ["BTC/USDC:USDC", "ETH/USDC:USDC"] == [m for m in got["markets"] if "OLD" not in m]
    assert 1e-5 == got["precision"]
    assert [True, True] == got["book"]
    assert 10_000.0 == got["before"]
    assert ["open", "0x" + "5" * 32, 0.01, "buy"] == got["placed"]
    assert got["price"]
    assert [0.02, True, True] == got["changed"]
    assert not got["is_same"]
    assert ("canceled", "closed") == (got["canceled"], got["bought"])
    assert [["long", 0.005]] == got["held"]
    assert {("buy", "taker")} == {tuple(trade) for trade in got["trades"]}
    assert pytest.approx(0.005) == got["amount"]
    assert [] == got["flat"]
    assert got["difference"] == pytest.approx(0, abs=1e-6)
    assert ("InvalidOrder", "InsufficientFunds") == (got["crossing"], got["poor"])
    assert ("OrderNotFound", "InvalidOrder") == (got["unknown"], got["stranger"])
