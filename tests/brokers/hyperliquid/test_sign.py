"""Signatures, to the digit: the oracle is the sheet's worked example."""

import pickle
import traceback
from typing import Any

import pytest

from brokers.hyperliquid.sign import (
    Signature,
    Signer,
    connection_id,
    digest,
    packed,
    signer_of,
)
from brokers.link.secret import Secret
from engine.model.errors import CredentialsRefused

KEY = "0x" + "11" * 32
ADDRESS = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
NONCE = 1_700_000_000_000
CLOID = "0x0000000000000000000000000000a1b2"
ORDER: dict[str, Any] = {
    "type": "order",
    "orders": [
        {
            "a": 0, "b": True, "p": "60000", "s": "0.001", "r": False,
            "t": {"limit": {"tif": "Alo"}}, "c": CLOID,
        }
    ],
    "grouping": "na",
}  # fmt: skip
CANCEL = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}
SCHEDULE = {"type": "scheduleCancel", "time": NONCE + 10_000}
PACKED = (
    "83a474797065a56f72646572a66f72646572739187a16100a162c3a170a53630303030a173a5302e303031a172c2"
    "a17481a56c696d697481a3746966a3416c6fa163d922307830303030303030303030303030303030303030303030"
    "30303030303061316232a867726f7570696e67a26e61"
)


def signer(*, is_mainnet: bool = True) -> Signer:
    return Signer(Secret(KEY), is_mainnet=is_mainnet)


def test_every_step_of_the_worked_example() -> None:
    """Packed bytes, connection, digest."""
    assert PACKED == packed(ORDER).hex()
    connection = connection_id(ORDER, NONCE)
    assert "1adf1ef06d9aefa5a34193def1bbe1ab260a373355d75be8754c2cff938d8671" == connection.hex()
    assert (
        "fb28735d60a1dc043b757581ca8f3291f051923135fdc1bfaa842c11f81258e4"
        == digest(connection, is_mainnet=True).hex()
    )
    assert (
        "5e6ce6319f69104c5b5a9049f338d4de2aa1dc91fe149d2e51ba48666697c060"
        == connection_id(ORDER, NONCE, None, NONCE + 5_000).hex()
    )


WORKED = [
    # name, action, on mainnet, expires, r, s, v
    ("order", ORDER, True, None,
     0x7D1E8CF756F9A72E1C90B1E4CB6FB247B2EA595615A4296F815AE66BB2B2E30,
     0x2A773485B4ECDC17E9EF90D6E176AFFFA39BAA781292D83E87460C7AB0D94E86, 28),
    ("order on the testnet", ORDER, False, None,
     0xF21FFB239E38CD84D2CBCD37DB94DEA1C5CF12A15D1877D4A6828297653F148F,
     0x38236DBB821B192124BF05FB8061FA0AEC286AE321E360410059CE90FD5AFCD5, 28),
    ("order that expires", ORDER, True, NONCE + 5_000,
     0x506D0BFE64B02EF40AD7A3E485200AA7D32F768C870F7FD7BB348BEC51AB87EF,
     0x2FD39F75727227A64F960B931670C862296F801C0944EA2E38ED47A4D2B9393E, 28),
    ("cancel", CANCEL, True, None,
     0xE07D2A5BD7EA0AB0B5E01DC1A5E1DFEE89CB23455E62813EF9FCDC9367513A83, None, 27),
    ("dead man", SCHEDULE, True, None,
     0x59C8B5C5BC8DDB0AC2A988367D1D2A0EF32EC14F42058C04D1337150A1EED822, None, 27),
]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "is_mainnet", "expires_ms", "r", "s", "v"),
    [row[1:] for row in WORKED],
    ids=[row[0] for row in WORKED],
)
def test_worked_signature(action, is_mainnet, expires_ms, r, s, v) -> None:
    """As the sheet computed it."""
    made = signer(is_mainnet=is_mainnet).sign(action, NONCE, expires_ms=expires_ms)

    assert (r, v) == (made.r, made.v)
    assert s in {None, made.s}


def test_address() -> None:
    """Of the sheet's key."""
    assert ADDRESS == signer().address


def test_another_order_of_keys_is_another_wallet() -> None:
    """Which is how the venue sees it."""
    made = signer().sign(ORDER, NONCE)
    turned = {"grouping": "na", "type": "order", "orders": ORDER["orders"]}

    recovered = signer_of(digest(connection_id(turned, NONCE), is_mainnet=True), made)

    assert recovered is not None
    assert recovered != signer().address


@pytest.mark.parametrize(
    "made",
    [Signature(0, 0, 27), Signature(1, 1, 31), Signature(2**256, 1, 27), Signature(1, 1, 0), Signature(-1, 1, 27)],
)  # fmt: skip
def test_what_nobody_can_have_signed(made: Signature) -> None:
    """Is a value."""
    assert signer_of(bytes(32), made) is None


def test_words() -> None:
    """64 digits, small ones filled up."""
    words = signer().sign(ORDER, NONCE).words()

    assert "0x07d1e8cf756f9a72e1c90b1e4cb6fb247b2ea595615a4296f815ae66bb2b2e30" == words["r"]
    assert 28 == words["v"]


@pytest.mark.parametrize("key", ["", "0x", "12", "zz" * 32, "00" * 32, "ff" * 32, "11" * 33])
def test_a_key_that_is_none_is_refused_unseen(key: str) -> None:
    """In one line, which does not hold it."""
    with pytest.raises(CredentialsRefused) as refused:
        Signer(Secret(key), is_mainnet=True)

    told = "".join(traceback.format_exception(refused.value))
    assert key not in told or key in {"", "0x", "12"}


def test_a_signer_shows_no_key() -> None:
    """Nor lets itself be written."""
    assert "11" * 8 not in repr(signer())
    with pytest.raises(TypeError):
        pickle.dumps(signer())
    with pytest.raises(TypeError):
        pickle.dumps(Secret(KEY))
