"""The filter, flaw by flaw; the oracle is reliability.md E1 and E2, not the code."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.band import NEVER, Rules
from engine.market.config import MarketConfig
from engine.market.quality import LEVELS_MAX, TRADE_IDS_MAX, QualityFilter
from engine.model.market import Bar, Depth, Flaw, Funding, Quote, Trade

from .build import START_NS, bar, depth, funding, quote, trade

Message = Quote | Trade | Depth | Bar | Funding
OK = None


def make_filter(**settings: object) -> QualityFilter:
    return QualityFilter(Rules.of(MarketConfig(**settings)), Decimal("0.1"))  # type: ignore[arg-type]


def feed(quality: QualityFilter, messages: Sequence[Message]) -> list[Flaw | None]:
    calls = {
        Quote: quality.quote,
        Trade: quality.trade,
        Depth: quality.depth,
        Bar: quality.bar,
        Funding: quality.funding,
    }
    return [calls[type(message)](message) for message in messages]  # type: ignore[operator]


SNAP = {"is_snapshot": True}
CASES: list[tuple[str, list[Message], list[Flaw | None]]] = [
    ("quote: good", [quote(), quote(), quote(at_ms=5)], [OK, OK, OK]),
    ("quote: zero bid", [quote(bid=0)], ["non_positive"]),
    ("quote: negative bid", [quote(bid=-5)], ["non_positive"]),
    ("quote: negative ask", [quote(ask=-1)], ["non_positive"]),
    ("quote: no bid size", [quote(bid_lots=0)], ["non_positive"]),
    ("quote: negative ask size", [quote(ask_lots=-1)], ["non_positive"]),
    ("quote: crossed", [quote(), quote(bid=10_002)], [OK, "crossed"]),
    ("quote: locked", [quote(), quote(bid=10_001)], [OK, "crossed"]),
    ("quote: same seq", [quote(seq=5), quote(seq=5)], [OK, "duplicate"]),
    ("quote: seq back", [quote(seq=5), quote(seq=4), quote(seq=6)], [OK, "out_of_order", OK]),
    ("quote: no seq after one", [quote(seq=5), quote(), quote(seq=5)], [OK, OK, "duplicate"]),
    ("quote: recv back", [quote(at_ms=2), quote(at_ms=1)], [OK, "out_of_order"]),
    (
        "quote: event back",
        [quote(at_ms=9, event_ms=5), quote(at_ms=9, event_ms=4), quote(at_ms=9, event_ms=5)],
        [OK, "out_of_order", OK],
    ),
    (
        "quote: no event time after one",
        [quote(at_ms=9, event_ms=5), quote(at_ms=9), quote(at_ms=9, event_ms=4)],
        [OK, OK, "out_of_order"],
    ),
    (
        "quote: stale, clock ahead",
        [quote(at_ms=100, event_ms=0), quote(at_ms=5_100), quote(at_ms=5_101, event_ms=0)],
        [OK, OK, "stale"],
    ),
    (
        "quote: just not stale, the smallest lag counts",
        [
            quote(at_ms=900, event_ms=0),
            quote(at_ms=900, event_ms=800),
            quote(at_ms=5_900, event_ms=800),
            quote(at_ms=5_901, event_ms=800),
        ],
        [OK, OK, OK, "stale"],
    ),
    (
        "quote: stale, our clock 1.3 s slow",
        [
            quote(at_ms=0, event_ms=1_270),
            quote(at_ms=3_730, event_ms=1_270),
            quote(at_ms=5_000, event_ms=1_271),
        ],
        [OK, OK, OK],
    ),
    (
        "quote: frozen exchange clock",
        [quote(at_ms=0, event_ms=1_270), quote(at_ms=5_001, event_ms=1_270)],
        [OK, "stale"],
    ),
    (
        "quote: one stamp from the future does not make the rest stale",
        [
            quote(at_ms=0, event_ms=0),
            quote(at_ms=1, event_ms=3_600_000),
            quote(at_ms=2, event_ms=2),
        ],
        [OK, "stale", OK],
    ),
    (
        "quote: replayed history first, its lag is no yardstick",
        [quote(at_ms=0, event_ms=-49_000), quote(at_ms=1, event_ms=-400)],
        [OK, OK],
    ),
    (
        "quote: our clock really is 8 s slow",
        [quote(at_ms=t, event_ms=t + 8_000) for t in range(7)],
        ["stale"] * 4 + [OK] * 3,
    ),
    (
        "quote: a timely one ends the row of those from the future",
        [
            quote(event_ms=0),
            *[quote(at_ms=1, event_ms=8_000)] * 4,
            quote(at_ms=2, event_ms=2),
            *[quote(at_ms=3, event_ms=8_000)] * 5,
        ],
        [OK, *["stale"] * 4, OK, *["stale"] * 4, OK],
    ),
    ("quote: just in band", [quote(9_999, 10_001), quote(10_199, 10_201)], [OK, OK]),
    ("quote: just above it", [quote(9_999, 10_001), quote(10_200, 10_201)], [OK, "out_of_band"]),
    ("quote: just in band below", [quote(9_999, 10_001), quote(9_799, 9_801)], [OK, OK]),
    ("quote: just below it", [quote(9_999, 10_001), quote(9_799, 9_800)], [OK, "out_of_band"]),
    ("quote: decimal shift", [quote(), quote(1_000, 1_001), quote()], [OK, "out_of_band", OK]),
    ("quote: only the ask is wrong", [quote(), quote(ask=100_010)], [OK, "out_of_band"]),
    (
        "quote: the band follows the price",
        [quote(p, p + 1) for p in range(10_000, 20_000, 150)],
        [OK] * 67,
    ),
    (
        "quote: a new level is believed at the fifth",
        [quote(11_000 + k, 11_001 + k) if k else quote() for k in range(8)],
        [OK, *["out_of_band"] * 4, OK, OK, OK],
    ),
    (
        "quote: a good price ends the row",
        [
            quote(),
            *[quote(11_000, 11_001)] * 4,
            quote(),
            *[quote(11_000, 11_001)] * 5,
        ],
        [OK, *["out_of_band"] * 4, OK, *["out_of_band"] * 4, OK],
    ),
    (
        "quote: wild prices never agree",
        [quote(), *[quote(p, p + 1) for k in range(5) for p in (11_000 + k, 100_000 + k)]],
        [OK, *["out_of_band"] * 10],
    ),
    (
        "quote: flawed ones confirm nothing",
        [
            quote(seq=1),
            *[quote(11_000, 11_001, seq=2)] * 4,
            *[quote(11_000, 11_001, seq=1)] * 4,
            quote(11_000, 11_001, seq=2),
        ],
        [OK, *["out_of_band"] * 4, *["duplicate"] * 4, OK],
    ),
    (
        "trades and quotes confirm a level together",
        [quote(), *[quote(11_000, 11_001), trade(11_000)] * 3],
        [OK, *["out_of_band"] * 4, OK, OK],
    ),
    ("trade: good", [trade(trade_id=1), trade(trade_id=2)], [OK, OK]),
    ("trade: zero price", [trade(0)], ["non_positive"]),
    ("trade: zero size", [trade(lots=0)], ["non_positive"]),
    ("trade: same id", [trade(trade_id=4), trade(trade_id=4)], [OK, "duplicate"]),
    (
        "trade: replayed after a reconnect",
        [*(trade(trade_id=n) for n in (4, 5, 6)), *(trade(trade_id=n) for n in (5, 6, 7))],
        [OK, OK, OK, "duplicate", "duplicate", OK],
    ),
    ("trade: ids that are hashes", [trade(trade_id=9), trade(trade_id=3)], [OK, OK]),
    ("trade: ids unknown", [trade(), trade()], [OK, OK]),
    ("trade: recv back", [trade(at_ms=2), trade(at_ms=1)], [OK, "out_of_order"]),
    (
        "trade: event back",
        [trade(at_ms=9, event_ms=5), trade(at_ms=9, event_ms=4)],
        [OK, "out_of_order"],
    ),
    (
        "trade: stale against the lag quotes have",
        [quote(at_ms=0, event_ms=0), trade(at_ms=7_000, event_ms=0)],
        [OK, "stale"],
    ),
    ("trade: out of the band of quotes", [quote(), trade(10_300)], [OK, "out_of_band"]),
    ("depth: deletion", [depth(bids=((10_000, 0),))], [OK]),
    ("depth: zero price", [depth(bids=((0, 1),))], ["non_positive"]),
    ("depth: negative size", [depth(asks=((10_000, -1),))], ["non_positive"]),
    ("depth: empty snapshot", [depth((), (), **SNAP)], [OK]),
    ("depth: one-sided snapshot", [depth(asks=(), **SNAP)], [OK]),
    ("depth: crossed snapshot", [depth(((10_002, 1),), **SNAP)], ["crossed"]),
    ("depth: locked snapshot", [depth(((10_001, 1),), **SNAP)], ["crossed"]),
    ("depth: a diff may name any levels", [depth(((10_002, 1),))], [OK]),
    ("depth: recv back", [depth(at_ms=2), depth(at_ms=1)], [OK, "out_of_order"]),
    (
        "depth: event back",
        [depth(at_ms=9, event_ms=5), depth(at_ms=9, event_ms=4)],
        [OK, "out_of_order"],
    ),
    (
        "depth: a snapshot newer than diffs to come",
        [depth(at_ms=9, event_ms=8, **SNAP), depth(at_ms=9, event_ms=5)],
        [OK, OK],
    ),
    (
        "depth: old snapshot after a reconnect",
        [depth(at_ms=9, event_ms=8, **SNAP), depth(at_ms=9, event_ms=5, **SNAP)],
        [OK, "out_of_order"],
    ),
    (
        "depth: stale",
        [depth(at_ms=0, event_ms=0), depth(at_ms=6_000, event_ms=1)],
        [OK, "stale"],
    ),
    (
        "depth: snapshot of another price",
        [quote(), depth(((1_000, 5),), ((1_001, 5),), **SNAP)],
        [OK, "out_of_band"],
    ),
    (
        "depth: oversize",
        [depth(tuple((k, 1) for k in range(1, LEVELS_MAX + 2)), ())],
        ["oversize"],
    ),
    ("bar: good", [bar(0), bar(1)], [OK, OK]),
    ("bar: no volume", [bar(volume=0)], [OK]),
    ("bar: negative volume", [bar(volume=-1)], ["non_positive"]),
    ("bar: zero low", [bar(ohlc=(10_000, 10_010, 0, 10_005))], ["non_positive"]),
    ("bar: no length", [bar(interval_s=0)], ["non_positive"]),
    ("bar: high below the close", [bar(ohlc=(10_000, 10_002, 9_990, 10_005))], ["malformed"]),
    ("bar: low above the open", [bar(ohlc=(10_000, 10_010, 10_001, 10_005))], ["malformed"]),
    ("bar: revised", [bar(0), bar(0, volume=10)], [OK, "duplicate"]),
    ("bar: back", [bar(1), bar(0)], [OK, "out_of_order"]),
    ("bar: intervals are apart", [bar(1), bar(0, interval_s=120)], [OK, OK]),
    ("bar: our clock is slow", [bar(closed_ms=-1_500)], [OK]),
    ("bar: not closed yet", [bar(closed_ms=-5_001)], ["malformed"]),
    (
        "bar: decimal shift",
        [bar(0), bar(1, (1_000, 1_001, 999, 1_000)), bar(2)],
        [OK, "out_of_band", OK],
    ),
    ("bar: a spike within", [bar(ohlc=(10_000, 11_001, 9_999, 10_000))], ["out_of_band"]),
    ("bar: ten percent within a minute", [bar(ohlc=(10_000, 11_000, 9_000, 9_000))], [OK]),
    (
        "bar: the next open is held to the last close",
        [bar(0, (10_000, 10_500, 9_990, 10_500)), bar(1, (10_500, 10_500, 10_500, 10_500))],
        [OK, OK],
    ),
    (
        "bar: a new level is believed at the fifth",
        [bar(k, (p, p, p, p)) for k, p in enumerate([10_000, *[12_000] * 6])],
        [OK, *["out_of_band"] * 4, OK, OK],
    ),
    (
        "quotes after bars are held to their close",
        [bar(0), quote(20_000, 20_001), quote()],
        [OK, "out_of_band", OK],
    ),
    ("funding: good", [funding(), funding(rate="-0.0003", at_ms=1)], [OK, OK]),
    ("funding: NaN mark", [funding("NaN")], ["nan"]),
    ("funding: infinite rate", [funding(rate="Infinity")], ["nan"]),
    ("funding: zero mark", [funding("0")], ["non_positive"]),
    ("funding: recv back", [funding(at_ms=2), funding(at_ms=1)], [OK, "out_of_order"]),
    (
        "funding: event back",
        [funding(at_ms=9, event_ms=5), funding(at_ms=9, event_ms=4)],
        [OK, "out_of_order"],
    ),
    ("funding: next back", [funding(), funding(next_ns=START_NS)], [OK, "out_of_order"]),
    ("funding: just in band", [quote(9_999, 10_001), funding("1020")], [OK, OK]),
    ("funding: out of band", [quote(9_999, 10_001), funding("1020.01")], [OK, "out_of_band"]),
]


@pytest.mark.parametrize(
    ("messages", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_row(messages: list[Message], expected: list[Flaw | None]) -> None:
    """Each message is admitted, or refused for the reason of its row."""
    assert expected == feed(make_filter(), messages)


def test_locked_is_a_market_where_the_settings_say_so() -> None:
    """`allow_locked` lets bid == ask pass, and nothing crossed."""
    expected = [OK, "crossed"]

    assert expected == feed(make_filter(allow_locked=True), [quote(10_001), quote(10_002)])


def test_trade_ids_are_bounded() -> None:
    """The filter forgets ids beyond its limit, oldest first."""
    quality = make_filter()
    feed(quality, [trade(trade_id=n) for n in range(1, TRADE_IDS_MAX + 11)])
    remembered = len(quality.trade_ids)
    expected = ["duplicate", OK]

    assert remembered == TRADE_IDS_MAX
    assert expected == feed(quality, [trade(trade_id=11), trade(trade_id=10)])


def test_forgotten_sequence_starts_anew() -> None:
    """After a reconnect a feed may number from 1 again, but its times may still not go back."""
    quality = make_filter()
    feed(quality, [quote(seq=900, at_ms=5)])
    quality.forget_sequence()
    anew = [quote(seq=1, at_ms=6), quote(seq=1, at_ms=6), quote(seq=2, at_ms=4)]
    expected = [OK, "duplicate", "out_of_order"]

    assert expected == feed(quality, anew)


class NaiveBand:
    """The band rule in exact fractions, without a fast path."""

    def __init__(self, jump_bps: int, confirmations: int) -> None:
        self.jump, self.confirmations = jump_bps, confirmations
        self.last: int | None = None
        self.row: list[int] = []

    def admits(self, x2: int) -> bool:
        if self.last is None or self._near(x2, self.last):
            self.last, self.row = x2, []
            return True
        self.row = [*self.row, x2] if self.row and self._near(x2, self.row[-1]) else [x2]
        if len(self.row) == self.confirmations:
            self.last, self.row = x2, []
            return True
        return False

    def _near(self, x2: int, reference: int) -> bool:
        return abs(x2 - reference) * 10_000 <= reference * self.jump


STEPS = st.lists(
    st.one_of(st.integers(-130, 130), st.sampled_from([-9_000, -101, -100, -99, 99, 100, 101])),
    min_size=5,
    max_size=120,
)
"""In hundredths of the largest jump: most stay within, a few just don't, some are absurd."""


@given(STEPS, st.integers(1, 400), st.integers(1, 4), st.lists(st.booleans(), min_size=1))
def test_band_equals_the_exact_rule(
    steps: list[int], jump_bps: int, confirmations: int, kinds: list[bool]
) -> None:
    """The fast path never decides otherwise than the rule in exact arithmetic."""
    quality = make_filter(max_jump_bps=float(jump_bps), jump_confirmations=confirmations)
    naive = NaiveBand(jump_bps, confirmations)
    price = 1_000_000
    for index, step in enumerate(steps):
        shown = max(1, price + price * jump_bps * step // 1_000_000)
        if kinds[index % len(kinds)]:
            flaw, x2 = quality.quote(quote(shown, shown + 1)), 2 * shown + 1
        else:
            flaw, x2 = quality.trade(trade(shown)), 2 * shown
        is_admitted = naive.admits(x2)

        assert (OK if is_admitted else "out_of_band") == flaw
        price = shown if is_admitted and abs(step) < 1_000 else price


@given(STEPS, STEPS, st.integers(1, 400), st.integers(1, 4))
def test_bars_are_judged_the_same_without_the_fast_path(
    opens: list[int], closes: list[int], jump_bps: int, confirmations: int
) -> None:
    """A filter that may never use its bounds for bars finds the same flaws in them."""
    settings = {"max_jump_bps": float(jump_bps), "jump_confirmations": confirmations}
    fast, slow = make_filter(**settings), make_filter(**settings)
    price = 1_000_000
    for index, (step, move) in enumerate(zip(opens, closes, strict=False)):
        opened = max(1, price + price * jump_bps * step // 1_000_000)
        closed = max(1, opened + opened * jump_bps * move // 1_000_000)
        message = bar(index, (opened, max(opened, closed), min(opened, closed), closed))
        for track in slow.bars.values():
            track.low_ticks, track.high_ticks = NEVER, 0
        flaw = slow.bar(message)

        assert flaw == fast.bar(message)
        price = closed if flaw is OK and abs(step) < 1_000 and abs(move) < 1_000 else price
