"""What is asked of a link: where a stream begins, its manners, acknowledged publishes, and what was before."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest

from nbrealtime.client.receipt import Acknowledgement
from nbrealtime.errors import Refused
from nbrealtime.live.connection import Connection
from nbrealtime.live.since import begin, position
from nbrealtime.live.topic import LiveTopic
from nbrealtime.wire.v2 import Position, Since

from .fakes import NOW, FakeLink

HERE = Position("k1", 41)


@pytest.fixture
def temp(connection: Connection, link: FakeLink) -> LiveTopic:
    topic = connection.topic("lab:temp")
    link.confirm("lab:temp")
    return topic


# Where a stream begins.


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (None, None),
        ("last", "last"),
        (10, Since(count=10)),
        ({"count": 10}, Since(count=10)),
        (HERE, HERE),
        ({"epoch": "k1", "offset": 41}, HERE),
        (Since(epoch="k1", offset=41), HERE),
    ],
)
def test_a_topic_begins_where_it_is_told(
    connection: Connection, link: FakeLink, since: Any, said: Any
) -> None:
    connection.topic("lab:temp", since=since)
    assert link.subscriptions[0].options["since"] == said


def test_a_stream_goes_on_after_a_message_or_where_a_topic_was(temp: LiveTopic, link: FakeLink) -> None:
    (message,) = link.say("lab:temp", 1, offset=41)
    assert begin("lab:temp", message) == begin("lab:temp", temp.position) == HERE


def test_a_pattern_begins_at_a_position_for_each_topic() -> None:
    assert begin("lab:*", {"lab:a": HERE}) == {"lab:a": HERE}
    assert begin("lab:*", {"topics": {"lab:a": {"epoch": "k1", "offset": 41}}}) == {"lab:a": HERE}
    assert begin("lab:*", 5) == Since(count=5)
    with pytest.raises(ValueError, match="one position per topic"):
        begin("lab:*", HERE)


@pytest.mark.parametrize(
    ("since", "fault"),
    [
        (-1, ValueError),
        ({"count": "x"}, ValueError),
        ({"epoch": 3}, ValueError),
        ("first", TypeError),
        (3.5, TypeError),
        (True, TypeError),
    ],
)
def test_what_no_stream_can_begin_with(connection: Connection, since: Any, fault: type[Exception]) -> None:
    with pytest.raises(fault, match=r"since|position"):
        connection.topic("lab:temp", since=since)


def test_a_message_without_a_history_is_no_position(link: FakeLink) -> None:
    (message,) = link.say("lab:temp", 1)
    with pytest.raises(ValueError, match="has no position"):
        position(message)


def test_the_manners_are_passed_on(connection: Connection, link: FakeLink) -> None:
    connection.topic("lab:temp", policy="conflate", max_rate=30)
    assert link.subscriptions[0].options == {"since": None, "policy": "conflate", "max_rate": 30}


@pytest.mark.parametrize("options", [{"policy": "hope"}, {"max_rate": 0}, {"max_rate": float("nan")}])
def test_manners_that_there_are_not(connection: Connection, options: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        connection.topic("lab:temp", **options)


def test_an_open_topic_is_not_begun_elsewhere(temp: LiveTopic, connection: Connection) -> None:
    with pytest.raises(ValueError, match="since"):
        connection.topic("lab:temp", since="last")


# Publishing.


def test_an_acknowledged_publish_returns_a_receipt(temp: LiveTopic, link: FakeLink) -> None:
    assert temp.publish(1) is None
    receipt = temp.publish(2, ack=True)
    assert not receipt.done
    link.receipts[0].settle(Acknowledgement("k1", 45, "m1"))
    assert receipt.wait(5) is receipt
    assert (receipt.epoch, receipt.offset, receipt.duplicate) == ("k1", 45, False)
    assert begin("lab:temp", receipt) == Position("k1", 45)

    async def ask() -> Any:
        return (await receipt).offset

    assert asyncio.run(ask()) == 45


def test_a_publish_says_how_it_is_meant(connection: Connection, link: FakeLink) -> None:
    connection.publish("lab:temp", 1)
    connection.publish("lab:temp", 1, time=NOW + 0.0125, retain=True, echo=False, on_full="drop_oldest")
    assert link.publish_options == [
        {"time": None, "retain": False, "echo": True, "on_full": None},
        {"time": NOW + 0.0125, "retain": True, "echo": False, "on_full": "drop_oldest"},
    ]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"time": "now"}, TypeError),
        ({"time": True}, TypeError),
        ({"time": float("nan")}, ValueError),
        ({"time": 1e15}, ValueError),
        ({"on_full": "wait"}, ValueError),
    ],
)
def test_what_no_publish_can_mean(
    connection: Connection, link: FakeLink, options: Any, fault: type[Exception]
) -> None:
    with pytest.raises(fault, match=next(iter(options))):
        connection.publish("lab:temp", 1, **options)
    assert link.published == []


# What was published before.


def answering(link: FakeLink, *messages: Any) -> threading.Timer:
    """The server answers as soon as it is asked."""

    def answer() -> None:
        while not link.asked:
            pass
        link.answer(*messages)

    thread = threading.Timer(0, answer)
    thread.start()
    return thread


def test_a_history_is_a_list_of_messages(temp: LiveTopic, link: FakeLink) -> None:
    messages = link.say("lab:temp", 1, 2, offset=1)
    thread = answering(link, *messages)
    assert temp.history() == messages
    thread.join()
    assert temp.count == 2


def test_a_history_is_asked_for_as_it_is_wanted(temp: LiveTopic, link: FakeLink) -> None:
    thread = answering(link)
    (message,) = link.say("lab:temp", 1, offset=41)
    seen: list[Any] = []
    real = link.history
    link.history = lambda topic, **options: (seen.append((topic, options)), real(topic, **options))[1]  # type: ignore[method-assign]
    assert temp.history(5, since=message, reverse=True) == []
    thread.join()
    assert seen == [("lab:temp", {"limit": 5, "since": HERE, "reverse": True})]


def test_a_history_that_comes_in_parts_is_asked_for_again(temp: LiveTopic, link: FakeLink) -> None:
    messages = link.say("lab:temp", 1, 2, 3, offset=1)
    asked: list[Any] = []
    real = link.history

    def answer_with_two(topic: str, **options: Any) -> Any:
        asked.append((options["since"], options["limit"]))
        request = real(topic, **options)
        part = messages[:2] if options["since"] is None else messages[2:]
        link.answer(*part, newest=3)
        return request

    link.history = answer_with_two  # type: ignore[method-assign]
    assert temp.history(10) == messages
    assert asked == [(None, 10), (Position("k1", 2), 8)]
    assert asyncio.run(temp.ahistory(10)) == messages
    assert temp.history(10, reverse=True) == messages[:2]


def test_a_history_can_be_awaited(temp: LiveTopic, link: FakeLink) -> None:
    messages = link.say("lab:temp", 7, offset=1)
    thread = answering(link, *messages)
    assert asyncio.run(temp.ahistory(limit=1)) == messages
    thread.join()


def test_a_history_that_is_refused_says_so(temp: LiveTopic, link: FakeLink) -> None:
    request = link.history("lab:temp")
    request.fail(Refused("lab:temp", "unrecoverable", "the history begins later"))
    link.history = lambda topic, **options: request  # type: ignore[method-assign]
    with pytest.raises(Refused, match="begins later"):
        temp.history()


def test_no_answer_in_time_is_a_timeout(temp: LiveTopic) -> None:
    with pytest.raises(TimeoutError, match=r"lab:temp: no answer about its history within 0\.02 s"):
        temp.history(timeout="20ms")
    with pytest.raises(TimeoutError, match="no answer about its history"):
        asyncio.run(temp.ahistory(timeout=0.02))


def test_waiting_for_a_history_can_be_interrupted(temp: LiveTopic, link: FakeLink) -> None:
    def interrupt() -> None:
        while not link.asked:
            pass
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        temp.history(timeout=None)
    thread.join()


@pytest.mark.parametrize("limit", [0, 1001, -1, 2.5, True])
def test_a_limit_that_no_server_takes(temp: LiveTopic, limit: Any) -> None:
    with pytest.raises(ValueError, match="between 1 and 1,000"):
        temp.history(limit)
