"""Looking at an account at Bitunix: the suite of every reader."""

from collections.abc import AsyncIterator

import pytest

from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.reader import open_reader
from brokers.link.secret import Credentials, Secret
from brokers.sandbox.bitunix import RULES, BitunixSandbox
from engine.model.errors import CredentialsRefused
from tests.brokers.conformance.reading import Ground, Reading, served
from tests.brokers.sandbox.stage import Stage

READ_ONLY = Credentials("sandbox-readonly", Secret("sandbox-readonly-secret"))


def config_at(at: str) -> BitunixConfig:
    return BitunixConfig(rest_url=f"http://{at}", answer_s=1.0)


class TestBitunixReader(Reading):
    """With a key that may only read."""

    @pytest.fixture
    async def ground(self) -> AsyncIterator[Ground]:
        stage = Stage(is_live=True, rules=RULES)
        sandbox = BitunixSandbox(stage.market, stage.exchange)
        async with served(sandbox.app) as (at, asked):
            instruments = tuple(stage.exchange.instruments.values())
            async with open_reader(READ_ONLY, config_at(at), instruments) as reader:
                yield Ground(
                    reader, stage, sandbox.faults, asked, lambda method, _: method == "GET"
                )


async def test_a_key_that_is_not_taken() -> None:
    stage = Stage(is_live=True, rules=RULES)
    sandbox = BitunixSandbox(stage.market, stage.exchange)
    async with served(sandbox.app) as (at, _):
        wrong = Credentials("sandbox-key", Secret("another"))
        async with open_reader(wrong, config_at(at), ()) as reader:
            with pytest.raises(CredentialsRefused, match="does not take the key"):
                await reader.facts()
