"""Bad input gets an answer, its connection lives, and nobody else notices."""

from __future__ import annotations

import contextlib
import json

import pytest
from websockets.exceptions import ConnectionClosed

BAD_FRAMES = {
    "nothing": "",
    "no JSON": "{",
    "no object": "[]",
    "a number": "1",
    "null": "null",
    "two objects": '{"type":"ping"}{"type":"ping"}',
    "no type": '{"topic":"lab:temp"}',
    "a type that is no string": '{"type":1}',
    "a topic that is no string": '{"type":"subscribe","topic":1}',
    "a topic that is a list": '{"type":"publish","topic":["lab:temp"],"data":1}',
    "no topic to subscribe to": '{"type":"subscribe"}',
    "null as topic": '{"type":"subscribe","topic":null}',
    "no topic to leave": '{"type":"unsubscribe"}',
    "no topic to publish to": '{"type":"publish","data":1}',
    "no data": '{"type":"publish","topic":"lab:temp"}',
    "NaN": '{"type":"publish","topic":"lab:temp","data":NaN}',
    "a line break in a string": '{"type":"publish","topic":"lab:temp","data":"a\nb"}',
    "a bad escape": '{"type":"publish","topic":"lab:temp","data":"\\x"}',
    "a trailing comma": '{"type":"publish","topic":"lab:temp","data":[1,]}',
    "deep nesting": '{"type":"publish","topic":"lab:temp","data":' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep nesting left open": '{"type":"publish","topic":"lab:temp","data":' + "[" * 100_000,
}

BAD_NAMES = {
    "empty": "",
    "an empty segment": "lab::temp",
    "a separator at the end": "lab:temp:",
    "a separator at the start": "/lab",
    "white space before": " lab",
    "white space after": "lab\u2003",
    "a control character": "lab\u0000temp",
    "DEL": "lab\u007f",
    "too long": "x" * 256,
    "half a wildcard": "lab:te*",
    "an early **": "**:temp",
}


@pytest.fixture
def pair(tested):
    """Who behaves badly, and who must not notice."""
    bad, other = tested.join("bad"), tested.join("other")
    other.follow("lab:temp")
    return bad, other


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_what_is_no_message_is_answered_and_the_connection_lives(pair, frame):
    bad, other = pair
    bad.socket.send(frame)
    bad.hear_error("bad_request")
    bad.hears_nothing()
    other.hears_nothing()


def test_what_is_no_utf8_is_answered_and_reaches_nobody(tested):
    raw, other = tested.raw(), tested.join("other")
    other.follow("lab:temp")
    raw.frame(0x1, b'{"type":"publish","topic":"lab:temp","data":"\xff\xfe"}')
    assert json.loads(raw.next()[1])["data"]["code"] == "bad_request"
    raw.text(type="ping")
    assert json.loads(raw.next()[1])["type"] == "pong"
    other.hears_nothing()


@pytest.mark.parametrize("kind", ["dance", "message", "hello!", "", "subscribed"])
def test_an_unknown_type_is_named_as_such(pair, kind):
    bad, other = pair
    bad.say(type=kind, topic="lab:temp", data=1)
    bad.hear_error("unknown_type")
    bad.hears_nothing()
    other.hears_nothing()


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
@pytest.mark.parametrize("kind", ["subscribe", "unsubscribe", "publish"])
def test_an_invalid_topic_is_refused(pair, kind, name):
    bad, other = pair
    bad.say(type=kind, topic=name, data=1)
    bad.hear_error("bad_request")
    bad.hears_nothing()
    other.hears_nothing()


def test_a_name_of_255_code_points_is_one(tested):
    ada = tested.join()
    assert ada.follow("😀" * 255) == 1


@pytest.mark.parametrize("kind", ["publish", "subscribe"])
@pytest.mark.parametrize("pattern", ["lab:*", "**", "lab:**"])
def test_this_dialect_has_no_patterns(pair, kind, pattern):
    bad, other = pair
    bad.say(type=kind, topic=pattern, data=1)
    bad.hear_error("bad_request")
    other.hears_nothing()


@pytest.mark.parametrize("fragmented", [False, True])
def test_a_binary_frame_is_answered_and_the_connection_lives(pair, fragmented):
    bad, other = pair
    content = json.dumps({"type": "publish", "topic": "lab:temp", "data": 1}).encode()
    bad.socket.send([content[:5], content[5:]] if fragmented else content)
    bad.hear_error("bad_request")
    bad.hears_nothing()
    other.hears_nothing()


def too_large(size: int) -> str:
    head, tail = '{"type":"publish","topic":"lab:temp","data":"', '"}'
    return head + "x" * (size - len(head) - len(tail)) + tail


@pytest.mark.parametrize("fragmented", [False, True])
def test_an_oversized_message_is_said_in_band_then_closed_and_nobody_else_notices(pair, fragmented):
    bad, other = pair
    text = too_large(2**20 + 1)
    # The server may close before the last of it was written: the second fragment's header says enough.
    with contextlib.suppress(ConnectionClosed):
        bad.socket.send(iter([text[:1000], text[1000:]]) if fragmented else text)
    error = bad.hear_error("too_large")
    assert error["data"]["close"] == 4501
    assert error["data"]["reconnect"] is False
    assert bad.ended() == 4501
    other.hears_nothing()


def test_a_large_message_below_the_limit_arrives_whole(pair):
    bad, other = pair
    bad.socket.send(too_large(2**20 - 1000))
    assert len(other.hear()["data"]) > 2**20 - 2000


def test_a_message_that_would_be_over_the_limit_as_it_goes_out_is_refused(pair):
    bad, other = pair
    bad.socket.send(too_large(2**20))
    bad.hear_error("too_large")
    bad.hears_nothing()
    other.hears_nothing()


def test_a_frame_that_cannot_be_framed_is_said_in_band_then_closed(tested):
    raw, other = tested.raw(), tested.join("other")
    raw.frame(0x1, b'{"type":"ping"}', masked=False)
    opcode, payload = raw.next()
    assert opcode == 0x1
    assert json.loads(payload)["data"]["close"] == 4501
    opcode, payload = raw.next()
    assert (opcode, int.from_bytes(payload[:2], "big")) == (0x8, 4501)
    other.hears_nothing()


def test_what_came_before_a_bad_frame_is_still_done_and_answered(tested):
    raw, other = tested.raw(), tested.join("other")
    other.follow("lab:temp")
    message = json.dumps({"type": "publish", "topic": "lab:temp", "data": 7}).encode()
    ping = b'{"type":"ping"}'
    mask = b"\0\0\0\0"
    raw.socket.sendall(
        bytes([0x81, 0x80 | len(message)]) + mask + message
        + bytes([0x81, 0x80 | len(ping)]) + mask + ping
        + b"\x83\x80" + mask
    )  # fmt: skip
    assert json.loads(raw.next()[1])["type"] == "pong"
    assert json.loads(raw.next()[1])["data"]["close"] == 4501
    assert other.hear()["data"] == 7
