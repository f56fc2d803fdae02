"""Whatever bytes a venue sends: read, or refused in the words each caller expects; never else."""

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.binance import answers, terms
from brokers.binance.answers import BROKEN
from brokers.binance.faults import Fault, fault_in
from brokers.binance.fees import Fees
from brokers.binance.user_stream import Told, read
from brokers.link.account import FillReport, OrderReport
from engine.model.text import sanitize
from tests.brokers.binance.payloads import ORDER, TRADE, UPDATE, event

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=50),
    st.sampled_from(["NaN", "1e999", "-0", "0x1", "١", "1_0", " 1", "\x1b[2J", "9" * 41, ".5", "5."]),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers()),
)  # fmt: skip
READERS = (
    answers.report, answers.reports, answers.restraints, answers.trades, answers.holdings,
    lambda body: answers.balance(body, "USDT"), terms.fees_bps, terms.margins, terms.is_one_way,
    terms.permissions, terms.listen_key, terms.server_time_ms, terms.limits_in,
    lambda body: terms.fundings(body, "USDT"),
)  # fmt: skip


def told(data: bytes) -> Told | None:
    try:
        return read(data, "USDT", Fees("USDT").of)
    except BROKEN:
        return None


def harmless(text: str) -> bool:
    """Whether a terminal can be shown it."""
    return len(text) <= 120 and sanitize(text) == text


def sound(report: object) -> bool:
    """Whether what was read can be shown and counted with."""
    texts = [value for value in report if type(value) is str]
    numbers = [value for value in report if hasattr(value, "is_finite")]
    return all(map(harmless, texts)) and all(one.is_finite() for one in numbers)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    """No reader raises anything else, and a fault is always printable."""
    told(data)
    for reader in READERS:
        with suppress(*BROKEN):
            reader(data)
    for status in (200, 400, 503):
        fault = fault_in(status, data)
        assert fault is None or (isinstance(fault, Fault) and harmless(fault.detail))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(UPDATE)), VALUES, max_size=4))
def test_an_event_with_strange_values(changes: dict) -> None:
    """Read soundly, or not at all."""
    found = told(event(**changes))
    for report in found.reports if found else ():
        assert isinstance(report, OrderReport | FillReport)
        assert sound(report)
        assert report.at_ns >= 0


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(ORDER)), VALUES, max_size=4),
    st.dictionaries(st.sampled_from(sorted(TRADE)), VALUES, max_size=4),
)
def test_answers_with_strange_values(order: dict, trade: dict) -> None:
    """The same."""
    with suppress(*BROKEN):
        assert sound(answers.report(json.dumps(ORDER | order).encode()))
    with suppress(*BROKEN):
        for one in answers.trades(json.dumps([TRADE | trade]).encode()):
            assert sound(answers.fill(one, "", Fees("USDT").of))
