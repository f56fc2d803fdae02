"""Every code of the sheet (section 9), every status, and what nobody has ever seen."""

import json

import pytest

from brokers.binance.faults import fault_in
from engine.model.venue_events import RejectReason as R

SHEET = {
    R.AUTH: "-1002 -1022 -2014 -2015 -1099 -2017",
    R.CLOCK_SKEW: "-1021 -5028",
    R.RATE_LIMIT: "-1003 -1015 -5041",
    R.INSUFFICIENT_BALANCE: "-2018 -2019 -2024 -2027 -2028",
    R.INVALID_ORDER: "-1013 -1102 -1106 -1111 -1115 -1116 -1121 -2010 -2025 -2026 -4003 -4005"
    " -4014 -4015 -4024 -4131 -4061 -4120 -4164 -5025 -5026 -5027 -5047",
    R.ORDER_NOT_FOUND: "-2013 -2011",
    R.POST_ONLY_WOULD_CROSS: "-5022",
    R.NO_LIQUIDITY: "-5021",
    R.REDUCE_ONLY_REJECTED: "-2022 -4118",
    R.DUPLICATE_CLIENT_ID: "-4116",
    R.VENUE_UNAVAILABLE: "-1016",
    None: "-1000 -1001 -1006 -1007 -1008",
}
CODES = [(int(code), reason) for reason, codes in SHEET.items() for code in codes.split()]


def said(code: int, text: str = "some text") -> bytes:
    return json.dumps({"code": code, "msg": text}).encode()


@pytest.mark.parametrize(("code", "reason"), CODES)
def test_every_code_means_what_the_sheet_says(code: int, reason: R | None) -> None:
    """With its own status or, as has been seen, inside a 200."""
    for status in (400, 200):
        fault = fault_in(status, said(code))
        assert (reason, code, f"{code}: some text") == (fault.reason, fault.code, fault.detail)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b"", R.AUTH), (403, b"<html>WAF", R.AUTH), (451, b"", R.AUTH),
        (429, b"", R.RATE_LIMIT), (418, b"<html>", R.RATE_LIMIT),
        (429, said(-1003), R.RATE_LIMIT), (418, said(-1), R.RATE_LIMIT),
        (400, said(-9999), R.INVALID_ORDER), (400, b"<html>", None), (404, b"", None),
        (408, said(-1007), None), (302, b"", None),
        (500, b"", None), (502, b"<html>", None), (503, b"Service Unavailable", None),
        (500, said(-9999), None), (504, b"\xff\xfe", None),
    ],
)  # fmt: skip
def test_a_status_counts_where_no_code_does(status: int, body: bytes, reason: R | None) -> None:
    """What surely had no effect, and what nobody knows."""
    assert reason == fault_in(status, body).reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Account has insufficient balance for requested action.", R.INSUFFICIENT_BALANCE),
        ("Order would immediately match and take.", R.POST_ONLY_WOULD_CROSS),
        ("ReduceOnly Order is rejected.", R.REDUCE_ONLY_REJECTED),
        ("Reduce only order failed", R.REDUCE_ONLY_REJECTED),
        ("Duplicate order sent.", R.DUPLICATE_CLIENT_ID),
        ("", R.INVALID_ORDER),
    ],
)
def test_the_generic_code_is_read_by_its_text(text: str, reason: R) -> None:
    """-2010 means anything."""
    assert reason == fault_in(400, said(-2010, text)).reason


@pytest.mark.parametrize(
    "body",
    [b'{"code":200,"msg":"done"}', b"[]", b'{"orderId":1}', b"<html>", b"", b'{"code":"x"}'],
)
def test_a_good_status_is_no_fault_by_itself(body: bytes) -> None:
    """Whether the answer makes sense is seen where it is read."""
    assert fault_in(200, body) is None


def test_overload_is_told_apart() -> None:
    """By its code, or by the words beside 503."""
    assert fault_in(503, said(-1008)).is_overload
    assert fault_in(503, b"Service Unavailable").is_overload
    assert not fault_in(503, said(-1007)).is_overload
    assert not fault_in(503, b"Unknown error, please check your request").is_overload


def test_a_hostile_text_is_taken_in_whole_and_harmless() -> None:
    """Short, printable; deep nesting and wrong types are no code."""
    fault = fault_in(400, said(-1013, "\x1b]0;pwn\x07\u202e" + "x" * 500))
    assert len(fault.detail) <= 120
    assert fault.detail.isprintable()
    for body in (b"[" * 100_000, b'{"code":' + b"9" * 5_000 + b"}", b'{"code":-1013,"msg":[]}'):
        assert fault_in(400, body).reason is None
