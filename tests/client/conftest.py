"""Somebody else's v1 server, written against the wire protocol's page, and an ear that remembers.

The server shares no code with ours: it is what the client must get along with unchanged.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from nbrealtime.client import Link, Message, Status, open_link
from nbrealtime.client import portal as client_portal

PATIENCE = 20.0


class OtherServer:
    """A v1 server of another make, in a thread of its own.

    ``echo=False``: a publish does not come back to its publisher. ``refuse``: the HTTP status that
    everybody gets. ``needs_token``: who brings none in the address gets a 401. ``on_hello``: what is said
    to a ``hello``; ``talk`` answers every message in this one's place. ``reads=False``: accepts, and then reads nothing. ``pongs=False``: leaves application pings unanswered.
    """

    def __init__(self, *, echo: bool = True) -> None:
        self.echo = echo
        self.refuse: int | None = None
        self.reads = True
        self.pongs = True
        self.greets = True
        self.refused: set[str] = set()
        self.on_publish: Callable[[ServerConnection, dict[str, Any]], Any] | None = None
        self.heard: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.offers: list[str] = []
        self.needs_token = True
        self.drops_offers = False
        self.on_hello: dict[str, Any] | None = None
        self.talk: Callable[[ServerConnection, dict[str, Any]], Any] | None = None
        self.closings: list[int | None] = []
        self._news = threading.Condition()
        self._connections: dict[ServerConnection, set[str]] = {}
        self._server: Server | None = None
        self._serial = 0
        self.port = 0
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True, name="other-server")
        self._thread.start()
        self.start()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    def start(self) -> None:
        """Listens, the second time on the same port."""

        async def begin() -> Server:
            return await serve(
                self._converse, "127.0.0.1", self.port, process_request=self._admit, max_size=2**24
            )

        self._server = self.run(begin())
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self, code: int = 1001) -> None:
        """Closes every connection with the code, and listens no more."""

        async def end() -> None:
            for connection in list(self._connections):
                await connection.close(code)
            assert self._server is not None
            self._server.close()
            await self._server.wait_closed()

        self.run(end())

    def close(self) -> None:
        self.run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()

    async def _close(self) -> None:
        assert self._server is not None
        for connection in list(self._connections):
            connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def end_with(self, code: int, reason: str = "") -> None:
        """Closes every connection with the code, and goes on listening."""

        async def end() -> None:
            for connection in list(self._connections):
                await connection.close(code, reason)

        self.run(end())

    def drop(self, half_frame: bytes = b"") -> None:
        """Ends every connection without a word, in the middle of a frame perhaps."""

        async def end() -> None:
            for connection in list(self._connections):
                if half_frame:
                    connection.transport.write(half_frame)
                    connection.transport.close()
                else:
                    connection.transport.abort()

        self.run(end())

    def say(self, frame: str | bytes | list[str] | dict[str, Any]) -> None:
        """Sends something to everybody: a dict as JSON, text and bytes as they are, a list in fragments."""

        async def send() -> None:
            for connection in list(self._connections):
                await connection.send(json.dumps(frame) if isinstance(frame, dict) else frame)

        self.run(send())

    def wait(self, until: Callable[[OtherServer], bool]) -> None:
        """Returns once ``until(server)`` holds."""
        with self._news:
            assert self._news.wait_for(lambda: until(self), PATIENCE), (self.requests, self.heard[-20:])

    def said(self, kind: str) -> list[Any]:
        """The topics (of publishes: the data) that were said in messages of this type."""
        key = "data" if kind == "publish" else "topic"
        return [message.get(key) for message in self.heard if message["type"] == kind]

    @property
    def connected(self) -> int:
        return len(self._connections)

    def _notify(self) -> None:
        with self._news:
            self._news.notify_all()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.drops_offers and "Sec-WebSocket-Protocol" in request.headers:
            self.offers.append(request.path)
            connection.transport.abort()
            return None
        if self.needs_token and "token=" not in request.path:
            # As every v1 server does, also to a client that offers something newer first.
            self.offers.append(request.path)
            return connection.respond(HTTPStatus.UNAUTHORIZED, "no token\n")
        self.requests.append(request.path)
        self._notify()
        if self.refuse is not None:
            return connection.respond(HTTPStatus(self.refuse), "no\n")
        return None

    async def _converse(self, connection: ServerConnection) -> None:
        if not self.reads:
            connection.transport.pause_reading()
        topics: set[str] = set()
        self._connections[connection] = topics
        self._notify()
        try:
            if self.greets:
                await self._answer(
                    connection, type="message", data={"message": "Connected to WebSocket server"}
                )
            async for frame in connection:
                await self._obey(connection, topics, json.loads(frame))
        except ConnectionClosed:
            pass
        finally:
            del self._connections[connection]
            self.closings.append(connection.close_code)
            self._notify()

    async def _answer(self, connection: ServerConnection, **message: Any) -> None:
        await connection.send(json.dumps({**message, "timestamp": int(time.time() * 1000)}))

    async def _obey(self, connection: ServerConnection, topics: set[str], message: dict[str, Any]) -> None:
        self.heard.append(message)
        if self.talk is not None:
            await self.talk(connection, message)
            self._notify()
            return
        kind, topic = message["type"], message.get("topic")
        if kind == "hello" and self.on_hello is not None:
            await self._answer(connection, **self.on_hello)
        if kind == "subscribe" and topic in self.refused:
            fault = {"error": "not allowed", "code": "forbidden"}
            await self._answer(connection, type="error", topic=topic, data=fault)
        elif kind == "subscribe":
            topics.add(str(topic))
            count = sum(topic in others for others in self._connections.values())
            await self._answer(connection, type="subscribed", topic=topic, data={"presenceCount": count})
        elif kind == "unsubscribe":
            topics.discard(str(topic))
            await self._answer(connection, type="unsubscribed", topic=topic)
        elif kind == "publish" and self.on_publish is not None:
            await self.on_publish(connection, message)
        elif kind == "publish":
            self._serial += 1
            for other, wanted in list(self._connections.items()):
                if topic in wanted and (self.echo or other is not connection):
                    await self._answer(
                        other, type="message", topic=topic, data=message["data"], messageId=f"m{self._serial}"
                    )
        elif kind == "ping" and self.pongs:
            await self._answer(connection, type="pong")
        self._notify()


class Ear:
    """A sink that remembers, and a listener that can be waited for."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.batches: list[int] = []
        self.recovered: list[tuple[bool | None, int]] = []
        self.events: list[tuple[Any, ...]] = []
        self.statuses: list[Status] = []
        self.reports: list[str] = []
        self._news = threading.Condition()

    @property
    def data(self) -> list[Any]:
        return [message.data for message in self.messages]

    def wait(self, until: Callable[[Ear], bool]) -> None:
        with self._news:
            assert self._news.wait_for(lambda: until(self), PATIENCE), (self.events, self.statuses[-5:])

    def wait_for_data(self, *data: Any) -> None:
        self.wait(lambda ear: ear.data[-len(data) :] == list(data))

    def wait_for_event(self, *event: Any) -> None:
        self.wait(lambda ear: event in ear.events)

    def wait_for_state(self, state: str) -> None:
        self.wait(lambda ear: bool(ear.statuses) and ear.statuses[-1].state == state)

    def _note(self, *event: Any) -> None:
        client_portal.assert_on_thread()
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def received(self, messages: list[Message]) -> None:
        client_portal.assert_on_thread()
        with self._news:
            self.messages += messages
            self.batches.append(len(messages))
            self._news.notify_all()

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None:
        self._note("subscribed", count)
        self.recovered.append((recovered, replayed))

    def presence(self, count: int) -> None:
        self._note("presence", count)

    def gap(self, reason: str, missed: int | None, topic: str | None = None) -> None:
        self._note("gap", reason, missed)

    def refused(self, code: str, reason: str) -> None:
        self._note("refused", code, reason)

    def offline(self) -> None:
        self._note("offline")

    def closed(self) -> None:
        self._note("closed")

    def see(self, status: Status) -> None:
        with self._news:
            self.statuses.append(status)
            self._news.notify_all()

    def hear_report(self, text: str) -> None:
        with self._news:
            self.reports.append(text)
            self._news.notify_all()


@pytest.fixture
def other() -> Iterator[OtherServer]:
    """Somebody else's v1 server."""
    server = OtherServer()
    yield server
    server.close()


@pytest.fixture
def ear() -> Ear:
    """A sink that remembers."""
    return Ear()


@pytest.fixture
def new_ear() -> type[Ear]:
    """For tests that need several."""
    return Ear


@pytest.fixture
def connect() -> Iterator[Callable[..., Link]]:
    """`open_link`, with everything closed after the test."""
    links: list[Link] = []

    def connect(*arguments: Any, ear: Ear | None = None, **options: Any) -> Link:
        link = open_link(*arguments, **options)
        links.append(link)
        if ear is not None:
            link.listen(ear.see)
            link.on_report(ear.hear_report)
        return link

    yield connect
    for link in links:
        link.close()
