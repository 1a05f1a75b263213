"""One socket's worth of conversation, kept up: the session, its socket, and whoever listens.

Collaborators: ``session/`` decides, ``dialer.py`` opens the sockets
(``websocket.py``) that carry it and ``renewing.py`` fetches other tokens;
``inbox.py`` has what other threads want, ``gate.py`` holds fast publishers back;
``intake.py``, ``routes.py`` and ``notices.py`` tell sinks and listeners;
``goodbye.py`` knows how long the end may wait. Handles on it (``link.py``) are
given out and counted by ``pool.py``.

The one rule: everything happens on the client thread. Other threads leave what
they want in the inbox, and read ``status``, which is replaced and never changed.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
import uuid
from collections.abc import Callable
from typing import Final

import msgspec

from nbrealtime.client import portal
from nbrealtime.client.dialer import Dialer, explain
from nbrealtime.client.gate import Gate
from nbrealtime.client.goodbye import Goodbye
from nbrealtime.client.guarded import guarded
from nbrealtime.client.handshake import HandshakeRefused
from nbrealtime.client.inbox import Inbox
from nbrealtime.client.intake import Intake
from nbrealtime.client.notices import Listener, Notices
from nbrealtime.client.renewing import Renewing
from nbrealtime.client.routes import Route, Routes
from nbrealtime.client.session import Event, Memory, Session
from nbrealtime.client.session.requests import HistoryQuestion
from nbrealtime.client.status import LinkState, Status
from nbrealtime.client.target import Target
from nbrealtime.client.websocket import Closing, WebSocket
from nbrealtime.errors import RealtimeError

__all__ = ["Connection"]

_WRITE_BYTES: Final = 128 * 1024
_HEARTBEAT_MISSED: Final = 4012
# What every connection of this process has learnt about addresses.
_dialects: Final = Memory()


class Connection:
    """See the module. Constructing it connects nothing; `start` does. ``on_end`` is called once it is closed."""

    def __init__(self, target: Target, *, on_end: Callable[[Connection], None]) -> None:
        self.target = target
        self.gate = Gate()
        self.pid = os.getpid()
        self._on_end = on_end
        self.version: int | None = None
        self.message_bytes: int | None = None
        self._session = Session(random=random.random, client=str(uuid.uuid4()), memory=_dialects)
        self._session.renewal.possible = target.may_renew
        self.inbox = Inbox(self._drain)
        self._dialer = Dialer(target)
        self._notices = Notices(Status(state=LinkState.CONNECTING, url=target.url))
        # From here on: the client thread's alone.
        self._routes = Routes()
        self._intake = Intake(self._session, self._routes, self._notices)
        self._renewing = Renewing(self._dialer, self._session, self._renewed)
        self._goodbye = Goodbye(self._session)
        self._socket: WebSocket | None = None
        self._task: asyncio.Task[None] | None = None
        self._nudge = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._verdict = ""
        self._is_writing = False
        self._settled_bytes = 0

    # -- from any thread ------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """How it is now."""
        status = self._notices.status
        queued = self._session.outbox.queued + self.inbox.waiting
        return status if queued == status.queued else msgspec.structs.replace(status, queued=queued)

    @property
    def is_ended(self) -> bool:
        """Whether it is closed for good; in a forked child every connection of the parent is."""
        return self._notices.status.state is LinkState.CLOSED or self.pid != os.getpid()

    def start(self) -> None:
        """Begins to connect."""
        portal.call(self._start)

    def wait(self, until: Callable[[], bool], timeout: float | None) -> bool:
        """Waits until it holds; ``False`` after ``timeout`` seconds. A signal interrupts it."""
        return self._notices.wait(until, timeout)

    @property
    def has_socket(self) -> bool:
        """Whether there is a socket, open or on its way there or out."""
        return self._socket is not None

    def forget_socket(self) -> None:
        """In a forked child: lets go of the parent's socket, so that the parent's end of it is the end."""
        if self._socket is not None:
            self._socket.forget()

    # -- errands, on the client thread ----------------------------------------------------------------

    def add_listener(self, listener: Listener) -> None:
        """Tells ``listener`` about the connection: how it is now, and every change."""
        portal.assert_on_thread()
        self._notices.add(listener)

    def remove_listener(self, listener: Listener) -> None:
        """Tells it nothing more."""
        self._notices.remove(listener)

    def add_route(self, route: Route) -> None:
        """Subscribes a sink; the first one of a topic subscribes the connection."""
        portal.assert_on_thread()
        if self._is_over():
            guarded(route.sink.closed)
            return
        session, topic = self._session, route.topic
        self._routes.add(route)
        wanted = session.subscriptions.get(topic)
        if wanted is not None and route.since is not None and self.version == 2:
            # For one more who wants what was before, the stream begins there again; who has had it
            # already is passed by.
            self._routes.rewind(topic, wanted.positions.all(), route)
        session.subscribe(topic, self._routes.options(topic), route.since)
        known = session.subscriptions.get(topic)
        if known is not None and known.count is not None and (route.since is None or self.version == 1):
            guarded(route.sink.subscribed, known.count)

    def remove_route(self, route: Route) -> None:
        """Unsubscribes a sink; the last one of a topic unsubscribes the connection."""
        if self._routes.remove(route):
            self._session.unsubscribe(route.topic)
        elif self._session.subscriptions.get(route.topic) is not None:
            self._session.subscribe(route.topic, self._routes.options(route.topic))

    def ask(self, question: HistoryQuestion) -> None:
        """Asks about a topic's history."""
        self._session.ask(question)

    def make_room(self, limit_bytes: int) -> None:
        """Fails the oldest acknowledged publishes that wait offline beyond a bound."""
        if self._session.outbox.is_offline:
            self._session.outbox.make_room(limit_bytes)

    def reconnect(self) -> None:
        """Tries now instead of later."""
        self._session.reconnect(self._now())
        self._nudge.set()

    async def close(self) -> None:
        """Writes what waits if there is a connection, says goodbye, and ends."""
        portal.assert_on_thread()
        self._drain()
        try:
            await self._goodbye.wait(self._ask_alive)
        finally:
            # Ended before the socket is, so that its end is no loss to be repaired; and also when we are
            # cancelled, since the process ends.
            socket = self._socket
            self._finish(self._session.close())
            if socket is not None:
                socket.close()
            if self._task is not None and (socket is None or not socket.is_open):
                self._task.cancel()
        if socket is not None:
            await asyncio.wait([socket.closed])

    def _ask_alive(self) -> None:
        self._session.ask_alive(self._now())
        self._write()

    # -- keeping it up --------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._session.state is not LinkState.CLOSED:
            self._session.connecting()
            self._task = asyncio.get_running_loop().create_task(self._keep_up())
            self._task.add_done_callback(self._stopped)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        """A fault of our own must not look like a connection that is merely slow."""
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self._finish(self._session.close(f"internal fault: {fault!r}"))
            raise fault

    async def _keep_up(self) -> None:
        session = self._session
        while session.state is not LinkState.CLOSED:
            session.connecting()
            self._notice()
            try:
                socket = await self._attempt()
            except (OSError, ValueError, RealtimeError, HandshakeRefused) as fault:
                # ValueError: a host's name that cannot be one is found out when it is looked up.
                self._socket = None
                status = fault.status if isinstance(fault, HandshakeRefused) else None
                dropped = isinstance(fault, HandshakeRefused) and fault.dropped
                session.failed(
                    self._now(),
                    explain(fault),
                    refused=status in (401, 403),
                    status=status,
                    dropped=dropped,
                )
                self._goodbye.stir()
                self._notice()
            else:
                if socket is not None and self._begin(socket):
                    self._end(await socket.closed)
            await self._pause()

    async def _attempt(self) -> WebSocket | None:
        if not self._session.falls_back:
            await self._dialer.find()
        place = self._dialer.place
        offers_v2 = self._session.attempt(place.url, place.token)
        if self._is_over():
            self._finish(self._session.take_reports())
            return None
        return await self._dialer.open(
            offers_v2=offers_v2, on_frames=self._receive, on_writable=self._write, on_socket=self._adopt
        )

    def _renewed(self, reports: list[Event]) -> None:
        """Another token was fetched, or could not be."""
        self._notices.report(reports)
        self._arm()
        self._write()

    def _adopt(self, socket: WebSocket) -> None:
        self._socket = socket

    def _begin(self, socket: WebSocket) -> bool:
        """The server accepted; returns whether it is still wanted."""
        if self._session.state is LinkState.CLOSED:
            socket.close()
            return False
        self._verdict = ""
        self._notices.report(self._session.opened(self._now(), self._dialer.place.token))
        self._tick(self._now())
        return True

    def _end(self, closing: Closing) -> None:
        self._socket = None
        self._goodbye.stir()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        session = self._session
        if session.state is LinkState.CLOSED:
            return
        was_up = self._is_up()
        self._notices.report(session.lost(self._now(), closing.code, self._verdict or closing.reason))
        if self._is_over():
            self._finish([])
            return
        self._arm()  # what was written and is not acknowledged may become uncertain
        self._write()
        if was_up:
            self._routes.tell_offline()

    async def _pause(self) -> None:
        """Waits until the next attempt is due; `reconnect` makes it due."""
        self._nudge.clear()
        while True:
            due = self._session.retry_at
            if due is None or due <= self._now():
                return
            try:
                async with asyncio.timeout_at(due):
                    await self._nudge.wait()
                self._nudge.clear()
            except TimeoutError:
                return

    def _tick(self, scheduled: float) -> None:
        """The session's deadline has come. asyncio reads what is pending before it runs a late timer."""
        now = self._now()
        reason = self._session.tick(now, max(now - scheduled, 0.0))
        if reason is not None and self._socket is not None:
            self._verdict = reason
            self._socket.leave(_HEARTBEAT_MISSED if self._session.heartbeat.is_silent(now) else 1000)
            return
        self._renewing.look()
        self._arm()
        self._write()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._session.deadline
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._tick, deadline)

    def _finish(self, reports: list[Event]) -> None:
        """It is over: says so to everybody, once."""
        if self._notices.status.state is LinkState.CLOSED:
            return
        self._notices.report(reports)
        if self._timer is not None:
            self._timer.cancel()
        self._write()
        self._routes.close()
        self._notices.close()
        self.gate.release()
        self._on_end(self)

    # -- in and out -----------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Takes over what other threads have left."""
        taken = self.inbox.empty(self._session.publish)
        if taken:
            self._goodbye.has_published = True
        self._write(taken)

    def _write(self, taken: int = 0) -> None:
        """Gives the socket what it can take, and makes room for publishers."""
        socket, outbox = self._socket, self._session.outbox
        if socket is not None and socket.is_open and socket.writable:
            # Not all of it at once: what lies in the socket is lost with it, what lies here is not, and
            # between two parts the loop reads.
            frames = self._session.take(_WRITE_BYTES, self._now())
            if frames:
                socket.send(frames)
            if self._session.has_to_say and not self._is_writing:
                self._is_writing = True
                asyncio.get_running_loop().call_soon(self._write_on)
        if self._goodbye.waiting and not outbox.line and not outbox.acknowledged:
            self._goodbye.stir()
        self.gate.update(
            taken, outbox.held_bytes, acknowledged=outbox.acknowledged_bytes, offline=outbox.is_offline
        )
        reports = self._session.take_reports()
        if reports:
            self._notices.report(reports)
        self._notice()

    def _write_on(self) -> None:
        self._is_writing = False
        self._write()

    def _receive(self, frames: list[bytes]) -> None:
        """Reads what one read brought."""
        session = self._session
        now = self._now()
        session.heartbeat.heard(now)
        state = session.state
        self._intake.read(frames, now, time.time())
        if not frames:
            return
        if state is not LinkState.CONNECTED and self._is_up():
            self._tick(now)
        else:
            # Answers to what came, and room for publishers whose messages were acknowledged.
            if session.has_to_say or session.outbox.acknowledged_bytes != self._settled_bytes:
                self._settled_bytes = session.outbox.acknowledged_bytes
                self._write()
            deadline = session.deadline
            if deadline is not None and (self._timer is None or deadline < self._timer.when()):
                self._arm()
        if self._goodbye.waiting:
            self._goodbye.stir()
        # Whatever else of the status changes by what is heard changes with something to write.
        if session.heartbeat.latency != self._notices.status.latency:
            self._notice()

    # -- details --------------------------------------------------------------------------------------

    def _notice(self) -> None:
        self.version, self.message_bytes = self._session.version, self._session.message_bytes
        self._notices.update(self._compose)

    def _compose(self) -> Status:
        session, outbox, place = self._session, self._session.outbox, self._dialer.place
        return Status(
            state=session.state,
            url=place.url,
            user=session.user or place.user,
            latency=session.heartbeat.latency,
            attempts=session.attempts,
            queued=outbox.queued,
            dropped=outbox.dropped,
            error=session.error,
            uncertain=outbox.uncertain,
            protocol=session.version,
        )

    # Asked by name, since the session changes under calls that mypy cannot see through.

    def _is_up(self) -> bool:
        return self._session.state is LinkState.CONNECTED

    def _is_over(self) -> bool:
        return self._session.state is LinkState.CLOSED

    _now = staticmethod(time.monotonic)  # the clock of the portal's loop
