"""How much of a sweep is run: a sample by `make test`, all that is promised by `make sweeps`.

Source: reliability.md section 3.
"""

import os
from typing import Final

IS_WHOLE: Final = os.environ.get("SWEEPS") == "whole"


def counted(promised: int, *, sample: int) -> int:
    """Return how many of a sweep to run."""
    return promised if IS_WHOLE else sample
