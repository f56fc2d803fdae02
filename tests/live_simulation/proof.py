"""Whether a session and its venue agree in the end: fill by fill, flat, and by its own replay."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any, Final, NamedTuple

from engine.model.money import ROUNDED
from engine.reports.final_report import NAME as REPORT_NAME
from engine.reports.schema import FinalReport
from laptop_agents.running import LOG_NAME
from laptop_agents.runs import JOURNAL_NAME
from tests.live_simulation.lives import Outcome
from tests.live_simulation.world import FADE_S, SECOND_NS, World
from tests.simulation.checker.checker import check
from tests.simulation.checker.evidence import Evidence
from tests.simulation.checker.verdicts import Broken, Verdicts
from tests.simulation.trial import replayed

DISAGREED: Final = "reconcile_failed"
CUT_OFF: Final = "shutdown_deadline"
STANDS_FOR: Final = "@"
MILLIONTH: Final = Decimal("0.000001")
CENT: Final = Decimal("0.01")
Line = dict[str, Any]


class Execution(NamedTuple):
    """One fill as either side wrote it down."""

    trade_id: str
    side: str
    price: Decimal
    qty: Decimal


def broken(world: World, outcome: Outcome) -> tuple[list[Broken], Counter[str], Evidence]:
    """Return what does not hold, how often each invariant was judged, and what was judged."""
    life, evidence = outcome.life, _evidence(world, outcome)
    verdicts, _ = check(evidence)
    if not evidence.error and life is not None and life.report is not None:
        verdicts.hold("C9", 0, "", replayed(evidence))
        lines = [json.loads(raw, parse_float=Decimal) for raw in evidence.journal.splitlines()]
        _ended(world, outcome, lines, verdicts)
        _executions(outcome, lines, life.report.stop_reason, verdicts)
        if not outcome.positions and life.report.stop_reason != CUT_OFF:
            _money(outcome, life.report, verdicts)
    return verdicts.broken, verdicts.counts, evidence


def _ended(world: World, outcome: Outcome, lines: list[Line], verdicts: Verdicts) -> None:
    """Judge an end that was due while nothing was wrong: orderly, and nothing left at the venue."""
    life = outcome.life
    assert life is not None
    assert life.report is not None
    reason = life.report.stop_reason
    verdicts.judge("A6", 0, reason != DISAGREED, "nobody else uses this account", reason)
    is_calm = lines[-1]["ts"] > world.calm_ns + FADE_S * SECOND_NS
    if not is_calm:
        return
    verdicts.judge("L2", 0, reason != CUT_OFF, "an orderly end", reason)
    verdicts.hold("L2", 0, ([], []), (outcome.left_open, life.live_orders))
    if dict(world.flags)["session.flatten_on_stop"] == "true":
        verdicts.hold("L3", 0, {}, outcome.positions)


def _executions(outcome: Outcome, lines: list[Line], reason: str, verdicts: Verdicts) -> None:
    """Hold every execution of the venue's ledger against the journal's, number by number.

    Where a venue told too late what an order was dealt at, one line stands for several executions:
    then quantity and cost of the order's side must be those. A session that was cut off at its
    deadline can't know what its orders did behind it.
    """
    theirs = Counter(
        _execution(one, "fill_price", "fill_qty") for one in outcome.sandbox.ledger.fills()
    )
    ours = Counter(
        _execution(line["data"], "price", "qty") for line in lines if line["type"] == "fill"
    )
    missing, extra = theirs - ours, ours - theirs
    if reason == CUT_OFF and not extra:
        return
    stood_for = [one for one in extra.elements() if STANDS_FOR in one.trade_id]
    verdicts.hold("A5", 0, sorted(extra.elements()), sorted(stood_for))
    verdicts.hold("A5", 0, _sums(missing), _sums(extra))


def _money(outcome: Outcome, report: FinalReport, verdicts: Verdicts) -> None:
    """Hold what a flat account's wallet has in the end against our books.

    Fees in BNB left it alone; agents whose shares cancel out have made of them what is unrealised.
    """
    elsewhere = sum((fee.worth or Decimal(0) for fee in report.other_fees or ()), Decimal(0))
    theirs, ours = outcome.wallet, report.equity + elsewhere
    verdicts.judge("A7", 0, abs(theirs - ours) <= CENT, f"a wallet of {theirs}", ours)


def _execution(data: dict[str, Any], price: str, qty: str) -> Execution:
    numbers = (Decimal(str(data[name])).normalize() for name in (price, qty))
    return Execution(str(data["trade_id"]), str(data["side"]), *numbers)


def _sums(executions: Counter[Execution]) -> dict[str, tuple[Decimal, Decimal]]:
    """Return quantity and cost by side, to a millionth."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for one in executions.elements():
        qty, cost = sums.get(one.side, (Decimal(0), Decimal(0)))
        sums[one.side] = qty + one.qty, cost + ROUNDED.multiply(one.qty, one.price)
    return {
        side: (qty.normalize(), cost.quantize(MILLIONTH, context=ROUNDED))
        for side, (qty, cost) in sums.items()
    }


def _evidence(world: World, outcome: Outcome) -> Evidence:
    life = outcome.life
    assert life is not None, "every session begins"
    folder = life.run.folder
    report = None
    if life.report is not None:
        content = folder.file(REPORT_NAME).read_bytes()
        report = json.loads(content, parse_float=str, parse_int=str)
    facts = [
        {"entry": "fact", "what": "venue_fill", "symbol": one["symbol"], "side": one["side"],
         "qty": one["fill_qty"], "order_id": one["client_id"]}
        for one in outcome.sandbox.ledger.fills()
    ]  # fmt: skip
    return Evidence(
        seed=world.seed,
        journal=folder.file(JOURNAL_NAME).read_bytes(),
        prefixes=tuple(outcome.prefixes),
        venue=(*life.log.entries, *facts),
        tags=(),
        calm_ns=world.calm_ns + FADE_S * SECOND_NS,
        report=report,
        logged_transitions=folder.file(LOG_NAME).read_bytes().count(b'"fsm_transition"'),
        has_disk_failed=False,
        error=outcome.error + life.error,
    )
