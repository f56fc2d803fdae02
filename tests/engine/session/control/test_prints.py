"""What the market printed: only what was admitted, each print once, bounded for any crowd."""

from types import SimpleNamespace

from engine.market.config import MarketConfig
from engine.market.market import TAPE_MAX, Market
from engine.model.market import Quote, Trade
from engine.model.orders import Side
from engine.session.control.hops import Hops
from engine.session.control.prints import PRINTS_MAX, SHARE_MIN, Prints
from engine.session.control.views import Print
from tests.engine.market.build import instrument

BEAT = 250_000_000
BTC = instrument()
T0 = 1_795_176_000_000_000_000


def printing(market: Market, number: int, ticks: int = 1_000_000, at_ns: int = T0) -> None:
    market.trade(Trade(at_ns, BTC.symbol, ticks, 5, Side.SELL, number, at_ns - 3_000_000))


def test_each_print_once() -> None:
    """Between two beats; what was printed before the session looked is not its own."""
    market, hops = Market([BTC], MarketConfig(), [], []), Hops()
    printing(market, 1)
    prints = Prints(market, hops)
    printing(market, 2, at_ns=T0 + 1)
    prints.beat(T0 + BEAT)
    printing(market, 3, at_ns=T0 + BEAT)
    prints.beat(T0 + 2 * BEAT)
    prints.beat(T0 + 3 * BEAT)

    assert [Print(T0 + 1, 1_000_000, 5, False), Print(T0 + BEAT, 1_000_000, 5, False)] == list(
        prints.tape(BTC.symbol)
    )
    assert 2 == prints.count[BTC.symbol]
    assert 10 == sum(bar.lots for bar in prints.bars(BTC.symbol)[0].bars)
    assert 3_000.0 == hops.feed.quantiles().max


def test_what_the_filter_refuses_is_not_shown() -> None:
    """A print far from the market is none; a quote alone makes bars of mids."""
    market = Market([BTC], MarketConfig(), [], [])
    prints = Prints(market, Hops())
    market.quote(Quote(T0, BTC.symbol, 999_999, 10, 1_000_001, 10))
    printing(market, 1, ticks=9_000_000)
    prints.beat(T0 + BEAT)

    assert () == prints.tape(BTC.symbol)
    assert 1_000_000 == prints.bars(BTC.symbol)[0].bars[-1].close_ticks


def test_a_flood_is_bounded() -> None:
    """More than the tape holds in one beat: the newest, and no harm."""
    market = Market([BTC], MarketConfig(), [], [])
    prints = Prints(market, Hops())
    for n in range(TAPE_MAX + 10):
        printing(market, n + 1, at_ns=T0 + n)
    prints.beat(T0 + BEAT)

    assert PRINTS_MAX == len(prints.tape(BTC.symbol))
    assert T0 + TAPE_MAX + 9 == prints.tape(BTC.symbol)[-1].ts_ns


def test_a_crowd_shares() -> None:
    """Fifty instruments get the least each; one has all of it."""
    views = {f"S{n}": SimpleNamespace(mid2_ticks=200) for n in range(50)}
    market = SimpleNamespace(views=views, tape=[], prints=0)
    prints = Prints(market, Hops())  # type: ignore[arg-type]
    for beat in range(1, 4 * 60):
        prints.beat(T0 + beat * BEAT)

    assert SHARE_MIN == len(prints.bars("S7")[0].bars)
