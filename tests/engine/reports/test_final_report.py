"""The report against interface.md: its fields, its nulls, its exactness."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.account import Position
from engine.model.errors import IdentityBroken
from engine.model.records import FsmTransition
from engine.reports.final_report import build_report, decode_report, encode_report, iso
from engine.reports.latency import LatencyHistogram
from engine.reports.schema import JournalSummary, RunFacts
from engine.reports.statistics import Curve
from engine.reports.tally import Tally
from engine.reports.view import PositionView, SessionView
from tests.engine.reports.test_statistics import trip
from tests.engine.reports.test_tally import fill, submitted

D = Decimal
ZERO, BALANCE = D(0), D(10_000)

# Typed from interface.md, section "final_report.json", in its order.
FIELDS = [
    "run_id",
    "mode",
    "simulated",
    "symbols",
    "agents",
    "started_at",
    "ended_at",
    "duration_s",
    "requested_duration_s",
    "stop_reason",
    "exit_code",
    "starting_balance",
    "ending_balance",
    "equity",
    "pnl",
    "trades",
    "round_trips",
    "win_rate",
    "profit_factor",
    "expectancy",
    "avg_win",
    "avg_loss",
    "max_drawdown",
    "sharpe",
    "sortino",
    "exposure_pct",
    "turnover",
    "per_symbol",
    "per_agent",
    "orders",
    "errors",
    "reconnects",
    "malformed_ticks",
    "fsm",
    "breakers",
    "latency_us",
    "journal",
    "positions_at_end",
    "data_gaps",
]
NESTED = {
    "pnl": ["gross", "net", "realised", "unrealised", "fees", "funding", "pct"],
    "max_drawdown": ["abs", "pct", "duration_s"],
    "orders": ["submitted", "accepted", "amended", "canceled", "rejected", "blocked"],
    "fsm": ["final_state", "transitions"],
    "latency_us": ["tick_to_order"],
    "journal": ["events", "bytes", "head_hash"],
}
NULL_WHEN_EMPTY = [
    "win_rate",
    "profit_factor",
    "expectancy",
    "avg_win",
    "avg_loss",
    "sharpe",
    "sortino",
    "exposure_pct",
    "requested_duration_s",
]
NS = 1_000_000_000
START = 1_763_640_139 * NS


def make_facts(start: D = BALANCE) -> RunFacts:
    """Make a run of ten minutes."""
    return RunFacts(
        run_id="20251120T120219Z-abcd", mode="paper", simulated=True, symbols=("BTCUSDT",),
        agents=("maker",), started_ns=START, ended_ns=START + 600 * NS, requested_duration_s=None,
        stop_reason="operator_stop", exit_code=4, starting_balance=start,
    )  # fmt: skip


def make_view(start=BALANCE, realised=ZERO, fees=ZERO, funding=ZERO, unrealised=ZERO, **more):
    """Make a view whose books add up."""
    balance = start + realised - fees + funding
    return SessionView(
        ts_ns=START, state="STOPPED", equity=balance + unrealised, balance=balance,
        realised=realised, unrealised=unrealised, fees=fees, funding=funding, peak_equity=start,
        drawdown_pct=D(0), open_orders=0, fills=0, positions=more.get("positions", ()),
    )  # fmt: skip


def report_of(
    view: SessionView, tally: Tally | None = None, curve: Curve | None = None, refused=None
) -> bytes:
    """Build and encode."""
    report = build_report(
        make_facts(view.starting_balance), view, tally=tally or Tally(), curve=curve or Curve(),
        latency=LatencyHistogram().quantiles(), journal=JournalSummary(), refused=refused or {},
    )  # fmt: skip
    return encode_report(report)


def test_fields_are_those_of_the_interface() -> None:
    """Every field, no other, in the page's order, two levels deep."""
    document = json.loads(report_of(make_view()))

    assert list(document) == FIELDS
    assert {name: list(document[name]) for name in NESTED} == NESTED
    assert list(document["latency_us"]["tick_to_order"]) == ["p50", "p95", "p99", "max"]


def test_an_empty_session_knows_little_and_says_so() -> None:
    """Unknown is null, and only a count of nothing is 0."""
    document = json.loads(report_of(make_view()))

    assert [None] * len(NULL_WHEN_EMPTY) == [document[name] for name in NULL_WHEN_EMPTY]
    assert set(document["latency_us"]["tick_to_order"].values()) == {None}
    assert set(document["max_drawdown"].values()) == {None}
    assert set(document["journal"].values()) == {None}
    assert (
        document["trades"], document["round_trips"], document["errors"], document["data_gaps"],
    ) == (0, 0, {}, [])  # fmt: skip


cents = st.decimals(min_value=-(10**9), max_value=10**9, places=8)


@given(st.decimals(min_value=1, max_value=10**9, places=2), cents, cents, cents, cents)
def test_the_identity_survives_json(start, realised, fees, funding, unrealised) -> None:
    """A script that reads numbers as decimals finds the identity to the last digit."""
    text = report_of(make_view(start, realised, fees, funding, unrealised))

    document = json.loads(text, parse_float=D, parse_int=D)
    pnl = document["pnl"]
    assert document["equity"] == (
        document["starting_balance"] + pnl["realised"] - pnl["fees"] + pnl["funding"]
        + pnl["unrealised"]
    )  # fmt: skip
    assert pnl["gross"] == realised + unrealised
    assert pnl["net"] == document["equity"] - document["starting_balance"]


def test_digits_no_float_could_hold() -> None:
    """Money is not squeezed through a binary float on its way to the file."""
    realised = D("0.1234567890123456789012")
    document = json.loads(report_of(make_view(realised=realised)), parse_float=D)

    assert realised == document["pnl"]["realised"]
    assert isinstance(json.loads(report_of(make_view(realised=realised)))["equity"], float)


@pytest.mark.parametrize("field", ["equity", "balance"])
def test_books_that_do_not_add_up_are_refused(field) -> None:
    """A report never states money that is not there."""
    view = make_view(realised=D(5))
    broken = msgspec.structs.replace(view, **{field: getattr(view, field) + D("0.00000001")})

    with pytest.raises(IdentityBroken, match="start 10000"):
        build_report(
            make_facts(), broken, tally=Tally(), curve=Curve(),
            latency=LatencyHistogram().quantiles(), journal=JournalSummary(), refused={},
        )  # fmt: skip


def test_refused_ticks_are_counted_by_flaw() -> None:
    """The total is a field, what it is made of stands among the errors."""
    document = json.loads(report_of(make_view(), refused={"nan": 2, "crossed": 3}))

    assert document["malformed_ticks"] == 5
    assert document["errors"] == {"tick_crossed": 3, "tick_nan": 2}


def test_shares_add_up() -> None:
    """A symbol's gross has its open profit; an agent's is what its closed round trips made."""
    tally = Tally(("BTCUSDT", "ETHUSDT"), ("maker", "idle"))
    for event in (submitted(), fill(fee="0.1"), fill(fee="0.2"), trip(D(3)),
                  Position(1, "BTCUSDT", D(1), D(100), D("3.5"), D("0.3"), D(0)),
                  FsmTransition(1, "INIT", "READY", "HEALTH_OK", "session", ())):  # fmt: skip
        tally.see(event)
    held = PositionView(
        symbol="BTCUSDT", qty=D(1), entry_price=D(100), mark=D(102), unrealised=D(2)
    )
    flat = PositionView(symbol="ETHUSDT", qty=D(0), entry_price=None, mark=None, unrealised=D(0))
    view = make_view(realised=D("3.5"), fees=D("0.3"), unrealised=D(2), positions=(held, flat))
    document = json.loads(report_of(view, tally), parse_float=D)

    btc, maker = document["per_symbol"]["BTCUSDT"], document["per_agent"]["maker"]
    assert (2, 1, D("5.5"), D("5.2"), 1) == (
        btc["trades"], btc["round_trips"], btc["gross"], btc["net"], btc["win_rate"],
    )  # fmt: skip
    assert (D("3.5"), D("3.2"), D("0.01")) == (maker["gross"], maker["net"], maker["turnover"])
    assert document["per_agent"]["idle"]["win_rate"] is None
    assert document["per_agent"]["idle"]["trades"] == 0
    assert document["per_symbol"]["ETHUSDT"]["net"] == 0
    assert [p["symbol"] for p in document["positions_at_end"]] == ["BTCUSDT"]
    assert document["fsm"]["final_state"] == "READY"


def test_a_report_reads_back_and_a_missing_field_does_not() -> None:
    """What is written is what the struct says, both ways."""
    text = report_of(make_view(realised=D("1.10")))
    document = json.loads(text)
    del document["sortino"]

    assert text == encode_report(decode_report(text))
    assert text.endswith(b"}\n")
    with pytest.raises(msgspec.ValidationError, match="sortino"):
        decode_report(json.dumps(document).encode())


def test_times() -> None:
    """UTC with microseconds; nanoseconds are cut, not rounded."""
    assert iso(START + 123_456_999) == "2025-11-20T12:02:19.123456Z"
    assert iso(0) == "1970-01-01T00:00:00.000000Z"
