"""What a state of the session looks like; its word stands beside every color."""

from typing import Final

TOKENS: Final = {
    "INIT": "text",
    "READY": "text",
    "ACTIVE": "ok",
    "EMERGENCY": "danger",
    "STOPPED": "text",
}
"""The others are worth a warning."""


def state_token(state: str) -> str:
    """Return the token of a state, known or not."""
    return TOKENS.get(state, "warn")
