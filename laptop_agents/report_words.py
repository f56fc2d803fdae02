"""A compliance report in words: one run, or the runs of a day. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.model.money import HUNDRED, ROUNDED
from engine.reports.compliance import Compliance, Finding, Share
from engine.session.sanitize import sanitize
from laptop_agents.audit_words import columns, details, figure, iso, shown

RULES: Final = (
    # field of Compliance, what it counts, what it must have
    ("judged", "intents", "a verdict"),
    ("reasoned", "intents and cancels", "a rationale"),
    ("routed", "cancels", "a route or a refusal"),
    ("approved", "orders sent", "an approved intent"),
)
BROKEN_SHOWN: Final = 20
"""Ids named in a line; `--json` has more of them."""


class Audited(NamedTuple):
    """One run and what was found in it."""

    folder: Path
    compliance: Compliance
    proof: str
    """What proves that the journal is whole, in words."""
    damage: str
    """Why the account ends early; empty where it does not."""


def run_report(one: Audited) -> Iterator[str]:
    """Yield the report of one run."""
    told = one.compliance
    yield _title(one)
    yield f"journal: {told.lines} lines proven, head {told.head_hash}, {one.proof}"
    if one.damage:
        yield f"DAMAGED: {sanitize(one.damage, 4_096)}; what follows ends before that line"
    yield _outcome(told.ending)
    yield ""
    yield "compliance"
    yield from columns([*_rules(told)], right=(1, 3, 4))
    yield from _broken(told)
    yield ""
    yield "limits in force"
    yield from _pairs(told.limits)
    yield ""
    yield "refused by the gate"
    yield from _pairs(told.refused)
    yield ""
    yield "breakers"
    yield from _findings(told.breakers)
    yield ""
    yield "entries into DEGRADED and EMERGENCY"
    yield from _findings(told.halts)
    yield ""
    yield "errors"
    yield from _pairs(told.errors)
    yield ""
    yield "operator actions"
    yield from _operators(told)
    if told.not_listed:
        yield f"and {told.not_listed} more lines of these kinds: see `audit query`"


def day_report(day: str, runs: Sequence[Audited]) -> Iterator[str]:
    """Yield the summary of a day: a row a run, the sum, and what was broken."""
    if not runs:
        yield f"no run was started on {day} (UTC)"
        return
    yield f"{day} (UTC): {len(runs)} runs"
    heading = ("run", "ended", "intents", "verdict", "rationale", "orders", "approved",
               "refused", "breakers", "halts", "operators", "net pnl")  # fmt: skip
    rows = [_day_row(one) for one in runs]
    yield from columns([heading, *rows], right=tuple(range(2, len(heading))))
    yield ""
    yield "over all runs"
    yield from columns([*_sums(runs)], right=(1, 3, 4))
    for one in runs:
        broken = [*_broken(one.compliance)]
        broken += [f"  DAMAGED: {sanitize(one.damage, 4_096)}"] if one.damage else []
        if broken:
            yield f"{sanitize(one.folder.name)}:"
            yield from broken


def _title(one: Audited) -> str:
    started = one.compliance.started
    words = [f"run {sanitize(one.folder.name)}", shown(started.get("mode", "?"))]
    words += ["SIMULATED"] if started.get("simulated") else []
    words += [shown(started.get(name, "?")) for name in ("source", "started_at")]
    return ", ".join(words)


def _outcome(ending: Mapping[str, Any]) -> str:
    reason = ending.get("stop_reason")
    words = [f"ended: {shown(reason)}" if reason else "ended: not yet, or abruptly"]
    words += [f"{name} {shown(ending[name])}" for name in ("equity", "pnl") if name in ending]
    return ", ".join(words)


def _rules(told: Compliance) -> Iterator[tuple[str, ...]]:
    for field, what, must in RULES:
        yield _rule(getattr(told, field), what, must)


def _rule(share: Share | None, what: str, must: str) -> tuple[str, ...]:
    if share is None:
        return f"  {what}", "-", f"with {must}", "-", "not recorded"
    return f"  {what}", str(share.of), f"with {must}", str(share.kept), percent(share)


def percent(share: Share) -> str:
    """Return how many kept a rule; never 100 while one did not."""
    if not share.of:
        return "-"
    part = ROUNDED.divide(share.kept * HUNDRED, share.of)
    if share.is_kept:
        return "100 %"
    return f"{min(part, HUNDRED - HUNDRED / 10_000):.2f} %"


def _broken(told: Compliance) -> Iterator[str]:
    for field, what, must in RULES:
        share: Share | None = getattr(told, field)
        if share is not None and not share.is_kept:
            names = ", ".join(sanitize(name, 80) for name in share.broken_by[:BROKEN_SHOWN])
            more = share.of - share.kept - BROKEN_SHOWN
            yield f"  {what} without {must}: {names}{f' and {more} more' if more > 0 else ''}"


def _pairs(pairs: Mapping[str, object]) -> list[str]:
    return columns([(f"  {sanitize(n)}", shown(v)) for n, v in pairs.items()] or [("  none", "")])


def _findings(findings: Sequence[Finding]) -> list[str]:
    rows = [(f"  {iso(one.ts_ns)}", f"line {one.line}", details(one.data)) for one in findings]
    return columns(rows or [("  none", "", "")])


def _operators(told: Compliance) -> list[str]:
    if told.operators is None:
        return ["  not recorded: the run kept less journal.detail"]
    rows = [
        (
            f"  {iso(one.ts_ns)}",
            f"line {one.line}",
            shown(one.data["command"]),
            f"by {shown(one.data['by'])}",
            shown(one.data["argument"]),
        )
        for one in told.operators
    ]
    return columns(rows or [("  none", "", "", "", "")])


def _day_row(one: Audited) -> tuple[str, ...]:
    told = one.compliance
    pnl = figure(told.ending.get("pnl"))
    return (
        sanitize(one.folder.name),
        shown(told.ending.get("stop_reason", "not yet, or abruptly")),
        _count(told.judged),
        _percent(told.judged),
        _percent(told.reasoned),
        _count(told.approved),
        _percent(told.approved),
        str(sum(told.refused.values())),
        str(len(told.breakers)),
        str(len(told.halts)),
        "-" if told.operators is None else str(len(told.operators)),
        "-" if pnl is None else f"{pnl:+z,.2f}",
    )


def _count(share: Share | None) -> str:
    return "-" if share is None else str(share.of)


def _percent(share: Share | None) -> str:
    return "-" if share is None else percent(share)


def _sums(runs: Sequence[Audited]) -> Iterator[tuple[str, ...]]:
    for field, what, must in RULES:
        shares: list[Share | None] = [getattr(one.compliance, field) for one in runs]
        known = [share for share in shares if share is not None]
        total = Share(sum(s.of for s in known), sum(s.kept for s in known)) if known else None
        yield _rule(total, what, must)
