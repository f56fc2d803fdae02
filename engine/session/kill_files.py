"""Kill files: whether one is there. Engine and sentinel ask the same question."""

import os
from collections.abc import Sequence


def first_present(paths: Sequence[str]) -> int | None:
    """Return the place of the first that exists, or whose place can't be read; links count.

    What can't be looked at might be there (reliability.md D3).
    """
    for place, path in enumerate(paths):
        try:
            os.lstat(path)
        except FileNotFoundError:
            continue
        except OSError:
            return place
        return place
    return None
