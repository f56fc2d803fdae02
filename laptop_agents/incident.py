"""An incident report to fill in: Markdown, with everything the run itself knows. Pure."""

from collections.abc import Iterator, Sequence

from engine.reports.compliance import Finding
from engine.session.sanitize import sanitize
from laptop_agents.audit_words import details, iso, shown
from laptop_agents.report_words import RULES, Audited, percent

MONEY = ("equity", "pnl", "fees", "funding", "unrealised", "open_orders", "positions")
FOR_PEOPLE = (
    # heading, what belongs there
    ("Impact", "Who or what was affected, and what it cost beyond the figures above."),
    ("Detection", "Who noticed, when, and by what: an alert, a figure, a person?"),
    ("Root cause", "What was wrong, not who. `audit why` and `replay --set` help to prove it."),
    ("What went well, what did not", ""),
    ("Actions", "- [ ] what, who, until when"),
)


def incident(one: Audited, evidence: Sequence[str]) -> Iterator[str]:
    """Yield the template.

    Args:
        one: The run, read to its end.
        evidence: Folders of evidence, relative to the run.
    """
    told = one.compliance
    started = told.started
    yield f"# Incident: run {_code(one.folder.name)}"
    yield ""
    yield "Status: draft. Author: ____. Reviewed by: ____."
    yield ""
    yield "## What is known"
    yield ""
    yield "| fact | value |"
    yield "|---|---|"
    yield from _row("mode", started.get("mode"), " SIMULATED" if started.get("simulated") else "")
    yield from _row("source", started.get("source"))
    yield from _row("symbols", started.get("symbols"))
    yield from _row("agents", started.get("agents"))
    yield from _row("program", started.get("versions"))
    yield from _row("started (wall clock)", started.get("started_at"))
    yield from _row("first and last event", f"{iso(told.began_ns)} to {iso(told.ended_ns)}")
    yield from _row("stop reason", told.ending.get("stop_reason"))
    for name in MONEY:
        yield from _row(f"{name} at the end", told.ending.get(name))
    yield from _row("journal", f"{told.lines} lines, head {told.head_hash}")
    yield from _row("proof", one.damage or one.proof)
    yield ""
    yield "## Timeline"
    yield ""
    yield "| time (UTC) | line | what | |"
    yield "|---|---|---|---|"
    yield from _timeline([*told.halts, *told.breakers, *(told.operators or ())])
    yield ""
    yield "## Rules and limits"
    yield ""
    for field, what, must in RULES:
        share = getattr(told, field)
        said = "not recorded" if share is None else f"{share.kept} of {share.of}, {percent(share)}"
        yield f"- {what} with {must}: {said}"
    yield from (f"- refused by {_code(rule)}: {count}" for rule, count in told.refused.items())
    yield from (f"- error {_code(kind)}: {count}" for kind, count in told.errors.items())
    yield from (f"- {_code(name)} = {_code(shown(value))}" for name, value in told.limits.items())
    yield ""
    yield "## Evidence"
    yield ""
    yield from (f"- {_code(name)}" for name in evidence)
    yield f"- prove it: `laptop-agents audit verify {one.folder.name}`"
    yield f"- hand it on: `laptop-agents runs export {one.folder.name}`"
    for heading, text in FOR_PEOPLE:
        yield ""
        yield f"## {heading}"
        yield ""
        yield text


def _timeline(findings: Sequence[Finding]) -> Iterator[str]:
    for one in sorted(findings, key=lambda finding: finding.line):
        yield (
            f"| {iso(one.ts_ns)} | {one.line} | {_code(one.type)} | {_code(details(one.data))} |"
        )


def _row(fact: str, value: object, suffix: str = "") -> Iterator[str]:
    if value not in (None, "", [], {}):
        yield f"| {fact} | {_code(shown(value))}{suffix} |"


def _code(text: str) -> str:
    """Quote text from outside so that Markdown shows it as it is: no table, link or tag of its own.

    A backquote can't be escaped inside a code span, so it becomes an apostrophe.
    """
    plain = sanitize(text, 400).replace("`", "'").replace("|", "\N{BROKEN BAR}")
    return f"`{plain}`" if plain else ""
