"""What a journal proves about how a session kept its rules, in one pass and in little memory.

Every intent must have been judged and must say why it was wished; every cancel must have been
routed or refused; every order sent must stand on an intent the gate approved. What was not recorded
(`journal.detail`) is None, never 0.

Source: issue 3 item 5, compliance table; reliability.md B1, B8.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from engine.risk.states import FsmState
from engine.session.audit_story import data_of
from engine.session.journal_reader import Line

LISTED_MAX: Final = 200
"""Of each kind of finding the first are listed, all are counted."""
APPROVALS_KEPT: Final = 65_536
"""Approved intents remembered; an order waits a few seconds for a cancel in its way, not longer."""
HALTING: Final = frozenset({FsmState.DEGRADED, FsmState.EMERGENCY})


class Share(msgspec.Struct):
    """How many of a whole kept a rule, and who did not."""

    of: int = 0
    kept: int = 0
    broken_by: list[str] = []

    @property
    def is_kept(self) -> bool:
        """Whether all did."""
        return self.kept == self.of

    def count(self, name: str, *, is_kept: bool) -> None:
        """Add one case."""
        self.of += 1
        self.kept += is_kept
        if not is_kept and len(self.broken_by) < LISTED_MAX:
            self.broken_by.append(name)


class Finding(msgspec.Struct, frozen=True):
    """A line a reviewer should see."""

    line: int
    ts_ns: int
    type: str
    data: dict[str, Any]


class Compliance(msgspec.Struct, kw_only=True):
    """One journal's account of itself."""

    started: dict[str, Any]
    lines: int = 0
    began_ns: int = 0
    ended_ns: int = 0
    head_hash: str = ""
    judged: Share | None
    """Intents with a verdict of the gate."""
    reasoned: Share | None
    """Intents and cancels that say why."""
    routed: Share | None
    """Cancels the router or the gate has answered."""
    approved: Share | None
    """Orders sent whose intent was approved before."""
    refused: dict[str, int] = {}
    """What the gate refused, by rule."""
    errors: dict[str, int] = {}
    breakers: list[Finding] = []
    halts: list[Finding] = []
    """Entries into DEGRADED and EMERGENCY."""
    operators: list[Finding] | None
    """Commands from outside, with who gave them."""
    ending: dict[str, Any] = {}
    """The last line's data where the session ended, else the last heartbeat's."""
    not_listed: int = 0
    """Findings beyond the first of their kind."""

    @property
    def settings(self) -> dict[str, Any]:
        """The resolved settings; none where the first line is not ours."""
        settings = self.started.get("settings")
        return settings if isinstance(settings, dict) else {}

    @property
    def limits(self) -> dict[str, Any]:
        """Every limit that was in force, by setting; a running session can't change one."""
        return {
            name: value
            for name, value in sorted(self.settings.items())
            if name.startswith("risk.") and value is not None
        }

    @property
    def is_compliant(self) -> bool:
        """Whether no rule was broken, as far as the journal can tell."""
        shares = (self.judged, self.reasoned, self.routed, self.approved)
        return all(share is None or share.is_kept for share in shares)


class Auditor:
    """Reads lines in order; `compliance` grows with them."""

    def __init__(self, first: Line) -> None:
        started = data_of(first)
        settings = started.get("settings")
        detail = settings.get("journal.detail") if isinstance(settings, dict) else None
        has_why = detail in ("inputs", "decisions")
        self.compliance = Compliance(
            started=started,
            began_ns=first.ts_ns,
            judged=Share() if has_why else None,
            reasoned=Share() if has_why else None,
            routed=Share() if has_why else None,
            approved=Share() if has_why else None,
            operators=[] if detail == "inputs" else None,
        )
        self._has_why = has_why
        self._unjudged: dict[str, str] = {}
        """Intents since the last answer, by id; an answer comes in the same step."""
        self._approved: dict[str, None] = {}
        self._refused: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._rows: dict[str, Callable[[Line], None]] = {
            "gate_verdict": self._verdict,
            "fsm_transition": self._transition,
            "breaker": lambda line: self._list(self.compliance.breakers, line),
            "error": self._error,
            "operator_command": self._operator,
            "heartbeat": self._beat,
            "session_ended": self._beat,
        }
        if has_why:
            self._rows |= {
                "intent": self._intent,
                "intent_cancel": self._intent,
                "router_decision": self._routed,
                "order_submitted": self._submitted,
            }
        self._last = first
        self._last_beat: Line | None = None
        self.read(first)

    def read(self, line: Line) -> None:
        """Take one line.

        Raises:
            StateDamaged: It is chained, but no session wrote it so.

        """
        self._last = line
        row = self._rows.get(line.type)
        if row is not None:
            row(line)

    def done(self) -> Compliance:
        """Return the account up to the last line read."""
        told = self.compliance
        while self._unjudged:
            self._settle(*self._unjudged.popitem(), is_kept=False)
        told.lines, told.head_hash = self._last.seq, self._last.hash
        told.ended_ns = self._last.ts_ns
        told.refused = dict(sorted(self._refused.items()))
        told.errors = dict(sorted(self._errors.items()))
        told.ending = data_of(self._last_beat) if self._last_beat else {}
        return told

    def _intent(self, line: Line) -> None:
        data = data_of(line)
        name = data["intent_id"]
        assert self.compliance.reasoned is not None, "a row only where intents are recorded"
        self.compliance.reasoned.count(name, is_kept=bool(data["reason"].strip()))
        if name in self._unjudged:
            self._settle(name, self._unjudged.pop(name), is_kept=False)
        self._unjudged[name] = line.type

    def _verdict(self, line: Line) -> None:
        data = data_of(line)
        name = data["intent_id"]
        if name in self._unjudged:
            self._settle(name, self._unjudged.pop(name), is_kept=True)
        if data["is_approved"]:
            self._approved[name] = None
            if len(self._approved) > APPROVALS_KEPT:
                del self._approved[next(iter(self._approved))]
        elif not data["is_waiting"]:
            self._refused[data["rule"]] += 1

    def _routed(self, line: Line) -> None:
        name = data_of(line)["intent_id"]
        if self._unjudged.get(name) == "intent_cancel":
            self._settle(name, self._unjudged.pop(name), is_kept=True)

    def _settle(self, name: str, kind: str, *, is_kept: bool) -> None:
        share = self.compliance.judged if kind == "intent" else self.compliance.routed
        assert share is not None, "intents are pending only where they are recorded"
        share.count(name, is_kept=is_kept)

    def _submitted(self, line: Line) -> None:
        name = data_of(line)["order_id"]
        assert self.compliance.approved is not None, "a row only where verdicts are recorded"
        self.compliance.approved.count(name, is_kept=name in self._approved)

    def _transition(self, line: Line) -> None:
        if data_of(line)["to_state"] in HALTING:
            self._list(self.compliance.halts, line)

    def _operator(self, line: Line) -> None:
        if self.compliance.operators is not None:
            self._list(self.compliance.operators, line)

    def _error(self, line: Line) -> None:
        self._errors[data_of(line)["kind"]] += 1

    def _beat(self, line: Line) -> None:
        self._last_beat = line

    def _list(self, findings: list[Finding], line: Line) -> None:
        if len(findings) < LISTED_MAX:
            findings.append(Finding(line.seq, line.ts_ns, line.type, data_of(line)))
        else:
            self.compliance.not_listed += 1


def audited(lines: Iterable[Line]) -> Compliance:
    """Account for a whole journal.

    Raises:
        JournalDamaged: A line is not proven.
        StateDamaged: One is proven, but no session wrote it so.

    """
    rest = iter(lines)
    auditor = Auditor(next(rest))
    for line in rest:
        auditor.read(line)
    return auditor.done()
