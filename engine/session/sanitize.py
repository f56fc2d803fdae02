"""The filters of `engine.model.text`, by the name the session's rooms know them under."""

from engine.model.text import (
    KNOWN_SECRET_MIN,
    PUBLIC_KEYS,
    REDACTED,
    REPLACEMENT,
    Redactor,
    is_secret_key,
    sanitize,
    secrets_of,
)

__all__ = [
    "KNOWN_SECRET_MIN",
    "PUBLIC_KEYS",
    "REDACTED",
    "REPLACEMENT",
    "Redactor",
    "is_secret_key",
    "sanitize",
    "secrets_of",
]
