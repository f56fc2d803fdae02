"""A certificate that vouches for itself: what a sandbox proves its name with over TLS.

It is made anew at each start, for this machine's own names and a month, and its key never leaves
its folder. Whoever trusts the certificate trusts this sandbox and nothing else.
"""

import datetime as dt
import ipaddress
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.model.errors import UsageError

HOSTS: Final = ("127.0.0.1", "::1", "localhost")
DAYS: Final = 30
SKEW: Final = dt.timedelta(days=10)
"""Before now, so that a client whose clock is late takes it too."""
_SIGNS: Final = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
"""What Python 3.13 wants to see on a certificate that vouches for itself."""
FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Identity(NamedTuple):
    """Two PEM files."""

    certificate: Path
    """What clients trust."""
    key: Path

    def serving(self) -> ssl.SSLContext:
        """Return what a server proves itself with.

        Raises:
            UsageError: The files can't be read, or don't belong together.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ValueError) as error:
            raise UsageError(f"no certificate and key: {type(error).__name__}") from error
        return context


def self_signed(folder: Path, hosts: Sequence[str] = HOSTS, days: int = DAYS) -> Identity:
    """Make one in a folder of its own.

    Args:
        folder: Where nobody else can read.
        hosts: Names and addresses it is good for.
        days: From now; a negative number has passed since it expired.

    """
    secret = ec.generate_private_key(ec.SECP256R1())
    made = Identity(folder / "certificate.pem", folder / "key.pem")
    _write(made.certificate, _certificate(secret, hosts, days))
    _write(
        made.key,
        secret.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    return made


def _certificate(secret: ec.EllipticCurvePrivateKey, hosts: Sequence[str], days: int) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "laptop-agents sandbox")])
    now, public = dt.datetime.now(dt.UTC), secret.public_key()
    return (
        x509.CertificateBuilder(name, name, public, x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([_named(host) for host in hosts]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(secret, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, FLAGS, 0o600), "wb") as file:
        file.write(content)
