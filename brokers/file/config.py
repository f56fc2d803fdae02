"""Settings `file.*`: what a recording can't say about its instruments."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

_STRICT: dict[str, object] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingRules:
    """The grid one instrument trades on."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    tick_size: Annotated[Decimal, Gt(0)]
    """Quote currency per price step."""
    lot_size: Annotated[Decimal, Gt(0)]
    """Base currency per size step; also the smallest order."""
    min_notional: Annotated[Decimal, Ge(0)] = Decimal(5)
    """Quote currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConfig:
    """Rules for symbols that are not well known, or whose rules have changed since."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    instruments: dict[str, TradingRules] = field(default_factory=dict)
    """By symbol; others take the known rules, or those their own decimals suggest."""
