"""A link without a network, and a kernel's loop that can be kept busy: what the live layer stands on, by hand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from nbrealtime.client import HistoryPage, HistoryRequest, LinkState, Message, Receipt, Sink, Status
from nbrealtime.client.target import Place
from nbrealtime.errors import ConnectionClosed, NoServer
from nbrealtime.wire.encodings import decode_data
from nbrealtime.wire.topics import check_topic

NOW = 1_790_000_000.0
URL = "ws://127.0.0.1:1/ws"


class FakeTarget:
    """Leads nowhere."""

    def resolve(self) -> Place:
        raise NoServer


class FakeSubscription:
    def __init__(self, link: FakeLink, topic: str, sink: Sink, options: dict[str, Any]) -> None:
        self.topic = topic
        self.sink = sink
        self.options = options
        self._link = link

    def close(self) -> None:
        if self in self._link.subscriptions:
            self._link.subscriptions.remove(self)


class FakeLink:
    """Follows ``nbrealtime.client.Link``; a test plays the server and the client thread."""

    def __init__(self) -> None:
        self.status = Status(state=LinkState.CONNECTED, url=URL, user="ada")
        self.target: Any = FakeTarget()
        self.subscriptions: list[FakeSubscription] = []
        self.published: list[tuple[str, Any]] = []
        self.publish_options: list[dict[str, Any]] = []
        self.receipts: list[Receipt] = []
        self.asked: list[tuple[str, dict[str, Any], HistoryRequest]] = []
        self.reconnects = 0
        self._listeners: list[Callable[[Status], None]] = []
        self._reporters: list[Callable[[str], None]] = []
        self._ids = itertools.count(1)

    # As the live layer sees it.

    @property
    def is_closed(self) -> bool:
        return self.status.state is LinkState.CLOSED

    def listen(self, callback: Callable[[Status], None]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def on_report(self, callback: Callable[[str], None]) -> Callable[[], None]:
        self._reporters.append(callback)
        return lambda: self._reporters.remove(callback)

    def subscribe(
        self,
        topic: str,
        sink: Sink,
        *,
        since: Any = None,
        policy: str | None = None,
        max_rate: float | None = None,
    ) -> FakeSubscription:
        self._check_open()
        options = {"since": since, "policy": policy, "max_rate": max_rate}
        subscription = FakeSubscription(self, topic, sink, options)
        self.subscriptions.append(subscription)
        return subscription

    def publish(self, topic: str, data: bytes, *, ack: bool = False, **options: Any) -> Receipt | None:
        self._check_open()
        self.published.append((check_topic(topic), decode_data(data)))
        self.publish_options.append(options)
        if not ack:
            return None
        self.receipts.append(Receipt(topic))
        return self.receipts[-1]

    def history(self, topic: str, **options: Any) -> HistoryRequest:
        self._check_open()
        request = HistoryRequest(topic)
        self.asked.append((topic, options, request))
        return request

    def reconnect(self) -> None:
        self.reconnects += 1

    def wait_connected(self, timeout: float | None = None) -> bool:
        return self.status.state is LinkState.CONNECTED

    def close(self) -> None:
        self.subscriptions.clear()
        self.change(state=LinkState.CLOSED)

    def _check_open(self) -> None:
        if self.status.state is LinkState.CLOSED:
            raise ConnectionClosed(self.status.url)

    # As a test plays it.

    def change(self, **changes: Any) -> None:
        self.status = msgspec.structs.replace(self.status, **changes)
        for listener in tuple(self._listeners):
            listener(self.status)

    def report(self, text: str) -> None:
        for reporter in tuple(self._reporters):
            reporter(text)

    def sinks(self, topic: str) -> list[Sink]:
        return [subscription.sink for subscription in self.subscriptions if subscription.topic == topic]

    def confirm(self, topic: str, count: int = 1, **recovery: Any) -> None:
        for sink in self.sinks(topic):
            sink.subscribed(count, **recovery)

    def say(
        self,
        topic: str,
        *data: Any,
        at: float = NOW,
        offset: int | None = None,
        pattern: str | None = None,
        **more: Any,
    ) -> list[Message]:
        """Let a batch arrive; the messages are a second apart from ``at``, the first has ``offset``.

        ``pattern`` is the subscription that it comes for, if not the topic's own.
        """
        messages = [
            Message(
                topic,
                value,
                at + step,
                f"m{next(self._ids)}",
                offset=None if offset is None else offset + step,
                epoch=None if offset is None else "k1",
                **more,
            )
            for step, value in enumerate(data)
        ]
        for sink in self.sinks(pattern or topic):
            sink.received(list(messages))
        return messages

    def miss(self, topic: str, reason: str, missed: int | None, *more: str) -> None:
        """Tell a gap; ``more`` may name which of a pattern's topics has it."""
        for sink in self.sinks(topic):
            sink.gap(reason, missed, *more)

    def answer(self, *messages: Message, newest: int | None = None) -> None:
        """Answer the oldest question about a history; ``newest`` is the topic's newest offset, if not the last one's."""
        _, _, request = self.asked.pop(0)
        last = messages[-1].offset if messages else None
        request.settle(HistoryPage("k1", last if newest is None else newest, messages))


class FakeKernel:
    """An event loop on a thread of its own, as a kernel has on its main thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="kernel", daemon=True)
        self.thread.start()

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """A cell that computes: the loop answers nothing."""
        began, end = threading.Event(), threading.Event()

        def compute() -> None:
            began.set()
            end.wait(30)

        self.loop.call_soon_threadsafe(compute)
        assert began.wait(10)
        try:
            yield
        finally:
            end.set()
            self.settle()

    def settle(self) -> None:
        """Wait until the loop has done what it was given so far."""
        done = threading.Event()
        # Twice: what was given may itself have given something.
        self.loop.call_soon_threadsafe(lambda: self.loop.call_soon(done.set))
        assert done.wait(10)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


class Ear:
    """Remembers what it is called with, and lets a test wait for it."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.threads: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, item: Any) -> None:
        with self._changed:
            self.heard.append(item)
            self.threads.append(threading.current_thread().name)
            self._changed.notify_all()

    def wait(self, count: int, timeout: float = 10.0) -> list[Any]:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.heard) >= count, timeout):
                raise AssertionError(f"{len(self.heard)} of {count} came: {self.heard}")
            return list(self.heard)

    def wait_until(self, ready: Callable[[list[Any]], bool], timeout: float = 10.0) -> list[Any]:
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self.heard) and ready(self.heard), timeout):
                raise AssertionError(f"never came: {self.heard}")
            return list(self.heard)

    @property
    def data(self) -> list[Any]:
        return [message.data for message in self.heard]

    @property
    def new(self) -> list[Any]:
        return [change.new for change in self.heard]
