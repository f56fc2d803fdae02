"""What every account must do, done by this one against its sandbox on real sockets."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from brokers.hyperliquid.account import open_account
from brokers.hyperliquid.cloid import cloid_of
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.link.secret import Credentials, Secret
from brokers.sandbox.hyperliquid import HyperliquidSandbox
from brokers.sandbox.hyperliquid_door import AGENT_KEY
from tests.brokers.conformance.ground import Ground, listening
from tests.brokers.conformance.suite import Conformance
from tests.brokers.sandbox.stage import Stage


class TestHyperliquid(Conformance):
    """The suite, on coins called as the stage calls them."""

    @pytest.fixture
    async def ground(self) -> AsyncIterator[Ground]:
        stage = Stage(is_live=True)
        sandbox = HyperliquidSandbox(stage.market, stage.exchange)
        runner = web.AppRunner(sandbox.app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        at = f"127.0.0.1:{runner.addresses[0][1]}"
        config = HyperliquidConfig(
            rest_url=f"http://{at}", ws_url=f"ws://{at}/ws", answer_s=0.5, ping_s=5.0
        )
        instruments = tuple(stage.exchange.instruments.values())
        credentials = Credentials(sandbox.door.master, Secret(AGENT_KEY))
        try:
            async with open_account(credentials, config, instruments) as account:
                ground = Ground(
                    account,
                    stage,
                    sandbox.faults,
                    instruments[0],
                    id_of=cloid_of,
                    place_path="/exchange",
                    place_method="POST",
                    another=lambda: open_account(credentials, config, instruments),
                )
                async with listening(ground):
                    yield ground
        finally:
            await runner.cleanup()
