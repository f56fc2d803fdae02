"""Where a key may be sent."""

import pytest

from brokers.link.address import guarded
from engine.model.errors import UsageError


@pytest.mark.parametrize(
    "url",
    [
        "https://fapi.binance.com", "wss://fstream.binance.com/private", "http://127.0.0.1:8080",
        "ws://localhost:9/private", "http://[::1]:80", "https://10.0.0.1:8443/x", "http://127.9.9.9",
    ],
)  # fmt: skip
def test_over_tls_or_to_this_machine(url: str) -> None:
    """As it was written."""
    assert url == guarded("binance.rest_url", url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://fapi.binance.com", "must begin https"), ("ws://10.0.0.1/x", "must begin https"),
        ("http://127.0.0.1.evil.example", "must begin https"), ("http://0.0.0.0", "must begin"),
        ("http://localhost.evil.example", "must begin"), ("http://[::ffff:1.2.3.4]", "must begin"),
        ("https://user:canary@host", "nothing else"), ("https://host/?a=canary", "nothing else"),
        ("https://host/#x", "nothing else"), ("ftp://host", "no address"), ("", "no address"),
        ("host:80", "no address"), ("https://", "no address"), ("https://host:x", "no address"),
        ("https://[::1", "no address"), ("https://ho st", "no address"),
        ("https://host\n.example", "no address"),
    ],
)  # fmt: skip
def test_nowhere_else(url: str, why: str) -> None:
    """The refusal names the setting and not what stands in it."""
    with pytest.raises(UsageError, match=f"binance.rest_url .*{why}") as raised:
        guarded("binance.rest_url", url)
    assert "canary" not in str(raised.value)
