"""`python -m benchmarks [WORKLOAD ...]`: see `benchmarks.run`."""

import sys

from benchmarks.run import main

sys.exit(main(sys.argv[1:]))
