"""A desktop's keyring in a few lines: org.freedesktop.secrets on a D-Bus of its own.

What it is told it keeps in memory. It speaks the part of the Secret Service API that clients of
Python's `keyring` use, without encryption on the bus ("plain"), and with one collection.

Source: Secret Service API Draft, freedesktop.org, sections on sessions, collections, items, prompts.
"""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from threading import Thread
from typing import Any

import jeepney
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.low_level import Message, MessageType

DBUS = shutil.which("dbus-daemon")
ROOT = "/org/freedesktop/secrets"
COLLECTION = f"{ROOT}/aliases/default"
PROMPT = f"{ROOT}/prompt/1"
SESSION = f"{ROOT}/session/1"
PLAIN = "plain"
NOT_SUPPORTED = "org.freedesktop.DBus.Error.NotSupported"
NO_SUCH_OBJECT = "org.freedesktop.DBus.Error.UnknownObject"
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir={folder}</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""

Answer = tuple[str, tuple[Any, ...]]


class SecretService:
    """Answers what clients ask."""

    def __init__(self, bus: DBusConnection) -> None:
        self._bus = bus
        self.items: dict[str, tuple[dict[str, str], bytes]] = {}
        """Object path to attributes and secret."""
        self.is_locked = False
        """Until somebody answers its prompt, which nobody here does."""
        self._made = 0
        self._methods = {
            "OpenSession": self._open_session,
            "Get": self._get, "SearchItems": self._search, "CreateItem": self._create,
            "GetSecret": self._secret, "Delete": self._delete, "Unlock": self._unlock,
            "Prompt": lambda *_: ("", ()),
        }  # fmt: skip

    def serve(self) -> None:
        """Answer until the bus goes away."""
        with contextlib.suppress(ConnectionError, OSError, EOFError):
            while True:
                message = self._bus.receive()
                if message.header.message_type is MessageType.method_call:
                    self._bus.send(self._answer(message))

    def _answer(self, message: Message) -> Message:
        fields = message.header.fields
        method = fields[jeepney.HeaderFields.member]
        path = fields[jeepney.HeaderFields.path]
        try:
            signature, body = self._methods[method](path, *message.body)
        except KeyError:
            return jeepney.new_error(message, NO_SUCH_OBJECT, "s", (f"no {method} of {path}",))
        except NotImplementedError:
            return jeepney.new_error(message, NOT_SUPPORTED, "s", ("only plain",))
        return jeepney.new_method_return(message, signature or None, body)

    def _open_session(self, _: str, algorithm: str, __: object) -> Answer:
        if algorithm != PLAIN:
            raise NotImplementedError
        return "vo", (("s", ""), SESSION)

    def _get(self, path: str, _: str, name: str) -> Answer:
        if path != COLLECTION and path not in self.items:
            raise KeyError(path)
        values = {"Locked": ("b", self.is_locked), "Label": ("s", "Login")}
        return "v", (values[name],)

    def _search(self, _: str, wanted: dict[str, str]) -> Answer:
        found = [
            path for path, (known, __) in self.items.items() if wanted.items() <= known.items()
        ]
        return "ao", (found,)

    def _create(self, _: str, properties: dict[str, Any], secret: Any, replace: bool) -> Answer:
        known = properties["org.freedesktop.Secret.Item.Attributes"][1]
        same = [path for path, (other, __) in self.items.items() if other == known and replace]
        self._made += not same
        path = same[0] if same else f"{COLLECTION}/{self._made}"
        self.items[path] = known, bytes(secret[2])
        return "oo", (path, "/")

    def _secret(self, path: str, session: str) -> Answer:
        return "(oayays)", ((session, b"", self.items[path][1], "text/plain"),)

    def _delete(self, path: str) -> Answer:
        del self.items[path]
        return "o", ("/",)

    def _unlock(self, _: str, paths: list[str]) -> Answer:
        return "aoo", ([], PROMPT) if self.is_locked else (paths, "/")


@contextlib.contextmanager
def secret_service() -> Iterator[tuple[str, SecretService]]:
    """Start a bus with the service on it; yield its address, and the service."""
    assert DBUS is not None, "no dbus-daemon"
    with tempfile.TemporaryDirectory(prefix="bus") as folder:
        config = f"{folder}/bus.conf"
        with open(config, "w") as file:
            file.write(CONFIG.format(folder=folder))
        words = [DBUS, f"--config-file={config}", "--nofork", "--print-address=1"]
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as daemon:
            assert daemon.stdout is not None
            address = daemon.stdout.readline().strip()
            try:
                with open_dbus_connection(address) as bus:
                    bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.secrets"))
                    service = SecretService(bus)
                    thread = Thread(target=service.serve, daemon=True)
                    thread.start()
                    yield address, service
                    daemon.terminate()
                    thread.join(10)
            finally:
                daemon.terminate()
