"""What goes wrong between a live session and its venue, and how often, by the minute."""

from types import MappingProxyType
from typing import Any, Final

from tests.simulation.swarm import KINDS as SIMULATED
from tests.simulation.swarm import Kind

PLACE: Final = {"method": "POST"}

MENU: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "menu.kill_streams": ("kill_streams", {}),
    "menu.silent_stream": ("silent_stream", {"seconds": (0.5, 15.0)}),
    "menu.drop": ("drop", {"times": 2}),
    "menu.drop_order": ("drop", PLACE),
    "menu.delay": ("delay", {"seconds": (0.1, 8.0), "times": 3}),
    "menu.error_5xx": ("error_5xx", {"times": 2}),
    "menu.error_5xx_after": ("error_5xx_after", PLACE),
    "menu.accept_then_timeout": ("accept_then_timeout", {**PLACE, "seconds": (1.0, 20.0)}),
    "menu.html_200": ("html_200", {"times": 2}),
    "menu.truncated_json": ("truncated_json", {"times": 2}),
    "menu.rate_limit": ("rate_limit", {"seconds": (0.5, 5.0)}),
    "menu.ban": ("ban", {"seconds": (1.0, 10.0)}),
    "menu.maintenance": ("maintenance", {"seconds": (0.5, 10.0)}),
    "menu.revoke_key": ("revoke_key", {"seconds": (0.5, 20.0)}),
    "menu.not_found_twice": ("not_found_twice", {}),
    "menu.duplicate_fills": ("duplicate_fills", {"times": 3}),
    "menu.reordered_fills": ("reordered_fills", {"seconds": (0.1, 4.0)}),
    "menu.expire_listen_key": ("expire_listen_key", {}),
    "menu.post_only_expires": ("post_only_expires", {}),
    "menu.dead_man": ("dead_man", {}),
}
"""By kind: what is asked of the sandbox; a pair of numbers is drawn between."""

KINDS: Final = MappingProxyType(
    {name: Kind("menu", 0.2, 1.5, 0.4) for name in MENU}
    | {
        "road.cut": Kind("road", 0.1, 1.0, 0.4),
        "road.stall": Kind("road", 0.1, 1.0, 0.4),
        "road.crawl": Kind("road", 0.1, 1.0, 0.4),
        "process.crash": Kind("process", 0.1, 0.6, 0.4),
        "process.crash_mid_turn": Kind("process", 0.1, 0.6, 0.4),
        "clock.step": Kind("clock", 0.1, 0.5, 0.2),
    }
    | {name: kind for name, kind in SIMULATED.items() if name.startswith("operator.")}
)
