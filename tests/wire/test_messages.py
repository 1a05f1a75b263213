"""The v1 messages, against the protocol's own lines."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from nbrealtime.errors import DecodeError
from nbrealtime.wire import messages as wire


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (
            wire.encode_greeting(5),
            {"type": "message", "data": {"message": "Connected to WebSocket server"}, "timestamp": 5},
        ),
        (wire.encode_subscribe("lab:temp"), {"type": "subscribe", "topic": "lab:temp"}),
        (
            wire.encode_subscribed("lab:temp", 5, 9),
            {"type": "subscribed", "topic": "lab:temp", "data": {"presenceCount": 5}, "timestamp": 9},
        ),
        (wire.encode_unsubscribe("lab:temp"), {"type": "unsubscribe", "topic": "lab:temp"}),
        (
            wire.encode_unsubscribed("lab:temp", 9),
            {"type": "unsubscribed", "topic": "lab:temp", "timestamp": 9},
        ),
        (wire.encode_publish("lab:temp", b"0"), {"type": "publish", "topic": "lab:temp", "data": 0}),
        (
            wire.encode_message("lab:temp", b"null", 9, "m1"),
            {"type": "message", "topic": "lab:temp", "data": None, "timestamp": 9, "messageId": "m1"},
        ),
        (
            wire.encode_presence("lab:temp", 6, 9),
            {"type": "presence", "topic": "lab:temp", "data": {"presenceCount": 6}, "timestamp": 9},
        ),
        (wire.encode_ping(), {"type": "ping"}),
        (wire.encode_pong(9), {"type": "pong", "timestamp": 9}),
    ],
)
def test_every_message_is_the_protocols(frame: bytes, line: dict[str, Any]) -> None:
    assert json.loads(frame) == line


def test_an_error_says_it_to_a_person_and_to_a_program() -> None:
    frame = wire.encode_error("not allowed", wire.ErrorCode.FORBIDDEN, timestamp=9, topic="a")
    assert json.loads(frame) == {
        "type": "error",
        "topic": "a",
        "data": {"error": "not allowed", "code": "forbidden", "retry": False},
        "timestamp": 9,
    }


def test_an_error_that_ends_the_connection_announces_it() -> None:
    data = json.loads(wire.encode_error("slow", "slow_consumer", timestamp=9, close=4008, reconnect=True))[
        "data"
    ]
    assert data["close"] == 4008
    assert data["reconnect"] is True


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_any_topic_survives_the_encoders(topic: str) -> None:
    assert wire.decode_client(wire.encode_subscribe(topic)).topic == topic
    assert wire.decode_server(wire.encode_message(topic, b"1", 2, "m")).topic == topic


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), st.binary(max_size=9))
def test_a_publish_is_as_long_as_its_payload_and_what_its_topic_adds(topic: str, data: bytes) -> None:
    assert wire.publish_overhead(topic) + len(data) == len(wire.encode_publish(topic, data))


@pytest.mark.parametrize("kind", ["publish", "PUBLISH", "Publish"])
def test_a_type_is_case_insensitive(kind: str) -> None:
    assert wire.decode_client(json.dumps({"type": kind, "topic": "a"})).type == "publish"


@pytest.mark.parametrize("data", [b"0", b"false", b'""', b"null", b"[1, 2]", b'{"a":1.0}'])
def test_a_payload_crosses_unparsed(data: bytes) -> None:
    message = wire.decode_client(b'{"type":"publish","topic":"a","data":%b}' % data)
    assert message.data is not UNSET
    assert bytes(message.data) == data


def test_an_absent_payload_is_not_null() -> None:
    assert wire.decode_client(b'{"type":"publish","topic":"a"}').data is UNSET


def test_unknown_fields_are_ignored() -> None:
    assert wire.decode_client(b'{"type":"ping","colour":"red"}').type == "ping"
    assert wire.decode_server(b'{"type":"pong","colour":"red"}').type == "pong"


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b'"x"',
        b'{"type":5}',
        b"{}",
        b'{"type":"publish","topic":7}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"type":"ping"} x',
    ],
)
def test_what_is_no_message_is_a_bad_request(frame: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        wire.decode_client(frame)
    assert caught.value.code == "bad_request"


def test_an_unknown_type_is_told_apart() -> None:
    with pytest.raises(DecodeError, match="unknown message type") as caught:
        wire.decode_client(b'{"type":"dance"}')
    assert caught.value.code == "unknown_type"


@given(st.binary() | st.text())
def test_no_frame_crashes_a_decoder(frame: bytes | str) -> None:
    for decode in (wire.decode_client, wire.decode_server):
        with contextlib.suppress(DecodeError):
            decode(frame)


def test_a_client_reads_what_other_servers_relay() -> None:
    assert wire.decode_server(b'{"type":"message","topic":"a","data":"\\ud800"}').data == "\ud800"
    assert wire.decode_server(b'{"type":"message","topic":"a","data":1e999}').data == float("inf")


def test_bytes_are_bytes_again() -> None:
    assert wire.decode_server(b'{"type":"message","topic":"a","data":{"x":{"$bytes":"YWI="}}}').data == {
        "x": b"ab"
    }
    assert wire.decode_server('{"type":"MESSAGE","topic":"a","data":{"$bytes":"YWI="}}').data == b"ab"
