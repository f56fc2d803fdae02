"""What a feature is: a number about one instrument, kept up to date event by event.

Rule 1: `value` is None until the feature has seen its whole window, never 0.
Rule 2: an update costs O(1), amortized where it says so, and the memory is bounded by the window.
Rule 3: the fields of a feature are its whole state; a checkpoint holds and restores them exactly.
Rule 4: this is the one place of the engine where prices become floats. Units are the quote
currency, the base currency, or what the name ends with.

Each class states formula, inputs, window, warm-up, when its value goes stale, and the source of the
formula. `version` rises whenever the same events would give another number.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

from engine.model.market import Bar, Trade

if TYPE_CHECKING:
    from engine.market.view import MarketView

FeatureInput = Literal["quotes", "trades", "bars"]
"""Which events a feature is called for; one that wants bars gets those of its own interval."""


class Feature:
    """One feature of one instrument; implementations override the call their `input` names."""

    __slots__ = ()

    input: ClassVar[FeatureInput]
    version: ClassVar[int]
    value: float | None
    """The newest value, None until warm."""

    @property
    def warmth(self) -> tuple[int, int]:
        """How much of its window a feature has seen, and how much it needs."""
        return (0, 1) if self.value is None else (1, 1)

    def on_quote(self, view: "MarketView") -> None:
        """Take the touch in `view`, after an admitted quote changed it."""

    def on_trade(self, trade: Trade) -> None:
        """Take an admitted print."""

    def on_bar(self, bar: Bar) -> None:
        """Take a closed bar."""
