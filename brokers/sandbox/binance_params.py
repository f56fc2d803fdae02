"""Parameters of a Binance request: words checked by kind, with the venue's own complaint. Pure."""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from brokers.sandbox.binance_codes import ApiError, missing

NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
INTEGER: Final = re.compile(r"[0-9]{1,18}")
CLIENT_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
FLAGS: Final = {"true": True, "false": False}


class Params:
    """What a client sent, by name."""

    def __init__(self, sent: Mapping[str, str]) -> None:
        self._sent = sent

    def text(self, name: str, default: str = "") -> str:
        """Return a word; absent and empty are the same."""
        return self._sent.get(name, "") or default

    def need(self, name: str) -> str:
        """Return a word that must be there."""
        found = self.text(name)
        if not found:
            raise missing(name)
        return found

    def one_of(self, name: str, allowed: Collection[str], complaint: tuple[int, str]) -> str:
        """Return a word out of a list."""
        found = self.need(name)
        if found not in allowed:
            raise ApiError(*complaint)
        return found

    def number(self, name: str) -> Decimal | None:
        """Return a decimal number; None if absent."""
        found = self.text(name)
        if not found:
            return None
        if NUMBER.fullmatch(found) is None:
            raise _illegal(name, "^([0-9]{1,20})(\\.[0-9]{1,20})?$")
        return Decimal(found)

    def integer(self, name: str, default: int | None = None) -> int | None:
        """Return a whole number; the default if absent."""
        found = self.text(name)
        if not found:
            return default
        if INTEGER.fullmatch(found) is None:
            raise _illegal(name, "^[0-9]{1,20}$")
        return int(found)

    def limit(self, most: int, default: int = 500) -> int:
        """Return `limit`, cut to what the venue gives."""
        return min(self.integer("limit") or default, most)

    def flag(self, name: str) -> bool:
        """Return a truth; False if absent."""
        found = self.text(name, "false").lower()
        if found not in FLAGS:
            raise ApiError(-1104, f"Parameter '{name}' must be true or false.")
        return FLAGS[found]

    def client_id(self, name: str) -> str:
        """Return a client order id; empty if absent."""
        found = self.text(name)
        if found and CLIENT_ID.fullmatch(found) is None:
            raise ApiError(-4015, "Client order id is not valid.")
        return found

    def rows(self, name: str, most: int) -> list[Any]:
        """Return a JSON list with at least one and at most so many rows."""
        try:
            found = msgspec.json.decode(self.need(name), type=list[Any])
        except (msgspec.DecodeError, RecursionError) as error:
            raise ApiError(-1130, f"Data sent for parameter '{name}' is not valid.") from error
        if not 1 <= len(found) <= most:
            raise ApiError(-4082, "Invalid number of batch place orders.")
        return found


def params_of(row: object) -> Params:
    """Return a row of a batch as parameters."""
    if not isinstance(row, dict):
        raise ApiError(-1130, "Data sent for parameter 'batchOrders' is not valid.")
    return Params({str(k): word(v) for k, v in row.items()})


def word(value: object) -> str:
    """Return a JSON value as it would be sent in a query."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _illegal(name: str, legal: str) -> ApiError:
    return ApiError(
        -1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."
    )
