"""How much of the gate's appetite limits is used right now: what the next order may still add.

A limit here refuses; it never pauses or halts. Readings are of what is held and works now; the gate
itself judges the worst case after each order.
"""

from collections.abc import Iterator
from decimal import Decimal

from engine.kernel import Kernel
from engine.model.money import ZERO, ratio
from engine.risk.limits import RiskLimits
from engine.session.control.views import BreakerFace

REFUSES = "refuse"


def appetite_faces(kernel: Kernel) -> tuple[BreakerFace, ...]:
    """Return every appetite limit that is set, in the order of `risk.*`."""
    limits = kernel.config.limits
    return tuple(
        _face(name, scope, limit, reading)
        for name, scope, reading in _readings(kernel)
        if (limit := _limit(limits, name)) is not None
    )


def _readings(kernel: Kernel) -> Iterator[tuple[str, str, Decimal]]:
    portfolio, views = kernel.portfolio, kernel.market.views
    gross, net = portfolio.exposure()
    sizes = {symbol: abs(holding.qty) for symbol, holding in portfolio.holdings.items()}
    notionals = {s: views[s].instrument.notional(views[s].mid or ZERO, sizes[s]) for s in sizes}
    largest = max(notionals, key=lambda symbol: notionals[symbol])
    yield "max_position_size", largest, sizes[largest]
    yield "max_position_notional", largest, notionals[largest]
    yield "max_gross_notional", "", gross
    yield "max_net_notional", "", abs(net)
    if portfolio.equity > 0:
        yield "max_leverage", "", ratio(gross, portfolio.equity)
    yield "max_open_orders", "", Decimal(len(kernel.blotter.live))


def _limit(limits: RiskLimits, name: str) -> Decimal | None:
    limit = getattr(limits, name)
    return None if limit is None else Decimal(limit)


def _face(name: str, scope: str, limit: Decimal, reading: Decimal) -> BreakerFace:
    return BreakerFace(
        name=f"{name}:{scope}" if scope and reading else name,
        limit=limit,
        reading=reading,
        headroom=max(ZERO, 1 - ratio(reading, limit)),
        action=REFUSES,
        is_tripped=False,
    )
