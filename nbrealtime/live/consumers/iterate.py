"""Messages one after another, for ``async for`` and ``await``, in whatever event loop asks.

A ``MessageIterator`` has a bounded queue of its own (10,000 messages or 16 MiB): a reader that falls behind loses the
oldest, counted in ``dropped``, and never holds up the stream or another reader. It begins when it is made and leaves
when it is no longer referenced, so that ``break`` needs no clean-up.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

from nbrealtime.errors import RealtimeError, Refused
from nbrealtime.live.consumers.backlog import Backlog
from nbrealtime.live.feed import Feed, Tap
from nbrealtime.live.record import Record, TopicState

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["MessageIterator", "ended"]


class MessageIterator:
    """An asynchronous iterator over what arrives on ``feed`` from now on.

    It ends after the last message when the topic is closed, and raises ``Refused`` when the server refuses it.
    Going offline only makes it wait. Cancelling a wait loses nothing.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._backlog: Backlog[Message] = Backlog()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        untap = feed.tap(_tap(weakref.ref(self)))
        self._leave = weakref.finalize(self, untap)
        self._leave.atexit = False

    @property
    def dropped(self) -> int:
        """How many messages were dropped because the reader was too slow."""
        return self._backlog.dropped

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        while True:
            if (message := self._backlog.take()) is not None:
                return message
            if not self._leave.alive:
                raise StopAsyncIteration
            loop = asyncio.get_running_loop()
            woken = loop.create_future()
            entry = (loop, woken)
            self._waiting.append(entry)
            try:
                # Looked at again only after we stand in the list: whatever comes from here on wakes us.
                record = self._feed.newest
                if not len(self._backlog):
                    if record.state is TopicState.CLOSED:
                        raise StopAsyncIteration
                    if record.state is TopicState.REFUSED:
                        raise ended(self._feed.name, record)
                    await woken
            finally:
                self._waiting.remove(entry)

    async def aclose(self) -> None:
        """Stop listening; what is queued can still be read."""
        self._leave()
        self._wake()

    def _take(self, messages: Sequence[Message]) -> None:
        """Called on the client thread."""
        if messages and (dropped := self._backlog.put(messages)):
            self._feed.count_dropped(dropped)
        self._wake()

    def _wake(self) -> None:
        for loop, woken in tuple(self._waiting):
            with contextlib.suppress(RuntimeError):  # the reader's loop is closed, and with it the reader
                loop.call_soon_threadsafe(_settle, woken)


def ended(name: str, record: Record) -> RealtimeError:
    """Return the error for somebody who waits on a topic that has ended."""
    if record.state is TopicState.REFUSED:
        return Refused(name, record.code or "forbidden", record.error or "refused")
    return RealtimeError(f"{name} is closed, nothing more will come; subscribe to it again")


def _settle(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


def _tap(reference: Callable[[], MessageIterator | None]) -> Tap:
    def tap(messages: Sequence[Message]) -> None:
        iterator = reference()
        if iterator is not None:
            iterator._take(messages)

    return tap
