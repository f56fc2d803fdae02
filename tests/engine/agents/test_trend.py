"""The trend agent, bar by bar, with averages set by hand."""

import copy

import msgspec
import pytest

from engine.agents.desk import Desk
from engine.agents.trend import Trend, TrendParams, TrendState
from engine.model.orders import CancelIntent, OrderIntent, OrderState, OrderType, Side, TimeInForce
from tests.engine.agents.build import D, Fixed, bar, desk, fill, hold, touch, work

UP, DOWN, LEVEL = (101.0, 100.0), (99.0, 100.0), (100.0, 100.0)


class Stage:
    """One agent, one desk, and bars whose averages are told."""

    def __init__(self, **params: object) -> None:
        self.agent = Trend(TrendParams(**params))
        self.desk: Desk = desk("trend", self.agent.needs.features)
        touch(self.desk, 9_999, 10_001)

    def bar(self, averages: tuple[float, float] | None, atr: float | None = 2.0) -> list:
        fast, slow = averages or (None, None)
        for spec, value in zip(self.agent.needs.features, (fast, slow, atr), strict=True):
            feature = self.desk.market.features[spec]
            assert isinstance(feature, Fixed)
            feature.value = value
        return list(self.agent.on_bar(self.desk, bar()))

    def bars(self, *averages: tuple[float, float]) -> list:
        for pair in averages:
            intents = self.bar(pair)
        return intents

    def filled(self, qty: str, entry: str | None = "1000.0") -> list:
        hold(self.desk, qty, entry)
        return list(self.agent.on_fill(self.desk, fill()))

    def entered(self, side: Side = Side.BUY) -> "Stage":
        """Cross, enter, and let stop and target work."""
        self.bars(*((DOWN, UP) if side is Side.BUY else (UP, DOWN)))
        for intent in self.filled("0.5" if side is Side.BUY else "-0.5"):
            work(self.desk, intent)
        return self


def by_slot(intents: list) -> dict:
    return {intent.slot: intent for intent in intents}


def test_needs_follow_the_params() -> None:
    """It asks for the averages and bars its settings name."""
    needs = Trend(TrendParams(bar_interval_s=60, fast=3, slow=9, atr_window=4)).needs

    assert list(needs.features) == [("ema", 3, 60), ("ema", 9, 60), ("atr", 4, 60)]
    assert needs.bar_intervals_s == (60,)
    assert needs.fills


def test_fast_must_be_shorter_than_slow() -> None:
    """Averages of equal length never cross."""
    with pytest.raises(ValueError, match="shorter"):
        TrendParams(fast=5, slow=5)


@pytest.mark.parametrize(
    ("averages", "atr"), [(None, 2.0), (UP, None), ((101.0, None), 2.0), ((None, 100.0), 2.0)]
)
def test_nothing_until_warm(averages: tuple | None, atr: float | None) -> None:
    """Any feature that is None keeps it silent, and the first warm bar is no cross."""
    stage = Stage()
    assert stage.bar(averages, atr) == []
    assert stage.bar(averages, atr) == []

    assert stage.bar(UP) == []
    assert stage.bar(UP) == []


@pytest.mark.parametrize(
    ("bars", "side"),
    [((DOWN, UP), Side.BUY), ((UP, DOWN), Side.SELL), ((DOWN, LEVEL, UP), Side.BUY)],
)
def test_a_cross_enters_at_market(bars: tuple, side: Side) -> None:
    """500 of quote currency at a mid of 1,000.0 is 0.5, and the reason says why."""
    (intent,) = Stage().bars(*bars)

    assert isinstance(intent, OrderIntent)
    assert (side, D("0.500"), "entry", OrderType.MARKET, TimeInForce.IOC) == (
        intent.side, intent.qty, intent.slot, intent.type, intent.tif
    )  # fmt: skip
    assert not intent.reduce_only
    relation = "over" if side is Side.BUY else "under"
    assert intent.reason.startswith(f"ema 5 {relation} 13: ")


@pytest.mark.parametrize(
    "bars", [(UP, UP, UP), (DOWN, LEVEL, DOWN), (UP, LEVEL, UP), (LEVEL, LEVEL), (LEVEL, UP)]
)
def test_no_cross_no_entry(bars: tuple) -> None:
    """Standing over, or touching and turning back, is no cross."""
    stage = Stage()

    assert [[]] * len(bars) == [stage.bar(averages) for averages in bars]


SIZES = [
    # params,                            instrument,                  size factor, quantity
    ({},                                 {},                          "1",         "0.500"),
    ({},                                 {},                          "0.6",       "0.300"),
    ({"order_notional": D("499.99")},    {},                          "1",         "0.499"),
    ({},                                 {"multiplier": D("0.01")},   "1",         "50.000"),
    ({"order_notional": D("0.99")},      {},                          "1",         None),
    ({},                                 {"min_qty": D("0.501")},     "1",         None),
    ({},                                 {"min_notional": D("501")},  "1",         None),
]  # fmt: skip


@pytest.mark.parametrize(("params", "changes", "factor", "qty"), SIZES)
def test_size(params: dict, changes: dict, factor: str, qty: str | None) -> None:
    """Whole lots, rounded down; below the venue's least it does nothing."""
    stage = Stage(**params)
    stage.desk = desk("trend", stage.agent.needs.features, **changes)
    touch(stage.desk, 9_999, 10_001)
    stage.desk.size_factor = D(factor)

    assert ([] if qty is None else [D(qty)]) == [i.qty for i in stage.bars(DOWN, UP)]


def test_bars_alone_price_the_entry() -> None:
    """Without a quote, the close is the price."""
    stage = Stage()
    touch(stage.desk, 0, 0)

    assert [D("0.5")] == [intent.qty for intent in stage.bars(DOWN, UP)]


REFUSALS = [
    ({"long_only": True},    (UP, DOWN)),
    ({"min_atr_bps": 20.1},  (DOWN, UP)),
]  # fmt: skip


@pytest.mark.parametrize(("params", "bars"), REFUSALS)
def test_settings_that_keep_it_out(params: dict, bars: tuple) -> None:
    """A short when long only, or a market too calm, is let go for good."""
    stage = Stage(**params)

    assert stage.bars(*bars) == []
    assert stage.bars(bars[-1]) == []


def test_calm_enough() -> None:
    """An ATR of exactly the least is worth entering."""
    assert Stage(min_atr_bps=20.0).bars(DOWN, UP)


@pytest.mark.parametrize("slot", ["entry", "exit", "stop"])
def test_no_entry_while_something_works(slot: str) -> None:
    """A cross waits until every order of the last position is gone."""
    stage = Stage()
    other = desk("trend").market_order(Side.SELL, D(1), slot=slot, reason="")
    work(stage.desk, other, OrderState.PENDING_CANCEL)

    assert stage.bars(DOWN, UP) == []
    stage.desk.working.clear()
    assert [intent.slot for intent in stage.bars(UP)] == ["entry"]


GUARDS = [
    # position, entry,     stop,     target,   closes by
    ("0.5",     "1000.0",  "996.0",  "1006.0", Side.SELL),
    ("-0.5",    "1000.0",  "1004.0", "994.0",  Side.BUY),
    ("0.3",     "1000.04", "996.0",  "1006.0", Side.SELL),
]  # fmt: skip


@pytest.mark.parametrize(("position", "entry", "stop", "target", "side"), GUARDS)
def test_a_filled_entry_is_guarded(
    position: str, entry: str, stop: str, target: str, side: Side
) -> None:
    """Stop at 2 and target at 3 ATR wait at the venue, reduce-only, for the whole position."""
    stage = Stage()
    stage.bars(*((DOWN, UP) if side is Side.SELL else (UP, DOWN)))

    guards = by_slot(stage.filled(position, entry))

    assert {"stop", "target"} == guards.keys()
    assert (OrderType.STOP, D(stop)) == (guards["stop"].type, guards["stop"].trigger_price)
    assert (OrderType.TAKE_PROFIT, D(target)) == (
        guards["target"].type, guards["target"].trigger_price
    )  # fmt: skip
    for intent in guards.values():
        assert (side, abs(D(position)), True) == (intent.side, intent.qty, intent.reduce_only)
        assert "atr of 2" in intent.reason


def test_prices_snap_outward() -> None:
    """Guards are never nearer than the settings say."""
    stage = Stage()
    stage.bar(DOWN, 1.23)
    stage.bar(UP, 1.23)

    guards = by_slot(stage.filled("0.5"))

    assert (D("997.5"), D("1003.7")) == (
        guards["stop"].trigger_price, guards["target"].trigger_price
    )  # fmt: skip


def test_a_target_below_zero_is_the_first_tick() -> None:
    """A short in a wild market still gets a price the venue can express."""
    stage = Stage()
    stage.bar(UP, 900.0)
    stage.bar(DOWN, 900.0)

    assert D("0.1") == by_slot(stage.filled("-0.5"))["target"].trigger_price


def test_guards_that_stand_are_left_alone() -> None:
    """The same position needs no new order, at a fill or at a bar."""
    stage = Stage().entered()

    assert stage.filled("0.5") == []
    assert stage.bars(UP, UP) == []


def test_guards_follow_the_position() -> None:
    """A second partial fill of the entry asks for bigger guards in the same slots."""
    stage = Stage().entered()

    guards = by_slot(stage.filled("0.7"))

    assert {"stop": D("0.7"), "target": D("0.7")} == {s: i.qty for s, i in guards.items()}


def test_a_lost_guard_is_wished_for_again() -> None:
    """A stop the venue refused is back at the next bar, at the distance of the entry."""
    stage = Stage().entered()
    del stage.desk.working["stop"]

    (stop,) = stage.bar(UP, atr=50.0)

    assert ("stop", D("996.0")) == (stop.slot, stop.trigger_price)


def test_a_position_from_elsewhere_is_guarded_by_the_atr_of_now() -> None:
    """With no memory of an entry, the present volatility must do."""
    stage = Stage()
    assert stage.filled("0.5") == []

    guards = by_slot(stage.bar(UP, atr=1.0))

    assert D("998.0") == guards["stop"].trigger_price


def test_no_guard_without_an_entry_price() -> None:
    """Nothing is measured from an unknown price."""
    stage = Stage()
    stage.bars(DOWN, UP)

    assert stage.filled("0.5", None) == []


@pytest.mark.parametrize("closed_by", ["stop", "target"])
def test_the_other_guard_is_canceled(closed_by: str) -> None:
    """When one of them closes the position, the other has nothing left to guard."""
    stage = Stage().entered()
    del stage.desk.working[closed_by]

    (cancel,) = stage.filled("0")

    assert isinstance(cancel, CancelIntent)
    assert {"stop", "target"} - {closed_by} == {cancel.slot}
    assert stage.bar(UP)[1:] == []


def test_a_forgotten_guard_is_canceled_at_the_bar() -> None:
    """Flat with an order left, and not being canceled yet: cancel it before anything else."""
    stage = Stage().entered()
    hold(stage.desk, "0")
    stage.desk.working["target"].state = OrderState.PENDING_CANCEL

    assert [intent.slot for intent in stage.bar(UP)] == ["stop"]


@pytest.mark.parametrize(
    ("entry", "back", "side"), [(Side.BUY, DOWN, Side.SELL), (Side.SELL, UP, Side.BUY)]
)
def test_reversal_exits_then_enters(entry: Side, back: tuple, side: Side) -> None:
    """The bar of the cross closes at market, the bar after the exit opens the other way."""
    stage = Stage().entered(entry)

    (leave,) = stage.bar(back)
    assert ("exit", side, D("0.5"), True, OrderType.MARKET) == (
        leave.slot, leave.side, leave.qty, leave.reduce_only, leave.type
    )  # fmt: skip
    assert leave.reason.startswith("exit, ema 5")
    stage.desk.working.clear()
    assert stage.filled("0") == []

    (enter,) = stage.bar(back)
    assert ("entry", side) == (enter.slot, enter.side)


def test_exit_is_asked_once_and_again_if_lost() -> None:
    """While the exit works nothing is added; refused, it is wished for at the next bar."""
    stage = Stage().entered()
    (leave,) = stage.bar(DOWN)
    work(stage.desk, leave, OrderState.SUBMITTED)
    assert stage.bar(DOWN) == []
    assert stage.filled("0.2") == []
    del stage.desk.working["exit"]

    assert [("exit", D("0.2"))] == [(intent.slot, intent.qty) for intent in stage.bar(DOWN)]


def test_level_averages_keep_the_position() -> None:
    """Touching is not crossing, for an exit too."""
    assert Stage().entered(Side.SELL).bar(LEVEL) == []
    assert Stage().entered(Side.BUY).bar(LEVEL) == []


def test_cooldown_counts_bars_after_the_exit() -> None:
    """With a cooldown of three, the third bar after the exit is the first to enter."""
    stage = Stage(cooldown_bars=3).entered()
    stage.bar(DOWN)
    stage.desk.working.clear()
    stage.filled("0")

    assert [[i.slot for i in stage.bar(DOWN)] for _ in range(4)] == [[], [], ["entry"], []]


def test_stopped_out_it_waits_for_the_next_cross() -> None:
    """The cross that was acted upon does not enter a second time."""
    stage = Stage().entered()
    stage.desk.working.clear()
    stage.filled("0")

    assert stage.bars(UP, UP, UP) == []
    assert [intent.slot for intent in stage.bars(DOWN)] == ["entry"]


STORY = (DOWN, UP, UP, DOWN, DOWN, UP)


def test_two_runs_say_the_same_and_state_survives() -> None:
    """Deterministic, also when the state goes through a checkpoint at every bar."""
    straight, resumed = Stage(), Stage()
    for averages in STORY:
        state = msgspec.json.decode(msgspec.json.encode(resumed.agent.state), type=TrendState)
        assert resumed.agent.state == state
        resumed.agent = Trend(TrendParams())
        resumed.agent.state = copy.deepcopy(state)

        assert straight.bar(averages) == resumed.bar(averages)
