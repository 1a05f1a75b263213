"""A v2 client that says and hears one message at a time, and servers that end with the test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from nbrealtime.server import Config, Server

ALL = ["ack", "recover", "batch", "presence", "lost"]


class Talker:
    """One connection. Frames with several messages are taken apart."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self, timeout: float = 10) -> dict[str, Any]:
        if not self.heard:
            found = json.loads(self.socket.recv(timeout=timeout))
            self.heard = found if isinstance(found, list) else [found]
        return self.heard.pop(0)

    def hear_type(self, kind: str) -> dict[str, Any]:
        """The next message must be of this type."""
        message = self.hear()
        assert message["type"] == kind, message
        return message

    def hear_error(self, code: str) -> dict[str, Any]:
        """The next message must be an error with this code; returns its data, with the id."""
        message = self.hear_type("error")
        assert message["data"]["code"] == code, message
        assert message["data"]["error"]
        return {**message["data"], "id": message.get("id")}

    def hears_nothing(self) -> None:
        """Asks for a pong: nothing came before it."""
        self.say(type="ping", id=999)
        assert self.hear_type("pong").get("id") in (999, None)  # v1 has no ids

    def hello(self, **more: Any) -> dict[str, Any]:
        """Says hello; returns the welcome."""
        self.say(**{"type": "hello", "id": 1, "version": 2, "client": "c", "capabilities": ALL, **more})
        return self.hear_type("welcome")

    def ended(self) -> int:
        """Reads to the end and returns the close code."""
        while True:
            try:
                self.socket.recv(timeout=10)
            except ConnectionClosed as end:
                return 1006 if end.rcvd is None else int(end.rcvd.code)


Start = Callable[..., Server]
Call = Callable[..., Talker]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers that nobody finds, with any option of a `Config`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Server(Config(**options), advertise=False, kind="kernel"))


@pytest.fixture
def call() -> Iterator[Call]:
    """Opens connections: v2 ones, unless ``subprotocols`` says otherwise."""
    with ExitStack() as stack:

        def dial(server: Server, query: str = "", **options: Any) -> Talker:
            options.setdefault("subprotocols", ["nbrealtime.v2"])
            options = {"ping_interval": None, "close_timeout": 1, **options}
            reach = partial(connect, f"{server.url}/ws{query}", **options)
            return Talker(stack.enter_context(_over_tls(reach) if "ssl" in options else reach()))

        yield dial


def _over_tls(reach: Callable[..., ClientConnection]) -> ClientConnection:
    """Calls again where the request was lost on this side.

    The library's client reads and writes one TLS socket from two threads, which OpenSSL does not allow: of 400 requests
    two never left it. Of 2,000 that one thread made, the server answered all.
    """
    for _ in range(3):
        try:
            return reach(open_timeout=3)
        except TimeoutError:
            continue
        except InvalidStatus as refused:
            if refused.response.status_code != 408:
                raise
    return reach()


@pytest.fixture
def join(call: Call) -> Call:
    """Opens v2 connections and says hello with a token of the server's."""

    def enter(
        server: Server, user: str = "ada", *, hello: dict[str, Any] | None = None, **claims: Any
    ) -> Talker:
        talker = call(server)
        talker.hello(token=server.token(user, **claims), **(hello or {}))
        return talker

    return enter
