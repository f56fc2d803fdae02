"""`python -m tests.simulation`: see `make simulate`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("plugin")))

from tests.simulation.command import main

raise SystemExit(main(sys.argv[1:]))
