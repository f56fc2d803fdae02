"""Reads a session into a view; changes nothing, so that being watched changes no decision."""

from collections import Counter
from decimal import Decimal
from itertools import islice
from typing import Final

from engine.execution.syncer import FOREIGN
from engine.kernel import Kernel
from engine.market.view import MarketView
from engine.model.orders import Side
from engine.risk.breakers import Reading
from engine.risk.lifecycle import FsmState, is_suspended, open_reasons
from engine.session.control.appetite import appetite_faces
from engine.session.control.changes import Changes
from engine.session.control.chronicle import Chronicle
from engine.session.control.doubts import Doubts
from engine.session.control.faces import AccountFace, SyncFace
from engine.session.control.gauges import UNMEASURED, Gauges
from engine.session.control.holdings import exposure_face, order_face, position_face
from engine.session.control.prints import Prints
from engine.session.control.sitter import Books, Pages
from engine.session.control.standing import agent_faces
from engine.session.control.views import (
    BreakerFace,
    CausesFace,
    HealthFace,
    Level,
    LifecycleFace,
    MarketFace,
    RouteCount,
    RouterFace,
    View,
)

LEVELS_MAX: Final = 20
"""Levels a side: what a ladder of 40 rows shows."""
ORDERS_MAX: Final = 200
"""Live orders in a view; `open_orders` of the session counts them all."""


class Portrait:
    """Draws the views of one session."""

    def __init__(
        self,
        kernel: Kernel,
        record: Books,
        journal: Pages,
        chronicle: Chronicle,
        gauges: Gauges = UNMEASURED,
    ) -> None:
        self._kernel = kernel
        self._record = record
        self._journal = journal
        self._chronicle = chronicle
        self._gauges = gauges
        self._number = 0

    def draw(self, viewers: int, controls: str = "") -> View:
        """Take a picture between two steps."""
        kernel, chronicle = self._kernel, self._chronicle
        sidelines = chronicle.sidelines
        self._number += 1
        return View(
            number=self._number,
            session=self._record.view(),
            drawdown_worst_pct=self._record.drawdown_worst_pct,
            lifecycle=_lifecycle(kernel, sidelines.doubts),
            markets=tuple(
                _market(kernel, view, sidelines.changes, chronicle.prints)
                for view in kernel.market.views.values()
            ),
            orders=tuple(
                order_face(order, sidelines.deeds, self._gauges.queue_ahead)
                for order in islice(kernel.blotter.live.values(), ORDERS_MAX)
            ),
            positions=tuple(
                position_face(kernel, symbol, self._gauges.margin, self._today(symbol))
                for symbol in kernel.portfolio.holdings
            ),
            exposure=exposure_face(kernel.portfolio),
            blocked=sidelines.deeds.blocked(kernel.now_ns),
            agents=tuple(
                agent_faces(
                    kernel,
                    self._record.tally.by_agent,
                    sidelines.deeds,
                    self._gauges.agent_cost_us,
                )
            ),
            breakers=tuple(
                self._breaker(reading)
                for reading in (
                    *kernel.conduct.breakers.readings(),
                    *kernel.reference.readings(kernel.now_ns),
                )
            ),
            appetite=appetite_faces(kernel),
            health=self._health(viewers),
            router=self._router(),
            causes=self._causes(),
            fills=tuple(chronicle.fills),
            fill_tracks=sidelines.markouts.faces(),
            round_trips=tuple(chronicle.round_trips),
            transitions=tuple(chronicle.transitions),
            log=chronicle.log(),
            equity=chronicle.equity(),
            account=self._account(),
            controls=controls,
        )

    def _today(self, symbol: str) -> Decimal | None:
        return self._chronicle.sidelines.days.realised(symbol, began_ns=self._record.span[0])

    def _breaker(self, reading: Reading) -> BreakerFace:
        breach_s = self._chronicle.sidelines.forecast.breach_s(reading, self._kernel.now_ns)
        return BreakerFace(**reading._asdict(), breach_s=breach_s)

    def _health(self, viewers: int) -> HealthFace:
        journal, tally = self._journal, self._record.tally
        return HealthFace(
            process=self._record.reading,
            journal_events=journal.events,
            journal_bytes=journal.bytes,
            journal_head=journal.head,
            journal_failure="" if journal.failure is None else str(journal.failure.strerror),
            tick_to_order_us=self._record.latency.total(),
            orders=dict(tally.orders),
            blocked=dict(tally.blocked),
            errors=dict(tally.errors),
            viewers=viewers,
            streams=self._chronicle.sidelines.streams.faces(),
            reconnects=tally.gaps.reconnects,
            journal_unsynced=max(0, journal.events - journal.durable),
            checkpoint_age_s=self._gauges.checkpoint_age_s(),
            sync=_sync(self._kernel),
            quote_age_max_s=self._kernel.config.limits.max_quote_age_ms / 1_000,
        )

    def _router(self) -> RouterFace:
        routed, hops = self._record.tally.routed, self._chronicle.hops
        return RouterFace(
            decisions=tuple(RouteCount(*route, count) for route, count in routed.most_common()),
            hops=(
                ("feed", hops.feed.quantiles()),
                ("request", self._record.latency.total()),
                ("ack", hops.ack.quantiles()),
                ("fill", hops.fill.quantiles()),
            ),
        )

    def _account(self) -> AccountFace | None:
        beside = self._record.tally.shadow
        standing = None if beside is None else beside.standing()
        return None if standing is None else AccountFace(**standing._asdict())

    def _causes(self) -> CausesFace:
        books, tally = self._kernel.portfolio.books, self._record.tally
        return CausesFace(
            spread=tally.spread,
            inventory=books.realised + books.unrealised - tally.spread - tally.slippage,
            slippage=tally.slippage,
            fees=-books.fees,
            funding=books.funding,
        )


def _sync(kernel: Kernel) -> SyncFace:
    state = kernel.truth.state
    return SyncFace(
        interval_s=kernel.config.sync.interval_s,
        answered_ns=state.answered_ns,
        changed_ns=state.changed_ns,
        failures=state.failures,
        held=dict(Counter(str(one.kind) for one in state.held if one.kind not in FOREIGN)),
        foreign=sum(one.kind in FOREIGN for one in state.held),
    )


def _lifecycle(kernel: Kernel, doubts: Doubts) -> LifecycleFace:
    lifecycle = kernel.conduct.lifecycle
    return LifecycleFace(
        state=lifecycle.state,
        since_ns=lifecycle.since_ns,
        beneath=lifecycle.beneath,
        reasons=open_reasons(lifecycle),
        reasons_ns=tuple(map(doubts.since_ns, open_reasons(lifecycle))),
        suspended=lifecycle.blocked,
        is_flattening=lifecycle.is_flattening,
        needs_reset=lifecycle.state is FsmState.EMERGENCY and lifecycle.is_flat,
    )


def _market(kernel: Kernel, view: MarketView, changes: Changes, prints: Prints) -> MarketFace:
    instrument, change = view.instrument, changes.of(view.symbol)
    return MarketFace(
        symbol=view.symbol,
        tick_size=instrument.tick_size,
        lot_size=instrument.lot_size,
        multiplier=instrument.multiplier,
        bid=instrument.price(view.bid_ticks) if view.bid_ticks else None,
        ask=instrument.price(view.ask_ticks) if view.ask_ticks else None,
        bid_qty=instrument.qty(view.bid_lots),
        ask_qty=instrument.qty(view.ask_lots),
        mark_price=view.mark_price,
        funding_rate=view.funding_rate,
        next_funding_ns=view.next_funding_ns,
        priced_ns=view.priced_ns,
        is_suspended=is_suspended(kernel.conduct.lifecycle, view.symbol),
        is_book_synced=view.book.is_synced,
        bids=_levels(view, Side.BUY),
        asks=_levels(view, Side.SELL),
        features={
            f"{spec.name}({spec.window},{spec.interval_s})": feature.value
            for spec, feature in view.features.items()
        },
        bars=prints.bars(view.symbol),
        prints=prints.tape(view.symbol),
        prints_seen=prints.count[view.symbol],
        change_pct=change and change.pct,
        change_since_ns=change.since_ns if change else 0,
        volume=change and change.volume,
    )


def _levels(view: MarketView, side: Side) -> tuple[Level, ...]:
    instrument = view.instrument
    if not view.book.is_synced:
        return ()
    levels = islice(view.book.book.levels(side), LEVELS_MAX)
    return tuple((instrument.price(ticks), instrument.qty(lots)) for ticks, lots in levels)
