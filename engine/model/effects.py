"""What one step of the kernel leaves behind: decisions to write down, commands to send."""

from typing import Final, NamedTuple

from engine.model.events import Command, Record


class Effects(NamedTuple):
    """The outcome of one step; the shell makes `records` durable before it sends `commands`."""

    records: list[Record]
    commands: list[Command]


NO_EFFECTS: Final = Effects([], [])
"""Shared by the many steps that decide nothing; never written to."""


class Outbox:
    """Where the rooms of the kernel put what they decide, in order."""

    __slots__ = ("commands", "records")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.commands: list[Command] = []

    def emit(self, record: Record) -> None:
        """Add a decision."""
        self.records.append(record)

    def send(self, command: Command) -> None:
        """Add a command to a broker."""
        self.commands.append(command)

    def drain(self) -> Effects:
        """Hand over everything since the last drain."""
        if not self.records and not self.commands:
            return NO_EFFECTS
        effects = Effects(self.records, self.commands)
        self.records, self.commands = [], []
        return effects
