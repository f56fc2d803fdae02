"""How much a client may ask a Binance sandbox: weight by address, orders, and bans. Pure.

Counters start anew at each full minute and each full ten seconds. Who goes on after a 429 is
banned; a ban grows with each repetition. Source: the Binance sheet, section 8.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from brokers.sandbox.binance_codes import ApiError

MINUTE_MS: Final = 60_000
TEN_SECONDS_MS: Final = 10_000
DEFIANCE_MAX: Final = 10
"""Requests after a 429 within its minute that lead to a ban."""
BAN_S: Final = 120
"""The first; each further one is twice as long, up to three days."""
BAN_MAX_S: Final = 3 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What `exchangeInfo` announces."""

    weight_per_minute: int = 2_400
    orders_per_10s: int = 300
    orders_per_minute: int = 1_200


class _Window:
    """A counter that starts anew at each multiple of its length."""

    def __init__(self, length_ms: int) -> None:
        self.length_ms = length_ms
        self.used = 0
        self._begun = -1

    def at(self, now_ms: int) -> int:
        """Return what was used in the window of now."""
        begun = now_ms // self.length_ms
        if begun != self._begun:
            self._begun, self.used = begun, 0
        return self.used

    def left_s(self, now_ms: int) -> float:
        """Return how long the window of now still lasts."""
        return (self.length_ms - now_ms % self.length_ms) / 1_000


class Meter:
    """Counts one client; `charge` before anything is done, `headers` on every answer."""

    def __init__(self, limits: Limits, clock_ms: Callable[[], int]) -> None:
        self._limits = limits
        self._clock_ms = clock_ms
        self._weight = _Window(MINUTE_MS)
        self._short, self._long = _Window(TEN_SECONDS_MS), _Window(MINUTE_MS)
        self._defiance = _Window(MINUTE_MS)
        self._banned_until_ms = 0
        self._bans = 0

    def charge(self, weight: int) -> None:
        """Count a request.

        Raises:
            ApiError: 429, or 418 while a ban lasts.
        """
        now_ms = self._clock_ms()
        if now_ms < self._banned_until_ms:
            raise _banned(self._banned_until_ms, now_ms)
        used = self._weight.at(now_ms) + weight
        self._weight.used = used
        if used > self._limits.weight_per_minute:
            self._defy(now_ms)
            raise ApiError(
                -1003,
                f"Too many requests; current limit of IP is {self._limits.weight_per_minute} "
                "requests per minute. Please use the websocket for live updates.",
                429,
                self._weight.left_s(now_ms),
            )

    def charge_orders(self, count: int) -> None:
        """Count orders.

        Raises:
            ApiError: There were too many.
        """
        now_ms = self._clock_ms()
        for window, most, words in (
            (self._short, self._limits.orders_per_10s, "10 SECONDS"),
            (self._long, self._limits.orders_per_minute, "1 MINUTE"),
        ):
            if window.at(now_ms) + count > most:
                msg = f"Too many new orders; current limit is {most} orders per {words}."
                raise ApiError(-1015, msg, 429, window.left_s(now_ms))
        self._short.used += count
        self._long.used += count

    def headers(self) -> dict[str, str]:
        """Return what the venue says of its counters."""
        now_ms = self._clock_ms()
        return {
            "X-MBX-USED-WEIGHT-1M": str(self._weight.at(now_ms)),
            "X-MBX-ORDER-COUNT-10S": str(self._short.at(now_ms)),
            "X-MBX-ORDER-COUNT-1M": str(self._long.at(now_ms)),
        }

    def rows(self) -> list[dict[str, object]]:
        """Return the same with their limits, as `exchangeInfo` names them."""
        now_ms, limits = self._clock_ms(), self._limits
        return [
            {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": most,
             "count": window.at(now_ms)}
            for kind, interval, number, most, window in (
                ("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute, self._weight),
                ("ORDERS", "SECOND", 10, limits.orders_per_10s, self._short),
                ("ORDERS", "MINUTE", 1, limits.orders_per_minute, self._long),
            )
        ]  # fmt: skip

    def _defy(self, now_ms: int) -> None:
        self._defiance.used = self._defiance.at(now_ms) + 1
        if self._defiance.used > DEFIANCE_MAX:
            length_s = min(BAN_S << self._bans, BAN_MAX_S)
            self._bans += 1
            self._banned_until_ms = now_ms + length_s * 1_000
            self._defiance.used = 0
            raise _banned(self._banned_until_ms, now_ms)


def _banned(until_ms: int, now_ms: int) -> ApiError:
    return ApiError(
        -1003,
        f"Way too many requests; IP banned until {until_ms}. Please use the websocket for live "
        "updates to avoid bans.",
        418,
        (until_ms - now_ms) / 1_000,
    )
