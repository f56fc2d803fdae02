"""What a shadow session says of a key before it begins; it refuses none that may read."""

from decimal import Decimal
from typing import Any

import pytest

from brokers.link.account import Facts
from laptop_agents.settings import Settings
from laptop_agents.watching import warnings_of

D = Decimal
FACTS = Facts(
    "tail", D(100), (), 0, can_trade=False, can_withdraw=False, is_one_way=True,
    maker_fee_bps=None, taker_fee_bps=None, leverage=D(5), clock_offset_ns=0,
)  # fmt: skip
WARNED = [
    ({}, []),
    ({"can_withdraw": None}, []),
    ({"is_one_way": False, "balance": D(0)}, []),
    ({"can_withdraw": True}, ["the key ...tail can withdraw money"]),
    ({"clock_offset_ns": -1_000_000_000}, []),
    ({"clock_offset_ns": -1_001_000_000}, ["this machine's clock is 1001 ms off bitunix's"]),
]


@pytest.mark.parametrize(("changes", "words"), WARNED)
def test_warnings(changes: dict[str, Any], words: list[str]) -> None:
    told = list(warnings_of(FACTS._replace(**changes), Settings()))
    assert words == [line[: len(word)] for line, word in zip(told, words, strict=True)]
