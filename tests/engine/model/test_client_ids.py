"""Client order ids: derived, in what each venue takes, never shared by two runs."""

from itertools import product
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.paper.venue import CAPABILITIES
from engine.model.client_ids import ClientIds

VENUES = {
    # venue:     (longest, alphabet), from venues/*.md
    "binance":   (36, ascii_letters + digits + ".:/_-"),
    "bybit":     (36, ascii_letters + digits + "_-"),
    "okx":       (32, ascii_letters + digits),
    "alpaca":    (128, ascii_letters + digits + "-"),
    "uppercase": (32, ascii_uppercase + digits),
    "lowercase": (22, ascii_lowercase + digits),
}  # fmt: skip
STYLES = st.sampled_from(sorted(VENUES))
RUN = "20260101T000000Z-abcd"
RUNS = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", fullmatch=True)
ORDERS = st.builds(
    "{}-{}".format, st.from_regex(r"[a-z][a-z0-9_]{0,40}", fullmatch=True), st.integers(1, 10**9)
)


def client_id(venue: str, run_id: str = RUN, order_id: str = "maker-1") -> str:
    return ClientIds(run_id, *VENUES[venue]).of(order_id)


@given(STYLES, RUNS, ORDERS)
@settings(derandomize=True)
def test_every_venue_can_read_it(venue: str, run_id: str, order_id: str) -> None:
    """Length and alphabet are the venue's, and the same arguments give the same id."""
    longest, alphabet = VENUES[venue]
    text = client_id(venue, run_id, order_id)

    assert 0 < len(text) <= longest
    assert set(text) <= set(alphabet)
    assert text == client_id(venue, run_id, order_id)


@pytest.mark.parametrize("venue", ["binance", "bybit", "alpaca"])
def test_a_person_can_read_it_where_the_venue_can(venue: str) -> None:
    """Where it fits, the id names agent and order."""
    assert client_id(venue, order_id="maker-17").endswith("-maker-17")


@pytest.mark.parametrize(
    ("venue", "order_id"),
    [("binance", f"{'m' * 30}-1"), ("okx", "maker-17"), ("uppercase", "maker-17")],
)
def test_what_does_not_fit_becomes_a_digest(venue: str, order_id: str) -> None:
    """One character too long, or one the venue does not take, is hashed, never cut."""
    text = client_id(venue, order_id=order_id)

    assert 22 == len(text)
    assert text.lower().startswith("la")
    assert text != client_id(venue, order_id=order_id + "0")


@pytest.mark.parametrize("longest", range(22, 64))
@pytest.mark.parametrize("order_id", ["maker-17", f"{'m' * 29}-1"])
def test_no_length_is_ever_passed(longest: int, order_id: str) -> None:
    """From the shortest id a digest needs to the first that fits in full."""
    _, alphabet = VENUES["binance"]
    text = ClientIds(RUN, longest, alphabet).of(order_id)

    assert len(text) <= longest


@pytest.mark.parametrize("venue", VENUES)
def test_no_two_orders_share_an_id(venue: str) -> None:
    """100,000 orders of ten runs: as many ids."""
    runs = [f"20260101T00000{second}Z-{second}bcd" for second in range(10)]
    orders = [f"{agent}-{n}" for agent in ("a", "maker") for n in range(1, 5_001)]
    ids = {client_id(venue, *pair) for pair in product(runs, orders)}

    assert 100_000 == len(ids)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize(
    "other", ["20260102T000000Z-abcd", "abcd", "my-second-run-abcd"], ids=["day", "short", "pinned"]
)
def test_two_runs_never_share_an_id(venue: str, other: str) -> None:
    """Runs whose names end alike are still two runs (A2: one intent, one id)."""
    assert client_id(venue) != client_id(venue, run_id=other)


@given(STYLES, RUNS, ORDERS)
@settings(derandomize=True)
def test_a_run_knows_its_orders_by_their_ids(venue: str, run_id: str, order_id: str) -> None:
    """In plain by the engine's id, else by a digest that names the order again."""
    ids = ClientIds(run_id, *VENUES[venue])
    text = ids.of(order_id)
    known = ids.order_id(text)

    assert known == (order_id if text == f"{run_id}-{order_id}" else text)
    assert text == ids.of(known)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("order_id", ["maker-17", f"{'m' * 40}-1"])
def test_the_order_of_another_run_is_foreign(venue: str, order_id: str) -> None:
    """Digest or not: a sentinel must leave it alone."""
    ids = ClientIds(RUN, *VENUES[venue])

    assert ids.order_id(client_id(venue, "20260102T000000Z-abcd", order_id)) is None
    assert ids.order_id(client_id(venue, RUN, order_id)) is not None
    assert [None] * 4 == [ids.order_id(name) for name in ("", "la", "web_1", f"la{'x' * 20}")]


def test_capabilities_carry_the_arguments() -> None:
    """What a venue says of itself is enough to derive the id."""
    assert ClientIds(RUN, 36, CAPABILITIES.client_id_alphabet) == CAPABILITIES.ids_of(RUN)
