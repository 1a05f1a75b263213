"""The session in v1: what it says and hears, and when; most of it holds whatever is spoken."""

from __future__ import annotations

import pytest

from nbrealtime.client.message import Message
from nbrealtime.client.session import (
    OFFLINE_LIMIT,
    PATIENCE,
    PING_SECONDS,
    SILENCE_SECONDS,
    SLOW_SECONDS,
    STABLE_SECONDS,
    Presence,
    RefusedTopic,
    Report,
    Session,
    Subscribed,
)
from nbrealtime.client.status import LinkState

from .talk_v1 import EVERYTHING, frame, publish, receive, spoken, subscriptions


@pytest.fixture
def session() -> Session:
    """Connected at 0, with its first ping sent."""
    session = Session(random=lambda: 0.5)
    session.connecting()
    session.connected(0.0)
    session.tick(0.0)
    session.take(EVERYTHING)
    return session


def test_the_greeting_is_no_data(session: Session) -> None:
    session.subscribe("**")
    assert (
        receive(session, frame(type="message", data={"message": "Connected"}, timestamp=1), 0.0, 0.0) is None
    )


def test_a_message_without_a_timestamp_has_that_of_its_arrival(session: Session) -> None:
    session.subscribe("lab:a")
    assert receive(session, frame(type="message", topic="lab:a", data=[1]), 5.0, 99.0) == Message(
        "lab:a", [1], 99.0
    )


def test_types_are_read_in_any_case(session: Session) -> None:
    session.subscribe("lab:a")
    assert receive(
        session, frame(type="SUBSCRIBED", topic="lab:a", data={"presenceCount": 3}), 0.0, 0.0
    ) == Subscribed("lab:a", 3)


def test_presence_is_counted(session: Session) -> None:
    session.subscribe("lab:a")
    receive(session, frame(type="subscribed", topic="lab:a", data={"presenceCount": 1}), 0.0, 0.0)
    assert receive(
        session, frame(type="presence", topic="lab:a", data={"presenceCount": 2}), 0.0, 0.0
    ) == Presence("lab:a", 2)
    subscription = session.subscriptions.get("lab:a")
    assert subscription is not None
    assert subscription.count == 2


@pytest.mark.parametrize("data", [None, {}, {"presenceCount": "2"}, {"presenceCount": -1}, 7])
def test_a_count_that_is_none_is_zero(session: Session, data: object) -> None:
    session.subscribe("lab:a")
    assert receive(session, frame(type="subscribed", topic="lab:a", data=data), 0.0, 0.0) == Subscribed(
        "lab:a", 0
    )


def test_the_first_error_about_an_unconfirmed_topic_refuses_it(session: Session) -> None:
    session.subscribe("lab:a")
    error = frame(type="error", topic="lab:a", data={"error": "no", "code": "forbidden"})
    assert receive(session, error, 0.0, 0.0) == RefusedTopic("lab:a", "forbidden", "no")
    receive(session, frame(type="subscribed", topic="lab:a", data={"presenceCount": 1}), 0.0, 0.0)
    assert receive(session, error, 0.0, 0.0) == Report("lab:a: no")
    assert receive(session, error, 0.0, 0.0) is None, "the same sentence is said once"


def test_a_pattern_receives_what_it_matches(session: Session) -> None:
    session.subscribe("lab:*")
    message = frame(type="message", topic="lab:a", data=1, timestamp=0, messageId="m")
    assert receive(session, message, 0.0, 0.0) == Message("lab:a", 1, 0.0, "m")
    assert session.subscriptions.routes("lab:a") == ("lab:*",)
    assert session.subscriptions.routes("lab/a") == ()


def test_overlapping_subscriptions_hand_a_message_on_once(session: Session) -> None:
    session.subscribe("lab:*")
    session.subscribe("lab:a")
    message = frame(type="message", topic="lab:a", data=1, timestamp=0, messageId="m")
    assert receive(session, message, 0.0, 0.0) is not None
    assert receive(session, message, 0.0, 0.0) is None
    assert set(session.subscriptions.routes("lab:a")) == {"lab:a", "lab:*"}


def test_before_the_first_connection_a_publish_said_before_a_subscription_stays_before_it() -> None:
    session = Session(random=lambda: 0.5)
    session.connecting()
    publish(session, "lab:a", 1)
    session.subscribe("lab:a")
    publish(session, "lab:a", 2)
    session.connected(0.0)
    assert [said["type"] for said in spoken(session)] == ["publish", "subscribe", "publish"]


def test_a_ping_goes_out_at_once_and_every_25_seconds(session: Session) -> None:
    assert session.deadline == PING_SECONDS
    session.heartbeat.heard(20.0)
    assert session.tick(25.0) is None
    assert spoken(session) == [{"type": "ping"}]
    assert session.tick(26.0) is None
    assert spoken(session) == []


def test_a_ping_overtakes_what_waits(session: Session) -> None:
    publish(session, "lab:a", 1)
    session.heartbeat.heard(25.0)
    session.tick(25.0)
    assert [said["type"] for said in spoken(session)] == ["ping", "publish"]


def test_a_pong_tells_the_latency(session: Session) -> None:
    receive(session, frame(type="pong"), 0.25, 0.0)
    assert session.heartbeat.latency == 0.25
    assert session.is_answered


def test_silence_is_noticed(session: Session) -> None:
    session.tick(25.0)
    assert session.deadline == SILENCE_SECONDS
    assert "has not answered" in str(session.tick(SILENCE_SECONDS))


def test_a_late_loop_extends_the_patience(session: Session) -> None:
    session.tick(25.0)
    assert session.tick(90.0, late=60.0) is None
    assert session.deadline == 60.0 + SILENCE_SECONDS
    assert session.tick(60.0 + SILENCE_SECONDS) is not None


def test_an_announced_end_that_does_not_come_is_brought_about(session: Session) -> None:
    error = frame(type="error", data={"error": "drain", "close": 4001, "reconnect": True})
    receive(session, error, 10.0, 0.0)
    assert session.deadline == 15.0
    assert session.tick(15.0) is not None


def test_the_announced_reason_is_forgotten_with_its_connection(session: Session) -> None:
    receive(session, frame(type="error", data={"error": "x", "close": 4001, "reconnect": True}), 0.0, 0.0)
    session.lost(1.0, 1000, "")
    session.connecting()
    session.connected(2.0)
    session.lost(3.0, 1000, "")
    assert session.state is LinkState.CLOSED


def test_a_server_that_accepts_and_drops_at_once_is_tried_less_and_less_often(session: Session) -> None:
    now, delays = 0.0, []
    for _ in range(PATIENCE):
        session.lost(now, 1006, "")
        assert session.retry_at is not None
        delays.append(session.retry_at - now)
        now = session.retry_at
        session.connecting()
        session.connected(now)
        session.heartbeat.heard(now)
    assert delays == [0.5, 1, 2, 4, 8, 15, 15, 15, 15, 30]


def test_a_connection_that_lasted_begins_the_row_anew(session: Session) -> None:
    for _ in range(5):
        session.failed(0.0, "x")
    session.connected(100.0)
    session.lost(100.0 + STABLE_SECONDS, 1006, "")
    assert session.attempts == 1


def test_while_reconnecting_the_error_is_set_after_ten_attempts(session: Session) -> None:
    session.lost(100.0, 1001, "")
    for attempt in range(2, PATIENCE + 1):
        assert session.error is None
        session.failed(100.0, "nothing listens there")
        assert session.attempts == attempt
    assert session.error == "nothing listens there"
    assert session.retry_at == 100.0 + SLOW_SECONDS


def test_reconnect_makes_the_next_attempt_due(session: Session) -> None:
    session.lost(100.0, 1001, "")
    session.reconnect(100.0)
    assert session.retry_at == 100.0
    session.connecting()
    session.reconnect(100.0)
    assert session.retry_at is None, "an attempt that runs is left alone"


def test_many_different_complaints_are_bounded(session: Session) -> None:
    reports = [
        receive(session, frame(type="error", data={"error": f"no {n}"}), 0.0, 0.0) for n in range(1000)
    ]
    assert sum(report is not None for report in reports) == 100


def test_one_dropped_message_is_one_message(session: Session) -> None:
    session.lost(100.0, 1001, "")
    for number in range(OFFLINE_LIMIT + 1):
        publish(session, "lab:a", number)
    session.connecting()
    assert session.connected(101.0) == [Report("1 message to lab:a dropped while offline")]


def test_closing_gives_up_what_waits_and_says_so(session: Session) -> None:
    publish(session, "lab:a", 1)
    assert session.close() == [Report("1 message to lab:a dropped while offline")]
    publish(session, "lab:a", 2)
    assert session.outbox.queued == 0


def test_resubscription_names_what_is_wanted_by_then(session: Session) -> None:
    for topic in ("lab:a", "lab:b"):
        session.subscribe(topic)
    spoken(session)
    session.lost(100.0, 1006, "")
    session.unsubscribe("lab:a")
    session.subscribe("lab/a")
    session.connecting()
    session.connected(101.0)
    assert subscriptions(session) == ["lab:b", "lab/a"]
