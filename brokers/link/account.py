"""The seam between the one live broker and every venue: what an account can be asked and told.

A venue's adapter speaks in these words and knows nothing of the engine's orders; the live broker
(`brokers.link.broker`) knows nothing of a venue. All quantities are in base units, prices and money
in quote currency, times are the venue's in nanoseconds.

Rule 1: a method never raises for what a venue does or says. What certainly had no effect is
        `Refused`; what may have had one and is not known is `Unclear` (reliability.md A3).
Rule 2: an answer that could be fetched only in part is `Unanswered`, never an empty one (A9).
Rule 3: nothing is tried again here but what surely was not sent, or a read.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol, Self

from msgspec import UNSET, UnsetType

from engine.model.account import Liquidity, OtherFee
from engine.model.instrument import Instrument
from engine.model.orders import OrderType, Side, TimeInForce
from engine.model.venue_events import RejectReason, Standing, VenueHolding
from engine.venue import Capabilities, MarginTerms


class NewOrder(NamedTuple):
    """An order to place."""

    client_id: str
    instrument: Instrument
    side: Side
    type: OrderType
    qty: Decimal
    price: Decimal | None
    trigger_price: Decimal | None
    tif: TimeInForce
    is_post_only: bool
    is_reduce_only: bool


class OrderRef(NamedTuple):
    """An order that was placed."""

    client_id: str
    venue_order_id: str
    """As last told; empty where it never was."""
    order: NewOrder | None
    """What was placed; None of an order that an earlier process placed."""
    symbol: str


class Accepted(NamedTuple):
    """The venue has it, or has taken it in for processing where its answer is no proof."""

    venue_order_id: str = ""
    report: "OrderReport | None" = None
    """What the answer says of the order beyond that, if it does."""


class Refused(NamedTuple):
    """It had no effect."""

    reason: RejectReason
    detail: str = ""
    """In the venue's words, sanitised."""


class Unclear(NamedTuple):
    """It may have had an effect."""

    cause: str


Outcome = Accepted | Refused | Unclear
"""What became of something that was to be done."""


class Unanswered(NamedTuple):
    """A question that brought no whole answer."""

    cause: str
    is_denied: bool = False
    """The venue does not take the key."""


class OrderReport(NamedTuple):
    """How an order stands, by an answer or by the account's stream."""

    client_id: str
    """Empty for one placed without."""
    venue_order_id: str
    symbol: str
    side: Side
    standing: Standing
    qty: Decimal
    """Total."""
    filled_qty: Decimal
    price: Decimal | None
    at_ns: int
    is_amendment: bool = False
    """It was just amended to `qty` and `price`."""
    reason: RejectReason | None = None
    """Of a rejected one; and `POST_ONLY_WOULD_CROSS` of one that ended because of that."""
    detail: str = ""


class FillReport(NamedTuple):
    """One execution."""

    client_id: str
    """Empty where the venue does not say."""
    venue_order_id: str
    symbol: str
    trade_id: str
    side: Side
    price: Decimal
    qty: Decimal
    fee: Decimal
    """Paid is positive, quote currency."""
    liquidity: Liquidity
    at_ns: int
    other_fee: OtherFee | UnsetType = UNSET
    """Where it was paid in another asset; `fee` is what that was worth."""


class FundingReport(NamedTuple):
    """Funding that was settled; received is positive."""

    symbol: str
    amount: Decimal
    at_ns: int


class LineUp(NamedTuple):
    """The account's stream is open; what happened while it was not has not been told."""


class LineDown(NamedTuple):
    """The account's stream broke."""

    cause: str


Report = OrderReport | FillReport | FundingReport | LineUp | LineDown


class Picture(NamedTuple):
    """The whole account at one instant."""

    taken_ns: int
    positions: tuple[VenueHolding, ...]
    """Open ones of every instrument."""
    orders: tuple[OrderReport, ...]
    """Working ones of every instrument."""
    fills: tuple[FillReport, ...]
    """Since the time asked for, oldest first."""
    balance: Decimal | None
    """Without unrealised profit."""


class Facts(NamedTuple):
    """What has to be known of an account before anything is sent."""

    tail: str
    """Last characters of what names the account, for people."""
    balance: Decimal
    positions: tuple[VenueHolding, ...]
    open_orders: int
    can_trade: bool
    can_withdraw: bool | None
    """None where the venue does not tell."""
    is_one_way: bool
    maker_fee_bps: Decimal | None
    taker_fee_bps: Decimal | None
    leverage: Decimal
    """The largest of the session's instruments."""
    clock_offset_ns: int
    """What to add to our wall clock to get the venue's."""
    margin: tuple[MarginTerms, ...] = ()
    """Of each of the session's instruments; empty where they are too many to ask for."""


class VenueAccount(Protocol):
    """One account at one venue; an async context on the session's loop."""

    @property
    def venue(self) -> str:
        """Its name."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this venue can do; constant."""
        ...

    async def __aenter__(self) -> Self:
        """Open; nothing is sent yet."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Leave the venue."""
        ...

    async def facts(self) -> Facts:
        """Ask what has to be known before anything is sent.

        Raises:
            DataUnavailable: The venue can't be reached, or makes no sense.
            CredentialsRefused: It does not take the key.
        """
        ...

    async def margin_terms(self) -> Sequence[MarginTerms] | Unanswered:
        """Ask what positions of each of the session's instruments are made with."""
        ...

    async def set_margin(self, held: MarginTerms, wanted: MarginTerms) -> Outcome:
        """Have positions of an instrument made so from now on; only what differs is asked for."""
        ...

    def begin(self, since_ns: int, funded: Sequence[FundingReport]) -> None:
        """State, before listening, what is the session's.

        Args:
            since_ns: What the account did before is not.
            funded: Funding that an interrupted run of the session was told, oldest first.

        """
        ...

    async def listen(self, take: Callable[[Report], None]) -> None:
        """Hand over what the account's stream tells, at once, until canceled; it comes back."""
        ...

    async def place(self, order: NewOrder) -> Outcome:
        """Place an order, once."""
        ...

    async def amend(self, ref: OrderRef, price: Decimal, qty: Decimal) -> Outcome:
        """Change price and total quantity."""
        ...

    async def cancel(self, ref: OrderRef) -> Outcome:
        """Take an order out."""
        ...

    async def place_many(self, orders: Sequence[NewOrder]) -> Sequence[Outcome]:
        """Place orders of one instrument in one request, each once.

        Args:
            orders: At most `Capabilities.places_per_request`; all of them only reduce, or none.

        Returns:
            What became of each: a refused one does not touch the others, and where no whole answer
            came each is `Unclear`.
        """
        ...

    async def cancel_many(self, refs: Sequence[OrderRef]) -> Sequence[Outcome]:
        """Take orders of one instrument out in one request; outcomes as of `place_many`."""
        ...

    async def order(self, ref: OrderRef) -> OrderReport | Unanswered:
        """Ask how an order stands; `Standing.NOT_FOUND` where the venue knows none."""
        ...

    async def picture(self, since_ns: int) -> Picture | Unanswered:
        """Ask for the whole account, its fills from a venue time on."""
        ...

    async def renew(self, ttl_s: float) -> bool:
        """Set the venue's dead-man switch to fire after so long; False where there is none."""
        ...
