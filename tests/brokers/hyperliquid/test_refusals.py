"""Every text and word of the sheet, and those of tomorrow; the oracle is its sections 6 and 8."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.hyperliquid.refusals import ending_of, harmless, reason_of
from engine.model.venue_events import RejectReason as R
from engine.model.venue_events import Standing

TEXTS = [
    ("User or API Wallet 0x19e7 does not exist.", R.AUTH),
    ("Must deposit before performing actions. User: 0x19e7", R.AUTH),
    ("Invalid nonce: duplicate nonce 5", R.CLOCK_SKEW),
    ("Nonce too low", R.CLOCK_SKEW),
    ("Request expired: expiresAfter 5 < 6", R.CLOCK_SKEW),
    ("Too many cumulative requests sent (10001 > 10000) for cumulative volume", R.RATE_LIMIT),
    ("Insufficient margin to place order. asset=1", R.INSUFFICIENT_BALANCE),
    ("Insufficient spot balance asset=10000", R.INSUFFICIENT_BALANCE),
    ("Price must be divisible by tick size. asset=1", R.INVALID_ORDER),
    ("Order must have minimum value of $10. asset=1", R.INVALID_ORDER),
    ("Order has invalid size.", R.INVALID_ORDER),
    ("Order has zero size.", R.INVALID_ORDER),
    ("Order price cannot be more than 80% away from the reference price", R.INVALID_ORDER),
    ("Invalid TP/SL price. asset=1", R.INVALID_ORDER),
    ("Order would increase open interest while open interest is capped", R.INVALID_ORDER),
    ("Order was never placed, already canceled, or filled. asset=1", R.ORDER_NOT_FOUND),
    ("Cannot modify canceled or filled order", R.ORDER_NOT_FOUND),
    ("Post only order would have immediately matched, bbo was 1@2. asset=1", R.POST_ONLY_WOULD_CROSS),
    ("Order could not immediately match against any resting orders. asset=1", R.NO_LIQUIDITY),
    ("No liquidity available for market order. asset=1", R.NO_LIQUIDITY),
    ("Reduce only order would increase position. asset=1", R.REDUCE_ONLY_REJECTED),
    ("Duplicate cloid. asset=1", R.DUPLICATE_CLIENT_ID),
    ("Something nobody has ever read", R.INVALID_ORDER),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), TEXTS)
def test_text(text: str, reason: R) -> None:
    """By a part of it, in any case of letters."""
    assert reason is reason_of(text)
    assert reason is reason_of(text.upper())


W, F, C, E, J = (
    Standing.WORKING, Standing.FILLED, Standing.CANCELED, Standing.EXPIRED, Standing.REJECTED,
)  # fmt: skip
WORDS = [
    ("open", W, None), ("triggered", W, None), ("filled", F, None), ("canceled", C, None),
    ("scheduledCancel", C, None), ("rejected", J, R.INVALID_ORDER), ("marginCanceled", E, None),
    ("vaultWithdrawalCanceled", E, None), ("openInterestCapCanceled", E, None),
    ("selfTradeCanceled", E, None), ("reduceOnlyCanceled", E, None),
    ("siblingFilledCanceled", E, None), ("delistedCanceled", E, None),
    ("liquidatedCanceled", E, None), ("tickRejected", J, R.INVALID_ORDER),
    ("minTradeNtlRejected", J, R.INVALID_ORDER), ("minTradeSpotNtlRejected", J, R.INVALID_ORDER),
    ("perpMarginRejected", J, R.INSUFFICIENT_BALANCE),
    ("reduceOnlyRejected", J, R.REDUCE_ONLY_REJECTED),
    ("badAloPxRejected", J, R.POST_ONLY_WOULD_CROSS), ("iocCancelRejected", E, None),
    ("badTriggerPxRejected", J, R.INVALID_ORDER), ("marketOrderNoLiquidityRejected", E, None),
    ("positionIncreaseAtOpenInterestCapRejected", J, R.INVALID_ORDER),
    ("positionFlipAtOpenInterestCapRejected", J, R.INVALID_ORDER),
    ("tooAggressiveAtOpenInterestCapRejected", J, R.INVALID_ORDER),
    ("openInterestIncreaseRejected", J, R.INVALID_ORDER),
    ("insufficientSpotBalanceRejected", J, R.INSUFFICIENT_BALANCE),
    ("oracleRejected", J, R.INVALID_ORDER), ("perpMaxPositionRejected", J, R.INVALID_ORDER),
    ("someNewRuleRejected", J, R.INVALID_ORDER), ("someNewRuleCanceled", E, None),
    ("frozenByDao", Standing.UNANSWERED, None),
]  # fmt: skip


@pytest.mark.parametrize(("word", "standing", "reason"), WORDS)
def test_word(word: str, standing: Standing, reason: R | None) -> None:
    """By itself, else by how it ends; nothing is concluded from anything else."""
    assert (standing, reason) == ending_of(word)


@given(st.text(max_size=500))
def test_any_text_is_a_reason_and_harmless(text: str) -> None:
    """Whatever the venue says."""
    assert isinstance(reason_of(text), R)
    assert isinstance(ending_of(text).standing, Standing)
    assert len(harmless(text)) <= 120
    assert not {unicodedata.category(c) for c in harmless(text)} & {"Cc", "Cf", "Cs", "Co"}
