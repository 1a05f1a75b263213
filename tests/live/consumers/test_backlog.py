"""What waits for a slow reader is bounded by number and by size."""

from __future__ import annotations

from typing import Any

import pytest

from nbrealtime.client import Message
from nbrealtime.live.consumers.backlog import Backlog, weigh, weights


def messages(*data: Any) -> list[Message]:
    return [Message("lab:temp", value, 0.0) for value in data]


def drain(backlog: Backlog) -> list[Any]:
    out = []
    while (message := backlog.take()) is not None:
        out.append(message.data)
    return out


def test_messages_come_out_in_order() -> None:
    backlog = Backlog()
    assert backlog.put(messages(1, 2)) == 0
    backlog.put(messages(3))
    assert len(backlog) == 3
    assert backlog
    assert drain(backlog) == [1, 2, 3]
    assert not backlog
    assert backlog.take() is None


def test_the_oldest_go_beyond_the_number() -> None:
    backlog = Backlog(messages=3)
    assert backlog.put(messages(1, 2, 3, 4, 5)) == 2
    assert backlog.dropped == 2
    assert drain(backlog) == [3, 4, 5]


def test_the_oldest_go_beyond_the_size() -> None:
    backlog = Backlog(max_bytes=10_000)
    backlog.put(messages(*("x" * 1000 for _ in range(20))))
    assert 5 <= len(backlog) <= 10
    assert backlog.dropped == 20 - len(backlog)


def test_one_message_larger_than_everything_is_kept_alone() -> None:
    backlog = Backlog(max_bytes=1000)
    backlog.put(messages(1, "x" * 5000))
    assert drain(backlog) == ["x" * 5000]
    assert backlog._bytes == 0


def test_clearing_counts_nothing() -> None:
    backlog = Backlog()
    backlog.put(messages(1))
    backlog.clear()
    assert (len(backlog), backlog.dropped, backlog._bytes) == (0, 0, 0)


@pytest.mark.parametrize(
    ("data", "least", "most"),
    [
        (1.5, 24, 100),
        ("x" * 1000, 1000, 1200),
        (b"x" * 1000, 1000, 1200),
        ([1.0] * 1000, 32_000, 60_000),
        ({"x": ["y" * 100] * 10}, 1000, 3000),
        (None, 0, 100),
    ],
)
def test_a_payload_weighs_about_what_it_holds(data: Any, least: int, most: int) -> None:
    assert least <= weigh(data) <= most


def test_messages_weigh_their_payloads_and_an_envelope_each() -> None:
    payloads = [1, None, True, "x" * 100, [1, 2], {"x": {"y": 3}}]
    assert weights(messages(*payloads), 300) == [300 + weigh(payload) for payload in payloads]
    assert weights([], 300) == []


def test_a_payload_of_any_depth_is_weighed() -> None:
    deep: Any = "x" * 1000
    for _ in range(5_000):
        deep = [{"x": deep}]
    assert weigh(deep) > 1_000_000


def test_long_lists_within_long_lists_are_weighed_at_any_depth() -> None:
    deep: Any = 0
    for _ in range(200):
        deep = [deep, *[0] * 1000]
    backlog = Backlog()
    backlog.put(messages(deep, 1))
    assert drain(backlog) == [1], "heavier than everything, it makes room for the next one"
    assert backlog._bytes == 0
