"""The only place that knows every part: settings in, a wired session out.

Nothing here decides anything about trading. What is chosen is chosen by a table or a setting.
"""

from laptop_agents.compose.account import make_broker, meant_for
from laptop_agents.compose.kernel import make_kernel
from laptop_agents.compose.session import Parts, Wired, make_session, wire_session
from laptop_agents.compose.source import make_clock, make_feed, make_live_feed

__all__ = [
    "Parts",
    "Wired",
    "make_broker",
    "make_clock",
    "make_feed",
    "make_kernel",
    "make_live_feed",
    "make_session",
    "meant_for",
    "wire_session",
]
