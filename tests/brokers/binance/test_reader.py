"""Looking at an account at Binance: the suite of every reader, and what is Binance's own."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from brokers.binance import requests, sights
from brokers.binance.answers import BROKEN
from brokers.binance.caller import Inquirer
from brokers.binance.config import BinanceConfig
from brokers.binance.faults import Fault
from brokers.binance.reader import open_reader
from brokers.link.secret import Credentials, Secret
from brokers.sandbox.binance import BinanceSandbox
from engine.model.errors import CredentialsRefused
from engine.model.sightings import PaymentKind
from tests.brokers.conformance.reading import Ground, Reading, served
from tests.brokers.sandbox.stage import Stage

READ_ONLY = Credentials("sandbox-readonly", Secret("sandbox-readonly-secret"))


def config_at(at: str) -> BinanceConfig:
    return BinanceConfig(rest_url=f"http://{at}", spot_url=f"http://{at}", answer_s=1.0)


class TestBinanceReader(Reading):
    """With a key that may only read."""

    @pytest.fixture
    async def ground(self) -> AsyncIterator[Ground]:
        stage = Stage(is_live=True)
        sandbox = BinanceSandbox(stage.market, stage.exchange)
        async with served(sandbox.app) as (at, asked):
            instruments = tuple(stage.exchange.instruments.values())
            async with open_reader(READ_ONLY, config_at(at), instruments) as reader:
                yield Ground(
                    reader, stage, sandbox.faults, asked, lambda method, _: method == "GET"
                )

    async def test_what_is_no_question_is_not_even_signed(self, ground: Ground) -> None:
        """An order given to what asks."""
        async with Inquirer(READ_ONLY, config_at("127.0.0.1:1")) as inquirer:
            told = await inquirer.ask(requests.listen_key("POST"))
        assert isinstance(told, Fault)
        assert "no question" in told.detail
        assert [] == ground.asked


async def test_a_key_that_is_not_taken() -> None:
    stage = Stage(is_live=True)
    sandbox = BinanceSandbox(stage.market, stage.exchange)
    async with served(sandbox.app) as (at, _):
        wrong = Credentials("sandbox-key", Secret("another"))
        async with open_reader(wrong, config_at(at), ()) as reader:
            with pytest.raises(CredentialsRefused, match="does not take the key"):
                await reader.facts()


PAYMENTS = b"""[
 {"symbol":"","incomeType":"TRANSFER","income":"-50.5","asset":"USDT","time":5,"tranId":1},
 {"symbol":"BTCUSDT","incomeType":"FUNDING_FEE","income":"0.25","asset":"USDT","time":6,"tranId":2},
 {"symbol":"BTCUSDT","incomeType":"COMMISSION","income":"-1","asset":"USDT","time":6,"tranId":3},
 {"symbol":"BTCUSDT","incomeType":"REALIZED_PNL","income":"9","asset":"USDT","time":6,"tranId":3},
 {"symbol":"","incomeType":"WORD_OF_TOMORROW","income":"7","asset":"USDT","time":7,"tranId":4,"x":1},
 {"symbol":"","incomeType":"TRANSFER","income":"3","asset":"BNB","time":8,"tranId":5}]"""


def test_payments() -> None:
    """What fills tell is left out, other assets are, and a word nobody knows is still money."""
    told = sights.payments(sights.incomes(PAYMENTS), "USDT")
    assert [
        (PaymentKind.TRANSFER, "", Decimal("-50.5")),
        (PaymentKind.FUNDING, "BTCUSDT", Decimal("0.25")),
        (PaymentKind.OTHER, "", Decimal(7)),
    ] == [(one.kind, one.symbol, one.amount) for one in told]
    assert 3 == len({one.payment_id for one in told})


@pytest.mark.parametrize("body", [b"{}", b"[{}]", b"null", PAYMENTS.replace(b'"0.25"', b'"NaN"')])
def test_answers_that_make_no_sense(body: bytes) -> None:
    with pytest.raises(BROKEN):
        sights.payments(sights.incomes(body), "USDT")
