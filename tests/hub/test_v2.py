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
