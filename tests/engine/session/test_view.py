"""The view holds what the kernel holds, at that moment, for good."""

import decimal

import pytest

from engine.reports.view import SessionView
from engine.session.view import session_view
from tests.engine.kernel.rig import BUY, D, Rig, Scripted, limit, market


def view(rig: Rig) -> SessionView:
    return session_view(rig.kernel, events=5, remaining_s=1.5, progress=0.25, is_simulated=True)


def test_a_fresh_session() -> None:
    """Nothing earned, nothing held, no price, no position."""
    seen = view(Rig(Scripted("a"), priced=False))

    assert ("INIT", D(10_000), D(0), 0, 0) == (
        seen.state, seen.equity, seen.drawdown_pct, seen.open_orders, seen.fills,
    )  # fmt: skip
    assert [("BTC", D(0), None, None)] == [
        (p.symbol, p.qty, p.entry_price, p.mark) for p in seen.positions
    ]
    assert (5, 1.5, 0.25, True) == (
        seen.events, seen.remaining_s, seen.progress, seen.is_simulated,
    )  # fmt: skip


def test_figures_add_up() -> None:
    """Equity = start + realised - fees + funding + unrealised; balance leaves out the last."""
    rig = Rig(Scripted("a"))
    rig.ask("a", market(BUY, "0.5"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.quote(bid=10_030, ask=10_031)
    seen = view(rig)

    assert D(10_000) + seen.realised - seen.fees + seen.funding + seen.unrealised == seen.equity
    assert seen.equity - seen.unrealised == seen.balance
    assert D("0.5") * (D("1003.05") - D("1000.1")) == seen.unrealised
    assert (1, 1) == (seen.open_orders, seen.fills)
    assert [(D("0.5"), D("1000.1"), D("1003.05"))] == [
        (p.qty, p.entry_price, p.mark) for p in seen.positions
    ]


def test_drawdown_is_of_the_peak() -> None:
    """From the highest equity seen, and zero at a new one."""
    rig = Rig(Scripted("a"))
    rig.ask("a", market(BUY, "0.5"))
    rig.quote(bid=10_080, ask=10_081)
    high = view(rig)
    rig.quote(bid=10_040, ask=10_041)
    low = view(rig)

    assert (D(0), high.equity) == (high.drawdown_pct, high.peak_equity)
    assert high.equity == low.peak_equity
    share = decimal.Context(prec=28).divide((low.peak_equity - low.equity) * 100, low.peak_equity)
    assert share == low.drawdown_pct


def test_it_does_not_change_afterwards() -> None:
    """A reader may keep it."""
    rig = Rig(Scripted("a"))
    before = view(rig)
    copy = (before.equity, before.state, before.positions)
    rig.ask("a", market(BUY, "0.5"))
    rig.quote(bid=10_080, ask=10_081)

    assert copy == (before.equity, before.state, before.positions)
    with pytest.raises(AttributeError):
        before.equity = D(0)  # type: ignore[misc]


def test_open_reasons_are_named() -> None:
    """What keeps the session from trading."""
    rig = Rig(Scripted("a"))
    rig.wait(6, quotes=False)

    assert ("DEGRADED", ("FEED_STALE:BTC",)) == (view(rig).state, view(rig).reasons)
