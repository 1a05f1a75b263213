"""What a v2 client says: encoded by one end, decoded by the other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.errors import DecodeError
from nbrealtime.wire import v2
from nbrealtime.wire.v2 import Position, Request, Since


def one(frame: bytes | str) -> Request:
    [request] = v2.decode_requests(frame)
    assert isinstance(request, Request), request
    return request


def fault(frame: bytes | str) -> DecodeError:
    [request] = v2.decode_requests(frame)
    assert isinstance(request, DecodeError), request
    return request


def test_hello_says_who_and_what():
    frame = v2.encode_hello(id=1, client="c", token="t", capabilities=["ack"], flush_ms=16)
    assert json.loads(frame) == {
        "type": "hello",
        "id": 1,
        "version": 2,
        "client": "c",
        "token": "t",
        "capabilities": ["ack"],
        "encoding": "json",
        "flushMs": 16,
    }
    hello = one(frame)
    assert (hello.type, hello.id, hello.token, hello.flush_ms) == ("hello", 1, "t", 16)


def test_a_subscription_carries_its_options():
    frame = v2.encode_subscribe(
        "lab:run1", id=2, since=Position("k3", 41), presence=True, policy="conflate", max_rate=30
    )
    assert json.loads(frame) == {
        "type": "subscribe",
        "id": 2,
        "topic": "lab:run1",
        "since": {"epoch": "k3", "offset": 41},
        "presence": True,
        "policy": "conflate",
        "maxRate": 30,
    }
    request = one(frame)
    assert isinstance(request.since, Since)
    assert request.since.position == Position("k3", 41)
    assert (request.policy, request.max_rate, request.presence) == ("conflate", 30, True)


@pytest.mark.parametrize(
    "since",
    ["last", Since(count=5), Since(topics={"lab:a": Position("k", 3)})],
)
def test_every_kind_of_since_survives(since):
    assert one(v2.encode_subscribe("lab:*", id=1, since=since)).since == since


def test_a_mapping_is_a_patterns_positions():
    request = one(v2.encode_subscribe("lab:*", id=1, since={"lab:a": Position("k", 3)}))
    assert request.since == Since(topics={"lab:a": Position("k", 3)})


@pytest.mark.parametrize(
    "since",
    [
        "first",
        {},
        {"epoch": "k"},
        {"offset": 1},
        {"epoch": "k", "offset": -1},
        {"count": 1, "topics": {}},
        5,
        [],
    ],
)
def test_a_since_that_says_nothing_or_two_things_is_refused_with_the_requests_id(since):
    refused = fault(json.dumps({"type": "subscribe", "id": 7, "topic": "a", "since": since}))
    assert (refused.code, refused.id, refused.topic) == ("bad_request", 7, "a")


def test_a_publish_carries_everything():
    frame = v2.encode_publish("a", b'{"x":1}', id=3, time=5, key="c:7", ack=True, retain=True, echo=False)
    request = one(frame)
    assert (request.id, request.time, request.key) == (3, 5, "c:7")
    assert (request.ack, request.retain, request.echo) == (True, True, False)
    assert bytes(request.data) == b'{"x":1}'


def test_the_shortest_publish_is_the_old_one():
    assert v2.encode_publish("a", b"0") == b'{"type":"publish","topic":"a","data":0}'
    assert one(v2.encode_publish("a", b"0")).echo


def test_history_auth_and_unsubscribe():
    frame = v2.encode_history("a", id=4, since=Position("k", 0), limit=10, reverse=True)
    assert json.loads(frame) == {
        "type": "history",
        "id": 4,
        "topic": "a",
        "since": {"epoch": "k", "offset": 0},
        "limit": 10,
        "reverse": True,
    }
    assert json.loads(v2.encode_auth("t", id=5)) == {"type": "auth", "id": 5, "token": "t"}
    assert json.loads(v2.encode_unsubscribe("a", id=6)) == {"type": "unsubscribe", "id": 6, "topic": "a"}
    assert one(v2.encode_pong()).type == "pong"


def test_an_array_holds_requests_and_a_bad_one_spoils_nothing():
    found = v2.decode_requests(
        b'[{"type":"PING","id":1},{"type":"publish","id":2,"topic":7},{"type":"dance","id":3},5,{"type":"ping"}]'
    )
    assert [(item.type if isinstance(item, Request) else item.code, item.id) for item in found] == [
        ("ping", 1),
        ("bad_request", 2),
        ("unknown_type", 3),
        ("bad_request", None),
        ("ping", None),
    ]


@pytest.mark.parametrize("frame", [b"", b"{", b"5", b"null", b"[" * 100_000, b"\xff", b"[1", b'{"a":1}'])
def test_what_is_no_request_is_a_bad_one(frame):
    assert all(isinstance(item, DecodeError) for item in v2.decode_requests(frame))
    assert fault(frame).code == "bad_request"


@given(st.binary() | st.text())
def test_no_frame_crashes_the_decoder(frame):
    v2.decode_requests(frame)


@given(
    messages=st.lists(st.integers(0, 10**9).map(lambda n: json.dumps({"n": n}).encode()), max_size=50),
    limit=st.integers(1, 200),
)
def test_batches_hold_everything_in_order_within_the_limit(messages, limit):
    payloads = v2.encode_batches(messages, limit)
    flat = []
    for payload in payloads:
        found = json.loads(payload)
        assert len(payload) <= limit or isinstance(found, dict)
        flat += found if isinstance(found, list) else [found]
    assert flat == [json.loads(message) for message in messages]


def test_an_array_has_as_many_as_fit_and_not_one_byte_more():
    messages = [b"12", b"345", b"6"]
    [whole] = v2.encode_batches(messages, 1000)
    assert whole == b"[12,345,6]"
    assert v2.encode_batches(messages, len(whole)) == [whole]
    assert v2.encode_batches(messages, len(whole) - 1) == [b"[12,345]", b"6"]


@pytest.mark.parametrize("limit", [1, 1000])
def test_one_alone_is_sent_as_it_is_and_none_is_nothing(limit):
    assert v2.encode_batches([b"12345"], limit) == [b"12345"]
    assert v2.encode_batches([], limit) == []
