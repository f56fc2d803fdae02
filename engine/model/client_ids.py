"""Ids that a replay computes again: nothing here is random.

Inside the engine an order is `<agent>-<sequence>`, the id of the intent that caused it, so that
decisions do not depend on which run they belong to. What the venue sees, the client order id, adds
the run: two runs on one account never share one, and whoever clears up after a crash can tell a
run's orders from a stranger's by their ids alone.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

RUN_CHARS: Final = 5
"""Characters of a digest that name the run: 25 bits."""
ORDER_CHARS: Final = 15
"""Characters of a digest that name the order in it: 75 bits, no collisions."""
MARK: Final = "la"
DIGEST_CHARS: Final = len(MARK) + RUN_CHARS + ORDER_CHARS
"""Length of an id whose plain form does not fit."""

_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class ClientIds:
    """A run's names for its orders, in what one venue takes. Source: domain.md section 4.

    Attributes:
        run_id: Of the run.
        max_length: Longest id the venue takes; at least `DIGEST_CHARS`.
        alphabet: Characters the venue takes; must include a-z or A-Z, and 2-7.

    """

    run_id: str
    max_length: int
    alphabet: str
    _taken: frozenset[str] = field(init=False, repr=False, compare=False)
    _digest_mark: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive what every id needs."""
        object.__setattr__(self, "_taken", frozenset(self.alphabet))
        mark = self._cased(MARK + _hashed(self.run_id, RUN_CHARS))
        object.__setattr__(self, "_digest_mark", mark)

    def of(self, order_id: str) -> str:
        """Derive the venue's idempotency key; the same order always gets the same.

        Returns:
            `<run>-<order id>` where the venue can express it, else `la` and digests of both. A
            digest that `order_id` returned stays what it is.

        """
        if self._is_digest(order_id):
            return order_id
        plain = f"{self.run_id}-{order_id}"
        if len(plain) <= self.max_length and self._taken.issuperset(plain):
            return plain
        return self._digest_mark + self._cased(_hashed(f"{self.run_id}/{order_id}", ORDER_CHARS))

    def order_id(self, client_id: str) -> str | None:
        """Return the engine's id of an order of this run; None of any other.

        A digest does not tell it: such an order goes by the digest.
        """
        if self._is_digest(client_id):
            return client_id
        run = f"{self.run_id}-"
        return client_id.removeprefix(run) if client_id.startswith(run) else None

    def _cased(self, text: str) -> str:
        return text if "a" in self._taken else text.upper()

    def _is_digest(self, text: str) -> bool:
        return (
            len(text) == DIGEST_CHARS
            and text.startswith(self._digest_mark)
            and set(text.lower()) <= set(_BASE32)
        )


def _hashed(text: str, count: int) -> str:
    return "".join(_BASE32[byte & 31] for byte in hashlib.sha256(text.encode()).digest()[:count])
