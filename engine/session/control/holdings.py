"""Orders and positions as a view shows them, with what only the venue knows of them."""

from collections.abc import Callable
from decimal import Decimal

from engine.kernel import Kernel
from engine.market.view import MarketView
from engine.model.money import HUNDRED, ROUNDED
from engine.model.orders import Order
from engine.portfolio.portfolio import Portfolio
from engine.session.control.deeds import Deeds
from engine.session.control.faces import OpenTripFace
from engine.session.control.views import ExposureFace, OrderFace, PositionFace
from engine.venue import Margin

QueueAhead = Callable[[str], Decimal | None]
MarginOf = Callable[[str], Margin | None]


def order_face(order: Order, deeds: Deeds, queue_ahead: QueueAhead) -> OrderFace:
    """Return one live order, with its place in line and why it works as it does."""
    return OrderFace(
        order_id=order.order_id,
        venue_order_id=order.venue_order_id,
        agent=order.agent,
        symbol=order.symbol,
        slot=order.slot,
        side=order.side,
        type=order.type,
        state=order.state,
        price=order.price,
        trigger_price=order.trigger_price,
        trail_bps=order.trail_bps,
        qty=order.qty,
        filled_qty=order.filled_qty,
        tif=order.tif,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        created_ns=order.created_ns,
        changed_ns=order.changed_ns,
        queue_ahead=queue_ahead(order.order_id),
        route=deeds.route_of(order.order_id),
    )


def position_face(
    kernel: Kernel, symbol: str, margin_of: MarginOf, realised_today: Decimal | None
) -> PositionFace:
    """Return one instrument's net position, flat or not."""
    holding, view = kernel.portfolio.holdings[symbol], kernel.market.views[symbol]
    mark = view.mid
    margin = margin_of(symbol) if holding.qty else None
    liquidation = None if margin is None else margin.liquidation_price
    return PositionFace(
        symbol=symbol,
        qty=holding.qty,
        entry_price=kernel.portfolio.position(symbol, 0).entry_price,
        mark=mark,
        unrealised=holding.unrealised,
        realised=holding.realised,
        fees=holding.fees,
        funding=holding.funding,
        shares={agent: ledger.qty for agent, ledger in holding.ledgers.items() if ledger.qty},
        notional=None if mark is None else holding.qty * mark * view.instrument.multiplier,
        realised_today=realised_today,
        margin=None if margin is None else margin.initial,
        liquidation_price=liquidation,
        liquidation_pct=_distance_pct(mark, liquidation),
        funding_next=_funding(view, holding.qty),
        trips=_trips(kernel.portfolio, symbol),
    )


def _distance_pct(mark: Decimal | None, price: Decimal | None) -> Decimal | None:
    if mark is None or price is None:
        return None
    return ROUNDED.divide(abs(mark - price) * HUNDRED, mark)


def _funding(view: MarketView, qty: Decimal) -> Decimal | None:
    """Return what the next funding would bring; longs pay a positive rate."""
    if view.funding_rate is None or view.mark_price is None or not qty:
        return None
    return -qty * view.mark_price * view.instrument.multiplier * view.funding_rate


def _trips(portfolio: Portfolio, symbol: str) -> tuple[OpenTripFace, ...]:
    faces = []
    for agent, cycle in portfolio.holdings[symbol].cycles.items():
        mae, mfe = portfolio.excursion(symbol, agent)
        trip_id = cycle.order_ids[0]
        faces.append(
            OpenTripFace(trip_id=trip_id, agent=agent, opened_ns=cycle.opened_ns, mae=mae, mfe=mfe)
        )
    return tuple(faces)


def exposure_face(portfolio: Portfolio) -> ExposureFace:
    """Return all positions together."""
    gross, net = portfolio.exposure()
    equity = portfolio.equity
    leverage = ROUNDED.divide(gross, equity) if equity > 0 else None
    return ExposureFace(gross=gross, net=net, leverage=leverage)
