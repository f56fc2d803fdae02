"""Ids that a replay computes again: nothing here is random.

Inside the engine an order is `<agent>-<sequence>`, the id of the intent that caused it, so that
decisions do not depend on which run they belong to. What the venue sees, the client order id, adds
the run: two runs on one account never share one.
"""

import hashlib
from typing import Final

DIGEST_CHARS: Final = 20
"""Characters of the hash used where the plain form does not fit: 100 bits, no collisions."""

_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"


def client_order_id(run_id: str, order_id: str, *, max_length: int, alphabet: str) -> str:
    """Derive the venue's idempotency key from run, agent and intent sequence.

    Args:
        max_length: Longest id the venue takes; at least `DIGEST_CHARS` + 2.
        alphabet: Characters the venue takes; must include a-z or A-Z, and 2-7.

    Returns:
        `<last four of the run>-<order id>` where the venue can express it, else `la` and a digest
        of both. The same arguments always give the same id. Source: domain.md section 4.

    """
    plain = f"{run_id}-{order_id}"
    allowed = frozenset(alphabet)
    if len(plain) <= max_length and allowed.issuperset(plain):
        return plain
    digest = hashlib.sha256(f"{run_id}/{order_id}".encode()).digest()
    text = "la" + "".join(_BASE32[byte & 31] for byte in digest[:DIGEST_CHARS])
    return text if allowed.issuperset("az") else text.upper()
