"""Where this program keeps its files: `LAPTOP_AGENTS_HOME`, else the platform's user data folder.

Rule 1: finding the home touches nothing. Rule 2: what we create is 0700; a folder that was there
before keeps its mode, because it may be somebody's mount point.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from engine.model.errors import StateDamaged

APP = "laptop-agents"
FOLDER_MODE = 0o700
FILE_MODE = 0o600


def find_home(environ: Mapping[str, str]) -> Path:
    """Return the absolute home, whether or not it exists."""
    named = environ.get("LAPTOP_AGENTS_HOME")
    if named:
        return Path(os.path.abspath(named))  # resolve() would follow symlinks
    import platformdirs  # noqa: PLC0415 - 14 ms that a named home need not pay

    return Path(platformdirs.user_data_dir(APP, appauthor=False))


def prepare_home(home: Path) -> Path:
    """Create the home if it is absent, and prove that files can be made in it.

    Raises:
        StateDamaged: It is not a folder, or this user may not write there.
    """
    try:
        home.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(home, error.strerror or type(error).__name__) from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise _unusable(home, "this user may not write there")
    return home


def kill_path(home: Path) -> Path:
    """Return the file whose existence stops every session of this home."""
    return home / "kill.txt"


def profile_folder(home: Path) -> Path:
    """Return where the user's own profiles live."""
    return home / "profiles"


def _unusable(home: Path, reason: str) -> StateDamaged:
    return StateDamaged(
        f"can't use the home folder {home}: {reason}; name another with LAPTOP_AGENTS_HOME"
    )
