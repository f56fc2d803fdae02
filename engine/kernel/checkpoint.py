"""The kernel's whole state as bytes, and back.

A kernel restored from a snapshot goes on exactly as the one it was taken from: what can be derived
(indexes, sums, desks) is derived again, everything else is here.
"""

from dataclasses import dataclass, field

import msgspec

from engine.kernel.conduct import ConductState
from engine.kernel.dealing import DealingState
from engine.kernel.denials import DenialsState
from engine.kernel.inquiries import Inquiry
from engine.kernel.kernel import Kernel
from engine.kernel.reference import ReferenceState
from engine.kernel.truth import TruthState
from engine.model.money import ZERO


@dataclass(slots=True)
class KernelState:
    """The whole state between two steps, for a checkpoint."""

    now_ns: int
    conduct: ConductState
    dealing: DealingState
    house_intents: int
    unpriced: list[str]
    finish: str | None
    market: bytes
    portfolio: bytes
    blotter: bytes
    breakers: bytes
    gate: bytes
    roster: bytes
    truth: TruthState
    inquiries: dict[str, Inquiry]
    operator_intents: int = 0
    closing: list[str] = field(default_factory=list)
    reference: ReferenceState = field(default_factory=ReferenceState)
    denials: DenialsState = field(default_factory=DenialsState)


def snapshot(kernel: Kernel) -> bytes:
    """Encode the whole state between two steps."""
    return msgspec.msgpack.encode(
        KernelState(
            now_ns=kernel.now_ns,
            conduct=kernel.conduct.state,
            dealing=kernel.dealing.snapshot(),
            house_intents=kernel.house.sequence.last,
            unpriced=list(kernel.seeing.unpriced),
            finish=kernel.finish,
            market=kernel.market.snapshot(),
            portfolio=kernel.portfolio.snapshot(),
            blotter=kernel.blotter.snapshot(),
            breakers=kernel.conduct.breakers.snapshot(),
            gate=kernel.dealing.gate.snapshot(),
            roster=kernel.roster.snapshot(),
            operator_intents=kernel.manual.sequence.last,
            closing=list(kernel.house.closing),
            truth=kernel.truth.state,
            inquiries=kernel.inquiries.open,
            reference=kernel.reference.state,
            denials=kernel.denials.state,
        )
    )


def restore(kernel: Kernel, content: bytes) -> None:
    """Take over a snapshot made with the same config, instruments and agents."""
    state = msgspec.msgpack.decode(content, type=KernelState)
    kernel.now_ns, kernel.ending.finish = state.now_ns, state.finish
    kernel.seeing.unpriced = dict.fromkeys(state.unpriced)
    kernel.market.restore(state.market)
    kernel.portfolio.restore(state.portfolio)
    kernel.blotter.restore(state.blotter)
    kernel.conduct.breakers.restore(state.breakers)
    kernel.conduct.restore(state.conduct)
    kernel.dealing.gate.restore(state.gate)
    kernel.dealing.restore(state.dealing)
    kernel.truth.state = state.truth
    kernel.inquiries.open = state.inquiries
    kernel.house.sequence.last = state.house_intents
    kernel.manual.sequence.last = state.operator_intents
    kernel.house.closing = dict.fromkeys(state.closing)
    kernel.reference.restore(state.reference)
    kernel.denials.state = state.denials
    kernel.roster.restore(state.roster)
    _restore_desks(kernel)
    kernel.watch.restore()


def _restore_desks(kernel: Kernel) -> None:
    for desk in kernel.roster.desks():
        ledger = kernel.portfolio.holdings[desk.symbol].ledgers.get(desk.agent)
        desk.position = ledger.qty if ledger else ZERO
        desk.entry_price = ledger.entry_price(desk.instrument.multiplier) if ledger else None
        orders = kernel.blotter.of_agent(desk.agent, desk.symbol)
        desk.working = {order.slot: order for order in orders}
    kernel.ending.set_factors()
