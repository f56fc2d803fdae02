"""Whatever happens, in whatever order: the books of a naive observer and of the venue agree."""

from collections import defaultdict
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.model.venue_events import (
    VenueAccepted,
    VenueAmended,
    VenueCanceled,
    VenueEvent,
    VenueExpired,
    VenueFill,
    VenueFunding,
    VenueRejected,
    VenueTriggered,
)
from tests.brokers.paper.desk import (
    BUY,
    FOK,
    GTC,
    IOC,
    LOT,
    SELL,
    STOP,
    TAKE_PROFIT,
    TICK,
    Desk,
)

BALANCE = "1000"
SIDES = st.sampled_from([BUY, SELL])
LOTS = st.integers(1, 40)
SHOWN = st.integers(1, 8)
OFFSETS = st.integers(-4, 4)


class Naive:
    """What an observer who only reads the answers knows."""

    def __init__(self) -> None:
        self.asked: dict[str, tuple[str, int, int]] = {}
        self.reducing: set[str] = set()
        self.filled: dict[str, int] = defaultdict(int)
        self.ended: dict[str, int] = defaultdict(int)
        self.position = 0
        self.cash = Decimal(BALANCE)
        self.trade_ids: list[int] = []

    def hear(self, event: VenueEvent) -> None:
        order_id = getattr(event, "order_id", "")
        if isinstance(event, VenueFill):
            self._book(event)
        elif isinstance(event, VenueFunding):
            self.cash += event.amount
        elif isinstance(event, VenueAmended):
            side, _, _ = self.asked[order_id]
            self.asked[order_id] = (side, int(event.qty / LOT), int(event.price / TICK))
        elif isinstance(event, VenueRejected | VenueCanceled | VenueExpired):
            self.ended[order_id] += 1
        assert not self.ended[order_id] or not isinstance(
            event, VenueAccepted | VenueAmended | VenueTriggered
        )

    def _book(self, event: VenueFill) -> None:
        lots, ticks = int(event.qty / LOT), int(event.price / TICK)
        signed = event.side.sign * lots
        order_id = event.order_id
        if not order_id.startswith("liquidation-"):
            side, total, limit = self.asked[order_id]
            assert not self.ended[order_id], "a fill after the end"
            assert side == event.side
            assert not limit or (ticks <= limit if side == BUY else ticks >= limit)
            self.filled[order_id] += lots
            assert self.filled[order_id] <= total
            self.ended[order_id] += self.filled[order_id] == total
            if order_id in self.reducing:
                assert abs(self.position + signed) == abs(self.position) - lots
        self.position += signed
        self.cash -= signed * LOT * event.price + event.fee
        self.trade_ids.append(int(event.trade_id[1:]))


class PaperVenueMachine(RuleBasedStateMachine):
    """Orders and market at random, without latency, so that each answer has its cause in hand."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(balance=BALANCE, slippage_bps=Decimal(30), leverage=Decimal(20))
        self.naive = Naive()
        self.heard = 0
        self.mid = 1000
        self.shown = {BUY: {}, SELL: {}}
        self.left = {BUY: {}, SELL: {}}
        self.has_depth = False
        self.sequence = 0
        self.show(1000, 1001, 10, 10)

    def show(self, bid: int, ask: int, bid_lots: int, ask_lots: int) -> None:
        """Quote, and remember what is now displayed to a taker of each side."""
        self.touch = {BUY: ask, SELL: bid}
        self.sizes = {BUY: ask_lots, SELL: bid_lots}
        self.free = {BUY: ask_lots, SELL: bid_lots}
        self.desk.quote(bid, ask, bid_lots, ask_lots)
        self.listen()

    def listen(self) -> list[VenueFill]:
        """Tell the naive observer; return the new fills."""
        new = self.desk.events[self.heard :]
        self.heard = len(self.desk.events)
        for event in new:
            self.naive.hear(event)
        fills = [event for event in new if isinstance(event, VenueFill)]
        for fill in fills:
            self._charge(fill)
        return fills

    def _charge(self, fill: VenueFill) -> None:
        """A taker pays the touch or worse, and no more of the touch than it shows."""
        if fill.liquidity != "TAKER":
            return
        ticks, lots = int(fill.price / TICK), int(fill.qty / LOT)
        touch = self.touch[fill.side]
        assert ticks >= touch if fill.side == BUY else ticks <= touch
        if ticks == touch:
            self.free[fill.side] -= lots
            assert self.free[fill.side] >= 0, "displayed size sold twice"
        elif self.has_depth:
            self.left[fill.side][ticks] -= lots
            assert self.left[fill.side][ticks] >= 0, "a level nobody displayed, or sold twice"

    @rule(step=st.integers(-3, 3), spread=st.integers(1, 3), bids=SHOWN, asks=SHOWN)
    def quote(self, step, spread, bids, asks) -> None:
        self.mid = min(1040, max(960, self.mid + step))
        self.show(self.mid, self.mid + spread, bids, asks)

    @rule(size=st.integers(0, 8), is_gap=st.booleans())
    def depth(self, size, is_gap) -> None:
        self.sequence += 1
        bids = tuple((self.mid - n, size + n) for n in range(6))
        asks = tuple((self.mid + n, size + n) for n in range(1, 6))
        is_first = not self.has_depth
        fields = {"first_seq": self.sequence, "last_seq": self.sequence}
        fields["prev_seq"] = self.sequence + 5 if is_gap else self.sequence - 1
        self.desk.depth(bids, asks, is_snapshot=is_first or is_gap, **fields)
        if is_first or is_gap:
            self.left = {BUY: {}, SELL: {}}
        self.has_depth = True
        self.left[BUY].update(dict(asks))
        self.left[SELL].update(dict(bids))
        self.listen()

    @rule(side=SIDES, offset=OFFSETS, lots=LOTS)
    def trade(self, side, offset, lots) -> None:
        self.desk.trade(side, self.mid + offset, lots)
        self.listen()

    @rule(
        side=SIDES,
        lots=LOTS,
        offset=st.none() | OFFSETS,
        tif=st.sampled_from([GTC, GTC, GTC, IOC, FOK]),
        post=st.booleans(),
        reduce=st.sampled_from([False, False, True]),
    )
    def place(self, side, lots, offset, tif, post, reduce) -> None:
        ticks = 0 if offset is None else self.mid + offset
        self._send(side, lots, ticks, tif=tif, post_only=post and bool(ticks), reduce_only=reduce)

    @rule(side=SIDES, lots=LOTS, offset=OFFSETS, kind=st.sampled_from([STOP, TAKE_PROFIT]))
    def place_conditional(self, side, lots, offset, kind) -> None:
        self._send(side, lots, 0, type=kind, trigger=self.mid + offset)

    def _send(self, side, lots, ticks, **fields) -> None:
        order_id = f"o{self.desk.count + 1}"
        self.naive.asked[order_id] = (side, lots, ticks)
        if fields.get("reduce_only"):
            self.naive.reducing.add(order_id)
        self.desk.place(side, lots, ticks, order_id=order_id, **fields)
        fills = self.listen()
        if fields.get("tif") is FOK and not fields.get("reduce_only") and fills:
            assert lots == sum(int(fill.qty / LOT) for fill in fills)

    @precondition(lambda self: self.desk.count)
    @rule(data=st.data(), offset=OFFSETS, lots=st.integers(0, 40))
    def amend(self, data, offset, lots) -> None:
        self.desk.amend(self._any(data), self.mid + offset, lots)
        self.listen()

    @precondition(lambda self: self.desk.count)
    @rule(data=st.data())
    def cancel(self, data) -> None:
        self.desk.cancel(self._any(data))
        self.listen()

    def _any(self, data) -> str:
        return f"o{data.draw(st.integers(1, self.desk.count))}"

    @rule()
    def restart(self) -> None:
        """A restored venue knows everything the old one knew."""
        fresh = Desk(balance=BALANCE, slippage_bps=Decimal(30), leverage=Decimal(20))
        fresh.venue.restore(self.desk.venue.snapshot())
        fresh.count, fresh.events = self.desk.count, fresh.events
        self.desk, self.heard = fresh, 0

    @invariant()
    def position_is_the_sum_of_fills(self) -> None:
        assert self.naive.position == self.desk.position()

    @invariant()
    def equity_is_what_cash_and_position_are_worth(self) -> None:
        mid = Decimal(sum(self.touch.values())) * TICK / 2
        assert self.naive.cash + self.naive.position * LOT * mid == self.desk.venue.equity

    @invariant()
    def every_order_ends_at_most_once(self) -> None:
        assert all(count <= 1 for count in self.naive.ended.values())
        assert self.naive.trade_ids == list(range(1, len(self.naive.trade_ids) + 1))

    def teardown(self) -> None:
        """Whatever still works can be canceled; then every order has ended exactly once."""
        for order_id in self.naive.asked:
            self.desk.cancel(order_id)
        self.listen()

        assert all(self.naive.ended[order_id] == 1 for order_id in self.naive.asked)


PaperVenueMachine.TestCase.settings = settings(
    max_examples=80, stateful_step_count=60, deadline=None
)
TestPaperVenue = PaperVenueMachine.TestCase
