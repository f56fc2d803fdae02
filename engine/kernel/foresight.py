"""What would become of an order that nobody has given yet: the ticket's preview.

Rule 1: the verdict is that of the gate itself on the intent itself, and every row of limits is the
        rule itself, asked again. No formula of a limit stands here.
Rule 2: asking changes nothing: no record, no counter, no id, no time; a test holds it.
"""

from collections.abc import Iterable
from decimal import Decimal

from engine.kernel.dealing import Foreseen
from engine.kernel.kernel import Kernel
from engine.market.view import MarketView
from engine.market.walk import Walk, walk
from engine.model.events import Operator
from engine.model.money import BPS, ROUNDED, ZERO, ratio
from engine.model.operators import OPERATOR
from engine.model.orders import BUY, LIMIT, MARKET, OrderIntent, TimeInForce
from engine.model.prospect import After, Costs, LimitReading, Prospect, QuoteSeen, Verdict
from engine.model.venue_events import VenueMargin
from engine.portfolio.margin import Exposure, initial_margin, liquidation_price
from engine.risk.gate import Refused
from engine.risk.limits import RiskLimits
from engine.venue import Charges

APPROVED = Refused("", "", "", "")


class Foresight:
    """Looks ahead for one session."""

    def __init__(self, kernel: Kernel, charges: Charges) -> None:
        self._kernel = kernel
        self._charges = charges
        self._leverages = dict(charges.leverages)

    def heard(self, told: VenueMargin) -> None:
        """Learn what leverage an instrument has at the venue now."""
        self._leverages[told.symbol] = told.leverage

    def of(self, command: Operator, argument: str) -> Prospect | str:
        """Return what an order by hand would lead to, or why it is none."""
        kernel = self._kernel
        intent = kernel.manual.wish(command, argument, "", kernel.now_ns)
        if intent is None:
            return "this is no order that could be given now"
        if intent.symbol in kernel.house.closing:
            return f"{intent.symbol} is being closed"
        foreseen = kernel.dealing.foresee(intent, kernel.now_ns)
        view = kernel.market.views[intent.symbol]
        costs, lost = _costs(foreseen.wire, view, self._charges)
        return Prospect(
            symbol=intent.symbol,
            side=intent.side,
            qty=foreseen.wire.qty,
            state=kernel.conduct.lifecycle.state,
            verdict=_verdict(foreseen),
            quote=_quote(view, kernel.now_ns, kernel.config.limits),
            costs=costs,
            after=self._after(foreseen.wire, view, costs.fee + lost),
        )

    def _after(self, wire: OrderIntent, view: MarketView, paid: Decimal) -> After:
        portfolio = self._kernel.portfolio
        holding = portfolio.holdings[wire.symbol]
        ledger = holding.ledgers.get(OPERATOR)
        signed = wire.qty * wire.side.sign
        others = list(self._others(wire.symbol))
        mine = Exposure(view.instrument, holding.qty + signed, view.mid or ZERO)
        equity = portfolio.equity - paid
        return After(
            position_before=holding.qty,
            position=mine.qty,
            own=(ledger.qty if ledger else ZERO) + signed,
            equity=equity,
            margin=initial_margin([mine, *others], self._leverage()),
            liquidation_price=liquidation_price(mine, others, equity),
        )

    def _leverage(self) -> Decimal:
        return Decimal(min(self._leverages.values(), default=self._charges.leverage))

    def _others(self, symbol: str) -> Iterable[Exposure]:
        for name, view in self._kernel.market.views.items():
            qty = self._kernel.portfolio.holdings[name].qty
            if name != symbol and qty and view.mid is not None:
                yield Exposure(view.instrument, qty, view.mid)


def _verdict(foreseen: Foreseen) -> Verdict:
    refused = foreseen.refused or APPROVED
    return Verdict(
        is_approved=foreseen.refused is None,
        rule=refused.rule,
        setting=refused.setting,
        limit=refused.limit,
        reading=refused.reading,
        route=f"{foreseen.route.decision} {foreseen.route.reason}",
        readings=tuple(LimitReading(*row) for row in foreseen.readings),
        crosses=foreseen.crosses,
    )


def _quote(view: MarketView, now_ns: int, limits: RiskLimits) -> QuoteSeen:
    price = view.instrument.price
    return QuoteSeen(
        bid=price(view.bid_ticks) if view.bid_ticks else None,
        ask=price(view.ask_ticks) if view.ask_ticks else None,
        age_ms=(now_ns - view.priced_ns) // 1_000_000 if view.priced_ns else None,
        max_age_ms=limits.max_quote_age_ms,
        max_deviation_bps=limits.max_price_deviation_bps,
    )


def _costs(wire: OrderIntent, view: MarketView, charges: Charges) -> tuple[Costs, Decimal]:
    """Return the costs, and what trading at once loses against mid."""
    instrument = view.instrument
    unit = instrument.tick_size * instrument.lot_size * instrument.multiplier
    taken = _taken(wire, view)
    touch = instrument.price(view.ask_ticks if wire.side is BUY else view.bid_ticks)
    price = wire.price or wire.trigger_price or touch
    notional = instrument.notional(price, wire.qty)
    paid, fair = taken.paid * unit, taken.lots * view.mid2_ticks * unit / 2
    waits = wire.tif is TimeInForce.GTC
    rest = instrument.notional(price, wire.qty - instrument.qty(taken.lots)) if waits else ZERO
    maker, taker = charges.maker_fee_bps, charges.taker_fee_bps
    dearest = max(notional, taken.lots * taken.last_ticks * unit)
    costs = Costs(
        price=price or None,
        notional=notional,
        taken_qty=instrument.qty(taken.lots),
        unseen_qty=instrument.qty(taken.unseen_lots),
        slippage_bps=ratio(abs(paid - fair) * BPS, fair) if fair else None,
        worst_slippage_bps=_off_mid_bps(taken.last_ticks, view) if fair else None,
        worst_price=instrument.price(taken.last_ticks) if taken.last_ticks else None,
        fee=(paid * taker + rest * maker).scaleb(-4),
        worst_fee=(dearest * max(maker, taker)).scaleb(-4),
    )
    return costs, abs(paid - fair)


def _taken(wire: OrderIntent, view: MarketView) -> Walk:
    """Walk the book for what may trade at once; a number off the grid is the gate's to refuse."""
    instrument = view.instrument
    on_grid = not (wire.qty % instrument.lot_size or (wire.price or ZERO) % instrument.tick_size)
    if wire.type not in (MARKET, LIMIT) or wire.post_only or not on_grid:
        return Walk(0, 0, 0, 0)
    limit_ticks = None if wire.price is None else instrument.ticks(wire.price)
    return walk(view, wire.side, instrument.lots(wire.qty), limit_ticks)


def _off_mid_bps(ticks: int, view: MarketView) -> Decimal:
    return ROUNDED.divide(abs(2 * ticks - view.mid2_ticks) * BPS, Decimal(view.mid2_ticks))
