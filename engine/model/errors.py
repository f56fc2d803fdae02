"""Everything that can go wrong, as one tree on two axes: ours or theirs, recoverable or not.

    LaptopAgentsError
    ├── UsageError                  what the user asked for can't be done         exit 2
    │   ├── SettingsRefused         one or more settings are invalid
    │   ├── UnknownInstrument       a symbol no source or venue knows
    │   ├── NeverBegun              a run was interrupted before it wrote a line
    │   └── Unguarded               the sentinel does not come up, so nothing starts
    ├── DataUnavailable             a file or venue can't be read                 exit 5
    │   ├── BrokenCapture           a recorded file is damaged beyond skipping
    │   └── SessionUnreachable      no session answers at a run's control socket
    ├── StateDamaged                journal or state can't be trusted             exit 6
    │   └── JournalDamaged          a line that is torn, changed, missing or out of place
    ├── CredentialsRefused          keys are missing or not accepted              exit 7
    ├── StateHeld                   another session owns this state               exit 8
    │   └── FencedByEpoch           it took over while this one was writing
    ├── BadAnswer                   an agent returned nonsense; it is quarantined
    └── Defect                      our own bug, found by an assertion            exit 1
        └── IdentityBroken          the books no longer add up
    ValueError
    └── OffGrid                     a price or size the instrument can't express

A refusal that is part of normal trading (a gate verdict, a venue reject, a malformed tick) is a
value, not an exception: see `engine.model.events`.
"""

from typing import ClassVar


class LaptopAgentsError(Exception):
    """Base of every error this program raises on purpose."""

    exit_code: ClassVar[int] = 1
    """What the process returns when this error ends it; the table is in interface.md."""


class UsageError(LaptopAgentsError):
    """The request can't be carried out as typed; the message says what to do instead."""

    exit_code = 2


class SettingsRefused(UsageError):
    """One or more settings are invalid; `problems` has one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class UnknownInstrument(UsageError):
    """No source in this session offers `symbol`."""

    def __init__(self, symbol: str, known: tuple[str, ...]) -> None:
        self.symbol, self.known = symbol, known
        super().__init__(
            f"unknown symbol {symbol}: this source offers {', '.join(known) or 'none'}"
        )


class NeverBegun(UsageError):
    """A journal without a whole line: nothing had happened, so there is nothing to go on with."""


class Unguarded(UsageError):
    """A session that must be guarded has no sentinel; source: reliability.md D4."""


class DataUnavailable(LaptopAgentsError):
    """A data source can't be opened or reached."""

    exit_code = 5


class BrokenCapture(DataUnavailable):
    """A recorded file holds nothing usable."""


class SessionUnreachable(DataUnavailable):
    """Nobody answers at a run's control socket, or not in a way this program understands."""


class StateDamaged(LaptopAgentsError):
    """A journal, checkpoint or run folder can't be trusted or written."""

    exit_code = 6


class JournalDamaged(StateDamaged):
    """Line `line` of `path` is not what the chain demands; nothing after it can be trusted."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        self.path, self.line, self.reason = path, line, reason
        super().__init__(f"{path}:{line}: {reason}")


class CredentialsRefused(LaptopAgentsError):
    """Keys are missing, unreadable or refused by the venue."""

    exit_code = 7


class StateHeld(LaptopAgentsError):
    """Another process holds this state folder."""

    exit_code = 8


class FencedByEpoch(StateHeld):
    """The run in `folder` has a writer of a higher epoch: this one must not touch it any more."""

    def __init__(self, folder: str, ours: int, theirs: int) -> None:
        self.folder, self.ours, self.theirs = folder, ours, theirs
        super().__init__(
            f"fenced_by_epoch: another session took over {folder} (epoch {theirs}, ours is {ours})"
        )


class Defect(LaptopAgentsError):
    """A promise of our own code is broken; never caught by a supervisor of agents."""


class IdentityBroken(Defect):
    """Equity or position no longer equals the sum of what made it."""


class OffGrid(ValueError):
    """A number lies between two ticks or lots of its instrument."""
