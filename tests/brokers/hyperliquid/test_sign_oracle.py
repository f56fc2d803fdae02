"""Signatures against the venue's own library: any action, any key, equal as numbers."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.hyperliquid.sign import Signer, connection_id, digest, signer_of
from brokers.link.secret import Secret

WHY = "the official SDK (hyperliquid-python-sdk, in the dev group) is not installed"
eth_account = pytest.importorskip("eth_account", reason=WHY)
signing = pytest.importorskip("hyperliquid.utils.signing", reason=WHY)

decimals = st.decimals("0.001", "99999", places=3).map(lambda d: f"{d.normalize():f}")
cloids = st.integers(0, 2**128 - 1).map(lambda n: f"0x{n:032x}")
assets = st.integers(0, 200_000)


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    order = {
        "a": draw(assets), "b": draw(st.booleans()), "p": draw(decimals), "s": draw(decimals),
        "r": draw(st.booleans()), "t": {"limit": {"tif": draw(st.sampled_from(["Alo", "Ioc", "Gtc"]))}},
    }  # fmt: skip
    return order | ({"c": draw(cloids)} if draw(st.booleans()) else {})


actions = st.one_of(
    st.lists(orders(), min_size=1, max_size=20).map(
        lambda some: {"type": "order", "orders": some, "grouping": "na"}
    ),
    st.tuples(assets, cloids).map(
        lambda pair: {"type": "cancelByCloid", "cancels": [{"asset": pair[0], "cloid": pair[1]}]}
    ),
    st.tuples(assets, st.integers(0, 2**50)).map(
        lambda pair: {"type": "cancel", "cancels": [{"a": pair[0], "o": pair[1]}]}
    ),
    st.tuples(st.integers(0, 2**50) | cloids, orders()).map(
        lambda pair: {"type": "batchModify", "modifies": [{"oid": pair[0], "order": pair[1]}]}
    ),
    st.integers(0, 2**43).map(lambda ms: {"type": "scheduleCancel", "time": ms}),
    st.just({"type": "scheduleCancel"}),
    st.just({"type": "noop"}),
    st.tuples(assets, st.booleans(), st.integers(1, 50)).map(
        lambda row: {
            "type": "updateLeverage",
            "asset": row[0],
            "isCross": row[1],
            "leverage": row[2],
        }
    ),
)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 2**255).map(lambda n: f"0x{n:064x}"),
    actions,
    st.integers(0, 2**43),
    st.none() | addresses,
    st.none() | st.integers(0, 2**43),
    st.booleans(),
)
def test_the_venues_own_library_signs_the_same(
    key, action, nonce, vault, expires_ms, is_mainnet
) -> None:
    """Any key, action, nonce, vault and expiry; equal as numbers."""
    wallet = eth_account.Account.from_key(key)
    theirs = signing.sign_l1_action(
        wallet, copy.deepcopy(action), vault, nonce, expires_ms, is_mainnet
    )

    ours = Signer(Secret(key), is_mainnet=is_mainnet)
    made = ours.sign(action, nonce, vault=vault, expires_ms=expires_ms)

    assert (int(theirs["r"], 16), int(theirs["s"], 16), theirs["v"]) == made
    assert wallet.address.lower() == ours.address
    signed = digest(connection_id(action, nonce, vault, expires_ms), is_mainnet=is_mainnet)
    assert ours.address == signer_of(signed, made)
