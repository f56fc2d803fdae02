"""What every account at every venue must do with leverage and margin mode."""

from brokers.link.account import Accepted, NewOrder, Refused
from brokers.link.errands import Errands
from brokers.link.mail import Mail
from brokers.link.terms import Held, Terms
from engine.model.account import MarginMode
from engine.model.venue_events import Standing, VenueEvent, VenueMargin
from engine.venue import MarginTerms
from tests.brokers.conformance.ground import PATIENCE_S, Ground


async def margin_of(ground: Ground) -> MarginTerms:
    """Ask what positions of the ground's instrument are made with."""
    told = await ground.account.margin_terms()
    return next(one for one in told if one.symbol == ground.symbol)


async def placed(ground: Ground, order: NewOrder, standing: Standing) -> NewOrder:
    """Send an order and wait until the stream has told that it stands so."""
    assert isinstance(await ground.account.place(order), Accepted)
    await ground.stood(order, standing)
    return order


class Margins:
    """Part of the suite."""

    async def test_leverage_and_margin_mode_are_set_and_read_back(self, ground: Ground) -> None:
        """Asked for twice is no error; the exchange ties up margin by it."""
        held = await margin_of(ground)
        assert (ground.symbol, MarginMode.CROSS) == (held.symbol, held.mode)
        for leverage, mode in ((3, MarginMode.ISOLATED), (7, MarginMode.CROSS)):
            wanted = MarginTerms(ground.symbol, leverage, mode)
            assert isinstance(await ground.account.set_margin(held, wanted), Accepted)
            assert wanted == await margin_of(ground)
            assert isinstance(await ground.account.set_margin(held, wanted), Accepted)
            held = wanted
        assert leverage == ground.stage.exchange.position(ground.symbol).leverage
        facts = await ground.account.facts()
        assert wanted in facts.margin
        assert max(one.leverage for one in facts.margin) == facts.leverage

    async def test_what_the_venue_refuses_to_set_is_as_it_was(self, ground: Ground) -> None:
        """A mode while an order rests or a position is open; more leverage than there is."""
        held = await margin_of(ground)
        other = MarginTerms(held.symbol, held.leverage, MarginMode.ISOLATED)
        order = await placed(ground, ground.limit(), Standing.WORKING)
        assert isinstance(await ground.account.set_margin(held, other), Refused)
        assert isinstance(await ground.account.cancel(ground.ref(order)), Accepted)
        await placed(ground, ground.market(), Standing.FILLED)
        outcome = await ground.account.set_margin(held, other)
        assert isinstance(outcome, Refused)
        assert outcome.detail.isprintable()
        far = MarginTerms(held.symbol, 999, held.mode)
        assert isinstance(await ground.account.set_margin(held, far), Refused)
        assert held == await margin_of(ground)

    async def test_what_another_client_changes_is_told_once(self, ground: Ground) -> None:
        """Row 47: by the venue's own requests; asked three times, told with what it was."""
        held = await margin_of(ground)
        told: list[VenueEvent] = []
        errands, mail = Errands(), Mail(told.append, lambda: 1, lambda: None)
        terms = Terms(ground.account, Held((held,), 60.0), errands, mail)

        async def asked(minute: int) -> None:
            terms.beat(minute * 60 * 10**9)
            await errands.leave(PATIENCE_S)
            mail.advance(1)
            for event in told:
                terms.see(event)

        await asked(1)
        assert [] == told
        async with ground.another() as other:
            wanted = MarginTerms(held.symbol, 3, MarginMode.ISOLATED)
            assert isinstance(await other.set_margin(held, wanted), Accepted)
        for minute in (2, 3):
            await asked(minute)
            was = held.leverage, MarginMode.CROSS
            assert [VenueMargin(1, held.symbol, 3, MarginMode.ISOLATED, *was)] == told
