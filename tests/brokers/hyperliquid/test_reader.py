"""Looking at an account at Hyperliquid: the suite of every reader, by address alone."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from brokers.hyperliquid import sights
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.reader import HyperliquidReader, open_reader
from brokers.link.secret import Credentials, Secret
from brokers.sandbox.hyperliquid import HyperliquidSandbox
from brokers.sandbox.hyperliquid_door import AGENT_KEY
from engine.model.errors import CredentialsRefused
from tests.brokers.conformance.reading import Ground, Reading, reachable, served
from tests.brokers.sandbox.stage import BUY, Stage


def is_info(method: str, path: str) -> bool:
    return (method, path) == ("POST", "/info")


class TestHyperliquidReader(Reading):
    """The key that comes with the address is not kept."""

    @pytest.fixture
    async def ground(self) -> AsyncIterator[Ground]:
        stage = Stage(is_live=True)
        sandbox = HyperliquidSandbox(stage.market, stage.exchange)
        async with served(sandbox.app) as (at, asked):
            config = HyperliquidConfig(rest_url=f"http://{at}", answer_s=1.0)
            instruments = tuple(stage.exchange.instruments.values())
            key = Credentials(sandbox.door.master, Secret(AGENT_KEY))
            async with open_reader(key, config, instruments) as reader:
                yield Ground(reader, stage, sandbox.faults, asked, is_info)

    async def test_no_key_is_kept(self, ground: Ground) -> None:
        assert not [one for one in reachable(ground.reader) if isinstance(one, Secret)]

    async def test_lists_are_left_out_while_nothing_moves(self, ground: Ground) -> None:
        """They weigh most; what happens after a while is found from when they were left out."""
        ground.stage.quote(1000, 1001, 100_000)
        first = await ground.look()
        weighed = []
        for _ in range(5):
            ground.asked.clear()
            seen = await ground.look(first.taken_ns)
            weighed.append(len(ground.asked))
        assert [6, 3, 3, 3, 3] == weighed
        ground.stage.place(BUY, 500)
        later = await ground.look(seen.taken_ns + 3_600_000_000_000)
        assert 1 == len(later.fills)


async def test_an_agent_s_address_shows_nothing() -> None:
    stage = Stage(is_live=True)
    sandbox = HyperliquidSandbox(stage.market, stage.exchange)
    async with served(sandbox.app) as (at, _):
        config = HyperliquidConfig(rest_url=f"http://{at}")
        async with HyperliquidReader(sandbox.door.agent, "tail", config, ()) as reader:
            with pytest.raises(CredentialsRefused, match="agent wallet"):
                await reader.facts()


US, THEM = "0x" + "ab" * 20, "0x" + "cd" * 20
ENTRIES = [
    ('{"type":"deposit","usdc":"100.5"}', "100.5"),
    ('{"type":"withdraw","usdc":"40","nonce":1,"fee":"1"}', "-41"),
    ('{"type":"accountClassTransfer","usdc":"5","toPerp":true}', "5"),
    ('{"type":"accountClassTransfer","usdc":"5","toPerp":false}', "-5"),
    (f'{{"type":"internalTransfer","usdc":"7","user":"{US}","destination":"{THEM}","fee":"1"}}', "-8"),
    (f'{{"type":"internalTransfer","usdc":"7","user":"{THEM}","destination":"{US}","fee":"1"}}', "7"),
    (f'{{"type":"subAccountTransfer","usdc":"3","user":"{THEM}","destination":"{US}"}}', "3"),
    ('{"type":"vaultDeposit","vault":"x","usdc":"9"}', "-9"),
    ('{"type":"vaultWithdraw","vault":"x","netWithdrawnUsd":"8"}', "8"),
]  # fmt: skip


@pytest.mark.parametrize(("delta", "amount"), ENTRIES)
def test_transfers(delta: str, amount: str) -> None:
    rows = sights.rows(f'[{{"time":5,"hash":"0x1","delta":{delta}}}]'.encode())
    (told,) = sights.transfers(rows, US)
    assert Decimal(amount) == told.amount


def test_an_entry_nobody_knows_is_left_to_what_is_unexplained() -> None:
    rows = sights.rows(b'[{"time":5,"hash":"0x1","delta":{"type":"gift","usdc":"5"}}]')
    assert [] == sights.transfers(rows, US)
