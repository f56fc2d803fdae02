"""The state of a market as bytes and back, exactly.

Everything stateful is a dataclass or struct whose fields are its state, so the format is theirs:
JSON by msgspec, in which integers are whole and floats keep their last bit. `Lane` and `MarketView`
are the exceptions, written field by field here, because others hold on to them.

What is restored keeps the thresholds of the present configuration: a checkpoint holds what was
seen, not how to judge it.
"""

from decimal import Decimal
from typing import Final

import msgspec

from engine.market.bars import BarBuilder, BarMerger, BarSeries
from engine.market.book import BookState
from engine.market.features.spec import FeatureSpec
from engine.market.lane import Lane
from engine.market.quality import QualityFilter
from engine.model.errors import StateDamaged
from engine.model.market import Bar, Flaw

FORMAT: Final = 1
"""Raised when a field changes its meaning."""


class FeatureState(msgspec.Struct, frozen=True):
    """One feature; its own fields are the payload."""

    spec: FeatureSpec
    version: int
    fields: msgspec.Raw


class LaneState(msgspec.Struct, frozen=True):
    """One instrument."""

    filter: QualityFilter
    touch: tuple[int, int, int, int]
    """Bid ticks, bid lots, ask ticks, ask lots."""
    priced_ns: int
    mark_price: Decimal | None
    funding_rate: Decimal | None
    next_funding_ns: int
    book: BookState
    bars: dict[int, BarSeries]
    builders: list[BarBuilder]
    mergers: list[BarMerger]
    features: list[FeatureState]
    refused: dict[Flaw, int]


class MarketState(msgspec.Struct, frozen=True):
    """All instruments, what was counted for none of them, and bars nobody has drained."""

    lanes: dict[str, LaneState]
    refused: dict[Flaw, int]
    closed: list[Bar]
    format: int = FORMAT


def encode(state: MarketState) -> bytes:
    """Write a state."""
    return msgspec.json.encode(state)


def decode(snapshot: bytes) -> MarketState:
    """Read a state.

    Raises:
        StateDamaged: The bytes are not one, or one of another format.
    """
    try:
        state = msgspec.json.decode(snapshot, type=MarketState)
    except msgspec.DecodeError as error:
        raise StateDamaged("the market snapshot can't be read") from error
    if state.format != FORMAT:
        raise StateDamaged(f"the market snapshot has format {state.format}, not {FORMAT}")
    return state


def lane_state(lane: Lane) -> LaneState:
    """Collect the state of one instrument; encode it at once, it shares objects with the lane."""
    view = lane.view
    return LaneState(
        filter=lane.filter,
        touch=(view.bid_ticks, view.bid_lots, view.ask_ticks, view.ask_lots),
        priced_ns=view.priced_ns,
        mark_price=view.mark_price,
        funding_rate=view.funding_rate,
        next_funding_ns=view.next_funding_ns,
        book=view.book.state(),
        bars=view.bars,
        builders=lane.builders,
        mergers=lane.mergers,
        features=[
            FeatureState(spec, feature.version, msgspec.Raw(msgspec.json.encode(feature)))
            for spec, feature in view.features.items()
        ],
        refused=lane.refused,
    )


def restore_lane(lane: Lane, state: LaneState) -> None:
    """Put a lane made from the same settings into `state`.

    Raises:
        StateDamaged: The lane has other intervals or features.
    """
    view = lane.view
    if list(state.bars) != list(view.bars):
        raise StateDamaged(f"the market snapshot of {view.symbol} has other bar intervals")
    kinds = [(spec, feature.version) for spec, feature in view.features.items()]
    if [(feature.spec, feature.version) for feature in state.features] != kinds:
        raise StateDamaged(f"the market snapshot of {view.symbol} has other features")
    for saved in state.features:
        kind = type(view.features[saved.spec])
        view.features[saved.spec] = msgspec.json.decode(saved.fields, type=kind)
    rules = lane.filter.rules
    lane.filter = state.filter
    lane.filter.use_rules(rules)
    view.bid_ticks, view.bid_lots, view.ask_ticks, view.ask_lots = state.touch
    view.mid2_ticks = view.bid_ticks + view.ask_ticks
    view.priced_ns = state.priced_ns
    view.mark_price = state.mark_price
    view.funding_rate = state.funding_rate
    view.next_funding_ns = state.next_funding_ns
    view.book.restore(state.book)
    for interval_s, series in state.bars.items():
        view.bars[interval_s].bars[:] = series.bars
    lane.builders = state.builders
    lane.mergers = state.mergers
    lane.refused.clear()
    lane.refused.update(state.refused)
    lane.link()
