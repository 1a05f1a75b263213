"""What the second dialect makes of a request."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "request_",
    [
        {"type": "subscribe", "topic": "a", "since": {"topics": {}}},
        {"type": "subscribe", "topic": "*", "since": {"epoch": "e", "offset": 1}},
        {"type": "subscribe", "topic": "a**"},
        {"type": "subscribe"},
        {"type": "subscribe", "topic": "a", "policy": "never"},
        {"type": "subscribe", "topic": "a", "maxRate": 0},
        {"type": "publish", "topic": "lab:*", "data": 1},
        {"type": "publish", "topic": "a"},
        {"type": "publish", "topic": "a", "data": 1, "key": ""},
        {"type": "history", "topic": "*"},
        {"type": "history", "topic": "a", "since": {"count": 1}},
        {"type": "hello"},
    ],
)
def test_what_makes_no_sense_is_a_bad_request_with_its_id(bench, request_):
    ada = bench.join_v2()
    number = bench.ask(ada, **request_)
    [error] = bench.heard(ada)
    assert (error["id"], error["data"]["code"]) == (number, "bad_request")


def test_what_cannot_be_read_is_answered_in_its_place_and_counts(bench):
    ada = bench.join_v2()
    bench.follow(ada, "a")
    before = bench.hub.messages_in
    requests = b'[{"type":"publish","topic":"a","data":1},{"type":"what","id":7},{"type":"publish","topic":"a","data":2}]'
    bench.hub.receive(ada, requests, bench.now)
    heard = bench.heard(ada)
    assert [message["type"] for message in heard] == ["message", "error", "message"]
    assert (heard[1]["id"], heard[1]["data"]["code"]) == (7, "unknown_type")
    assert bench.hub.messages_in == before + 3
