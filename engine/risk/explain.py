"""What every rule of the gate says of one intent, not only the first that refuses. Pure.

The gate stops at its first refusal; whoever asks why wants the whole table. Each row is the rule
itself, asked again: once with its own limit, for the verdict, and where that passes once more with
a limit nothing can meet, because then it tells its reading. So no formula stands here twice.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engine.risk import rules
from engine.risk.context import GateContext
from engine.risk.limits import RiskLimits
from engine.risk.rules import RULES, Rule, RuleRow, Scope

UNREACHABLE: Final = -(10**9)
"""A limit below every reading; each rule refuses by it and names the reading."""

PRICELESS: Final[frozenset[Rule]] = frozenset(
    {
        rules.reference_price,
        rules.position_size,
        rules.open_orders,
        rules.open_orders_per_symbol,
    }
)
"""Rules about added risk that can be read without a price."""


class RuleReading(NamedTuple):
    """One row of the gate, judged on its own."""

    name: str
    setting: str
    """The limit under `risk.*` behind the rule; empty where none is set by a person."""
    limit: str
    reading: str
    passed: bool | None
    """None where the rule has no say: switched off, out of its scope, or about other orders."""


def explain(context: GateContext, limits: RiskLimits) -> list[RuleReading]:
    """Ask every rule of `RULES`, in their order.

    Args:
        context: Readings as the kernel fills them in; their second group is worked out anew.
        limits: Those of the session.

    Returns:
        A row a rule. The first with `passed` False is the refusal the gate would give, unless the
        intent's id was seen before.

    """
    flaw = rules.ill_formed(context.intent, context.view.instrument)
    if flaw is not None:
        return _of_ill_formed(context, flaw)
    context.judge()
    scope = Scope.ADDING
    if not context.adds_risk:
        scope = Scope.ALL if context.is_house else Scope.NORMAL
    is_priced = rules.reference_price(context, None) is None
    return [_row(row, context, limits, scope, is_priced=is_priced) for row in RULES]


def _of_ill_formed(context: GateContext, flaw: rules.Refusal) -> list[RuleReading]:
    """Return the rows of an intent nothing can be computed from; it counts as adding risk."""
    context.adds_risk = True
    forbidden = rules.state(context, None)
    table = []
    for row in RULES:
        if row.check is rules.state:
            reading = forbidden or ("", context.state)
            table.append(RuleReading(row.name, "", *reading, forbidden is None))
        elif row.check is rules.venue_rules:
            table.append(RuleReading(row.name, "", *flaw, False))
        else:
            table.append(RuleReading(row.name, row.setting, "", "the intent can't be read", None))
    return table


def _row(
    row: RuleRow, context: GateContext, limits: RiskLimits, scope: Scope, *, is_priced: bool
) -> RuleReading:
    limit: Any = getattr(limits, row.setting) if row.setting else None
    shown = f"{limit} ms" if row.setting.endswith("_ms") else str(limit)
    if row.setting and limit is None:
        return RuleReading(row.name, row.setting, "off", "", None)
    if row.scope > scope:
        reading = "not judged: it adds no risk" if row.scope is Scope.ADDING else "not judged: ours"
        return RuleReading(row.name, row.setting, shown if row.setting else "", reading, None)
    if context.intent.type not in row.types:
        return RuleReading(row.name, row.setting, shown, "does not apply", None)
    if not is_priced and row.scope is Scope.ADDING and row.check not in PRICELESS:
        return RuleReading(row.name, row.setting, shown, "no price", None)
    refusal = row.check(context, limit)
    if refusal is not None:
        return RuleReading(row.name, row.setting, *refusal, False)
    if not row.setting:
        return RuleReading(row.name, "", *PASSING[row.check](context), True)
    asked = row.check(context, type(limit)(UNREACHABLE))
    if asked is None:
        return RuleReading(row.name, row.setting, shown, "does not apply", None)
    return RuleReading(row.name, row.setting, shown, asked[1], True)


def _passing_venue_rules(c: GateContext) -> rules.Refusal:
    instrument = c.view.instrument
    limit = f"min_qty {instrument.min_qty}, min_notional {instrument.min_notional}"
    return limit, f"{c.intent.qty}, {c.notional.normalize():f}"


PASSING: Final[Mapping[Rule, Callable[[GateContext], rules.Refusal]]] = {
    rules.state: lambda c: ("", c.state),
    rules.venue_rules: _passing_venue_rules,
    rules.reference_price: lambda c: ("a quote", f"mid {(c.mid2 / 2).normalize():f}"),
    rules.self_trade: lambda c: ("no own order crossed", str(c.price)),
}
"""Limit and reading of the rules without a setting, where they let an intent pass."""
