"""`python -m tests.live_simulation`: see `make soak-live-virtual`."""

import sys
from pathlib import Path

from tests.live_simulation.virtual import VirtualTime

CLOCK = VirtualTime()
CLOCK.install()
sys.path.insert(0, str(Path(__file__).parents[1] / "simulation" / "plugin"))

from tests.live_simulation.command import main  # noqa: E402 - behind the clock

raise SystemExit(main(sys.argv[1:], CLOCK))
