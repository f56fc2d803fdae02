"""The market as a whole: what is admitted shows, what is refused only counts, what was comes back."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.config import MarketConfig
from engine.market.features.registry import OF_BARS, OF_TICKS
from engine.market.features.spec import FeatureSpec
from engine.market.market import Market
from engine.market.view import MarketView
from engine.model.errors import StateDamaged
from engine.model.market import Bar, Depth, Funding, Malformed, Quote, Trade
from engine.model.orders import Side

from .build import START_NS, SYMBOL, S, bar, depth, funding, instrument, quote, trade

Message = Quote | Trade | Depth | Bar | Funding | Malformed | int
OTHER = "ETH-USDT"
ALL_FEATURES = [
    *[FeatureSpec(name, 3) for name in OF_TICKS],
    *[FeatureSpec(name, 3, 2) for name in OF_BARS],
    FeatureSpec("vwap"),
    FeatureSpec("ema", 2, 120),
]


def make_market(
    intervals: Sequence[int] = (), features: Sequence[FeatureSpec] = (), **settings: object
) -> Market:
    config = MarketConfig(**settings)  # type: ignore[arg-type]
    return Market([instrument(), instrument(OTHER)], config, intervals, features)


def feed(market: Market, message: Message) -> bool | None:
    match message:
        case Quote():
            return market.quote(message)
        case Trade():
            return market.trade(message)
        case Depth():
            return market.depth(message)
        case Bar():
            return market.bar(message)
        case Funding():
            return market.funding(message)
        case Malformed():
            market.malformed(message)
        case int():
            market.time(message)
    return None


def touch(view: MarketView) -> tuple[int, ...]:
    sizes = (view.bid_lots, view.ask_lots)
    return view.bid_ticks, view.ask_ticks, *sizes, view.mid2_ticks, view.priced_ns


def test_an_admitted_quote_is_the_touch() -> None:
    """All six numbers of the view are the quote's; other instruments know nothing."""
    market = make_market()

    assert market.quote(quote(100, 103, bid_lots=4, ask_lots=6, at_ms=8))
    assert touch(market.views[SYMBOL]) == (100, 103, 4, 6, 203, START_NS + 8_000_000)
    assert market.views[SYMBOL].mid == Decimal("10.15")
    assert not market.views[OTHER].is_priced


@pytest.mark.parametrize(
    ("message", "flaw"),
    [
        (quote(bid=0), "non_positive"),
        (quote(10_001, 10_001), "crossed"),
        (quote(20_000, 20_001), "out_of_band"),
        (trade(lots=0), "non_positive"),
        (depth(((0, 1),)), "non_positive"),
        (depth(((10_002, 1),), is_snapshot=True), "crossed"),
        (bar(ohlc=(5, 4, 3, 5)), "malformed"),
        (funding("NaN"), "nan"),
        (Malformed(START_NS, SYMBOL, "off_grid"), "off_grid"),
        (Malformed(START_NS, "\x1b[2J", "oversize"), "oversize"),
        *[
            (make(symbol="DOGE-USDT"), "unknown_symbol")
            for make in (quote, trade, depth, bar, funding)
        ],
    ],
)
def test_a_refused_message_only_counts(message: Message, flaw: str) -> None:
    """View, book and bars stay as they were; one counter rises by one."""
    market = make_market([60], ALL_FEATURES)
    market.quote(quote())
    market.trade(trade())
    view = market.views[SYMBOL]
    before = (touch(view), [f.value for f in view.features.values()], view.mark_price)

    assert not feed(market, message)
    assert before == (touch(view), [f.value for f in view.features.values()], view.mark_price)
    assert market.refusals() == {flaw: 1}
    assert not market.closed
    assert not view.book.is_synced
    assert set(market.refused) == {SYMBOL, OTHER, ""}


def test_funding_shows() -> None:
    """Mark, rate and time of an admitted message are the view's."""
    market = make_market()
    message = funding("1000.05", "0.0002")
    view = market.views[SYMBOL]

    assert market.funding(message)
    assert (message.mark_price, message.rate) == (view.mark_price, view.funding_rate)
    assert message.next_ns == view.next_funding_ns


def test_a_gap_is_refused_and_counted_once() -> None:
    """A broken chain makes the book vanish; what waits for a snapshot is no flaw."""
    market = make_market()
    seqs = [(10, 19, 9), (30, 39, 29), (40, 49, 39)]
    answers = [market.depth(depth(is_snapshot=True, seqs=(0, 15, 0)))]
    answers += [market.depth(depth(seqs=s)) for s in seqs]

    assert answers == [True, True, False, True]
    assert market.refused[SYMBOL] == {"sequence_gap": 1}
    assert market.views[SYMBOL].book.book.best(Side.BUY) is None


def test_reconnected_forgets_book_and_numbers() -> None:
    """After a reconnect there is no book, and quotes may count from 1."""
    market = make_market()
    market.quote(quote(seq=900))
    market.depth(depth(is_snapshot=True, seqs=(0, 15, 0)))
    market.reconnected(SYMBOL)

    assert not market.views[SYMBOL].book.is_synced
    assert market.quote(quote(seq=1))


def test_bars_alone_price_the_market() -> None:
    """A source of bars alone sets a touch without sizes; once quotes come they decide."""
    market = make_market(features=[FeatureSpec("mid")])
    market.bar(bar(0))
    view = market.views[SYMBOL]
    from_bar = touch(view)
    mid = view.feature(FeatureSpec("mid"))
    market.quote(quote(10_000, 10_002, at_ms=61_000))
    market.bar(bar(1))

    assert from_bar == (10_005, 10_005, 0, 0, 20_010, START_NS + 60 * S)
    assert mid == pytest.approx(1_000.5)
    assert touch(view)[:2] == (10_000, 10_002)


def drained(market: Market) -> list[tuple[int, int, int]]:
    """Return interval, start and close of the bars since the last call."""
    bars = [(b.interval_s, (b.open_ns - START_NS) // S, b.close_ticks) for b in market.closed]
    market.closed.clear()
    return bars


def test_bars_from_trades_and_time() -> None:
    """Trades build bars of every wanted interval, features of bars included; time closes them."""
    market = make_market([2], [FeatureSpec("ema", 1, 4)])
    market.quote(quote())
    market.trade(trade(10_001, at_ms=100))
    market.trade(trade(10_002, at_ms=2_100))
    by_trade = drained(market)
    market.quote(quote(at_ms=9_000))
    by_quote = drained(market)
    market.time(START_NS + 4 * S)
    view = market.views[SYMBOL]

    assert by_trade == [(2, 0, 10_001)]
    assert not by_quote
    assert drained(market) == [(2, 2, 10_002), (4, 0, 10_002)]
    assert view.feature(FeatureSpec("ema", 1, 4)) == pytest.approx(1_000.2)
    assert [b.close_ticks for b in view.bars[2].last(5)] == [10_001, 10_002]


def test_bars_from_mids_until_a_trade() -> None:
    """Quotes build bars, rounded down to the tick, while nobody has seen a trade."""
    market = make_market([2])
    for at_ms in (0, 2_500):
        market.quote(quote(10_000, 10_003, at_ms=at_ms))
    from_mids = drained(market)
    market.trade(trade(10_050, at_ms=3_000))
    market.quote(quote(10_010, 10_013, at_ms=3_500))
    market.time(START_NS + 4 * S)

    assert from_mids == [(2, 0, 10_001)]
    assert drained(market) == [(2, 2, 10_050)]


def test_the_venues_bars_win() -> None:
    """Once bars come, what is built here of their multiples stops; each interval comes once."""
    market = make_market([2, 60, 120])
    market.trade(trade(10_000, at_ms=100))
    market.time(START_NS + 60 * S)
    built = [b for b in drained(market) if b[0] >= 60]
    for index in range(4):
        market.bar(bar(index))
    market.time(START_NS + 600 * S)
    bars = drained(market)

    assert built == [(60, 0, 10_000)]
    assert [b for b in bars if b[0] == 60] == [(60, 60 * k, 10_005) for k in (1, 2, 3)]
    assert [b for b in bars if b[0] == 120] == [(120, 0, 10_005), (120, 120, 10_005)]
    assert sum(b[0] == 2 for b in bars) == 270


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["quote", "trade", "diff", "snapshot", "bar", "funding", "time", "bad"]),
        st.integers(0, 900),
        st.one_of(st.integers(9_900, 10_100), st.sampled_from([9_000, 10_300, 11_000])),
        st.sampled_from([SYMBOL, SYMBOL, SYMBOL, OTHER]),
    ),
    max_size=80,
)


def build_messages(drawn: list[tuple[str, int, int, str]]) -> list[Message]:
    messages: list[Message] = []
    at_ms = bars = 0
    for n, (kind, wait_ms, price, symbol) in enumerate(drawn):
        at_ms += wait_ms
        times = {"at_ms": at_ms, "event_ms": at_ms + 1_270 - price % 7}
        match kind:
            case "quote":
                m: Message = quote(price, price + 1 + n % 2, **times, seq=n, symbol=symbol)
            case "trade":
                m = trade(price, **times, trade_id=n // 2, symbol=symbol)
            case "diff":
                m = depth(((price, n % 3),), (), **times, seqs=(n, n, n - 1), symbol=symbol)
            case "snapshot":
                m = depth(((price, 2),), ((price + 3, 2),), at_ms=at_ms, is_snapshot=True,
                          seqs=(0, n, 0), symbol=symbol)  # fmt: skip
            case "bar":
                m, bars = bar(bars, (price, price, price, price), symbol=symbol), bars + 1
            case "funding":
                m = funding(str(price / 10), at_ms=at_ms, symbol=symbol)
            case "time":
                m = START_NS + at_ms * 1_000_000
            case _:
                m = Malformed(START_NS, symbol, "nan")
        messages.append(m)
    return messages


@given(MESSAGES, st.integers(0, 80))
def test_restored_goes_on_as_if_nothing_happened(
    drawn: list[tuple[str, int, int, str]], cut: int
) -> None:
    """Snapshot and restore at any point change no answer, no bar, and not a byte of the state."""
    messages = build_messages(drawn)
    whole, first = (make_market([2, 60], ALL_FEATURES, bar_window=3) for _ in range(2))
    for message in messages[:cut]:
        feed(whole, message)
        feed(first, message)
    second = make_market([2, 60], ALL_FEATURES, bar_window=3)
    views = dict(second.views)
    second.restore(first.snapshot())

    assert first.snapshot() == second.snapshot()
    for message in messages[cut:]:
        assert feed(whole, message) == feed(second, message)
        assert whole.closed == second.closed
    assert whole.snapshot() == second.snapshot()
    assert whole.refused == second.refused
    assert all(views[symbol] is second.views[symbol] for symbol in views)
    for symbol, view in whole.views.items():
        values = [feature.value for feature in view.features.values()]
        assert values == [feature.value for feature in second.views[symbol].features.values()]
        assert touch(view) == touch(second.views[symbol])


def test_restored_judges_by_present_settings() -> None:
    """A checkpoint holds what was seen, not the thresholds of then."""
    strict = make_market(max_jump_bps=1.0)
    strict.quote(quote())
    loose = make_market(max_jump_bps=2_000.0)
    loose.restore(strict.snapshot())

    assert loose.quote(quote(11_000, 11_001))
    assert not strict.quote(quote(11_000, 11_001))


@pytest.mark.parametrize(
    "snapshot",
    [
        b"",
        b"{}",
        make_market().snapshot().replace(b'"format":1', b'"format":2'),
        make_market().snapshot()[:-2],
        Market([instrument()], MarketConfig(), [], []).snapshot(),
        make_market([60]).snapshot(),
        make_market(features=[FeatureSpec("mid")]).snapshot(),
    ],
    ids=["empty", "no state", "format", "torn", "instruments", "intervals", "features"],
)
def test_a_foreign_snapshot_is_refused(snapshot: bytes) -> None:
    """What can't be continued exactly is not continued at all."""
    with pytest.raises(StateDamaged):
        make_market().restore(snapshot)
