"""The profiles in the wheel: valid, explained, and the default is what it says it is."""

from pathlib import Path

import pytest

from laptop_agents.profile_files import shipped_profiles, summary
from laptop_agents.settings import AgentsConfig, Settings, load
from laptop_agents.sources import Flag

NOWHERE = Path("/nonexistent/profiles")
NAMES = ("default", "live", "quoter", "scalp", "stress", "trend-multi")


def test_the_shelf() -> None:
    """These six ship; a new one is added here and to the README."""
    assert NAMES == tuple(shipped_profiles())


@pytest.mark.parametrize("name", NAMES)
def test_profile_is_valid_and_explained(name: str) -> None:
    """It loads, changes something it names, and its first line says who it is for."""
    settings = load([Flag("--profile", "profile", name)], {}, profiles=NOWHERE)

    origins = {setting.origin for setting in settings.flat().values()}
    assert f"profile {name}" in origins
    assert summary(shipped_profiles()[name]).startswith("For ")


def test_default_profile_repeats_the_built_in_defaults() -> None:
    """So a profile of one's own starts from the same values as no profile at all."""
    flat = load([], {}, profiles=NOWHERE).flat()
    built_in = Settings().flat()

    assert AgentsConfig().enabled == flat["agents.enabled"].value
    for name, setting in built_in.items():
        assert setting.value == flat[name].value or name == "symbols", name
