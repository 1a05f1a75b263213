"""A link, over real sockets, to a v1 server of another make."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from nbrealtime.client import Link, LinkState, goodbye
from nbrealtime.client.gate import Gate
from nbrealtime.errors import ConnectionClosed, InvalidTopic, MessageTooLarge, PublishTimeout


def test_a_message_reaches_its_subscriber(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    link.publish("lab:temp", b"21.5")
    ear.wait_for_data(21.5)
    message = ear.messages[0]
    assert (message.topic, message.id) == ("lab:temp", "m1")
    assert 1.5e9 < message.timestamp < 5e9, "seconds since the epoch"


def test_falsy_values_are_data(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t")
    link.subscribe("lab:temp", ear)
    for value in (0, False, "", None, [], {}):
        link.publish("lab:temp", json.dumps(value).encode())
    ear.wait_for_data(0, False, "", None, [], {})


def test_the_greeting_is_no_data(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t")
    link.subscribe("lab:temp", ear)
    link.subscribe("**", ear)
    link.publish("lab:temp", b"1")
    ear.wait_for_data(1)
    assert {message.topic for message in ear.messages} == {"lab:temp"}


def test_the_token_travels_in_the_query_and_is_shown_nowhere(other: Any, connect: Any) -> None:
    link = connect(f"{other.url}/ws?token=a+b%26c&flavour=plain")
    assert link.wait_connected(10)
    assert other.requests == ["/ws?flavour=plain&token=a+b%26c"]
    assert "a b" not in repr(link)
    assert link.status.url == f"{other.url}/ws?flavour=plain"


def test_two_subscribers_share_one_subscription(other: Any, connect: Any, new_ear: Any) -> None:
    link = connect(other.url, "t")
    one, two = new_ear(), new_ear()
    first = link.subscribe("lab:temp", one)
    link.subscribe("lab:temp", two)
    link.publish("lab:temp", b"1")
    one.wait_for_data(1)
    two.wait_for_data(1)
    first.close()
    link.publish("lab:temp", b"2")
    two.wait_for_data(2)
    assert one.data == [1]
    assert other.said("subscribe") == ["lab:temp"]
    assert other.said("unsubscribe") == []


def test_a_late_subscriber_is_told_that_the_topic_is_live(other: Any, connect: Any, new_ear: Any) -> None:
    link = connect(other.url, "t")
    one, two = new_ear(), new_ear()
    link.subscribe("lab:temp", one)
    one.wait_for_event("subscribed", 1)
    link.subscribe("lab:temp", two)
    two.wait_for_event("subscribed", 1)


def test_the_last_subscriber_unsubscribes(other: Any, connect: Any, new_ear: Any) -> None:
    link = connect(other.url, "t")
    subscriptions = [link.subscribe("lab:temp", new_ear()) for _ in range(2)]
    other.wait(lambda server: server.said("subscribe") == ["lab:temp"])
    for subscription in subscriptions:
        subscription.close()
        subscription.close()
    other.wait(lambda server: server.said("unsubscribe") == ["lab:temp"])


def test_one_read_is_one_list_for_each_subscriber(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t")
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    frames = b"".join(b"\x81" + bytes([len(text)]) + text for text in _messages(50))
    other.drop(frames)
    ear.wait(lambda ear: len(ear.messages) == 50)
    assert ear.data == list(range(50))
    assert ear.batches == [50]


def _messages(count: int) -> list[bytes]:
    return [b'{"type":"message","topic":"lab:temp","data":%d}' % number for number in range(count)]


def test_a_publisher_that_is_not_echoed_goes_on_working(
    other: Any, connect: Any, ear: Any, new_ear: Any
) -> None:
    other.echo = False
    link, listener = connect(other.url, "t"), new_ear()
    link.subscribe("lab:temp", ear)
    connect(other.url, "another").subscribe("lab:temp", listener)
    listener.wait(lambda ear: ear.events)
    for number in range(100):
        link.publish("lab:temp", b"%d" % number)
    listener.wait_for_data(*range(100))
    other.say({"type": "message", "topic": "lab:temp", "data": "theirs"})
    ear.wait_for_data("theirs")
    assert ear.data == ["theirs"], "no message is made up for the publisher"


def test_a_hundred_thousand_publishes_right_after_connecting_lose_none(
    other: Any, connect: Any, ear: Any
) -> None:
    link = connect(other.url, "t", ear=ear)
    for number in range(100_000):
        link.publish("lab:temp", b"%d" % number)
    other.wait(
        lambda server: len(server.said("publish")) >= 100_000 if len(server.heard) > 100_000 else False
    )
    assert other.said("publish") == list(range(100_000))
    assert link.status.dropped == 0


def test_a_message_over_a_mebibyte_is_refused_at_once(other: Any, connect: Any) -> None:
    link = connect(other.url, "t")
    with pytest.raises(MessageTooLarge) as caught:
        link.publish("lab:temp", b'"' + b"x" * 2**20 + b'"')
    assert caught.value.limit == 2**20
    assert link.status.queued == 0


def test_what_is_no_topic_is_refused_at_once(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t")
    with pytest.raises(InvalidTopic):
        link.publish("lab:*", b"1")
    with pytest.raises(InvalidTopic):
        link.subscribe("", ear)


def publish_megabytes(link: Link, count: int) -> None:
    for _ in range(count):
        link.publish("lab:temp", b'"' + b"x" * 1_000_000 + b'"')


def test_a_server_that_does_not_read_holds_publishers_back(other: Any, connect: Any) -> None:
    other.reads = False
    link = connect(other.url, "t")
    assert link.wait_connected(10)
    link._connection.gate = Gate(patience=0.2)
    with pytest.raises(PublishTimeout) as caught:
        publish_megabytes(link, 100)
    assert 7 * 2**20 < caught.value.pending_bytes <= 8 * 2**20
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("ack", [False, True])
def test_what_a_closed_link_was_still_waiting_with_keeps_nobody_else_back(
    other: Any, connect: Any, ack: bool
) -> None:
    link, same = connect(other.url, "t"), connect(other.url, "t")
    assert link.wait_connected(10)
    gate = link._connection.gate = Gate(limit_bytes=100, patience=30)
    gate.enter("lab:temp", 100)
    caught: list[Exception] = []

    def publish() -> None:
        try:
            link.publish("lab:temp", b"1", ack=ack)
        except ConnectionClosed as fault:
            caught.append(fault)

    thread = threading.Thread(target=publish)
    thread.start()
    while not gate._waiting:
        thread.join(0.01)
    link.close()
    gate.leave(100)
    thread.join(20)
    assert (len(caught), gate.pending_bytes) == (1, 0)
    same.publish("lab:temp", b"2")
    assert same.flush(20)
    other.wait(lambda server: server.said("publish") == [2])


def test_publishers_are_held_back_until_the_first_connection(connect: Any, other: Any) -> None:
    other.stop()
    link = connect(other.url, "t")
    link._connection.gate = Gate(patience=0.1)
    with pytest.raises(PublishTimeout):
        publish_megabytes(link, 20)
    assert link.status.dropped == 0
    assert link.status.state is LinkState.CONNECTING


def test_many_threads_publish_at_once(other: Any, connect: Any) -> None:
    link = connect(other.url, "t")

    def work(name: str) -> None:
        for number in range(2_000):
            link.publish("lab:temp", json.dumps([name, number]).encode())

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.wait(lambda server: len(server.heard) > 16_000)
    published = other.said("publish")
    for name in "abcdefgh":
        assert [number for who, number in published if who == name] == list(range(2_000))


def test_a_thousand_topics(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t")
    subscriptions = [link.subscribe(f"lab:t{number}", ear) for number in range(1000)]
    ear.wait(lambda ear: len(ear.events) == 1000)
    link.publish("lab:t999", b"1")
    ear.wait_for_data(1)
    for subscription in subscriptions:
        subscription.close()
    other.wait(lambda server: len(server.said("unsubscribe")) == 1000)


def test_what_was_published_before_closing_arrives(other: Any, connect: Any) -> None:
    link = connect(other.url, "t")
    for number in range(1000):
        link.publish("lab:temp", b"%d" % number)
    link.close()
    other.wait(lambda server: server.connected == 0 and server.closings == [1000])
    assert other.said("publish") == list(range(1000))


def test_flush_says_that_everything_is_on_its_way(other: Any, connect: Any) -> None:
    link = connect(other.url, "t")
    for number in range(1000):
        link.publish("lab:temp", b"%d" % number)
    assert link.flush(10)
    assert link.status.queued == 0


@pytest.mark.parametrize("when", ["connected", "connecting"])
def test_closing_waits_for_what_was_published_and_no_longer(
    other: Any, connect: Any, ear: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(goodbye, "_WRITTEN_SECONDS", 60.0)
    monkeypatch.setattr(goodbye, "_ANSWER_SECONDS", 60.0)
    link = connect(other.url, "t", ear=ear)
    if when == "connected":
        assert link.wait_connected(20)
    link.publish("lab:temp", b"1")
    link.close()
    ear.wait_for_state("closed")
    assert other.said("publish") == [1]


def test_a_closed_link_says_so(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    subscription = link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    link.close()
    link.close()
    subscription.close()
    assert link.status.state is LinkState.CLOSED
    ear.wait_for_state("closed")
    for action in (
        lambda: link.publish("lab:temp", b"1"),
        lambda: link.subscribe("lab:temp", ear),
        link.reconnect,
    ):
        with pytest.raises(ConnectionClosed):
            action()
    assert not link.wait_connected(1)


def test_the_latency_is_measured(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    ear.wait(lambda ear: any(status.latency is not None for status in ear.statuses))
    assert link.status.latency is not None
    assert 0 <= link.status.latency < 10


def test_a_failing_sink_is_shown_and_costs_the_others_nothing(
    other: Any, connect: Any, ear: Any, new_ear: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(new_ear):  # type: ignore[misc]
        def received(self, messages: Any) -> None:
            raise RuntimeError("a fault in a sink")

    link = connect(other.url, "t")
    link.subscribe("lab:temp", Failing())
    link.subscribe("lab:temp", ear)
    link.publish("lab:temp", b"1")
    ear.wait_for_data(1)
    assert "a fault in a sink" in caplog.text


def test_a_refused_subscription_reaches_its_sink(other: Any, connect: Any, ear: Any, new_ear: Any) -> None:
    other.refused.add("lab:secret")
    link, stranger = connect(other.url, "t", ear=ear), new_ear()
    link.subscribe("lab:temp", stranger)
    link.subscribe("lab:secret", ear)
    ear.wait_for_event("refused", "forbidden", "not allowed")
    assert stranger.events == [("subscribed", 1)]
    assert ear.reports == []


def test_a_refused_publish_is_reported_once(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)

    async def refuse(connection: Any, message: dict[str, Any]) -> None:
        await connection.send(
            json.dumps(
                {"type": "error", "topic": "lab:temp", "data": {"error": "read-only", "code": "forbidden"}}
            )
        )

    other.on_publish = refuse
    for _ in range(10):
        link.publish("lab:temp", b"1")
    other.wait(lambda server: len(server.said("publish")) == 10)
    other.say({"type": "message", "topic": "lab:temp", "data": "the end"})
    ear.wait_for_data("the end")
    assert ear.reports == ["lab:temp: read-only"]
