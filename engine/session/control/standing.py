"""How each agent stands: its books over all instruments, its warm-up, its newest wish."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from engine.agents.roster import Standing
from engine.kernel import Kernel
from engine.market.features.spec import FeatureSpec
from engine.market.view import MarketView
from engine.model.money import ZERO
from engine.portfolio.ledger import Ledger
from engine.reports.tally import Share
from engine.session.control.deeds import Deeds
from engine.session.control.views import AgentFace

Cost = Callable[[str], float | None]
"""Agent to the 99th percentile of what an answer takes, microseconds."""

Owned = list[tuple[MarketView, Ledger]]
"""An agent's ledgers, each with its market."""


def agent_faces(
    kernel: Kernel, shares: Mapping[str, Share], deeds: Deeds, cost: Cost
) -> Iterator[AgentFace]:
    """Yield the agents of a session in the order of their names."""
    views, holdings = kernel.market.views, kernel.portfolio.holdings
    for standing in kernel.roster.standings():
        name = standing.agent
        owned = [
            (views[symbol], holding.ledgers[name])
            for symbol, holding in holdings.items()
            if name in holding.ledgers
        ]
        yield _face(standing, owned, kernel, shares, deeds, cost(name))


def _face(  # noqa: PLR0917 - each argument is another book
    standing: Standing,
    owned: Owned,
    kernel: Kernel,
    shares: Mapping[str, Share],
    deeds: Deeds,
    cost_us: float | None,
) -> AgentFace:
    name = standing.agent
    return AgentFace(
        name=name,
        is_paused=standing.is_paused,
        quarantine=standing.quarantine,
        weight=standing.weight,
        intents=standing.intents,
        open_orders=sum(order.agent == name for order in kernel.blotter.live.values()),
        fills=shares[name].trades if name in shares else 0,
        realised=sum((ledger.realised for _, ledger in owned), ZERO),
        fees=sum((ledger.fees for _, ledger in owned), ZERO),
        funding=sum((ledger.funding for _, ledger in owned), ZERO),
        unrealised=_unrealised(owned),
        warmth=coldest(kernel.market.views, standing.features),
        deed=deeds.of_agent(name),
        cost_p99_us=cost_us,
    )


def _unrealised(owned: Owned) -> Decimal | None:
    total = ZERO
    for view, ledger in owned:
        if ledger.qty:
            mid = view.mid
            if mid is None:
                return None
            total += ledger.unrealised(mid, view.instrument.multiplier)
    return total


def coldest(
    views: Mapping[str, MarketView], features: tuple[FeatureSpec, ...]
) -> tuple[int, int] | None:
    """Return how much the least warm feature has seen and how much it needs; None if all are."""
    cold = [
        feature.warmth
        for view in views.values()
        for spec in features
        if (feature := view.features[spec]).value is None
    ]
    if not cold:
        return None
    return min(((seen, max(1, needed)) for seen, needed in cold), key=lambda w: w[0] / w[1])
