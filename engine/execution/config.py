"""Settings `sync.*`: how often our account is held against the venue's, and what follows."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncConfig:
    """Position and order truth of domain.md section 6."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    interval_s: Annotated[float, Gt(0)] | None = 5.0
    """Time between two looks at the venue's account, beside those after a reconnect or a resume.
    None never looks."""
    mismatch_tolerance: Annotated[Decimal, Ge(0)] = Decimal(0)
    """Difference of a position, in lots, that is let pass."""
    balance_tolerance: Annotated[Decimal, Ge(0)] = Decimal("0.01")
    """Difference of the balance, quote currency, that is let pass while everything is flat."""
    repair: bool = True
    """Whether fills that never arrived are booked and our own forgotten orders canceled. Orders of
    others are never touched, and no position is ever traded away to make the books agree."""
    escalate_s: Annotated[float, Gt(0)] = 30.0
    """How long a difference may last before the session halts (`reconcile_failed`)."""
