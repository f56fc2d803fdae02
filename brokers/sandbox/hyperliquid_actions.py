"""What can be asked of the Hyperliquid sandbox's `/exchange`, as types in the order of their keys.

The venue signs for what it understood, not for what was sent: it reads an action, writes it anew in
its own order and its own spelling of numbers, and recovers the signer from that. So does this.

Source: the Hyperliquid sheet, sections 4 and 5.
"""

from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from brokers.hyperliquid.rules import OffWire, wire

Cloid = Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{32}$")]
Address = Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{40}$")]
Number = Annotated[str, Meta(pattern=r"^[0-9]{1,20}(\.[0-9]{1,20})?$")]
Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)]
BATCH_MAX: Final = 1_000


class Limit(msgspec.Struct):
    """How long a limit order rests."""

    tif: Literal["Alo", "Ioc", "Gtc", "FrontendMarket"]


class Trigger(msgspec.Struct, rename="camel"):
    """When a stop is released."""

    is_market: bool
    trigger_px: Number
    tpsl: Literal["tp", "sl"]


class Kind(msgspec.Struct, omit_defaults=True):
    """One of the two."""

    limit: Limit | None = None
    trigger: Trigger | None = None


class Order(msgspec.Struct, omit_defaults=True):
    """An order."""

    a: Whole
    b: bool
    p: Number
    s: Number
    r: bool
    t: Kind
    c: Cloid | None = None

    def __post_init__(self) -> None:
        """Spell its numbers as the venue does, or refuse what it can't spell."""
        try:
            self.p, self.s = wire(Decimal(self.p)), wire(Decimal(self.s))
        except OffWire as error:
            raise ValueError(str(error)) from error
        if (self.t.limit is None) == (self.t.trigger is None):
            raise ValueError("an order is a limit or a trigger")


class Builder(msgspec.Struct):
    """Who is paid for having made an order."""

    b: Address
    f: Whole


Orders = Annotated[list[Order], Meta(min_length=1, max_length=BATCH_MAX)]


class Place(msgspec.Struct, tag_field="type", tag="order", omit_defaults=True):
    """Place orders."""

    orders: Orders
    grouping: Literal["na"]
    builder: Builder | None = None


class CancelOne(msgspec.Struct):
    """An order by the venue's name."""

    a: Whole
    o: Whole


class Cancel(msgspec.Struct, tag_field="type", tag="cancel"):
    """Cancel by the venue's name."""

    cancels: Annotated[list[CancelOne], Meta(min_length=1, max_length=BATCH_MAX)]


class CancelNamed(msgspec.Struct):
    """An order by the client's name."""

    asset: Whole
    cloid: Cloid


class CancelByCloid(msgspec.Struct, tag_field="type", tag="cancelByCloid"):
    """Cancel by the client's name."""

    cancels: Annotated[list[CancelNamed], Meta(min_length=1, max_length=BATCH_MAX)]


class ModifyOne(msgspec.Struct):
    """One order in the place of another."""

    oid: Whole | Cloid
    order: Order


class Modify(msgspec.Struct, tag_field="type", tag="modify"):
    """Replace one order."""

    oid: Whole | Cloid
    order: Order


class BatchModify(msgspec.Struct, tag_field="type", tag="batchModify"):
    """Replace orders."""

    modifies: Annotated[list[ModifyOne], Meta(min_length=1, max_length=BATCH_MAX)]


class UpdateLeverage(msgspec.Struct, tag_field="type", tag="updateLeverage", rename="camel"):
    """Set a coin's leverage."""

    asset: Whole
    is_cross: bool
    leverage: Whole


class ScheduleCancel(msgspec.Struct, tag_field="type", tag="scheduleCancel", omit_defaults=True):
    """Set or clear the dead-man switch."""

    time: Whole | None = None


class Noop(msgspec.Struct, tag_field="type", tag="noop"):
    """Use a nonce up."""


Action = (
    Place | Cancel | CancelByCloid | Modify | BatchModify | UpdateLeverage | ScheduleCancel | Noop
)


class Signed(msgspec.Struct):
    """A signature as sent."""

    r: Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{1,64}$")]
    s: Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{1,64}$")]
    v: Whole


class Request(msgspec.Struct, rename="camel"):
    """The whole body."""

    action: Action
    nonce: Whole
    signature: Signed
    vault_address: Address | None = None
    expires_after: Whole | None = None


decode: Final = msgspec.json.Decoder(Request).decode


def weight(action: Action) -> int:
    """Return how many requests an action counts as."""
    match action:
        case Place(orders=items):
            return len(items)
        case Cancel(cancels=gone):
            return len(gone)
        case CancelByCloid(cancels=named):
            return len(named)
        case BatchModify(modifies=replaced):
            return len(replaced)
        case _:
            return 1
