"""Reads a kernel into the immutable view that heartbeats, metrics and the report are made of."""

from engine.kernel import Kernel
from engine.model.money import HUNDRED, ratio
from engine.reports.view import PositionView, SessionView
from engine.risk.lifecycle import open_reasons


def session_view(
    kernel: Kernel,
    *,
    events: int,
    remaining_s: float | None,
    progress: float | None,
    is_simulated: bool,
) -> SessionView:
    """Take a picture of the session between two steps."""
    portfolio, lifecycle = kernel.portfolio, kernel.conduct.lifecycle
    books = portfolio.books
    peak = max(kernel.conduct.breakers.session_peak, portfolio.equity)
    return SessionView(
        ts_ns=kernel.now_ns,
        state=lifecycle.state,
        equity=portfolio.equity,
        balance=portfolio.balance,
        realised=books.realised,
        unrealised=books.unrealised,
        fees=books.fees,
        funding=books.funding,
        peak_equity=peak,
        drawdown_pct=ratio((peak - portfolio.equity) * HUNDRED, peak),
        open_orders=len(kernel.blotter.live),
        fills=books.fills,
        positions=_positions(kernel),
        reasons=open_reasons(lifecycle),
        events=events,
        remaining_s=remaining_s,
        progress=progress,
        is_simulated=is_simulated,
    )


def _positions(kernel: Kernel) -> tuple[PositionView, ...]:
    portfolio = kernel.portfolio
    return tuple(
        PositionView(
            symbol=symbol,
            qty=holding.qty,
            entry_price=portfolio.position(symbol, 0).entry_price,
            mark=kernel.market.views[symbol].mid,
            unrealised=holding.unrealised,
        )
        for symbol, holding in portfolio.holdings.items()
    )
