"""Receive times: units, clocks set back, leaps, and what a line without one is stamped with."""

from decimal import Decimal

import pytest

from brokers.binance.parse import LineParser
from brokers.file.config import TradingRules
from brokers.file.rules import Sample, instrument_of
from brokers.link.arrivals import LEAP_NS_MAX
from brokers.link.grid import Grid
from engine.model.market import Malformed
from tests.brokers.file.captures import T0_NS, ticker

RULES = TradingRules(tick_size=Decimal("0.1"), lot_size=Decimal("0.001"))


def parser(start_ns: int = 0) -> LineParser:
    item = instrument_of("BTCUSDT", Sample(), {"BTCUSDT": RULES})
    return LineParser({"BTCUSDT": Grid(item)}, start_ns=start_ns)


def flaw(line: bytes, source: LineParser) -> str:
    event = source.parse(line)
    assert isinstance(event, Malformed), event
    return event.flaw


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_unit_of_receive_time_shows_in_its_digits(unit: int) -> None:
    """Nano-, micro-, milliseconds and seconds are told apart."""
    assert parser().parse(ticker(at=T0_NS // unit)).ts_ns == T0_NS


def test_receive_time_never_goes_back() -> None:
    """A clock set back is clamped to the last time seen."""
    source = parser()
    times = [source.parse(ticker(at=T0_NS + step)).ts_ns - T0_NS for step in (0, 50, -9, 20, 60)]

    assert times == [0, 50, 50, 50, 60]


def test_one_wrong_digit_does_not_freeze_time() -> None:
    """A leap into the future is believed when a second line confirms it."""
    source, leap = parser(start_ns=T0_NS), T0_NS + 2 * LEAP_NS_MAX

    assert flaw(ticker(at=leap), source) == "malformed"
    assert source.parse(ticker(at=T0_NS + 5)).ts_ns == T0_NS + 5
    assert flaw(ticker(at=leap), source) == "malformed"
    assert source.parse(ticker(at=leap + 7)).ts_ns == leap + 7
    assert source.parse(ticker(at=leap + 9)).ts_ns == leap + 9


def test_time_past_64_bits_is_never_believed() -> None:
    """Not even a second line makes a time no journal could hold."""
    source = parser(start_ns=T0_NS)

    assert [flaw(ticker(at="9" * 19), source) for _ in range(3)] == ["malformed"] * 3


def test_a_defect_has_the_last_good_time() -> None:
    """A line without a time is stamped with the one before, or the start."""
    source = parser(start_ns=T0_NS - 1)

    assert source.parse(b"garbage").ts_ns == T0_NS - 1
    source.parse(ticker())
    assert source.parse(b"garbage").ts_ns == T0_NS
