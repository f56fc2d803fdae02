"""Questions about the whole account: page by page, and all of it or nothing.

Rule 1: one page that does not come, one row that can't be read, and there is no picture (A9).
Rule 2: a picture is of one instant: it is taken again where positions moved while it was taken.

Source: sheet section 5.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from msgspec import Raw

from brokers.bitunix import requests, rows
from brokers.bitunix.answers import (
    Said,
    fill_report,
    holding,
    is_unknown_order,
    order_report,
    read,
    wallet,
)
from brokers.bitunix.caller import Answer, Inquirer
from brokers.bitunix.memory import Memory
from brokers.bitunix.moments import MS_NS, moment_ns
from brokers.bitunix.requests import COIN, PAGE, Asking
from brokers.bitunix.rows import OrderRow, TradeRow, text_of
from brokers.link.account import (
    FillReport,
    OrderRef,
    OrderReport,
    Picture,
    Refused,
    Unanswered,
)
from brokers.link.grid import Refused as Unreadable
from engine.model.money import ZERO
from engine.model.orders import Side
from engine.model.venue_events import RejectReason, Standing, VenueHolding
from engine.venue import MarginTerms

PAGES_MAX: Final = 20
TAKES: Final = 3
NAMES_MAX: Final = 20
"""Orders of earlier processes whose names one picture asks for."""
T = TypeVar("T")
Row = TypeVar("Row", OrderRow, TradeRow)


class Survey:
    """Asks one account."""

    def __init__(self, caller: Inquirer, scribe: Asking, memory: Memory) -> None:
        self._caller = caller
        self._scribe = scribe
        self._memory = memory

    # --- one order -----------------------------------------------------------------------------

    async def order(self, ref: OrderRef) -> OrderReport | Unanswered:
        """Ask how an order stands; one that is not found is looked for among the open ones."""
        answer = await self._ask(requests.DETAIL, requests.named(ref))
        is_unknown = isinstance(answer, Said) and is_unknown_order(answer)
        found = [] if is_unknown else _rows(answer, rows.orders.any)
        if isinstance(found, Unanswered):
            return found
        mine = [row for row in found if _is(row, ref)]
        if not mine:
            pending = await self._orders(requests.named(ref))
            if isinstance(pending, Unanswered):
                return pending
            mine = [row for row in pending if _is(row, ref)]
        return self._told(mine[0]) if mine else _missing(ref)

    def _told(self, row: OrderRow) -> OrderReport | Unanswered:
        """Return how an order stands, in full; both its names are remembered."""
        report = order_report(row, self._caller.now_ms() * MS_NS)
        if isinstance(report, Unanswered):
            return report
        self._memory.learn(report.client_id, report.venue_order_id)
        try:
            created_ns = moment_ns(row.created) if row.created else 0
        except Unreadable:
            created_ns = 0
        return self._memory.judge(report, (row.effect or "").upper(), created_ns)

    # --- the account ---------------------------------------------------------------------------

    async def picture(self, since_ns: int) -> Picture | Unanswered:
        """Ask for everything, until positions stand still meanwhile."""
        for _ in range(TAKES):
            told = await self._picture(since_ns)
            if isinstance(told, Unanswered):
                return told
            after = await self.positions()
            if isinstance(after, Unanswered) or after == told.positions:
                return after if isinstance(after, Unanswered) else told
        return Unanswered("the account moves")

    async def _picture(self, since_ns: int) -> Picture | Unanswered:
        positions = await self.positions()
        if isinstance(positions, Unanswered):
            return positions
        taken_ns = self._caller.now_ms() * MS_NS
        working = await self.working()
        if isinstance(working, Unanswered):
            return working
        fills = await self.fills({"startTime": str(since_ns // MS_NS)})
        if isinstance(fills, Unanswered):
            return fills
        balance = await self.balance()
        if isinstance(balance, Unanswered):
            return balance
        since = tuple(fill for fill in fills if fill.at_ns >= since_ns // MS_NS * MS_NS)
        return Picture(taken_ns, positions, working, since, balance)

    async def positions(self) -> tuple[VenueHolding, ...] | Unanswered:
        """Ask for every open position, by symbol."""
        found = await self.held()
        if isinstance(found, Unanswered):
            return found
        net: dict[str, Decimal] = {}
        for row in found:
            told = holding(row)
            if isinstance(told, Unanswered):
                return told
            net[told.symbol] = net.get(told.symbol, ZERO) + told.qty
        return tuple(VenueHolding(symbol, qty) for symbol, qty in sorted(net.items()) if qty)

    async def held(self) -> list[rows.PositionRow] | Unanswered:
        """Ask for every open position, as it is listed."""
        return _rows(await self._ask(requests.POSITIONS, {}), rows.positions.all)

    async def working(self) -> tuple[OrderReport, ...] | Unanswered:
        """Ask for every order that can still fill."""
        found = await self._orders({})
        if isinstance(found, Unanswered):
            return found
        reports = []
        for row in found:
            told = self._told(row)
            if isinstance(told, Unanswered):
                return told
            if told.standing is Standing.WORKING:
                reports.append(told)
        return tuple(reports)

    async def fills(self, asked: Mapping[str, str]) -> list[FillReport] | Unanswered:
        """Ask for executions, oldest first, each with our name for its order where it has one."""
        found = await self.trades(asked)
        if isinstance(found, Unanswered):
            return found
        unnamed = await self._name({text_of(row.order_id) for row in found})
        if unnamed is not None:
            return unnamed
        fills = []
        for row in found:
            told = fill_report(row, self._memory.client_of(text_of(row.order_id)) or "")
            if isinstance(told, Unanswered):
                return told
            fills.append(told)
        return sorted(fills, key=lambda fill: (fill.at_ns, len(fill.trade_id), fill.trade_id))

    async def trades(self, asked: Mapping[str, str]) -> list[TradeRow] | Unanswered:
        """Ask for executions, as they are listed."""
        return await self._pages(
            requests.TRADES, asked, rows.trade_pages.all, lambda row: text_of(row.trade_id)
        )

    async def _name(self, order_ids: set[str]) -> Unanswered | None:
        """Learn our names of orders that an earlier process placed."""
        unknown = sorted(o for o in order_ids if self._memory.client_of(o) is None)
        for order_id in unknown[:NAMES_MAX]:
            answer = await self._ask(requests.DETAIL, {"orderId": order_id})
            if isinstance(answer, Said) and is_unknown_order(answer):
                self._memory.learn("", order_id)
                continue
            found = _rows(answer, rows.orders.any)
            if isinstance(found, Unanswered):
                return found
            names = [text_of(row.client_id) for row in found if text_of(row.order_id) == order_id]
            self._memory.learn(names[0] if names else "", order_id)
        return None

    async def balance(self) -> Decimal | Unanswered:
        """Ask for the balance without unrealised profit."""
        account = await self.account()
        return account if isinstance(account, Unanswered) else wallet(account)

    async def account(self) -> rows.AccountRow | Unanswered:
        """Ask for the money and the mode of the account."""
        found = _rows(await self._ask(requests.ACCOUNT, {"marginCoin": COIN}), rows.accounts.all)
        if isinstance(found, Unanswered):
            return found
        return found[0] if found else Unanswered(f"no account in {COIN}")

    async def margin_terms(self, symbols: Sequence[str]) -> tuple[MarginTerms, ...] | Unanswered:
        """Ask what positions of some instruments are made with."""
        found = []
        for symbol in symbols:
            told = await self._margin(symbol)
            if isinstance(told, Unanswered):
                return told
            found.append(told)
        return tuple(found)

    async def _margin(self, symbol: str) -> MarginTerms | Unanswered:
        asked = {"symbol": symbol, "marginCoin": COIN}
        found = _rows(await self._ask(requests.LEVERAGE, asked), rows.leverages.all)
        if isinstance(found, Unanswered):
            return found
        if not found:
            return Unanswered("no leverage told")
        try:
            leverage = int(rows.needed(found[0].leverage))
        except Unreadable as error:
            return Unanswered(error.detail)
        return MarginTerms(symbol, leverage, rows.MODES.get(found[0].margin_mode.strip().upper()))

    # --- pages ---------------------------------------------------------------------------------

    async def _orders(self, asked: Mapping[str, str]) -> list[OrderRow] | Unanswered:
        return await self._pages(
            requests.PENDING, asked, rows.order_pages.all, lambda row: text_of(row.order_id)
        )

    async def _pages(
        self,
        path: str,
        asked: Mapping[str, str],
        read_page: Callable[[Raw], Sequence["rows.Page[Row]"]],
        name: Callable[[Row], str],
    ) -> list[Row] | Unanswered:
        """Ask page by page, until one is not full; rows that come twice count once."""
        found: dict[str, Row] = {}
        for number in range(PAGES_MAX):
            page = {**asked, "skip": str(number * PAGE), "limit": str(PAGE)}
            told = _rows(await self._ask(path, page), lambda data: list(read_page(data)))
            if isinstance(told, Unanswered):
                return told
            if len(told) != 1:
                return Unanswered("no page")
            rows_told = told[0].rows
            new = {name(row): row for row in rows_told if name(row) not in found}
            found |= new
            if len(rows_told) < PAGE:
                return list(found.values())
            if not new:
                return Unanswered("the same page twice")
        return Unanswered(f"more than {PAGES_MAX} pages")

    async def _ask(self, path: str, params: Mapping[str, str]) -> Answer:
        return await self._caller.read(self._scribe, path, params)


def _rows(answer: Answer, read_data: Callable[[Raw], list[T]]) -> list[T] | Unanswered:
    if isinstance(answer, Refused):
        return Unanswered(answer.detail, is_denied=answer.reason is RejectReason.AUTH)
    return read(answer, read_data)


def _is(row: OrderRow, ref: OrderRef) -> bool:
    """Whether a row is the order that was asked for: a filter the venue ignores finds others."""
    if ref.venue_order_id:
        return text_of(row.order_id) == ref.venue_order_id
    return text_of(row.client_id) == ref.client_id


def _missing(ref: OrderRef) -> OrderReport:
    order = ref.order
    return OrderReport(
        ref.client_id, ref.venue_order_id, ref.symbol,
        order.side if order else Side.BUY, Standing.NOT_FOUND,
        order.qty if order else ZERO, ZERO, order.price if order else None, 0,
    )  # fmt: skip
