"""What lies between a real account and the simulated one, in a few lines. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from engine.model.text import sanitize
from engine.reports.shadow_schema import AllCauses, OrdersBeside, ShadowReport

UNKNOWN: Final = "-"
CAUSES: Final = AllCauses.__struct_fields__


def shadow_words(told: ShadowReport) -> Iterator[str]:
    """Yield how the account was seen, the gap by cause, and what it would have refused."""
    looks, causes = told.looks, told.causes
    if looks is None:
        yield "shadow: the account was never seen"
        return
    blind = f", out of sight for {looks.blind_s:.0f} s" if looks.blind else ""
    yield f"shadow: {looks.count} looks at the account{blind}"
    if causes is not None and told.account_equity and told.simulated_equity:
        yield (
            f"account {money(told.account_equity.change)}, simulated"
            f" {money(told.simulated_equity.change)}, gap {money(told.gap)}:"
            f" {', '.join(f'{name} {money(getattr(causes, name))}' for name in CAUSES)}"
        )
    yield orders_words(told.orders)
    for name, why in told.unknown.items():
        yield f"{sanitize(name)}: unknown, {sanitize(why)}"


def orders_words(orders: OrdersBeside) -> str:
    """Return what the account would have refused, and what its fees would have changed."""
    refused = ", ".join(f"{count} for {name}" for name, count in orders.would_refuse.items())
    unseen = f", {orders.unchecked} not checked" if orders.unchecked else ""
    return (
        f"of {orders.checked} orders it would have refused {refused or 'none'}{unseen};"
        f" at its rates fees differ by {money(orders.fee_difference)}"
    )


def money(amount: Decimal | None) -> str:
    """Return an amount with its sign; `-` where it is not known."""
    return UNKNOWN if amount is None else f"{amount:+z,.2f}"
