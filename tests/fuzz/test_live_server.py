"""A live server that is told anything: no crash, no leak, nobody else disturbed."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import random
import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from nbrealtime.server import Config, Limits, Server
from tests.server.conftest import Talker

TYPES = [
    "hello",
    "subscribe",
    "unsubscribe",
    "publish",
    "history",
    "auth",
    "ping",
    "pong",
    "state",
    "HELLO",
    "",
    "x",
]
TOPICS = ["lab:a", "lab:*", "**", "$sys/topics", "user:bob", "", "a*", "x" * 300, "é", None, 7]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
since = st.one_of(
    anything,
    st.fixed_dictionaries({"epoch": st.text(max_size=3), "offset": st.integers(-2, 5)}),
    st.fixed_dictionaries({"count": st.integers(-2, 2**33)}),
    st.just("last"),
)
requests = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES) | anything},
    optional={
        "id": st.integers(-5, 5) | anything,
        "topic": st.sampled_from(TOPICS),
        "data": anything,
        "since": since,
        "key": st.text(max_size=4) | anything,
        "ack": st.booleans() | anything,
        "retain": st.booleans(),
        "echo": st.booleans(),
        "presence": st.booleans(),
        "policy": st.sampled_from(["disconnect", "drop_oldest", "conflate"]) | anything,
        "maxRate": st.floats(),
        "limit": st.integers(-1, 2000),
        "time": st.integers() | anything,
        "token": st.text(max_size=8) | anything,
        "version": st.integers(),
        "capabilities": anything,
        "flushMs": st.floats(),
    },
)
texts = st.one_of(
    requests.map(lambda request: json.dumps(request).encode()),
    st.lists(requests, max_size=4).map(lambda many: json.dumps(many).encode()),
    st.binary(max_size=60),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
)


@st.composite
def frames(draw):
    """Bytes of one message: whole, in fragments, with pings between them, or not quite a frame."""
    payload = draw(texts)
    opcode = draw(st.sampled_from([Opcode.TEXT, Opcode.TEXT, Opcode.TEXT, Opcode.BINARY]))
    cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
    parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    data = b""
    for place, part in enumerate(parts):
        kind, last = Opcode.CONT if place else opcode, place == len(parts) - 1
        data += Frame(kind, part, fin=last).serialize(mask=True)
        if draw(st.booleans()) and not last:
            data += Frame(Opcode.PING, b"!").serialize(mask=True)
    return data


noise = st.one_of(frames(), frames(), frames(), st.binary(max_size=40))


class Watch(logging.Handler):
    """Keeps what a server says when something goes wrong."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.records = []

    def emit(self, record):
        self.records.append(record)


@pytest.fixture(scope="module")
def server():
    with Server(
        Config(close_seconds=0.2, limits=Limits(message_bytes=64 * 1024)), advertise=False, kind="kernel"
    ) as running:
        watch = Watch()
        faults = []
        logging.getLogger().addHandler(watch)
        running._loop.call_soon_threadsafe(
            running._loop.set_exception_handler, lambda loop, context: faults.append(context)
        )
        yield running
        logging.getLogger().removeHandler(watch)
    assert faults == []
    assert [record for record in watch.records if record.name.startswith(("nbrealtime", "asyncio"))] == []


@pytest.fixture(scope="module")
def witness(server):
    """Somebody who goes about his business meanwhile."""
    from websockets.sync.client import connect

    with connect(f"{server.url}/ws", subprotocols=["nbrealtime.v2"], ping_interval=None) as dialled:
        talker = Talker(dialled)
        talker.hello(token=server.token("witness"))
        talker.say(type="subscribe", id=2, topic="quiet:place")
        talker.hear_type("subscribed")
        yield talker


def works(witness):
    """The witness publishes and hears his ack and his message, and nothing else."""
    witness.say(type="publish", id=3, topic="quiet:place", data=1, ack=True)
    assert sorted(witness.hear()["type"] for _ in range(2)) == ["ack", "message"]


def alone(server):
    """Waits until only the witness is left."""
    service = server._service
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if len(service.roster) == len(service.hub.sessions) == 1 and not len(service.lobby):
            return True
        time.sleep(0.002)
    return False


def upgrade(server, *, spoken):
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    key = base64.b64encode(os.urandom(16)).decode()
    protocol = "Sec-WebSocket-Protocol: nbrealtime.v2\r\n" if spoken else ""
    raw.sendall(
        f"GET /ws?token={server.token('fuzz')} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{protocol}\r\n".encode()
    )
    return raw


def hello(server):
    words = {
        "type": "hello",
        "id": 1,
        "version": 2,
        "client": "f",
        "capabilities": ["batch", "ack", "recover"],
    }
    return Frame(Opcode.TEXT, json.dumps(words).encode()).serialize(mask=True)


def pour(raw, data, pieces):
    """Sends the data in pieces, however they fall, and hangs up."""
    with contextlib.suppress(OSError):
        size = max(1, len(data) // pieces)
        for start in range(0, len(data), size):
            raw.sendall(data[start : start + size])
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(65536):
            pass
    raw.close()


@pytest.mark.timeout(120)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    said=st.lists(noise, max_size=8),
    dialect=st.sampled_from(["v1", "v2", "v2 without hello"]),
    pieces=st.sampled_from([1, 1, 3, 40]),
)
def test_whatever_a_connection_says(server, witness, said, dialect, pieces):
    raw = upgrade(server, spoken=dialect != "v1")
    pour(raw, (hello(server) if dialect == "v2" else b"") + b"".join(said), pieces)
    works(witness)
    assert alone(server)


@pytest.mark.timeout(120)
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    data=st.binary(max_size=300)
    | st.binary(max_size=60).map(
        lambda tail: b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n" + tail + b"\r\n\r\n"
    )
)
def test_whatever_a_socket_says_first(server, witness, data):
    pour(socket.create_connection(("127.0.0.1", server.port), timeout=10), data, 3)
    works(witness)
    assert alone(server)


@pytest.mark.timeout(120)
def test_many_at_once_that_hang_up_anywhere(server, witness):
    """Real requests, cut at any byte, without a goodbye and with a reset."""
    chance = random.Random(7)
    for _ in range(20):
        crowd = [upgrade(server, spoken=True) for _ in range(10)]
        for raw in crowd:
            words = [{"type": "subscribe", "id": 2, "topic": "lab:*", "since": {"count": 5}}]
            words += [
                {"type": "publish", "id": n, "topic": f"lab:{n}", "data": "x" * n, "ack": True}
                for n in range(20)
            ]
            data = hello(server) + b"".join(
                Frame(Opcode.TEXT, json.dumps(word).encode()).serialize(mask=True) for word in words
            )
            with contextlib.suppress(OSError):
                raw.sendall(data[: chance.randrange(len(data))])
            if chance.random() < 0.5:
                # A reset instead of an end.
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            raw.close()
        works(witness)
    assert alone(server)
