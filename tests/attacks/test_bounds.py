"""Sockets that say nothing, too little at a time, or too much at once."""

from __future__ import annotations

import base64
import json
import os
import socket
import time

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode


class Raw:
    """A socket that sends what it is told."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=15)
        self.received = b""

    def send(self, data):
        self.socket.sendall(data)

    def upgrade(self, *more):
        key = base64.b64encode(os.urandom(16)).decode()
        head = [
            "GET /ws HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: nbrealtime.v2", *more, "", "",
        ]  # fmt: skip
        self.send("\r\n".join(head).encode())
        while b"\r\n\r\n" not in self.received:
            self.received += self.socket.recv(65536)
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        return head

    def rest(self):
        """Everything until the server closes."""
        while True:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return self.received
            if not data:
                return self.received
            self.received += data


@pytest.fixture
def raw():
    sockets = []

    def dial(server):
        sockets.append(Raw(server))
        return sockets[-1]

    yield dial
    for one in sockets:
        one.socket.close()


def settles(server):
    """Waits until nobody is left."""
    deadline = time.monotonic() + 10
    service = server._service
    while time.monotonic() < deadline:
        if not (len(service.roster) or len(service.lobby) or service.hub.sessions):
            return True
        time.sleep(0.01)
    return False


def text(payload):
    return Frame(Opcode.TEXT, payload).serialize(mask=True)


def test_compression_is_never_agreed_to(start, call):
    server = start(close_seconds=0.2)
    ada = call(server, extensions=[ClientPerMessageDeflateFactory()], compression="deflate")
    assert ada.socket.protocol.extensions == []
    ada.hello(token=server.token("ada"))


def test_a_compressed_frame_is_none_that_can_be_read(start, raw):
    bomb = raw(start(close_seconds=0.2))
    assert b"permessage-deflate" not in bomb.upgrade("Sec-WebSocket-Extensions: permessage-deflate")
    bomb.send(b"\xc1\x81maskx")
    assert b'"close":4501' in bomb.rest()


@pytest.mark.parametrize("shape", ["one frame", "fragments", "pings", "small frames", "a header alone"])
def test_more_than_8_kib_before_welcome_ends_the_connection(start, raw, shape):
    server = start(close_seconds=0.2)
    eve = raw(server)
    eve.upgrade()
    payload = {
        "one frame": text(b'{"type":"hello","client":"' + b"x" * 9000 + b'"}'),
        "fragments": Frame(Opcode.TEXT, b"x", fin=False).serialize(mask=True)
        + Frame(Opcode.CONT, b"x" * 100, fin=False).serialize(mask=True) * 100,
        "pings": Frame(Opcode.PING, b"x" * 100).serialize(mask=True) * 100,
        "small frames": Frame(Opcode.TEXT, b"", fin=False).serialize(mask=True)
        + Frame(Opcode.CONT, b"", fin=False).serialize(mask=True) * 2000,
        "a header alone": b"\x81\xff" + (2**20 - 1).to_bytes(8, "big") + b"mask" + b"x" * 9000,
    }[shape]
    eve.send(payload)
    heard = eve.rest()
    assert b'"code":"too_large"' in heard
    assert b'"close":4501' in heard
    eve.socket.close()
    assert settles(server)


def test_a_hello_just_below_that_is_welcome(start, call):
    server = start(close_seconds=0.2)
    assert call(server).hello(token=server.token("ada"), client="x" * 7000)["version"] == 2


def test_a_frame_over_the_limit_ends_the_connection_and_no_other(start, join):
    server = start(close_seconds=0.2)
    eve, ada = join(server, "eve"), join(server, "ada")
    eve.socket.send(b"x" * (2**20 + 1))
    assert eve.hear_error("too_large")["close"] == 4501
    ada.hears_nothing()


def test_a_handshake_a_byte_at_a_time_ends_in_time(start, raw):
    server = start(close_seconds=0.2, head_seconds=0.3)
    eve = raw(server)
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < 10:
            eve.send(b"G")
            time.sleep(0.02)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert time.monotonic() - begun < 5


def test_a_hello_a_byte_at_a_time_ends_in_time(start, raw):
    server = start(close_seconds=0.2, hello_seconds=0.3)
    eve = raw(server)
    eve.upgrade()
    begun = time.monotonic()
    try:
        for byte in text(b'{"type":"hello","client":"' + b"x" * 4000):
            eve.send(bytes([byte]))
            time.sleep(0.02)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert time.monotonic() - begun < 8
    assert settles(server)


def test_at_most_so_many_wait_and_others_come_in_all_the_same(start, raw, join):
    server = start(close_seconds=0.2, waiting=5)
    ada = join(server)
    silent = [raw(server) for _ in range(8)]
    bob = join(server, "bob")
    assert len(server._service.lobby) <= 5
    bob.hears_nothing()
    ada.hears_nothing()
    assert b"503" in silent[0].rest(), "who waited longest made room"


def test_those_who_were_let_in_without_hello_make_room_too(start, raw, join):
    server = start(close_seconds=0.2, waiting=3)
    first = raw(server)
    first.upgrade()
    silent = [raw(server) for _ in range(4)]
    join(server, "bob").hears_nothing()
    heard = first.rest()
    assert b'"code":"limit_exceeded"' in heard
    assert b'"close":4504' in heard
    assert len(silent) == 4


def test_a_hundred_is_the_usual_number_and_a_crowd_comes_in(start, join, raw):
    server = start(close_seconds=0.2)
    assert server._service.lobby.limit == 100
    crowd = [raw(server) for _ in range(300)]
    token = server.token("ada")
    hello = json.dumps({"type": "hello", "id": 1, "version": 2, "client": "c", "token": token}).encode()
    for one in crowd:
        one.send(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: nbrealtime.v2\r\n\r\n" + text(hello)
        )
    for one in crowd:
        while b'"welcome"' not in one.received:
            data = one.socket.recv(65536)
            assert data, one.received
            one.received += data
    assert server.stats()["connections"] == 300


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "file://", "http://localhost.evil.example"]
)
def test_a_foreign_page_gets_nowhere(start, raw, origin):
    server = start(close_seconds=0.2)
    eve = raw(server)
    assert b"101" in eve.upgrade(
        f"Origin: {origin}", f"Authorization: Bearer {server.token('ada')}", "Host: localhost"
    )
    heard = eve.rest()
    assert b'"close":4507' in heard
    assert b"welcome" not in heard
    assert server.connections() == []
