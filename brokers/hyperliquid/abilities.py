"""What Hyperliquid can do for a session, by our settings. Pure.

Source: the Hyperliquid sheet, sections 3, 4 and 8.
"""

from typing import Final

from brokers.hyperliquid.cloid import CLIENT_ID_ALPHABET, CLIENT_ID_MAX
from brokers.hyperliquid.config import HyperliquidConfig
from engine.venue import Capabilities

LAG_MS: Final = 2_000
"""Beyond what the venue lets arrive late, until its answers show what has arrived."""
PER_REQUEST: Final = 39
"""Elements of one action; from 40 on it weighs more than one."""
PICTURE_GAP_S: Final = 15.0
"""A picture weighs 44, three times that while the account moves; an address has 1,200 a minute."""


def capabilities(config: HyperliquidConfig) -> Capabilities:
    """Return what the venue can do, and how long a lost order may take to turn up."""
    return Capabilities(
        can_amend_price=config.amends,
        can_amend_qty=config.amends,
        amend_down_keeps_queue=False,
        has_triggers=False,
        places_per_request=PER_REQUEST,
        cancels_per_request=PER_REQUEST,
        client_id_max=CLIENT_ID_MAX,
        client_id_alphabet=CLIENT_ID_ALPHABET,
        picture_gap_s=PICTURE_GAP_S,
        query_lag_ms=LAG_MS + round(config.expires_after_s * 1_000),
    )


CAPABILITIES: Final = capabilities(HyperliquidConfig())
"""As long as the settings are the defaults."""
