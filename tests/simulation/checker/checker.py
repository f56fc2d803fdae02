"""The independent checker: venue log, journal and end state against one another.

Nothing of engine, brokers or laptop_agents is imported here (a test holds it): what the rules are
is typed from the documents a second time, so that one mistake does not hide the other.
"""

import json
from typing import Any

from tests.simulation.checker.chain import Line, lines
from tests.simulation.checker.endings import Endings
from tests.simulation.checker.evidence import Evidence
from tests.simulation.checker.lifecycle import Lifecycle
from tests.simulation.checker.limits import Limits
from tests.simulation.checker.market import Market
from tests.simulation.checker.money import Money
from tests.simulation.checker.orders import Orders
from tests.simulation.checker.verdicts import Verdicts

INPUTS = frozenset(
    ["quote", "trade", "depth", "funding", "bar", "malformed", "feed_status", "timer", "health"]
)


def check(evidence: Evidence) -> tuple[Verdicts, set[str]]:
    """Judge one life of a session; return the verdicts and the states it visited."""
    verdicts = Verdicts()
    has_ended = verdicts.hold("L4", 0, "", evidence.error[-300:])
    if not has_ended or b"\n" not in evidence.journal:
        return verdicts, set()
    settings = json.loads(evidence.journal.split(b"\n", 1)[0])["data"]["settings"]
    orders = Orders(evidence.venue, verdicts)
    money, lifecycle = Money(verdicts), Lifecycle(verdicts)
    limits = Limits(settings, orders=orders, money=money, lifecycle=lifecycle, verdicts=verdicts)
    market = Market(evidence.tags, settings, limits=limits, lifecycle=lifecycle, verdicts=verdicts)
    endings = Endings(evidence, lifecycle, verdicts)
    last_ns = 0
    for line in lines(evidence.journal, verdicts):
        if is_input(line):
            orders.see_input(line)
        else:
            orders.see(line)
        for see in (lifecycle.see, money.see, market.see, limits.see, endings.see):
            see(line)
        last_ns = max(last_ns, line.ts)
    orders.end(evidence.has_disk_failed)
    endings.end(settings, orders, money, last_ns)
    if evidence.report is not None:
        _report(evidence.report, evidence, money, lifecycle)
    return verdicts, lifecycle.visited


def _report(report: dict[str, Any], evidence: Evidence, money: Money, lifecycle: Lifecycle) -> None:
    is_whole = not evidence.has_disk_failed
    lifecycle.end(report, evidence.logged_transitions, is_whole)
    if is_whole:
        money.end(report)


def is_input(line: Line) -> bool:
    """Say whether the engine was told this rather than decided it."""
    return line.type in INPUTS or line.type.startswith("venue_") or line.type == "operator_command"
