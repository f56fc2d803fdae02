"""A process dies when it is due, before the world is calm, and never without anybody noticing."""

import shutil
from itertools import count
from pathlib import Path

import pytest

from tests.live_simulation.death import MID_TURN, Death
from tests.live_simulation.kinds import KINDS
from tests.live_simulation.virtual import VirtualTime
from tests.simulation.swarm import Swarm

MINUTE_NS = 60_000_000_000


def swarm_with_a_death(began_ns: int) -> Swarm:
    for seed in count():
        swarm = Swarm(seed, began_ns + MINUTE_NS, (), KINDS)
        if swarm.moments(MID_TURN, began_ns):
            return Swarm(seed, began_ns + MINUTE_NS, (), KINDS)
    raise AssertionError


@pytest.fixture
def clock() -> VirtualTime:
    clock = VirtualTime()
    clock.begin(1_790_000_000_000_000_000)
    return clock


@pytest.fixture
def death(clock: VirtualTime, tmp_path: Path) -> Death:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "events.jsonl").write_text("{}\n")
    death = Death(swarm_with_a_death(clock.wall_ns()), clock, lambda: None)
    death.threaten(folder, tmp_path / "home")
    return death


def test_who_is_due_dies_at_the_next_command_and_leaves_a_copy(
    death: Death, clock: VirtualTime
) -> None:
    clock.pass_ns(MINUTE_NS - 1)
    death.before_command()
    assert death.left is not None
    assert "{}\n" == (death.left / "events.jsonl").read_text()
    assert death.has_come.is_set()


def test_a_death_whose_command_comes_once_the_world_is_calm_never_comes(
    death: Death, clock: VirtualTime
) -> None:
    clock.pass_ns(MINUTE_NS)
    death.before_command()
    assert death.left is None


def test_what_keeps_a_process_from_dying_is_told(death: Death, clock: VirtualTime) -> None:
    shutil.rmtree(death.folder)
    clock.pass_ns(MINUTE_NS - 1)
    with pytest.raises(FileNotFoundError):
        death.before_command()
    assert death.left is None
    assert not death.has_come.is_set()
