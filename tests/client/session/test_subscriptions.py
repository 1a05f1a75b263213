"""What a session subscribes to in v2, and where each goes on."""

from __future__ import annotations

from typing import Any

import pytest

from nbrealtime.client.message import Message
from nbrealtime.client.session import Gap, Publish, RefusedTopic, Session, Subscribed
from nbrealtime.wire.v2 import Since

from .talk import Outcome, confirm, connect, frame, message, publish, spoken


def test_a_new_connection_goes_on_from_what_was_handed_on(session: Session) -> None:
    session.subscribe("lab:a")
    assert confirm(session, 41) == [Subscribed("lab:a", 1)]
    session.receive(frame(message(42), message(43)), 0.0, 0.0)
    session.lost(1.0, 1006, "")
    waiting = publish(session, "new")
    connect(session, 2.0)
    said = spoken(session)
    assert [one["type"] for one in said] == ["subscribe", "publish"]
    assert said[0]["since"] == {"epoch": "e", "offset": 43}
    assert waiting.fault is None


def test_what_could_not_be_recovered_is_a_gap_of_known_size(session: Session) -> None:
    session.subscribe("lab:a")
    confirm(session, 41)
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    assert confirm(session, 50, recovered=False) == [
        Subscribed("lab:a", 1, False, 0),
        Gap("lab:a", "unrecoverable", 9),
    ]


def test_messages_of_several_subscriptions_in_one_frame_find_each_their_own(session: Session) -> None:
    for name in ("lab:a", "lab:b"):
        session.subscribe(name)
        confirm(session, 10)
    session.subscribe("lab:*")
    confirm(session, topics={})
    events = session.receive(
        frame(
            message(11),
            message(12),
            message(1, subscription="lab:*", epoch="p"),
            message(13),
            message(11, "lab:b"),
            message(11, "lab:b", subscription="lab:*", epoch="q"),
            message(14),
            message(14),
            message(2, "lab:nobody", subscription=None),
        ),
        0.0,
        0.0,
    )
    assert all(isinstance(event, Message) for event in events)
    assert [(event.subscription, event.topic, event.offset) for event in events] == [
        ("lab:a", "lab:a", 11),
        ("lab:a", "lab:a", 12),
        ("lab:*", "lab:a", 1),
        ("lab:a", "lab:a", 13),
        ("lab:b", "lab:b", 11),
        ("lab:*", "lab:b", 11),
        ("lab:a", "lab:a", 14),
    ]


def test_what_comes_behind_the_end_of_its_subscription_in_one_frame_is_not_handed_on(
    session: Session,
) -> None:
    session.subscribe("lab:a")
    confirm(session, 10)
    end = {"type": "unsubscribed", "topic": "lab:a", "code": 2003, "reason": "no more"}
    events = session.receive(frame(message(11), end, message(12)), 0.0, 0.0)
    assert [type(event) for event in events] == [Message, RefusedTopic]


def test_who_gives_a_subscription_up_when_something_is_answered_hears_no_more_of_the_frame(
    session: Session,
) -> None:
    class Leaver(Outcome):
        def settle(self, value: Any) -> None:
            session.unsubscribe("lab:a")

    session.subscribe("lab:a")
    confirm(session, 10)
    session.publish(Publish("lab:a", b"1", 50, receipt=Leaver()))
    (said,) = spoken(session)
    events = session.receive(frame(message(11), {"type": "ack", "id": said["id"]}, message(12)), 0.0, 0.0)
    assert [event.offset for event in events] == [11]


def test_a_subscription_that_is_confirmed_within_a_frame_hears_what_follows(session: Session) -> None:
    session.subscribe("lab:a")
    (said,) = spoken(session)
    confirmed = {"type": "subscribed", "id": said["id"], "topic": "lab:a", "epoch": "e", "offset": 10}
    events = session.receive(frame(message(10), confirmed, message(11)), 0.0, 0.0)
    assert [type(event) for event in events] == [Subscribed, Message]


def test_a_pattern_goes_on_from_each_of_its_topics(session: Session) -> None:
    session.subscribe("lab:*")
    said = spoken(session)[0]
    topics = {"lab:a": {"epoch": "a", "offset": 3}}
    session.receive(
        frame({"type": "subscribed", "id": said["id"], "topic": "lab:*", "topics": topics}), 0.0, 0.0
    )
    session.receive(
        frame(
            message(4, subscription="lab:*"),
            message(1, "lab:b", subscription="lab:*", epoch="b"),
            message(2, "lab:b", subscription="lab:*"),
        ),
        0.0,
        0.0,
    )
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    assert spoken(session)[0]["since"] == {
        "topics": {"lab:a": {"epoch": "a", "offset": 4}, "lab:b": {"epoch": "b", "offset": 2}}
    }


def test_a_pattern_without_topics_yet_asks_for_those_that_appear_meanwhile(session: Session) -> None:
    session.subscribe("lab:*")
    said = spoken(session)[0]
    assert "since" not in said
    session.receive(frame({"type": "subscribed", "id": said["id"], "topic": "lab:*", "topics": {}}), 0.0, 0.0)
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    assert spoken(session)[0]["since"] == {"topics": {}}


def test_what_the_user_asked_for_counts_until_there_is_a_position(session: Session) -> None:
    session.subscribe("lab:a", since=Since(count=3))
    assert spoken(session)[0]["since"] == {"count": 3}
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    assert confirm(session, 7, recovered=True, replayed=3) == [Subscribed("lab:a", 1, True, 3)]
    session.lost(3.0, 1006, "")
    connect(session, 4.0)
    assert spoken(session)[0]["since"] == {"epoch": "e", "offset": 7}


def test_lost_stands_in_the_stream_as_a_gap(session: Session) -> None:
    session.subscribe("lab:a")
    confirm(session, 45)
    lost = {"type": "lost", "topic": "lab:a", "from": 46, "to": 90, "reason": "slow"}
    events = session.receive(frame(lost, message(91)), 0.0, 0.0)
    assert events[0] == Gap("lab:a", "slow", 45)
    assert isinstance(events[1], Message)
    counted = {"type": "lost", "topic": "lab:a", "count": 7, "reason": "slow"}
    assert session.receive(frame(counted), 0.0, 0.0) == [Gap("lab:a", "slow", 7)]


@pytest.mark.parametrize("code", [2001, 2002])
def test_a_subscription_that_must_begin_again_does(session: Session, code: int) -> None:
    session.subscribe("lab:a")
    confirm(session, 45)
    session.receive(
        frame({"type": "unsubscribed", "topic": "lab:a", "code": code, "resubscribe": True}), 0.0, 0.0
    )
    assert session.receive(frame(message(1)), 0.0, 0.0) == [], "nothing before it is confirmed"
    assert confirm(session, 0, epoch="f", recovered=False) == [
        Subscribed("lab:a", 1, False, 0),
        Gap("lab:a", "unrecoverable", None),
    ]


def test_a_grant_that_is_gone_refuses_the_topic(session: Session) -> None:
    session.subscribe("lab:a")
    confirm(session)
    ended = {
        "type": "unsubscribed",
        "topic": "lab:a",
        "code": 2003,
        "reason": "no grant",
        "resubscribe": False,
    }
    assert session.receive(frame(ended), 0.0, 0.0) == [RefusedTopic("lab:a", "forbidden", "no grant")]


def test_after_unsubscribing_and_subscribing_again_the_old_stream_is_passed_over(session: Session) -> None:
    session.subscribe("lab:a")
    confirm(session, 5)
    session.unsubscribe("lab:a")
    session.subscribe("lab:a")
    assert session.receive(frame(message(6)), 0.0, 0.0) == []
    confirm(session, 6)
    assert len(session.receive(frame(message(7)), 0.0, 0.0)) == 1


def test_a_retained_value_is_marked_and_moves_no_position(session: Session) -> None:
    session.subscribe("lab:a", since="last")
    confirm(session, 9)
    (event,) = session.receive(frame(message(3, retained=True)), 0.0, 0.0)
    assert isinstance(event, Message)
    assert event.retained
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    assert spoken(session)[0]["since"] == {"epoch": "e", "offset": 9}


def test_presence_that_is_not_granted_is_done_without(session: Session) -> None:
    session.subscribe("lab:a")
    first = spoken(session)[0]
    assert first["presence"] is True
    fault = {"error": "no presence", "code": "forbidden", "retry": False}
    assert session.receive(frame({"type": "error", "id": first["id"], "data": fault}), 0.0, 0.0) == []
    second = spoken(session)[0]
    assert "presence" not in second
    assert session.receive(frame({"type": "error", "id": second["id"], "data": fault}), 0.0, 0.0) == [
        RefusedTopic("lab:a", "forbidden", "no presence")
    ]
