"""The signature, byte for byte as the sheet's worked examples have it (sections 2 and 7)."""

import json

import pytest

from brokers.bitunix.requests import Scribe
from brokers.bitunix.sign import digest, query_text, sign
from brokers.link.secret import Credentials, Secret

KEY = Credentials("demo_api_key_0001", Secret("demo_secret_key_0001"))
NONCE = "0123456789abcdef0123456789abcdef"
AT = "1700000000000"
BODY = (
    b'{"symbol":"BTCUSDT","side":"BUY","orderType":"LIMIT","qty":"0.001","price":"60000",'
    b'"effect":"POST_ONLY","clientId":"la-1"}'
)


def test_a_body() -> None:
    """Signed as it is sent."""
    expected = "c33a853b0535d5e8022738206b44a717e756145d67ab8702d0754ca6fcfc64c8"
    assert expected == digest(KEY.key, NONCE, AT, "", BODY)
    expected = "ed239b284969dbb88797d0a3909ee85611119033a3435fe3b359dc9c3bb76f87"
    assert expected == sign(KEY, NONCE, AT, "", BODY)


def test_a_query() -> None:
    """Sorted, nothing between names and values, empty ones dropped."""
    query = query_text({"symbol": "BTCUSDT", "limit": "10", "skip": ""})
    assert "limit10symbolBTCUSDT" == query
    expected = "68fec22ea64448f420e2a6a7c58205a5610312aa87947b52f5cc274cbfe4ecb6"
    assert expected == digest(KEY.key, NONCE, AT, query, b"")
    expected = "04dbfc2015883bfb9923d66f96dd06ef6b7fabbb7e41aef3fd393f9be43fcf50"
    assert expected == sign(KEY, NONCE, AT, query)


def test_the_official_vector() -> None:
    """The venue's own test."""
    key = Credentials("11111111111111111", Secret("22222222222222222"))
    query = query_text({"marginCoin": "USDT"})
    expected = "40e87256554e263e39201a3979469b7fbb640d1c7c41759abf5c6a18f937f922"
    assert expected == sign(key, "33333333333333333", "1747104711262", query)


@pytest.mark.parametrize(
    ("in_seconds", "literal", "expected"),
    [
        (True, 1700000000, "7c27734777b2e700be4ebe6aa613b866cef34bd2fdeff4faf8a2a94abd7d020b"),
        (False, 1700000000000, "dbdabb25dbcdcf50f14dfd2db5b87fd0676a71c9617e0589e6c38ff95bfc76ba"),
    ],
)
def test_a_login(*, in_seconds: bool, literal: int, expected: str) -> None:
    """The literal that is sent is what is signed; a number, not a text."""
    scribe = Scribe(KEY, lambda: int(AT), lambda: NONCE)
    word = json.loads(scribe.login(in_seconds=in_seconds))
    args = {"apiKey": KEY.key, "timestamp": literal, "nonce": NONCE, "sign": expected}
    assert {"op": "login", "args": [args]} == word
