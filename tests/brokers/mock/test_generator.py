"""The invented market keeps its books straight and looks alive.

Every check reads the public stream only, the way an engine would.
"""

import math
from collections import Counter
from itertools import islice, pairwise
from statistics import correlation, fmean

import pytest

from brokers.mock.config import MockConfig
from brokers.mock.generator import YEAR_S, MockMarket
from brokers.mock.regimes import REGIMES, Regime, mix_volatility, shares
from brokers.mock.universe import UNIVERSE, listing
from engine.model.errors import UnknownInstrument
from engine.model.market import Depth, FeedEvent, Funding, Quote, Trade
from engine.model.orders import Side

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
CALM = (Regime(name="c", dwell_s=1e9, volatility=1, activity=1, spread=1, depth=1, exits=(1,)),)
SYMBOLS = tuple(UNIVERSE)


def market(symbol: str = "BTCUSDT", seed: int = 1, **kw) -> MockMarket:
    regimes = kw.pop("regimes", REGIMES)
    return MockMarket(listing(symbol), MockConfig(**kw), seed, START_NS, regimes)


def stream(symbol: str = "BTCUSDT", count: int = 20_000, seed: int = 1, **kw) -> list[FeedEvent]:
    return list(islice(market(symbol, seed, **kw).events(), count))


def until(source: MockMarket, seconds: float) -> list[FeedEvent]:
    end_ns = START_NS + int(seconds * SECOND_NS)
    events = []
    for event in source.events():
        if event.ts_ns > end_ns:
            return events
        events.append(event)
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_same_arguments_give_the_same_events(symbol: str) -> None:
    """A stream is a function of its arguments, and the seed matters."""
    assert stream(symbol, 2_000) == stream(symbol, 2_000)
    assert stream(symbol, 2_000) != stream(symbol, 2_000, seed=2)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_prices_sizes_and_touch_are_possible(symbol: str) -> None:
    """Nothing is ever crossed, locked, empty or at a price below one tick."""
    for event in stream(symbol):
        if isinstance(event, Quote):
            assert 0 < event.bid_ticks < event.ask_ticks
            assert min(event.bid_lots, event.ask_lots) >= 1
        elif isinstance(event, Trade):
            assert min(event.price_ticks, event.qty_lots) >= 1


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_trade_prints_at_the_touch_and_the_next_quote_shows_it(symbol: str) -> None:
    """A print eats the quote before it; the quote after it shows what is left."""
    events = stream(symbol)
    quote = None
    trades = eaten = 0
    for event, following in pairwise(events):
        if isinstance(event, Quote):
            quote = event
        if not isinstance(event, Trade):
            continue
        is_buy = event.aggressor is Side.BUY
        touch = (quote.ask_ticks, quote.ask_lots) if is_buy else (quote.bid_ticks, quote.bid_lots)
        left = touch[1] - event.qty_lots
        after = (following.ask_ticks, following.ask_lots)
        after = after if is_buy else (following.bid_ticks, following.bid_lots)

        assert touch[0] == event.price_ticks
        assert left >= 0
        if left:
            assert (touch[0], left) == after
        else:
            assert after[0] > touch[0] if is_buy else after[0] < touch[0]
        trades, eaten = trades + 1, eaten + (left == 0)
    assert trades > 1_000
    assert eaten > 50


@pytest.mark.parametrize("levels", [1, 10, 100])
def test_depth_agrees_with_the_current_touch(levels: int) -> None:
    """A snapshot's best levels are the last quote, and its levels fall away from it strictly."""
    quote = None
    snapshots = 0
    for event in stream("ETHUSDT", depth_levels=levels):
        if isinstance(event, Quote):
            quote = event
        elif isinstance(event, Depth):
            snapshots += 1
            assert event.is_snapshot
            assert (quote.bid_ticks, quote.bid_lots) == event.bids[0]
            assert (quote.ask_ticks, quote.ask_lots) == event.asks[0]
            assert levels == len(event.bids) == len(event.asks)
            assert all(a[0] > b[0] > 0 for a, b in pairwise(event.bids))
            assert all(a[0] < b[0] for a, b in pairwise(event.asks))
            assert all(lots >= 1 for _, lots in event.bids + event.asks)
    assert snapshots > 1_000


def test_an_eaten_level_uncovers_the_one_that_was_shown() -> None:
    """The price behind an eaten ask is the next one the last snapshot displayed."""
    shown: list[int] = []
    met = 0
    for event, following in pairwise(stream(count=60_000)):
        if isinstance(event, Depth):
            shown = [ticks for ticks, _ in event.asks]
        is_bought = isinstance(event, Trade) and event.aggressor is Side.BUY
        is_eaten = is_bought and following.ask_ticks > event.price_ticks
        if is_eaten and shown[0] <= event.price_ticks < shown[-1]:
            met += 1
            assert min(t for t in shown if t > event.price_ticks) == following.ask_ticks

    assert met > 50


def test_symbols_share_no_randomness() -> None:
    """One seed gives each symbol draws of its own: other times, other takers."""
    bitcoin, ether = stream("BTCUSDT", 500), stream("ETHUSDT", 500)

    assert not {e.ts_ns for e in bitcoin[10:]} & {e.ts_ns for e in ether[10:]}


@pytest.mark.parametrize("rate", [1.0, 20.0, 5_000.0])
def test_times_and_numbers_only_rise(rate: float) -> None:
    """Arrival and venue time never go back, the lag stays human, ids rise by one."""
    events = stream(events_per_s=rate)

    assert all(a.ts_ns <= b.ts_ns for a, b in pairwise(events))
    assert all(a.ts_event_ns <= b.ts_event_ns for a, b in pairwise(events))
    assert all(5 * MS_NS <= e.ts_ns - e.ts_event_ns <= 41 * MS_NS for e in events)
    quotes = [e.seq for e in events if isinstance(e, Quote)]
    trades = [e.trade_id for e in events if isinstance(e, Trade)]
    assert list(range(1, len(quotes) + 1)) == quotes
    assert list(range(1, len(trades) + 1)) == trades


def test_cadence_of_depth_and_funding() -> None:
    """Depth four times and funding once a second, first of all right at the start."""
    events = until(market(), 60)
    kinds = Counter(type(e) for e in events)
    funding = [e for e in events if isinstance(e, Funding)]

    assert {Quote, Depth, Funding} == {type(e) for e in events[:3]}
    assert 238 <= kinds[Depth] <= 242
    assert 59 <= kinds[Funding] <= 61
    assert all(e.next_ns % (8 * 3600 * SECOND_NS) == 0 < e.next_ns - e.ts_ns for e in funding)
    assert all(abs(e.rate) < 1 for e in funding)


def test_mark_price_stays_near_mid() -> None:
    """The mark is the mid with a little noise, in quote currency."""
    tick = listing("BTCUSDT").instrument.tick_size
    mid = None
    for event in stream(regimes=CALM):
        if isinstance(event, Quote):
            mid = (event.bid_ticks + event.ask_ticks) * tick / 2
        elif isinstance(event, Funding):
            assert abs(event.mark_price / mid - 1) < 0.0001


@pytest.mark.parametrize(("rate", "seconds"), [(1, 3_600), (20, 1_200), (1_000, 30), (20_000, 2)])
def test_calm_rate_is_as_configured(rate: float, seconds: float) -> None:
    """All kinds together make the configured mean rate within a tenth."""
    events = until(market(events_per_s=rate, regimes=CALM), seconds)

    assert pytest.approx(rate * seconds, rel=0.1) == len(events)


def realised(events: list[FeedEvent], every_s: int) -> float:
    """Return annualised volatility of mids sampled every `every_s`."""
    mids, due_ns = [], START_NS
    for event in events:
        if isinstance(event, Quote) and event.ts_ns >= due_ns:
            mids.append((event.bid_ticks + event.ask_ticks) / 2)
            due_ns += every_s * SECOND_NS
    squares = [math.log(b / a) ** 2 for a, b in pairwise(mids)]
    return math.sqrt(fmean(squares) * YEAR_S / every_s)


@pytest.mark.parametrize(
    ("symbol", "volatility"),
    [*((symbol, 0.6) for symbol in SYMBOLS), (SYMBOLS[0], 0.2), (SYMBOLS[-1], 2.0)],
)
def test_realised_volatility_of_an_hour(symbol: str, volatility: float) -> None:
    """An hour of mids moves as much as asked, times the mix of regimes, within a factor 2.5."""
    events = until(market(symbol, volatility=volatility), 3_600)
    expected = volatility * listing(symbol).relative_volatility * mix_volatility()

    assert 1 / 2.5 < realised(events, 10) / expected < 2.5


def test_regimes_order_volatility_spread_and_depth() -> None:
    """Each mood alone is wilder, wider and thinner than the one before it."""
    readings = []
    for mood in REGIMES:
        alone = Regime(
            name=mood.name,
            dwell_s=1e9,
            volatility=mood.volatility,
            activity=mood.activity,
            spread=mood.spread,
            depth=mood.depth,
            exits=(1,),
        )
        events = until(market(regimes=(alone,)), 600)
        quotes = [e for e in events if isinstance(e, Quote)]
        spread = fmean(q.ask_ticks - q.bid_ticks for q in quotes)
        lots = fmean(q.bid_lots + q.ask_lots for q in quotes)
        readings.append((realised(events, 10), spread, -lots))

    calm, busy, storm = readings
    assert all(a < b for a, b in zip(calm, busy, strict=True))
    assert all(a < b for a, b in zip(busy, storm, strict=True))


def test_spread_widens_and_depth_thins_after_a_large_trade() -> None:
    """Well after the hole itself is filled, quotes are still wider and smaller than usual."""
    usual: list[tuple[int, int]] = []
    after: list[tuple[int, int]] = []
    since = 1_000
    for event in stream(regimes=CALM, count=100_000):
        if isinstance(event, Trade) and event.qty_lots > 1_500:
            since = 0
        elif isinstance(event, Quote):
            since += 1
            reading = (event.ask_ticks - event.bid_ticks, event.ask_lots + event.bid_lots)
            usual.append(reading)
            if 8 <= since <= 20:
                after.append(reading)

    assert len(after) > 1_000
    assert fmean(spread for spread, _ in after) > 1.2 * fmean(spread for spread, _ in usual)
    assert fmean(lots for _, lots in after) < 0.9 * fmean(lots for _, lots in usual)


def test_order_flow_says_a_little_about_the_next_move() -> None:
    """Recent net flow correlates with the move to come, weakly: an edge, not a gift."""
    signs, mids, mid = [], [], 0.0
    for event in stream(regimes=CALM, count=100_000):
        if isinstance(event, Quote):
            mid = (event.bid_ticks + event.ask_ticks) / 2
        elif isinstance(event, Trade):
            signs.append(event.aggressor.sign)
            mids.append(mid)
    lags = range(10, len(signs) - 10)
    flow = [sum(signs[i - 10 : i]) for i in lags]
    move = [mids[i + 10] - mids[i] for i in lags]

    assert 0.02 < correlation(flow, move) < 0.4


def test_trades_cluster() -> None:
    """Counts per second vary more than independent arrivals would."""
    counts: Counter[int] = Counter()
    for event in until(market(regimes=CALM), 1_200):
        counts[(event.ts_event_ns - START_NS) // SECOND_NS] += isinstance(event, Trade)
    values = [counts[second] for second in range(1_190)]
    mean = fmean(values)
    variance = fmean((value - mean) ** 2 for value in values)

    assert variance > 1.5 * mean


def test_shares_of_regimes() -> None:
    """Shares sum to one, calm leads, and a single regime has all the time."""
    calm, busy, storm = shares()

    assert pytest.approx(1) == calm + busy + storm
    assert calm > busy > storm > 0
    assert shares(CALM) == (1.0,)


def test_a_crash_stays_above_zero() -> None:
    """Absurd volatility can't make a price that is not positive."""
    for event in stream("ADAUSDT", volatility=2_000.0):
        if isinstance(event, Quote):
            assert 0 < event.bid_ticks < event.ask_ticks


def test_unknown_symbol_names_the_known() -> None:
    """A symbol that is not listed is refused with the whole list."""
    with pytest.raises(UnknownInstrument, match=r"BTCUSDT.*LINKUSDT"):
        listing("NOPEUSDT")
