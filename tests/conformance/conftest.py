"""A plain v1 client and a token maker: nothing here is shared with the project's own code.

They are written against the wire protocol's page. Only the server under test is
ours, and it is started like any user would start it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from nbrealtime.server import Server, serve

SECRET = "a secret of the conformance tests, long enough"


def make_token(secret: str = SECRET, alg: str = "HS256", **claims: Any) -> str:
    """A JWT by hand (RFC 7515 and RFC 7519)."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    signed = f"{part(json.dumps({'alg': alg, 'typ': 'JWT'}).encode())}.{part(json.dumps(claims).encode())}"
    if alg == "none":
        return signed + "."
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[alg]
    return f"{signed}.{part(hmac.new(secret.encode(), signed.encode(), digest).digest())}"


class Client:
    """Says and hears one message at a time."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self) -> dict[str, Any]:
        frame = self.socket.recv(timeout=10)
        assert isinstance(frame, str), "the server speaks in text frames"
        message: dict[str, Any] = json.loads(frame)
        return message

    def hear_error(self, code: str) -> dict[str, Any]:
        """The next message must be an error with this code and a sentence."""
        message = self.hear()
        assert message["type"] == "error", message
        assert message["data"]["code"] == code, message
        assert message["data"]["error"]
        assert isinstance(message["timestamp"], int)
        return message

    def hears_nothing(self) -> None:
        """Asks for a pong: it must be the next thing that comes, so nothing came before it."""
        self.say(type="ping")
        message = self.hear()
        assert message["type"] == "pong", message

    def follow(self, topic: str) -> int:
        """Subscribes and returns the count."""
        self.say(type="subscribe", topic=topic)
        answer = self.hear()
        assert answer["type"] == "subscribed", answer
        presence = self.hear()
        assert presence["type"] == "presence", presence
        count: int = presence["data"]["presenceCount"]
        assert answer["data"]["presenceCount"] == count
        return count

    def ended(self) -> int:
        """Reads to the end and returns the close code."""
        while True:
            try:
                self.socket.recv(timeout=10)
            except ConnectionClosed as end:
                # 1006 is what a program sees where nothing was said.
                return 1006 if end.rcvd is None else int(end.rcvd.code)


class RawClient:
    """A client below the library: it sends what it is told, answers nothing by itself, reads when asked."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.buffer = b""
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.buffer:
            self._read()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        assert b" 101 " in head, head

    def _read(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def frame(self, opcode: int, payload: bytes = b"", *, fin: bool = True, masked: bool = True) -> None:
        head = bytes([opcode | (0x80 if fin else 0)])
        size, bit = len(payload), 0x80 if masked else 0
        if size < 126:
            head += bytes([size | bit])
        elif size < 65536:
            head += bytes([126 | bit]) + size.to_bytes(2, "big")
        else:
            head += bytes([127 | bit]) + size.to_bytes(8, "big")
        mask = b"\x01\x02\x03\x04" if masked else b""
        body = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)) if masked else payload
        self.socket.sendall(head + mask + body)

    def text(self, **message: Any) -> None:
        self.frame(0x1, json.dumps(message).encode())

    def next(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload. A server's frames are unmasked."""

        def need(count: int) -> None:
            while len(self.buffer) < count:
                self._read()

        need(2)
        opcode, size, start = self.buffer[0] & 15, self.buffer[1] & 127, 2
        if size > 125:
            start = 4 if size == 126 else 10
            need(start)
            size = int.from_bytes(self.buffer[2:start], "big")
        need(start + size)
        payload = self.buffer[start : start + size]
        self.buffer = self.buffer[start + size :]
        return opcode, payload


class Tested:
    """The server under test, and ways to reach it that know nothing of it but its port."""

    __test__ = False  # the tested, not a test

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = server.port
        self._opened = ExitStack()

    def open(self, path: str, **options: Any) -> ClientConnection:
        address = f"ws://127.0.0.1:{self.port}{path}"
        return self._opened.enter_context(connect(address, compression=None, **options))

    def join(self, user: str = "ada", **claims: Any) -> Client:
        """Connects, is greeted, and returns the client."""
        token = make_token(**{"sub": user, "name": user.title(), **claims})
        client = Client(self.open(f"/ws?token={token}"))
        greeting = client.hear()
        assert greeting["type"] == "message", greeting
        return client

    def raw(self, user: str = "raw") -> RawClient:
        client = RawClient(self.port, f"/ws?token={make_token(sub=user)}")
        self._opened.enter_context(client.socket)
        assert client.next()[0] == 0x1  # the greeting
        return client

    def request(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        """One HTTP request: status and the JSON of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        content = body if body is None or isinstance(body, bytes | str) else json.dumps(body)
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def close(self) -> None:
        self._opened.close()
        self.server.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Tested]]:
    """Starts a server with options."""
    running: list[Tested] = []

    def begin(**options: Any) -> Tested:
        tested = Tested(serve(secret=SECRET, advertise=False, **options))
        running.append(tested)
        return tested

    yield begin
    for tested in running:
        tested.close()


@pytest.fixture
def tested(start: Callable[..., Tested]) -> Tested:
    """A server with the default settings."""
    return start()


@pytest.fixture
def token() -> Callable[..., str]:
    """Makes a token: of nobody, unless it is told of whom."""
    return make_token
