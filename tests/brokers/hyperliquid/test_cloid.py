"""Our ids in 128 bits and back: whatever the engine makes, a later process can read."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from brokers.hyperliquid.cloid import (
    CLIENT_ID_ALPHABET,
    CLIENT_ID_MAX,
    SYMBOLS,
    client_id_of,
    cloid_of,
)
from engine.model.client_ids import ClientIds
from engine.session.run_folder import new_run_id

names = st.text(SYMBOLS, min_size=1, max_size=20)
sequences = st.integers(0, 10**9)


@given(
    st.integers(1_735_689_600, 1_735_689_600 + 2**30 - 1),
    st.binary(min_size=16, max_size=16),
    names,
    sequences,
)
@example(1_763_715_600, bytes(16), "quoter", 1)
@example(1_763_715_600, b"\xff" * 16, "a" * 12, 9)
def test_every_order_of_a_session_can_be_read_again(at_s, entropy, agent, sequence) -> None:
    """Run, agent and number, or the digest of them."""
    run_id = new_run_id(at_s * 10**9, lambda count: entropy[:count])
    ids = ClientIds(run_id, CLIENT_ID_MAX, CLIENT_ID_ALPHABET)
    client_id = ids.of(f"{agent}-{sequence}")

    cloid = cloid_of(client_id)

    assert 34 == len(cloid)
    assert client_id == client_id_of(cloid)


@given(st.text(SYMBOLS, min_size=1, max_size=23))
def test_any_short_id_can_be_read_again(client_id: str) -> None:
    """Whoever chose it."""
    assert client_id == client_id_of(cloid_of(client_id))


@given(st.text(max_size=80), st.text(max_size=80))
def test_two_ids_are_two(one: str, other: str) -> None:
    """Whatever they look like."""
    assume(one != other)
    assert cloid_of(one) != cloid_of(other)


@given(st.text(max_size=80))
def test_what_can_not_be_read_is_not_read_wrong(client_id: str) -> None:
    """It is nobody's, never somebody else's."""
    assert client_id_of(cloid_of(client_id)) in {None, client_id}


@given(st.integers(0, 2**128 - 1))
def test_a_strangers_name_is_read_back_as_it_is_or_not_at_all(number: int) -> None:
    """What is read is written the same again."""
    cloid = f"0x{number:032x}"
    client_id = client_id_of(cloid)

    assert client_id is None or cloid == cloid_of(client_id)


@pytest.mark.parametrize("cloid", ["", "0x", "5" * 34, "0x" + "g" * 32, "0x" + "5" * 33, "0XAB"])
def test_what_is_no_name(cloid: str) -> None:
    """Has no owner."""
    assert client_id_of(cloid) is None
