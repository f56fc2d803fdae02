"""The control socket of a running session, on the session's own loop.

The engine never waits here: clients are served between its steps, a view is drawn only while
somebody watches and written without waiting, and a client that does not take it gets a newer one
later or is dropped. A fault in here costs the socket, not the session.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Final

from engine.session.control.address import Listener
from engine.session.control.attached import ASKS_MAX, Attached
from engine.session.control.docket import PATIENCE_S, Docket
from engine.session.control.frames import encode
from engine.session.control.peer import ROOT, Peer
from engine.session.control.views import View
from engine.session.control.words import Ask, Farewell, Outcome, Welcome

VIEW_INTERVAL_S: Final = 0.1
"""Ten views a second: more than a person can read, and what a screen can draw."""
VIEWERS_MAX: Final = 16
CLIENTS_MAX: Final = 32
"""All connections: a crowd of screens leaves room for somebody who wants to stop the session."""
FAREWELL_S: Final = 0.2
"""How long the end of a session waits for clients to take its last words."""


class ControlServer:
    """Serves one session's clients."""

    def __init__(
        self,
        listener: Listener,
        welcome: Welcome,
        docket: Docket,
        *,
        draw: Callable[[int], View],
        durable: Callable[[], Awaitable[None]],
        failed: Callable[[Exception], None],
        owner: int | None = None,
    ) -> None:
        """Take over a bound socket.

        Args:
            draw: Takes a picture of the session for so many viewers.
            durable: Returns once everything journalled so far is on disk.
            failed: Told of a fault of ours that ended the views.
            owner: The user who may connect, besides root; the one who runs this process.

        """
        self.welcome = welcome
        self._listener = listener
        self._docket = docket
        self._draw = draw
        self._durable = durable
        self._failed = failed
        self._users = (os.geteuid() if owner is None else owner, ROOT)
        self._clients: set[Attached] = set()
        self._viewers: set[Attached] = set()
        self._is_watched = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._beat: asyncio.Task[None] | None = None
        self._answers: set[asyncio.Task[None]] = set()

    # --- start and end -------------------------------------------------------------------------

    async def open(self) -> None:
        """Begin to listen, on the running loop."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            lambda: Attached(self), sock=self._listener.sock
        )
        self._beat = loop.create_task(self._serve(), name="control-views")

    async def close(self, stop_reason: str) -> None:
        """Answer what is open, take leave of everybody, and remove the socket."""
        assert self._server is not None
        assert self._beat is not None
        self._server.close()
        self._listener.close()
        self._beat.cancel()
        self._docket.end(stop_reason)
        await asyncio.gather(self._beat, *self._answers, return_exceptions=True)
        for client in list(self._clients):
            client.tell(Farewell(stop_reason))
            client.close()
        deadline_s = asyncio.get_running_loop().time() + FAREWELL_S
        while self._clients and asyncio.get_running_loop().time() < deadline_s:
            await asyncio.sleep(FAREWELL_S / 20)
        for client in list(self._clients):
            client.drop()

    # --- views ---------------------------------------------------------------------------------

    async def _serve(self) -> None:
        try:
            while True:
                await self._is_watched.wait()
                self._show()
                await asyncio.sleep(VIEW_INTERVAL_S)
        except Exception as error:  # noqa: BLE001 - the supervisor seam of views
            self._failed(error)
            for client in list(self._viewers):
                client.refuse("the session can't draw its view, a bug of ours: see session.log")

    def _show(self) -> None:
        for client in [client for client in self._viewers if client.is_stalled]:
            client.drop()
        if self._viewers:
            view = encode(self._draw(len(self._viewers)))
            for client in self._viewers:
                client.offer(view)

    # --- what clients want ---------------------------------------------------------------------

    def admit(self, client: Attached, peer: Peer) -> str | None:
        """Take in a connection, unless it is another user's or one too many."""
        self._clients.add(client)
        if peer.uid is not None and peer.uid not in self._users:
            return f"this session belongs to another user (uid {self._users[0]}, not {peer.uid})"
        if len(self._clients) > CLIENTS_MAX:
            return f"{CLIENTS_MAX} clients are connected already"
        return None

    def greet(self, client: Attached) -> str | None:
        """Let a client watch, unless too many do."""
        if len(self._viewers) >= VIEWERS_MAX:
            return f"{VIEWERS_MAX} screens watch already"
        self._viewers.add(client)
        self._is_watched.set()
        return None

    def leave(self, client: Attached) -> None:
        """Forget a connection; nothing is drawn for nobody."""
        self._clients.discard(client)
        self._viewers.discard(client)
        if not self._viewers:
            self._is_watched.clear()

    def ask(self, client: Attached, ask: Ask) -> None:
        """Put a command before the session, unless this client has too many under way."""
        if client.asks >= ASKS_MAX:
            client.refuse(f"{ASKS_MAX} commands of this client are under way already")
            return
        client.asks += 1
        self._docket.enter(ask, client.by, lambda outcome: self._answer(client, outcome))
        asyncio.get_running_loop().call_later(PATIENCE_S, self._docket.expire)

    def _answer(self, client: Attached, outcome: Outcome) -> None:
        task = asyncio.get_running_loop().create_task(self._tell(client, outcome))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _tell(self, client: Attached, outcome: Outcome) -> None:
        """Acknowledge what is durable (reliability.md C1)."""
        await self._durable()
        client.asks -= 1
        client.tell(outcome)
