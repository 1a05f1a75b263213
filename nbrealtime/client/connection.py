"""One socket's worth of conversation, kept up: the session, its socket, and whoever listens.

Collaborators: ``session/`` decides, ``websocket.py`` carries, ``target.py``
says where to, ``gate.py`` holds fast publishers back, ``routes.py`` and
``notices.py`` tell sinks and listeners. Handles on it (``link.py``)
are given out and counted by ``pool.py``.

The one rule: everything happens on the client thread. Other threads leave what
they want in the inbox, which is emptied once a tick however much is in it (a
call into the loop for each publish would cost fifty times as much), and read
``status``, which is replaced and never changed.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import ssl
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from nbrealtime.client import portal
from nbrealtime.client.gate import Gate
from nbrealtime.client.guarded import guarded
from nbrealtime.client.message import Message
from nbrealtime.client.notices import Listener, Notices
from nbrealtime.client.routes import Route, Routes
from nbrealtime.client.session import Event, Memory, Publish, Report, Session
from nbrealtime.client.session.requests import HistoryQuestion
from nbrealtime.client.status import LinkState, Status
from nbrealtime.client.target import Place, Target
from nbrealtime.client.websocket import Closing, HandshakeRefused, WebSocket, open_websocket
from nbrealtime.errors import RealtimeError
from nbrealtime.wire.v2 import SUBPROTOCOL

__all__ = ["Connection"]

_HANDSHAKE_SECONDS: Final = 10.0
_RESOLVE_SECONDS: Final = 60.0
_GOODBYE_SECONDS: Final = 5.0
_LAST_ANSWER_SECONDS: Final = 1.0
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
        self._place = Place(target.url, None, None)
        self._inbox: deque[Publish | Callable[[], None]] = deque()
        self._errands = 0  # how many of these are no publishes
        self._counting = threading.Lock()
        self._is_posted = False
        self._notices = Notices(Status(state=LinkState.CONNECTING, url=target.url))
        # From here on: the client thread's alone.
        self._routes = Routes()
        self._socket: WebSocket | None = None
        self._task: asyncio.Task[None] | None = None
        self._nudge = asyncio.Event()
        self._drained = asyncio.Event()
        self._answered = asyncio.Event()
        self._has_published = False
        self._timer: asyncio.TimerHandle | None = None
        self._verdict = ""
        self._is_writing = False
        self._settled_bytes = 0
        self._renewing: asyncio.Task[None] | None = None

    # -- from any thread ------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """How it is now."""
        status = self._notices.status
        queued = self._session.outbox.queued + max(0, len(self._inbox) - self._errands)
        return status if queued == status.queued else msgspec.structs.replace(status, queued=queued)

    @property
    def is_ended(self) -> bool:
        """Whether it is closed for good; in a forked child every connection of the parent is."""
        return self._notices.status.state is LinkState.CLOSED or self.pid != os.getpid()

    def start(self) -> None:
        """Begins to connect."""
        portal.call(self._start)

    def post(self, item: Publish | Callable[[], None]) -> None:
        """Leaves a publish or an errand for the client thread, in this order."""
        if not isinstance(item, Publish):
            with self._counting:
                self._errands += 1
        self._inbox.append(item)
        # A race costs one needless call: `_drain` lowers the flag before it looks.
        if not self._is_posted:
            self._is_posted = True
            portal.call(self._drain)

    def wait(self, until: Callable[[], bool], timeout: float | None) -> bool:
        """Waits until it holds; ``False`` after ``timeout`` seconds. A signal interrupts it."""
        return self._notices.wait(until, timeout)

    @property
    def has_socket(self) -> bool:
        """Whether there is a socket, open or on its way there or out."""
        return self._socket is not None

    def forget_socket(self) -> None:
        """In a forked child: lets go of the parent's socket, so that the parent's end of it is the end.

        Its number stays taken: the socket's Python object, collected later, would close a stranger's.
        """
        if self._socket is not None and self._socket.fileno >= 0:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, self._socket.fileno)
            os.close(nothing)

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
            async with asyncio.timeout(_GOODBYE_SECONDS):
                while self._is_worth_waiting():
                    self._drained.clear()
                    await self._drained.wait()
            # Some servers forget what they have not read yet when they see the goodbye.
            async with asyncio.timeout(_LAST_ANSWER_SECONDS):
                if self._is_up() and self._has_published:
                    self._session.ask_alive(self._now())
                    self._write()
                    while self._is_up() and not self._session.is_answered:
                        self._answered.clear()
                        await self._answered.wait()
        except TimeoutError:
            pass  # a server that reads so slowly is left; what waits is counted as dropped
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

    def _is_worth_waiting(self) -> bool:
        """Whether what waits can still be written: a program may publish once and end, connected or not yet."""
        state = self._session.state
        is_first = state is LinkState.CONNECTING and self._session.error is None
        outbox = self._session.outbox
        return (outbox.queued > 0 or bool(outbox.acknowledged)) and (is_first or state is LinkState.CONNECTED)

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
                    _sentence(fault),
                    refused=status in (401, 403),
                    status=status,
                    dropped=dropped,
                )
                self._drained.set()
                self._notice()
            else:
                if socket is not None and self._begin(socket):
                    self._end(await socket.closed)
            await self._pause()

    async def _attempt(self) -> WebSocket | None:
        if not self._session.falls_back:
            self._place = await self._resolve()
        place = self._place
        # With the subprotocol the token is said in the hello: an address is logged by many hands.
        offers = self._session.attempt(place.url, place.token)
        if self._is_over():
            self._finish(self._session.take_reports())
            return None
        async with asyncio.timeout(_HANDSHAKE_SECONDS):
            return await open_websocket(
                place.url if offers else place.full_url,
                on_frames=self._receive,
                on_writable=self._write,
                on_socket=self._adopt,
                subprotocol=SUBPROTOCOL if offers else None,
            )

    async def _resolve(self) -> Place:
        target = self.target
        if not target.may_block:
            return target.resolve()
        async with asyncio.timeout(_RESOLVE_SECONDS):
            return await portal.blocking(target.resolve)

    async def _renew(self) -> None:
        """Fetches another token for the connection that is open."""
        try:
            place = await self._resolve()
        except (OSError, ValueError, RealtimeError) as fault:
            reports = self._session.renewal_failed(self._now(), f"no new token: {_sentence(fault)}")
            self._notices.report(reports)
        else:
            if place.token is not None:
                self._session.renew(place.token, self._now())
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
        self._notices.report(self._session.opened(self._now(), self._place.token))
        self._tick(self._now())
        return True

    def _end(self, closing: Closing) -> None:
        self._socket = None
        self._drained.set()
        self._answered.set()
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
        if self._session.renewal.wanted and self._renewing is None:
            self._renewing = asyncio.get_running_loop().create_task(self._renew())
            self._renewing.add_done_callback(self._renewed)
        self._arm()
        self._write()

    def _renewed(self, task: asyncio.Task[None]) -> None:
        self._renewing = None
        if not task.cancelled() and (fault := task.exception()) is not None:
            raise fault

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
        portal.assert_on_thread()
        self._is_posted = False
        inbox, publish = self._inbox, self._session.publish
        taken = 0
        # Only what is there now: a thread that publishes without pause must not keep us here.
        for _ in range(len(inbox)):
            item = inbox.popleft()
            if isinstance(item, Publish):
                taken += item.size
                publish(item)
                self._has_published = True
            else:
                with self._counting:
                    self._errands -= 1
                item()
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
        if not outbox and not outbox.acknowledged:
            self._drained.set()
        self.gate.update(
            taken, outbox.held_bytes, acknowledged=outbox.acknowledged_bytes, offline=outbox.is_offline
        )
        self._tell_reports()
        self._notice()

    def _tell_reports(self) -> None:
        reports = self._session.take_reports()
        if reports:
            self._notices.report(reports)

    def _write_on(self) -> None:
        self._is_writing = False
        self._write()

    def _receive(self, frames: list[bytes]) -> None:
        """Reads what one read brought: to each subscription one list."""
        session = self._session
        now, wall = self._now(), time.time()
        session.heard(now)
        batches: dict[str, list[Message]] = {}
        was_up = self._is_up()
        for frame in frames:
            for event in session.receive(frame, now, wall):
                if isinstance(event, Message):
                    # v2 says which subscription it is for.
                    name = event.subscription
                    for topic in session.subscriptions.routes(event.topic) if name is None else (name,):
                        batch = batches.get(topic)
                        if batch is None:
                            batches[topic] = [event]
                        else:
                            batch.append(event)
                elif isinstance(event, Report):
                    self._notices.report([event])
                else:
                    # What came before it is told before it.
                    self._routes.hand_on(event.topic, batches.pop(event.topic, []))
                    self._routes.tell(event)
        for topic, batch in batches.items():
            self._routes.hand_on(topic, batch)
        if not frames:
            return
        if self._is_up() and not was_up:
            self._tick(now)
        else:
            # Answers to what came, and room for publishers whose messages were acknowledged.
            if session.has_to_say or session.outbox.acknowledged_bytes != self._settled_bytes:
                self._settled_bytes = session.outbox.acknowledged_bytes
                self._write()
            deadline = session.deadline
            if deadline is not None and (self._timer is None or deadline < self._timer.when()):
                self._arm()
        if session.latency != self._notices.status.latency or session.is_answered:
            self._answered.set()
            self._notice()

    # -- details --------------------------------------------------------------------------------------

    def _notice(self) -> None:
        self.version, self.message_bytes = self._session.version, self._session.message_bytes
        self._notices.update(self._compose)

    def _compose(self) -> Status:
        session, outbox = self._session, self._session.outbox
        return Status(
            state=session.state,
            url=self._place.url,
            user=session.user or self._place.user,
            latency=session.latency,
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

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _sentence(fault: Exception) -> str:
    """Why an attempt failed, for people."""
    if isinstance(fault, ConnectionRefusedError):
        return "nothing listens there: is the server running?"
    if isinstance(fault, TimeoutError):
        return f"no answer within {_HANDSHAKE_SECONDS:g} s"
    if isinstance(fault, socket.gaierror):
        return "the host's name is not known"
    if isinstance(fault, ssl.SSLError):
        return f"no secure connection: {fault.reason or fault}"
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    return str(fault)
