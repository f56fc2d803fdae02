"""Counts a real account beside the simulated one, and splits what lies between them by cause.

Both sides are followed from the first look at the account to the last. Of each, for one symbol:

    change = qty0 * (mark1 - mark0)              what was held moved
           + (bought - sold) * mark1 - (paid - got)      what was traded
           - fees + funding

where the account is valued at the venue's mark and ours at the mid. The gap of what was traded is
split again: as if the account had traded its quantity at our average price (`quantity`), the rest
of it (`price`), and that our own end is valued at another price (`marks`). Only the average is
rounded, and `price` is a difference to it: the sum stays exact.

Rule 1: what the first look tells of fills and payments happened before it.
Rule 2: what happens behind the last look is not counted on either side.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Final, NamedTuple

from engine.model.account import Fill
from engine.model.instrument import Instrument
from engine.model.money import ROUNDED, ZERO
from engine.model.orders import Side
from engine.model.sightings import (
    AccountSeen,
    AccountUnseen,
    PaymentKind,
    SeenFill,
    SeenPayment,
    SimulatedBooks,
)
from engine.reports.shadow_counts import Counted, Look, Traded
from engine.reports.shadow_orders import OrdersSeen
from engine.reports.shadow_schema import (
    AllCauses,
    Causes,
    Looks,
    Moved,
    ShadowReport,
    SymbolGap,
)
from engine.reports.times import iso

NS: Final = 1_000_000_000
UNTOLD: Final = "the venue does not list them: they are in unexplained"
NEVER_SEEN: Final = "the account was seen less than twice"


class Standing(NamedTuple):
    """How the account stands, for a screen."""

    seen_ns: int
    """Event time of the last look."""
    is_seen: bool
    """Nothing has failed since."""
    equity: Decimal
    gap: Decimal
    """Since the first look."""
    positions: tuple[tuple[str, Decimal], ...]
    """Open ones, by symbol, signed."""


class ShadowTally:
    """Fed with a session's records and inputs, it knows the section `shadow`."""

    def __init__(self, instruments: Sequence[Instrument] = ()) -> None:
        self._units = {item.symbol: item.multiplier for item in instruments}
        self._seen: AccountSeen | None = None
        """The newest look, before our own books beside it came."""
        self._first: Look | None = None
        self.last: Look | None = None
        """The newest look with both sides."""
        self._running, self._kept = Counted(), Counted()
        """Up to now; and up to the last look."""
        self._looks = self._blind = 0
        self._blind_ns = 0
        self._lost_ns: int | None = None
        self.orders = OrdersSeen(instruments)

    # --- what happens ----------------------------------------------------------------------------

    def seen(self, seen: AccountSeen) -> None:
        """Take a look at the account; our books of the same instant follow."""
        for fill in seen.fills:
            self._account_fill(fill)
        for payment in seen.payments:
            self._payment(payment)
        if self._lost_ns is not None:
            self._blind_ns += seen.ts_ns - self._lost_ns
            self._lost_ns = None
        self._looks += 1
        self._seen = seen
        self.orders.seen(seen)

    def unseen(self, lost: AccountUnseen) -> None:
        """Lose sight of the account; it was last seen at the look before."""
        self._blind += 1
        self._lost_ns = lost.ts_ns if self._seen is None else self._seen.ts_ns
        self.orders.unseen()

    def books(self, books: SimulatedBooks) -> None:
        """Complete a look."""
        if self._seen is None:
            return
        look = Look(self._seen, books)
        if self._first is None:
            self._first, self._running = look, Counted()  # rule 1
        self.last, self._kept = look, deepcopy(self._running)
        self.orders.books(books)

    def fill(self, fill: Fill) -> None:
        """Count a simulated fill."""
        units = fill.qty * self._units.get(fill.symbol, Decimal(1))
        traded = self._running.simulated.setdefault(fill.symbol, Traded())
        traded.add(fill.side, fill.price, units, fill.fee)
        self.orders.fill(fill, fill.price * units)

    def _account_fill(self, fill: SeenFill) -> None:
        traded = self._running.account.setdefault(fill.symbol, Traded())
        traded.add(fill.side, fill.price, fill.qty, fill.fee)

    def _payment(self, payment: SeenPayment) -> None:
        sums = self._running.paid[payment.kind]
        sums[payment.symbol] = sums.get(payment.symbol, ZERO) + payment.amount

    def standing(self) -> Standing | None:
        """Return how the account stands; None before the first look."""
        first, last = self._first, self.last
        if first is None or last is None:
            return None
        ours = last.books.equity - first.books.equity
        return Standing(
            last.seen.ts_ns,
            self._lost_ns is None,
            last.equity,
            last.equity - first.equity - ours,
            tuple((one.symbol, one.qty) for one in last.seen.positions),
        )

    # --- what came of it -------------------------------------------------------------------------

    def report(self, ended_ns: int) -> ShadowReport:
        """Return the section; the time without sight runs to the end of the session."""
        first, last = self._first, self.last
        orders = self.orders.report()
        unknown = self.orders.unknown()
        if first is None or last is None or last is first:
            return ShadowReport(
                looks=self._sight(ended_ns), account_equity=None, simulated_equity=None, gap=None,
                causes=None, per_symbol={}, orders=orders, account_orders=None,
                unknown=unknown | {"gap": NEVER_SEEN},
            )  # fmt: skip
        account, ours = (
            _moved(first.equity, last.equity),
            _moved(first.books.equity, last.books.equity),
        )
        gap = account.change - ours.change
        untold = last.seen.untold
        symbols = {name: self._symbol(name, first, last) for name in self._names(first, last)}
        return ShadowReport(
            looks=self._sight(ended_ns),
            account_equity=account,
            simulated_equity=ours,
            gap=gap,
            causes=self._all(gap, symbols, untold),
            per_symbol=symbols,
            orders=orders,
            account_orders=len(last.seen.orders),
            unknown=unknown | {WORDS[kind]: UNTOLD for kind in untold},
        )

    def _sight(self, ended_ns: int) -> Looks | None:
        if self._first is None or self.last is None:
            return None
        blind_ns = self._blind_ns
        if self._lost_ns is not None:
            blind_ns += max(0, ended_ns - self._lost_ns)
        return Looks(
            count=self._looks,
            first_at=iso(self._first.seen.ts_ns),
            last_at=iso(self.last.seen.ts_ns),
            blind=self._blind,
            blind_s=blind_ns / NS,
        )

    def _names(self, first: Look, last: Look) -> list[str]:
        held = [one.symbol for look in (first, last) for one in look.seen.positions]
        kept = self._kept
        paid = [name for sums in kept.paid.values() for name in sums if name]
        ours = [one.symbol for one in last.books.holdings]
        return sorted({*held, *kept.account, *kept.simulated, *paid, *ours})

    def _symbol(self, name: str, first: Look, last: Look) -> SymbolGap:
        account = self._kept.account.get(name, Traded())
        simulated = self._kept.simulated.get(name, Traded())
        causes = self._causes(name, first, last, account, simulated)
        expected = first.held(name) + account.net
        return SymbolGap(
            gap=total(causes),
            causes=causes,
            account_fills=account.fills,
            simulated_fills=simulated.fills,
            account_qty=last.held(name),
            simulated_qty=last.ours(name).qty,
            unexplained_qty=last.held(name) - expected,
        )

    def _causes(
        self, name: str, first: Look, last: Look, account: Traded, simulated: Traded
    ) -> Causes:
        before, after = first.ours(name), last.ours(name)
        our_mark = after.mark or simulated.last_price or before.mark or ZERO
        mark = last.mark(name) or after.mark or account.last_price or first.mark(name) or our_mark
        was = first.mark(name) or mark
        our_was = before.mark or our_mark
        held = first.held(name) * (mark - was) - before.qty * (our_mark - our_was)
        traded = [split(side, account, simulated, mark) for side in Side]
        is_told = PaymentKind.FUNDING not in last.seen.untold
        funding = self._kept.paid[PaymentKind.FUNDING].get(name, ZERO)
        return Causes(
            held=held,
            quantity=sum((quantity for quantity, _ in traded), ZERO),
            price=sum((price for _, price in traded), ZERO),
            marks=simulated.net * (mark - our_mark),
            fees=(after.fees - before.fees) - account.fees,
            funding=funding - (after.funding - before.funding) if is_told else None,
        )

    def _all(
        self, gap: Decimal, symbols: Mapping[str, SymbolGap], untold: Sequence[PaymentKind]
    ) -> AllCauses:
        parts = [one.causes for one in symbols.values()]
        sums = {name: _sum(parts, name) for name in ("held", "quantity", "price", "marks", "fees")}
        paid = self._kept.paid
        funding = None
        if PaymentKind.FUNDING not in untold:
            nameless = paid[PaymentKind.FUNDING].get("", ZERO)
            funding = _sum(parts, "funding") + nameless
        transfers, other = (
            None if kind in untold else sum(paid[kind].values(), ZERO)
            for kind in (PaymentKind.TRANSFER, PaymentKind.OTHER)
        )
        known = [*sums.values(), funding, transfers, other]
        rest = gap - sum((one for one in known if one is not None), ZERO)
        return AllCauses(
            **sums, funding=funding, transfers=transfers, other=other, unexplained=rest
        )


WORDS: Final = {
    PaymentKind.FUNDING: "funding",
    PaymentKind.TRANSFER: "transfers",
    PaymentKind.OTHER: "other",
}


def split(side: Side, account: Traded, simulated: Traded, mark: Decimal) -> tuple[Decimal, Decimal]:
    """Return how far the two differ by what quantity they traded on a side, and by its price."""
    gap = account.gain(side, mark) - simulated.gain(side, mark)
    ours, theirs = simulated.qty[side], account.qty[side]
    if not ours or not theirs:
        return gap, ZERO
    average = ROUNDED.divide(simulated.value[side], ours)
    quantity = side.sign * (theirs - ours) * (mark - average)
    return quantity, gap - quantity


def total(causes: Causes | AllCauses) -> Decimal:
    """Return the sum of what is known."""
    known = (getattr(causes, name) for name in causes.__struct_fields__)
    return sum((one for one in known if one is not None), ZERO)


def _moved(start: Decimal, end: Decimal) -> Moved:
    return Moved(start=start, end=end, change=end - start)


def _sum(parts: Sequence[Causes], name: str) -> Decimal:
    return sum((getattr(one, name) or ZERO for one in parts), ZERO)
