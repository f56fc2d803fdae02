"""What one step of the kernel leaves behind: decisions to write down, commands to send."""

from collections.abc import Callable
from typing import Final

import msgspec

from engine.model.commands import Command
from engine.model.records import Record


class Effects(msgspec.Struct, frozen=True, gc=False):
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

    __slots__ = ("commands", "emit", "records", "send")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.commands: list[Command] = []
        self.emit: Callable[[Record], None] = self.records.append
        """Add a decision."""
        self.send: Callable[[Command], None] = self.commands.append
        """Add a command to a broker."""

    def drain(self) -> Effects:
        """Hand over everything since the last drain."""
        records, commands = self.records, self.commands
        effects = Effects(records.copy(), commands.copy())
        records.clear()
        commands.clear()
        return effects
