"""A real Chromium without a window, driven by its own DevTools protocol, and what it was shown."""

import base64
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyte
import pytest
from websockets.sync.client import connect

CHROMIUM = next(
    (path for path in ("/usr/lib/chromium/chromium", shutil.which("chromium")) if path and Path(path).exists()),
    None,
)  # fmt: skip
START_S = 40.0
"""A cold browser on a machine with two busy cores."""
MESSAGE_BYTES_MAX = 64 * 1024 * 1024

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install it")


class Browser:
    """One browser process with a profile of its own; pages share its cookies."""

    def __init__(self, profile: Path) -> None:
        self._log = (profile.parent / f"{profile.name}.log").open("w+b")
        assert CHROMIUM is not None
        self._process = subprocess.Popen(
            [
                CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
                "--disable-component-update", "--enable-unsafe-swiftshader", "--mute-audio", "--hide-scrollbars",
                "--window-size=1100,720", "--remote-debugging-port=0", "--remote-allow-origins=*",
                f"--user-data-dir={profile}", "about:blank",
            ],
            env={"PATH": os.environ["PATH"], "HOME": str(profile), "LANG": "C.UTF-8"},
            stdout=subprocess.DEVNULL, stderr=self._log, start_new_session=True,
        )  # fmt: skip
        self._address = self._listening()
        self._pages: list[Page] = []

    def open(self, address: str) -> "Page":
        """Open a page of its own on an address."""
        self._pages.append(Page(self._address, address))
        return self._pages[-1]

    def close(self) -> None:
        """End it with all its processes."""
        for page in self._pages:
            page.close()
        os.killpg(self._process.pid, 9)
        self._process.wait(20.0)
        self._log.close()

    def _listening(self) -> str:
        deadline = time.monotonic() + START_S
        while True:
            self._log.seek(0)
            said = self._log.read().decode(errors="replace")
            if found := re.search(r"DevTools listening on (ws://\S+)", said):
                return found[1]
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)


class Page:
    """One tab: what it asked for, what its socket brought, and what it complained of."""

    def __init__(self, devtools: str, address: str) -> None:
        self._socket = connect(devtools, max_size=MESSAGE_BYTES_MAX, close_timeout=0.5).__enter__()
        self._number = 0
        self._session: str | None = None
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.is_closed = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=address)

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Give one command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while (answer := self._next(START_S)).get("id") != self._number:
            continue
        assert "error" not in answer, answer
        return answer["result"]

    def script(self, source: str) -> Any:
        """Return the value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=source, awaitPromise=True)
        return result["result"].get("value")

    def text(self) -> str:
        """What the socket has painted until now."""
        return "\n".join(self._screen.display)

    def until(self, holds: Callable[[str], bool], seconds: float = 40.0) -> str:
        """Wait for something to be painted."""
        shown = self.shows(holds, seconds)
        assert shown, f"waited in vain:\n{self.text()}\n{self.complaints}"
        return self.text()

    def shows(self, holds: Callable[[str], bool], seconds: float) -> bool:
        """Whether something is painted in time."""
        deadline = time.monotonic() + seconds
        while not holds(self.text()):
            if time.monotonic() > deadline:
                return False
            self._next(0.2)
        return True

    def press(self, keys: str) -> None:
        """Type into the page, as a keyboard does; below a blank it is a letter with control."""
        for key in keys:
            named = {"key": key, "text": key}
            if key < " ":
                letter = chr(ord(key) + 96)
                named = {
                    "key": letter, "code": f"Key{letter.upper()}", "modifiers": 2,
                    "windowsVirtualKeyCode": ord(letter.upper()),
                }  # fmt: skip
            self.call("Input.dispatchKeyEvent", type="keyDown", **named)
            self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def wait(self, seconds: float) -> None:
        """Let time pass, and follow what happens."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._next(left)

    def screenshot(self) -> bytes:
        """Return a PNG of the page."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        """Leave the tab."""
        self._socket.close()

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            message = json.loads(self._socket.recv(timeout=seconds))
        except TimeoutError:
            return {}
        taken = TAKES.get(message.get("method", ""))
        if taken is not None:
            taken(self, message["params"])
        return message

    def _sent(self, parameters: dict[str, Any]) -> None:
        """Follow the size of the terminal, which the page tells the server."""
        word = json.loads(parameters["response"]["payloadData"])
        if word[0] == "resize":
            self._screen.resize(word[1]["height"], word[1]["width"])

    def _received(self, parameters: dict[str, Any]) -> None:
        frame = parameters["response"]
        if frame["opcode"] == 2:
            self._stream.feed(base64.b64decode(frame["payloadData"]))

    def _has_asked(self, parameters: dict[str, Any]) -> None:
        self.asked.append(parameters["request"]["url"])

    def _has_opened(self, parameters: dict[str, Any]) -> None:
        self.asked.append(parameters["url"])
        size = dict(re.findall(r"(width|height)=(\d+)", parameters["url"]))
        self._screen.resize(int(size["height"]), int(size["width"]))

    def _has_closed(self, _: dict[str, Any]) -> None:
        self.is_closed = True

    def _complains(self, parameters: dict[str, Any]) -> None:
        self.complaints.append(json.dumps(parameters)[:500])


TAKES: dict[str, Callable[[Page, dict[str, Any]], None]] = {
    "Network.webSocketFrameSent": Page._sent,
    "Network.webSocketFrameReceived": Page._received,
    "Network.requestWillBeSent": Page._has_asked,
    "Network.webSocketCreated": Page._has_opened,
    "Network.webSocketClosed": Page._has_closed,
    "Log.entryAdded": Page._complains,
    "Runtime.exceptionThrown": Page._complains,
}
