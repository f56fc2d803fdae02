"""What a shadow session's end says on a terminal."""

from decimal import Decimal

from engine.reports.shadow_schema import AllCauses, Looks, Moved, OrdersBeside, ShadowReport
from laptop_agents.shadow_words import shadow_words

D = Decimal
ORDERS = OrdersBeside(
    checked=40, unchecked=2, would_refuse={"margin": 3, "off_grid": 1}, fee_difference=None
)
TOLD = ShadowReport(
    looks=Looks(count=9, first_at="a", last_at="b", blind=1, blind_s=31.4),
    account_equity=Moved(start=D(100), end=D(90), change=D(-10)),
    simulated_equity=Moved(start=D(100), end=D("102.5"), change=D("2.5")),
    gap=D("-12.5"),
    causes=AllCauses(
        held=D(-3), quantity=D(-1), price=D("0.004"), marks=D(0), fees=D("-0.5"), funding=None,
        transfers=None, other=None, unexplained=D("-8.004"),
    ),
    per_symbol={}, orders=ORDERS, account_orders=1, unknown={"funding": "not \x1b listed"},
)  # fmt: skip


def test_words() -> None:
    """Each cause with its sign, `-` for what is not known, the reason behind; nothing escapes."""
    assert [
        "shadow: 9 looks at the account, out of sight for 31 s",
        "account -10.00, simulated +2.50, gap -12.50: held -3.00, quantity -1.00, price +0.00,"
        " marks +0.00, fees -0.50, funding -, transfers -, other -, unexplained -8.00",
        "of 40 orders it would have refused 3 for margin, 1 for off_grid, 2 not checked;"
        " at its rates fees differ by -",
        "funding: unknown, not ? listed",
    ] == [line.replace("\ufffd", "?") for line in shadow_words(TOLD)]


def test_an_account_that_was_never_seen() -> None:
    never = ShadowReport(
        looks=None, account_equity=None, simulated_equity=None, gap=None, causes=None,
        per_symbol={}, orders=ORDERS, account_orders=None, unknown={},
    )  # fmt: skip
    assert ["shadow: the account was never seen"] == list(shadow_words(never))
