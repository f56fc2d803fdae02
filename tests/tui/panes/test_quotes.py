"""Pane 1: touch, spread, age; what is unknown is a dash and what is old says so."""

import pytest

from engine.session.control.views import MarketFace, View
from tests.tui.fixtures import BTC, HOSTILE, NOW_NS, SECOND, D, empty, health, market, view
from tui.panes.quotes import draw, microprice, spread_bps


def texts(shown: View, width: int = 80, height: int = 6, selected: int = 0) -> list[str]:
    return ["".join(cell.text for cell in row) for row in draw(shown, width, height, selected)]


def test_rows_at_80() -> None:
    """As the specification draws them."""
    assert [
        " SYMBOL            BID        ASK   SPR   CHG 8m       POS      uPnL    AGE",
        ">BTCUSDT      67,412.3   67,412.9   0.1 ^ +0.42%    +0.020     +3.19   0.1s",
        " ETHUSDT      3,508.11   3,508.40   0.8 v -0.11%      0.00      0.00   0.3s",
        " SOLUSDT        151.22     151.25   2.0  = 0.00%     -1.50     -0.72 ! 2.4s SUSP",
    ] == texts(view())


def test_wide_rows_have_more_columns_and_narrow_ones_fewer() -> None:
    """Columns come and go whole."""
    assert "MICRO   CHG 8m  VOL 8m       MARK    FUND%" in texts(view(), 124)[0]
    assert "uPnL" not in texts(view(), 60)[0]
    assert "POS" not in texts(view(), 50)[0]


@pytest.mark.parametrize("width", [40, 48, 72, 80, 120])
@pytest.mark.parametrize(
    "shown",
    [empty(), view(), view(markets=(market(HOSTILE),)), view(markets=(market(bid=D("1e12"), ask=D("-1e12")),))],
)  # fmt: skip
def test_nothing_is_wider_than_the_pane(shown: View, width: int) -> None:
    """Also what is unknown, hostile, huge or negative."""
    assert all(len(text) <= width and text.isprintable() for text in texts(shown, width))


def test_unknown_is_a_dash_and_never_zero() -> None:
    """Before the first quote."""
    row = texts(empty())[1]

    assert [">BTCUSDT", *"-----"][:2] == row.split()[:2]
    assert "0" not in row


@pytest.mark.parametrize(
    ("age_s", "mark", "token"),
    [(0.5, "", "dim"), (1.5, "", "text"), (2.1, "!", "warn"), (3_600, "!", "warn")],
)
def test_age(age_s: float, mark: str, token: str) -> None:
    """Dim while young, plain, then marked; an old value is dimmed as well."""
    old = market(priced_ns=NOW_NS - int(age_s * SECOND))
    cells = draw(view(markets=(old,)), 80, 3)[1]
    age = cells[-2]

    assert mark == ("!" if "!" in age.text else "")
    assert token == age.token
    assert ("stale" if mark else "bid") == cells[1].token


def test_the_session_s_own_limit_says_what_is_old() -> None:
    """A patient session holds a price of 2.4 s for good, a hasty one 0.3 s for stale."""
    patient = view(health=health(quote_age_max_s=5.0))
    hasty = view(health=health(quote_age_max_s=0.2))

    assert "!" not in "".join(texts(patient))
    assert 2 == "".join(texts(hasty)).count("!")


def test_the_span_of_a_change_is_said() -> None:
    """The shortest there is; none before the first price, and an unknown change is no zero."""
    late = market("LATEUSDT", change_since_ns=NOW_NS - 90 * SECOND, change_pct=None, volume=None)
    rows = texts(view(markets=(market(), late)), 100)

    assert "CHG 1m  VOL 1m" in rows[0]
    assert ["-", "-"] == rows[2].split()[5:7]
    assert "CHG       POS" in texts(empty())[0]


def test_the_selected_instrument_is_kept_in_sight() -> None:
    """Of fifty, in six lines."""
    many = view(markets=tuple(market(f"S{i:02}") for i in range(50)))
    rows = texts(many, selected=40)

    assert 6 == len(rows)
    assert 1 == sum(row.startswith(">S40") for row in rows)


@pytest.mark.parametrize(
    ("changes", "spread", "micro"),
    [
        ({"bid": D(99), "ask": D(101), "bid_qty": D(3), "ask_qty": D(1)}, D(200), D("100.5")),
        ({"bid": D(100), "ask": D(100)}, D(0), D(100)),
        ({"bid": D(101), "ask": D(99), "bid_qty": D(1), "ask_qty": D(1)}, D(-200), D(100)),
        ({"bid": None}, None, None),
        ({"bid_qty": D(0), "ask_qty": D(0), "bid": D(99), "ask": D(101)}, D(200), None),
    ],
)
def test_spread_and_microprice(changes: dict, spread: object, micro: object) -> None:
    """The heavier side pushes the price towards the other."""
    face: MarketFace = market(BTC, **changes)

    assert spread == spread_bps(face)
    assert micro == microprice(face)
