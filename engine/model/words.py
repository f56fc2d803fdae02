"""Enumerations whose members are looked up millions of times a session."""

from enum import StrEnum


class Word(StrEnum):
    """A StrEnum that hashes like the string it is.

    `Enum.__hash__` is a Python function; as a key of transition tables and of dispatch it would
    cost more than the lookup itself.
    """

    __hash__ = str.__hash__
