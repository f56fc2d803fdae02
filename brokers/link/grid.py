"""From a venue's decimal strings to whole ticks and lots, exactly, without Decimal or float.

`"61800.20"` on a tick of 0.1 is 618002: the digits are cut at the grid's decimals, what is cut must
be zeros, what is left must be a multiple of the step. Prices and sizes repeat by the thousand in a
feed, so each answer is remembered.
"""

from decimal import Decimal
from typing import Final

from engine.model.instrument import Instrument
from engine.model.market import Flaw

NUMBER_CHARS_MAX: Final = 40
"""No venue sends more; longer ones are an attack on `int`."""
STEPS_MAX: Final = 2**53
"""A float holds every count up to here, and a journal line any."""
REMEMBERED_MAX: Final = 100_000
"""Strings kept by each converter, some 15 MB; a busy hour has fewer prices, and as many sizes."""

_NOT_FINITE: Final = frozenset({"nan", "snan", "inf", "infinity"})


class Refused(ValueError):
    """A line or number that can't become an event; caught where the line is parsed."""

    def __init__(self, flaw: Flaw, detail: str) -> None:
        self.flaw: Flaw = flaw
        self.detail = detail
        super().__init__(detail)


class Steps(dict[str, int]):
    """Look a decimal string up as its count of `step`.

    A mapping because a hit then costs one lookup and no call; a miss converts. `least` is 1 for
    prices and 0 for sizes, which a depth update may set to nothing.
    """

    def __init__(self, step: Decimal, *, least: int) -> None:
        exponent = step.as_tuple().exponent
        assert isinstance(exponent, int), "a step is finite"
        self._decimals = max(0, -exponent)
        self._unit = int(step.scaleb(self._decimals))
        self._least = least

    def __missing__(self, text: str) -> int:
        """Convert.

        Raises:
            Refused: `nan`, `non_positive`, `off_grid` or `malformed`.
        """
        count = _whole_steps(text, self._decimals, self._unit)
        if count < self._least:
            raise Refused("non_positive", f"not above zero: {text}")
        if len(self) >= REMEMBERED_MAX:
            self.clear()
        self[text] = count
        return count


class Grid:
    """How to read the numbers of one instrument."""

    __slots__ = ("lots", "symbol", "ticks")

    def __init__(self, instrument: Instrument) -> None:
        self.symbol = instrument.symbol
        self.ticks = Steps(instrument.tick_size, least=1)
        self.lots = Steps(instrument.lot_size, least=0)


def plain_decimal(text: str) -> str:
    """Return `text` if it is digits with at most one point between them.

    Raises:
        Refused: `nan` for what is not finite, `non_positive` below zero, otherwise `malformed`.
    """
    _split(text)
    return text


def _whole_steps(text: str, decimals: int, unit: int) -> int:
    whole, fraction = _split(text)
    kept = fraction[:decimals]
    if len(fraction) > decimals and fraction[decimals:].strip("0"):
        raise Refused("off_grid", f"{text} has more than {decimals} decimals")
    count, rest = divmod(int(whole + kept.ljust(decimals, "0")), unit)
    if rest:
        raise Refused("off_grid", f"{text} lies between two steps")
    if count > STEPS_MAX:
        raise Refused("malformed", f"{text} is no price or size")
    return count


def _split(text: str) -> tuple[str, str]:
    """Split into digits before and after the point; both ASCII, none missing."""
    whole, point, fraction = text.partition(".")
    if (
        whole.isdigit()
        and (fraction.isdigit() or not point)
        and text.isascii()
        and len(text) <= NUMBER_CHARS_MAX
    ):
        return whole, fraction
    raise _why_not_plain(text)


def _why_not_plain(text: str) -> Refused:
    if len(text) > NUMBER_CHARS_MAX:
        return Refused("malformed", f"number of {len(text)} characters")
    if text.lstrip("+-").lower() in _NOT_FINITE:
        return Refused("nan", f"not finite: {text}")
    digits = text.removeprefix("-").replace(".", "", 1)
    if text.startswith("-") and digits.isascii() and digits.isdigit():
        return Refused("non_positive", f"below zero: {text}")
    return Refused("malformed", f"not a decimal: {text!r}")
