"""What a venue lists while a session runs: what counts as another rule, and who is told, how often."""

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from brokers.link.exchanged import NotSent, Outcome, Reply, Request
from brokers.link.inbox import WAITING_MAX
from brokers.link.questions import Questions
from brokers.link.rest import RestConfig
from brokers.link.rules_watch import Listed, Listing, RulesWatch, difference
from brokers.sandbox.faults import Fault
from engine.model.errors import DataUnavailable
from engine.model.instrument import Instrument
from engine.model.market import RulesChanged, Trade
from engine.model.orders import Side
from tests.brokers.binance import exchange as binance
from tests.brokers.bitunix import exchange as bitunix
from tests.brokers.hyperliquid import exchange as hyperliquid
from tests.brokers.served import Heard
from tests.engine.factories import instrument

D = Decimal
OURS = instrument(
    "BTCUSDT", tick_size=D("0.1"), lot_size=D("0.001"), min_qty=D("0.001"), min_notional=D(5)
)

CASES = [
    # what is listed,                                     what is said
    ({},                                                   ""),
    ({"tick_size": D("0.10"), "min_notional": D("5.00")},  ""),
    ({"tick_size": D(1)},                                  "tick 0.1 -> 1"),
    ({"tick_size": D("1E+1")},                             "tick 0.1 -> 10"),
    ({"lot_size": D("0.01"), "min_qty": D("0.01")},        "lot 0.001 -> 0.01, least quantity 0.001 -> 0.01"),
    ({"min_notional": D(100)},                             "least notional 5 -> 100"),
    ({"multiplier": D(1000)},                              "multiplier 1 -> 1000"),
    ({"max_leverage": 3, "maintenance_margin": D("0.2")},  ""),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), CASES)
def test_only_terms_that_orders_are_made_of_count(change: Mapping[str, Any], said: str) -> None:
    """And numbers are compared, not the way they are written."""
    assert said == difference(OURS, replace(OURS, **change))


def test_what_can_not_be_traded_says_why() -> None:
    assert "it is gone" == difference(OURS, "it is gone")


class Told(NamedTuple):
    """A watch whose venue answers what the test says."""

    watch: RulesWatch
    answers: list[Mapping[str, Listed] | None]
    events: list[RulesChanged]

    def look(
        self, answer: Mapping[str, Listed] | None, outcome: Outcome | None = None
    ) -> list[Any]:
        """Answer once; return what is told because of it."""
        self.events.clear()
        self.answers.append(answer)
        self.watch.look_at(outcome or Reply(200, {}, b"", 0, 0), 7)
        return [(event.symbol, event.is_changed, event.detail) for event in self.events]


def told(*instruments: Instrument) -> Told:
    answers: list[Mapping[str, Listed] | None] = []
    events: list[RulesChanged] = []

    def read(_: bytes, __: Sequence[Instrument]) -> Mapping[str, Listed]:
        answer = answers[-1]
        if answer is None:
            raise DataUnavailable("no listing")
        return answer

    nowhere = Questions(RestConfig(base_url="http://127.0.0.1:1")).ask
    listing = Listing(Request("GET", "/", {}), read)
    return Told(RulesWatch(listing, nowhere, instruments, events.append), answers, events)


ETHER = replace(OURS, symbol="ETHUSDT")
SAME = {"BTCUSDT": OURS, "ETHUSDT": ETHER}
COARSE = SAME | {"ETHUSDT": replace(ETHER, tick_size=D(1))}
CHANGED, BACK = ("ETHUSDT", True, "tick 0.1 -> 1"), ("ETHUSDT", False, "")


def test_what_differs_is_told_at_every_beat_and_what_is_back_once() -> None:
    """Sameness is told at first too: a resumed session may hold a doubt of before."""
    one = told(OURS, ETHER)

    assert [("BTCUSDT", False, ""), BACK] == one.look(SAME)
    assert [] == one.look(SAME)
    assert [CHANGED] == one.look(COARSE)
    assert [CHANGED] == one.look(COARSE)
    assert [("ETHUSDT", True, "it is not listed any more")] == one.look({"BTCUSDT": OURS})
    assert [BACK] == one.look(SAME)
    assert [] == one.look(SAME)


def test_the_steps_go_along_where_there_are_any() -> None:
    """What still leaves is fitted to them."""
    one = told(ETHER)
    steps = []
    for answer in (COARSE, {}, SAME):
        one.look(answer)
        steps += [(event.tick_size, event.lot_size) for event in one.events]

    assert [(D(1), D("0.001")), (None, None), (D("0.1"), D("0.001"))] == steps


def test_what_can_not_be_read_is_nothing_new() -> None:
    """Neither that something changed, nor that it is back."""
    one = told(OURS, ETHER)
    one.look(COARSE)

    assert [] == one.look(None)
    assert [] == one.look(SAME, NotSent("no way"))
    assert [] == one.look(SAME, Reply(503, {}, b"", 0, 0))
    assert [BACK] == one.look(SAME)


def watched(
    module: ModuleType, venue: Any, every_s: float = 0.2
) -> AbstractAsyncContextManager[Heard]:
    return module.heard(dataclasses.replace(venue.config, rules_every_s=every_s))


VENUES = [
    # venue,     what to change there,             what is said of it
    (binance,     {"tick": D(1)},                   "tick 0.1 -> 1"),
    (binance,     {"min_notional": D(250)},         "least notional 100 -> 250"),
    (bitunix,     {"tick": D(1)},                   "tick 0.1 -> 1"),
    (hyperliquid, {"lot": D("0.001")},              "lot 0.00001 -> 0.001, least quantity 0.00001 -> 0.001"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "change", "said"), VENUES)
async def test_a_feed_tells_what_its_venue_changes(
    module: ModuleType, change: dict[str, Any], said: str
) -> None:
    """Another term, a halt, and the old terms again; the other instrument is left alone."""
    async with module.exchange() as venue, watched(module, venue) as hearing:
        symbol, other = (item.symbol for item in hearing.feed.instruments)

        def of(name: str) -> list[tuple[bool, str]]:
            found = (e for e in hearing.of(RulesChanged) if e.symbol == name)
            return [(event.is_changed, event.detail) for event in found]

        await hearing.until(lambda: of(symbol) and of(other))
        first = of(symbol)
        venue.sandbox.faults.arm(Fault("rules", symbol=symbol, **change))
        await hearing.until(lambda: (True, said) == of(symbol)[-1])
        venue.sandbox.faults.arm(Fault("rules", symbol=symbol, is_halted=True))
        await hearing.until(lambda: "can't be traded now: " in of(symbol)[-1][1])
        venue.sandbox.faults.arm(Fault("rules"))
        await hearing.until(lambda: (False, "") == of(symbol)[-1])

        assert [(False, "")] == first
        assert [(False, "")] == of(other)


@pytest.mark.parametrize("module", [binance, bitunix, hyperliquid])
async def test_a_listing_that_does_not_come_is_asked_for_again(module: ModuleType) -> None:
    """503, half of it, a web page, nothing: the session hears of none of them."""
    async with module.exchange() as venue, watched(module, venue) as hearing:
        symbol = hearing.feed.instruments[0].symbol
        await hearing.until(lambda: len(hearing.of(RulesChanged)) == 2)
        paths = {binance: "/fapi/v1/exchangeInfo", hyperliquid: "/info"}
        path = paths.get(module, "/api/v1/futures/market/trading_pairs")
        for name in ("error_5xx", "truncated_json", "html_200", "drop"):
            venue.sandbox.faults.arm(Fault(name, path=path))
        venue.sandbox.faults.arm(Fault("rules", symbol=symbol, lot=D("0.1")))
        await hearing.until(lambda: not venue.sandbox.faults.listing()["armed"])
        before = len(hearing.of(RulesChanged))
        await hearing.until(lambda: len(hearing.of(RulesChanged)) > before)

        assert 2 == before
        assert hearing.of(RulesChanged)[-1].is_changed


async def test_what_is_dropped_with_everything_else_is_told_again() -> None:
    """A session that was deaf for so long must not keep a doubt that has ended meanwhile."""
    async with binance.exchange() as venue, watched(binance, venue) as hearing:
        await hearing.until(lambda: len(hearing.of(RulesChanged)) == 2)
        print_ = Trade(1, "BTCUSDT", 1, 1, Side.BUY)
        for _ in range(WAITING_MAX + 1):
            hearing.feed._put(print_)
        await hearing.until(lambda: len(hearing.of(RulesChanged)) == 4)

        assert {False} == {event.is_changed for event in hearing.of(RulesChanged)}


async def test_nobody_looks_again_where_nobody_shall() -> None:
    """0 seconds: what waits for the next question of the listing waits for ever."""
    async with binance.exchange() as venue, watched(binance, venue, 0.0) as hearing:
        venue.sandbox.faults.arm(Fault("error_5xx", path="/fapi/v1/exchangeInfo"))
        await hearing.until(lambda: len(hearing.events) > 400)

        assert 1 == len(venue.sandbox.faults.listing()["armed"])
        assert [] == hearing.of(RulesChanged)
