"""The control socket of a running session, on the session's own loop.

The engine never waits here: clients are served between its steps, a view is drawn only while
somebody watches and written without waiting, and a client that does not take it gets a newer one
later or is dropped. A fault in here costs the socket, not the session.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from msgspec.structs import replace

from engine.model.events import Operator
from engine.session.control.address import Listener
from engine.session.control.attached import ASKS_MAX, Attached
from engine.session.control.docket import PATIENCE_S, Docket
from engine.session.control.frames import encode
from engine.session.control.lease import Lease
from engine.session.control.peer import ROOT, Peer
from engine.session.control.views import View
from engine.session.control.words import (
    Ask,
    Consider,
    Farewell,
    Foretold,
    Outcome,
    Ruling,
    Welcome,
)

VIEW_INTERVAL_S: Final = 0.1
"""Ten views a second: more than a person can read, and what a screen can draw."""
VIEWERS_MAX: Final = 16
CLIENTS_MAX: Final = 32
"""All connections: a crowd of screens leaves room for somebody who wants to stop the session."""
CONSIDER_S: Final = 0.01
"""Shortest time between two looks ahead of one client: ten times as often as a person types."""
LOST_S: Final = 5.0
"""How long a screen that had the controls may be gone before it counts as lost: it reconnects
within two seconds."""
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
        draw: Callable[[int, str], View],
        durable: Callable[[], Awaitable[None]],
        failed: Callable[[Exception], None],
        foresee: Callable[[Consider], Foretold],
        lease: Lease | None = None,
        lost: Callable[[str], None] = lambda _: None,
        owner: int | None = None,
    ) -> None:
        """Take over a bound socket.

        Args:
            draw: Takes a picture of the session for so many viewers, and who has the controls.
            durable: Returns once everything journalled so far is on disk.
            failed: Told of a fault of ours that ended the views.
            foresee: Looks ahead at an order, without any effect.
            lost: Told which screen had the controls and is gone without leave, with no other
                there to take them.
            owner: The user who may connect, besides root; the one who runs this process.

        """
        self._welcome = welcome
        self._listener = listener
        self._docket = docket
        self._draw = draw
        self._durable = durable
        self._failed = failed
        self._foresee = foresee
        self._lost = lost
        self._lease = lease or Lease()
        self._losing: asyncio.TimerHandle | None = None
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
        if self._losing is not None:
            self._losing.cancel()
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
            view = encode(self._draw(len(self._viewers), self._lease.holder))
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

    def welcome(self, client: Attached) -> Welcome:
        """Say who the session is, who the client is to it, and who has the controls."""
        return replace(
            self._welcome,
            you=client.by,
            controls=self._lease.holder,
            is_watch_only=self._lease.is_watch_only,
        )

    def greet(self, client: Attached) -> str | None:
        """Let a client watch, unless too many do; the first that may send has the controls."""
        if len(self._viewers) >= VIEWERS_MAX:
            return f"{VIEWERS_MAX} screens watch already"
        self._viewers.add(client)
        self._is_watched.set()
        if self._may_send(client):
            self._lease.offer(client.by)
        return None

    def _may_send(self, client: Attached) -> bool:
        return client.hello is not None and self._lease.admits(client.hello.client)

    def leave(self, client: Attached) -> None:
        """Forget a connection; nothing is drawn for nobody."""
        self._clients.discard(client)
        if client in self._viewers:
            self._viewers.discard(client)
            self._release(client)
        if not self._viewers:
            self._is_watched.clear()

    def _release(self, client: Attached) -> None:
        """Free the controls of a screen that is gone, and notice if it is lost."""
        others = [viewer for viewer in self._viewers if viewer.by == client.by]
        if others or not self._lease.leave(client.by) or client.has_left:
            return
        loop = asyncio.get_running_loop()
        self._losing = loop.call_later(LOST_S, self._miss, client.by)

    def _miss(self, by: str) -> None:
        if not any(map(self._may_send, self._viewers)):
            self._lost(by)

    def ask(self, client: Attached, ask: Ask) -> None:
        """Put a command before the session, unless this client has too many under way."""
        if client.asks >= ASKS_MAX:
            client.refuse(f"{ASKS_MAX} commands of this client are under way already")
            return
        client.asks += 1
        assert client.hello is not None, "commands come after the greeting"
        barred = self._lease.bars(ask.command, client.by, client.hello.client)
        if barred is not None:
            self._docket.turn_away(ask, barred, lambda outcome: self._answer(client, outcome))
            return
        self._docket.enter(ask, client.by, lambda outcome: self._answer(client, outcome))
        asyncio.get_running_loop().call_later(PATIENCE_S, self._docket.expire)

    def consider(self, client: Attached, question: Consider) -> None:
        """Answer a look ahead at once, unless they come faster than anybody types."""
        now_s = monotonic()
        if now_s - client.considered_s < CONSIDER_S:
            client.tell(
                Foretold(ask_id=question.ask_id, argument=question.argument, flaw="asked too often")
            )
            return
        client.considered_s = now_s
        client.tell(self._foresee(question))

    def _answer(self, client: Attached, outcome: Outcome) -> None:
        task = asyncio.get_running_loop().create_task(self._tell(client, outcome))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _tell(self, client: Attached, outcome: Outcome) -> None:
        """Acknowledge what is durable (reliability.md C1)."""
        await self._durable()
        client.asks -= 1
        if outcome.command is Operator.TAKE_CONTROLS and outcome.ruling is Ruling.DONE:
            self._lease.take(client.by)
        client.tell(outcome)
