"""What a checkpoint travels in: as it is, or encrypted at rest with AES-256-GCM.

Rule 1: every file has a nonce of its own from the operating system; a run writes thousands of files
        at most, far from where random nonces of 96 bits may repeat.
Rule 2: an envelope is bound to its place (run and file name): moved elsewhere, it does not open.
Rule 3: what does not open is no error but None: checkpoints are caches.

Source: reliability.md section 7 (encrypt state); NIST SP 800-38D for the nonce.
"""

import os
from typing import Final, Protocol

_MARK: Final = b"laptop-agents sealed 1\n"
_SALT: Final = 16
_NONCE: Final = 12
KEY_BYTES: Final = 32

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1
"""32 MB and some 60 ms for a guess; RFC 7914 section 2."""


class Envelope(Protocol):
    """Wraps and unwraps the content of a file."""

    def seal(self, content: bytes, place: bytes) -> bytes:
        """Return what goes to the disk."""
        ...

    def open(self, sealed: bytes, place: bytes) -> bytes | None:
        """Return the content; None when it was not sealed so, here, or was changed."""
        ...


class Plain:
    """Leaves content as it is."""

    def seal(self, content: bytes, place: bytes) -> bytes:  # noqa: ARG002 - the protocol's
        """Return the content."""
        return content

    def open(self, sealed: bytes, place: bytes) -> bytes | None:  # noqa: ARG002 - the protocol's
        """Return the content."""
        return sealed


class Keyed:
    """Encrypts with a key of `KEY_BYTES` bytes."""

    def __init__(self, key: bytes, salt: bytes = bytes(_SALT)) -> None:
        # Loaded here: 5 MB that no plain session needs.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        self._cipher = AESGCM(key)
        self._salt = salt

    def seal(self, content: bytes, place: bytes) -> bytes:
        """Encrypt and authenticate."""
        nonce = os.urandom(_NONCE)
        head = _MARK + self._salt
        return head + nonce + self._cipher.encrypt(nonce, content, head + place)

    def open(self, sealed: bytes, place: bytes) -> bytes | None:
        """Decrypt what this key sealed for this place."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        head, nonce, rest = _split(sealed)
        if head != _MARK + self._salt or len(nonce) < _NONCE:
            return None
        try:
            return self._cipher.decrypt(nonce, rest, head + place)
        except InvalidTag:
            return None


class Passphrase:
    """Encrypts with a key derived from words a person knows; each session draws its own salt."""

    def __init__(self, words: str) -> None:
        self._words = words.encode()
        self._keyed: dict[bytes, Keyed] = {}
        self._salt = os.urandom(_SALT)

    def seal(self, content: bytes, place: bytes) -> bytes:
        """Encrypt under this session's salt."""
        return self._with(self._salt).seal(content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes | None:
        """Decrypt under the salt the file names."""
        head, _, __ = _split(sealed)
        if len(head) < len(_MARK) + _SALT or not head.startswith(_MARK):
            return None
        return self._with(head[len(_MARK) :]).open(sealed, place)

    def _with(self, salt: bytes) -> Keyed:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415

        if salt not in self._keyed:
            kdf = Scrypt(salt=salt, length=KEY_BYTES, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)
            self._keyed[salt] = Keyed(kdf.derive(self._words), salt)
        return self._keyed[salt]


def _split(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    """Return mark and salt, nonce, and the rest."""
    head = len(_MARK) + _SALT
    return sealed[:head], sealed[head : head + _NONCE], sealed[head + _NONCE :]
