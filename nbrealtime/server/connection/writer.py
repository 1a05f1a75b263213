"""What goes out on a connection: the outbox, written as fast as the other end reads.

What waits in the session's outbox leaves as one write when the service flushes,
once per turn of the loop; who asked not to be woken too often gets data when it
is due, and everything else at once.

The one rule: bytes of the outbox are handed to the transport only while it is
writable, so that what waits can be counted, and dropped when the reader is too
slow. Whole frames only, so a goodbye can always follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from nbrealtime.hub import Hub, Session
from nbrealtime.server.connection.core import Core
from nbrealtime.server.connection.intake import Hold, Intake
from nbrealtime.server.flusher import Flusher
from nbrealtime.server.hello import Goodbye
from nbrealtime.wire.messages import ErrorCode

__all__ = ["SLOW", "Writer"]

SLOW: Final = 4008

# Above this the transport says stop, and the rest waits where it can be counted and dropped.
_TRANSPORT_BYTES: Final = 256 * 1024


class Writer:
    """Writes one connection.

    Arguments:
        transport, core: where it goes, and what has something to say besides the hub.
        hub, flusher: hear that the outbox is empty while more waits for that.
        intake: whoever does not read what is sent to him is not read either, until he does: so a client
            that publishes to itself is slowed down by TCP, not disconnected.
        part: ends who is too slow all the same.
        limit: bytes that may wait; None for any number.
    """

    __slots__ = (
        "_core",
        "_flush_timer",
        "_flushed",
        "_flusher",
        "_hub",
        "_intake",
        "_limit",
        "_loop",
        "_part",
        "_paused",
        "_session",
        "_transport",
        "choked",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        core: Core,
        hub: Hub,
        flusher: Flusher,
        intake: Intake,
        part: Callable[[Goodbye], None],
        loop: asyncio.AbstractEventLoop,
        *,
        limit: int | None,
    ) -> None:
        transport.set_write_buffer_limits(_TRANSPORT_BYTES)
        self._transport = transport
        self._core = core
        self._hub = hub
        self._flusher = flusher
        self._intake = intake
        self._part = part
        self._loop = loop
        self._limit = limit
        self._session: Session | None = None
        self._paused = False
        # Whether it is not read because it does not read.
        self.choked = False
        # When data was last written, for who asked not to be woken too often.
        self._flushed = 0.0
        self._flush_timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many bytes wait for the other end to read."""
        queued = 0 if self._session is None else self._session.outbox.size
        return queued + self._transport.get_write_buffer_size()

    # -- beginning and ending

    def begin(self, session: Session) -> None:
        """Writes what waits for ``session``, after what is left for the one before it."""
        before, self._session = self._session, session
        session.blocked = self._paused
        if before is not None and before.outbox.size:
            session.outbox.put(before.outbox.take())

    def make_way(self) -> None:
        """Drops what would stand in the way of a goodbye, which may just get through."""
        if self._paused and self._session is not None:
            self._session.outbox.clear()

    def finish(self) -> None:
        """Writes what the transport still takes, drops the rest, and lets the other end answer."""
        session, self._session = self._session, None
        if session is not None:
            outbox = session.outbox
            while outbox.size and not self._paused and not self._transport.is_closing():
                self._transport.write(outbox.take(_TRANSPORT_BYTES))
            outbox.close()
            outbox.clear()
        self._stop_timer()
        # The answer to our close frame has to be read.
        self._choke(choked=False)

    # -- the transport's word

    def pause(self) -> None:
        """The transport takes no more for now."""
        self._paused = True
        if self._session is not None:
            self._session.blocked = True

    def resume(self) -> None:
        """The transport takes more."""
        self._paused = False
        if self._session is not None:
            self._session.blocked = False
        self.drain()

    # -- writing

    def drain(self) -> None:
        """Writes what waits in the outbox, as far as the transport takes it; ends who is too slow."""
        session = self._session
        if session is None:
            return
        if session.overrun:
            self._end_slow()
            return
        outbox = session.outbox
        patient = bool(session.options.flush_ms and outbox.size)
        now = self._loop.time() if patient else 0.0
        if patient and self._hold_back(session, now):
            return
        transport = self._transport
        # What came up since the last turn is one part and goes out in one write; a backlog goes in
        # portions, so that what the transport does not take at once remains ours to count and to drop.
        while outbox.size and not self._paused and not transport.is_closing():
            transport.write(outbox.take(_TRANSPORT_BYTES))
        if patient and not outbox.size:
            # What the transport did not take yet is still as urgent as it was.
            session.urgent = False
            self._flushed = now
            if self._flush_timer is not None:
                self._stop_timer()
        if self._paused or self.choked:
            self._weigh()
        if session.waiting and not self._paused and not outbox.size:
            self._hub.drained(session)
            self._flusher.schedule()

    def write_core(self) -> None:
        """Writes what the core wants to send: frames, and the end of the stream as an empty part."""
        transport = self._transport
        for part in self._core.data_to_send():
            if transport.is_closing():
                return
            if part:
                transport.write(part)
            elif transport.can_write_eof():
                transport.write_eof()
            else:
                # TLS cannot end one direction alone.
                transport.close()

    def _hold_back(self, session: Session, now: float) -> bool:
        """Whether what waits is data that the client does not want so soon. What is not data takes it along."""
        due = self._flushed + session.options.flush_ms / 1000
        if session.urgent or session.outbox.size >= _TRANSPORT_BYTES or now >= due:
            return False
        if self._flush_timer is None:
            self._flush_timer = self._loop.call_at(due, self._flush_late)
        return True

    def _flush_late(self) -> None:
        self._flush_timer = None
        # A timer may be early by the clock's resolution, and what it was set for is due now.
        self._flushed = 0.0
        self.drain()

    def _stop_timer(self) -> None:
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None

    # -- who does not read

    def _weigh(self) -> None:
        """Compares what waits with the limits."""
        limit = self._limit
        if limit is None:
            return
        waiting, high = self.waiting, limit // 4
        if waiting > limit:
            self._end_slow()
        elif waiting > high:
            self._choke(choked=True)
        elif waiting <= high // 2:
            self._choke(choked=False)

    def _choke(self, *, choked: bool) -> None:
        if choked is self.choked:
            return
        self.choked = choked
        if choked:
            self._intake.hold(Hold.UNREAD)
        else:
            self._intake.release(Hold.UNREAD)

    def _end_slow(self) -> None:
        limit = self._limit
        reason = (
            "too much was waiting to be read"
            if limit is None
            else f"more than {limit:,} bytes were waiting to be read"
        )
        self._part(Goodbye(SLOW, ErrorCode.SLOW_CONSUMER, reason, reconnect=True))
