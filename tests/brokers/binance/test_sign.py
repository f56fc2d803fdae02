"""Signatures, against the vectors of the venue's own page and of the sheet (section 4)."""

import pytest

from brokers.binance.sign import encoded, signature, signed
from brokers.link.secret import Secret

DOCS = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
OURS = "demo_secret_key_0001"
FRAME = {
    "apiKey": "demo_api_key_0001", "newClientOrderId": "la-1", "price": "60000",
    "quantity": "0.001", "recvWindow": "5000", "side": "BUY", "symbol": "BTCUSDT",
    "timeInForce": "GTX", "timestamp": "1700000000000", "type": "LIMIT",
}  # fmt: skip


@pytest.mark.parametrize(
    ("secret", "text", "digest"),
    [
        (
            DOCS,
            "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC"
            "&recvWindow=5000&timestamp=1591702613943",
            "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9",
        ),
        (
            OURS,
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTX&quantity=0.001&price=60000"
            "&newClientOrderId=la-1&recvWindow=5000&timestamp=1700000000000",
            "25fd35ed97669f0b08ff8436954a59a8ff701047f3f0b80a5e5cd3dcb0eb639d",
        ),
        (
            OURS,
            encoded(sorted(FRAME.items())),
            "e563b3231e99c75257991e2b96f427662630cf135f6c2f1776335aff340c6570",
        ),
    ],
)
def test_vectors(secret: str, text: str, digest: str) -> None:
    """Over the characters as they leave; the signature is the last parameter."""
    assert digest == signature(text, Secret(secret))
    assert f"{text}&signature={digest}" == signed(text, Secret(secret))


def test_values_are_encoded_and_keep_their_order() -> None:
    """What a client id may hold, and what it may not."""
    assert "b=a%2Fb%3Ac&a=.A-Z_z9&c=%C3%A9%26%3D%20%2B" == encoded(
        (("b", "a/b:c"), ("a", ".A-Z_z9"), ("c", "é&= +"))
    )
