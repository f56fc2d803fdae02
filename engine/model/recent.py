"""A bounded memory of keys, oldest forgotten first."""

from collections import OrderedDict
from collections.abc import Iterable


class Recent:
    """Remembers the last `limit` distinct keys, in O(1) each.

    An ordered dict, because a plain one walks over its own deletions to find its first key.
    """

    __slots__ = ("_keys", "_limit")

    def __init__(self, limit: int, keys: Iterable[str] = ()) -> None:
        self._limit = limit
        self._keys: OrderedDict[str, None] = OrderedDict.fromkeys(keys)

    def add(self, key: str) -> bool:
        """Remember a key; False when it was known already."""
        keys = self._keys
        if key in keys:
            return False
        keys[key] = None
        if len(keys) > self._limit:
            keys.popitem(last=False)
        return True

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def keys(self) -> list[str]:
        """Return what is remembered, oldest first, for a checkpoint."""
        return list(self._keys)
