"""What is wrong, since when, how often, and whether a person has seen it."""

from decimal import Decimal

from msgspec.structs import replace

from tests.tui import fixtures as fx
from tests.tui.stage import FakeSource, M, staged
from tui.alerts import SEEN_MAX, Alerts, conditions, line
from tui.lines import alert
from tui.link import Glance

D = Decimal


def calm(**changes: object):
    """A session in which nothing is wrong."""
    fields: dict = {
        "lifecycle": fx.lifecycle(reasons=(), suspended=()), "breakers": (fx.breaker(),),
        "agents": (fx.agent(),), "orders": (fx.order(),), "transitions": (),
    }  # fmt: skip
    return fx.view(**(fields | changes))


def test_everything_that_is_wrong_is_named() -> None:
    """Journal, reset, unknown order, limit, agent, reason: the grave ones as such."""
    view = fx.view(
        health=fx.health(journal_failure="No space left"),
        lifecycle=fx.lifecycle("EMERGENCY", reasons=("MAX_LOSS:session",), needs_reset=True),
    )
    found = {condition.key: condition.token for condition in conditions(view)}

    assert {
        "journal": "danger", "reset": "danger", "order maker-4": "danger",
        "limit max_errors_per_minute": "danger", "agent pairs": "warn",
        "reason MAX_LOSS:session": "warn",
    } == found  # fmt: skip
    assert [] == list(conditions(calm()))


def test_since_comes_from_the_session_where_it_knows() -> None:
    """A reason since its transition, an order since it changed; else since it was first seen."""
    alerts = Alerts()
    opened = fx.transition("FEED_STALE", ts_ns=fx.NOW_NS - fx.MINUTE, reasons=("FEED_STALE:BTC",))
    still = fx.transition("X", ts_ns=fx.NOW_NS - fx.SECOND, reasons=("FEED_STALE:BTC", "OTHER"))
    lifecycle = fx.lifecycle(reasons=("FEED_STALE:BTC", "OLD"))
    alerts.note(calm(lifecycle=lifecycle, transitions=(opened, still)))
    since = {a.condition.text: (a.since_ns, a.is_older) for a in alerts.open()}

    assert (fx.NOW_NS - fx.MINUTE, False) == since["FEED_STALE:BTC"]
    assert (fx.NOW_NS, True) == since["OLD"], "there before this screen was"


def test_what_comes_again_is_counted_and_new() -> None:
    """An acknowledgement is of one occurrence."""
    alerts, wrong = Alerts(), calm(breakers=(fx.breaker(is_tripped=True),))
    alerts.note(wrong)
    alerts.acknowledge("limit max_loss_pct")
    assert ([], 1) == (alerts.unseen(), len(alerts.open()))
    alerts.note(wrong)
    assert [] == alerts.unseen(), "still the same one"
    alerts.note(calm())
    assert [] == alerts.open()
    alerts.note(wrong)

    (again,) = alerts.unseen()
    assert (2, False) == (again.count, again.is_older)


def test_acknowledging_what_is_gone_does_nothing() -> None:
    """It went while the finger was on its way."""
    alerts = Alerts()
    alerts.acknowledge("nothing")

    assert [] == alerts.open()


def test_the_gravest_unseen_stands_first() -> None:
    """A danger seen stands behind a warning unseen."""
    alerts = Alerts()
    alerts.note(calm(breakers=(fx.breaker(is_tripped=True),), agents=(fx.agent(quarantine="x"),)))
    assert ["limit max_loss_pct", "agent maker"] == [a.condition.key for a in alerts.open()]
    alerts.acknowledge("limit max_loss_pct")

    assert ["agent maker", "limit max_loss_pct"] == [a.condition.key for a in alerts.open()]


def test_memory_is_bounded() -> None:
    """A venue that invents order ids for days fills nothing."""
    alerts = Alerts()
    for i in range(SEEN_MAX + 50):
        alerts.note(calm(agents=(fx.agent(f"a{i}", quarantine="x"),)))

    assert SEEN_MAX == len(alerts._counts)


def test_a_line_says_it_all_in_letters() -> None:
    """Mark, time, count, whether seen, harmless words."""
    alerts = Alerts()
    alerts.note(calm(agents=(fx.agent(quarantine=fx.HOSTILE),)))
    (alert,) = alerts.open()

    assert line(alert).startswith("!  <12:02:19Z x1   open  agent maker at fault: [@click")
    assert line(alert).isprintable()


async def test_the_overlay_acknowledges_and_goes_there() -> None:
    """`A` lists, `x` takes note, the last line counts what is left, enter leads to the pane."""
    async with staged(size=M) as stage:
        assert "(4 alerts: A)" in stage.rows()[-2]
        await stage.press("A")
        assert "nobody knows whether the venue has it" in stage.text()
        await stage.press("x")
        assert "(3 alerts: A)" in stage.rows()[-2]
        assert "seen  order maker-4" in stage.text()
        await stage.press("enter")

        assert 1 == len(stage.app.screen_stack)
        assert stage.app.desk.pane("risk").has_focus


async def test_the_alert_line_shows_what_no_reason_says() -> None:
    """An agent at fault bars no trading; it is still told, until somebody has seen it."""
    source = FakeSource(calm(agents=(fx.agent(quarantine="raised"),)))
    async with staged(source=source) as stage:
        assert "agent maker at fault: raised" in stage.rows()[-2]
        await stage.press("A", "x", "escape")
        assert "" == stage.rows()[-2].strip()
        source.seen = source.seen._replace(view=replace(calm(), number=2))
        await stage.settle()
        await stage.press("A")

        assert "nothing is wrong" in stage.text()


def test_the_alert_line_has_the_gravest_first() -> None:
    """An order nobody knows the fate of comes before an instrument that waits for data."""
    alerts = Alerts()
    alerts.note(fx.view())
    shown = "".join(cell.text for cell in alert(Glance(view=fx.view()), (), 120, alerts.unseen()))

    assert shown.startswith(" !! order maker-4 ETHUSDT: nobody knows")
