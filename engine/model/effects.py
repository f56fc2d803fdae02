"""What one step of the kernel leaves behind: decisions to write down, commands to send."""

from collections.abc import Callable
from typing import Final, NamedTuple

from engine.model.events import Command, Record


class Effects(NamedTuple):
    """The outcome of one step; the shell makes `records` durable before it sends `commands`."""

    records: list[Record]
    commands: list[Command]


NO_EFFECTS: Final = Effects([], [])
"""Shared by the many steps that decide nothing; never written to."""


class Outbox:
    """Where the rooms of the kernel put what they decide, in order.

    `emit` and `send` are bound once and stay valid: a drain empties the lists, it does not replace
    them.
    """

    __slots__ = ("_commands", "_records", "emit", "send")

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._commands: list[Command] = []
        self.emit: Callable[[Record], None] = self._records.append
        """Add a decision."""
        self.send: Callable[[Command], None] = self._commands.append
        """Add a command to a broker."""

    @property
    def is_full(self) -> bool:
        """Whether there is anything to hand over."""
        return bool(self._records or self._commands)

    def drain(self) -> Effects:
        """Hand over everything since the last drain."""
        records, commands = self._records, self._commands
        if not records and not commands:
            return NO_EFFECTS
        effects = Effects(records[:], commands[:])
        records.clear()
        commands.clear()
        return effects
