"""Publishes in v2: acknowledged once, refused, or uncertain."""

from __future__ import annotations

from nbrealtime.client.session import Report, Session
from nbrealtime.errors import ConnectionClosed, MessageTooLarge, PublishUncertain, Refused

from .talk import connect, frame, publish, spoken


def test_an_acknowledged_publish_has_a_key_and_a_plain_one_has_none(session: Session) -> None:
    outcome = publish(session, 1)
    publish(session, 2, ack=False)
    first, second = spoken(session)
    assert (first["key"], first["ack"]) == ("c:1", True)
    assert not {"key", "ack", "id"} & set(second)
    session.receive(
        frame({"type": "ack", "id": first["id"], "topic": "lab:a", "epoch": "e", "offset": 1}), 0.0, 0.0
    )
    assert (outcome.value.epoch, outcome.value.offset) == ("e", 1)


def test_what_was_written_is_written_again_with_its_key(session: Session) -> None:
    publish(session, 1)
    before = spoken(session)[0]
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    after = spoken(session)[0]
    assert after["key"] == before["key"]


def test_another_memory_of_keys_makes_it_uncertain(session: Session) -> None:
    written = publish(session, 1)
    spoken(session)
    waiting = publish(session, 2)
    session.lost(1.0, 1006, "")
    reports = connect(session, 2.0, "m2")
    assert isinstance(written.fault, PublishUncertain)
    assert reports == [Report("1 message to lab:a may or may not have arrived")]
    assert [said["data"] for said in spoken(session)] == [2]
    assert waiting.fault is None
    assert session.outbox.uncertain == 1


def test_too_late_for_its_key_it_is_uncertain_also_while_offline(session: Session) -> None:
    written = publish(session, 1)
    spoken(session, now=0.0)
    session.lost(1.0, 1006, "")
    due = session.deadline
    assert due is not None
    assert due < 100.0, "within keySeconds of its first writing"
    session.tick(due)
    assert isinstance(written.fault, PublishUncertain)


def test_after_too_many_others_it_is_uncertain() -> None:
    session = Session(random=lambda: 0.5, client="c")
    connect(session, limits={"keys": 3})
    outcomes = [publish(session, number) for number in range(5)]
    spoken(session)
    session.lost(1.0, 1006, "")
    connect(session, 2.0, limits={"keys": 3})
    spoken(session, now=2.0)
    assert [isinstance(outcome.fault, PublishUncertain) for outcome in outcomes] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_the_later_ones_of_a_topic_wait_behind_a_refused_one(session: Session) -> None:
    for number in range(3):
        publish(session, number)
    said = spoken(session)
    elsewhere = publish(session, "elsewhere", "lab:b")
    fault = {"error": "slow down", "code": "rate_limited", "retry": True, "retryAfter": 2.0}
    session.receive(frame({"type": "error", "id": said[0]["id"], "data": fault}), 10.0, 0.0)
    publish(session, 3)
    assert session.deadline != 12.0, "two more are under way, and answered before it can be repeated"
    assert [one["data"] for one in spoken(session)] == ["elsewhere"]
    assert elsewhere.fault is None
    session.heartbeat.heard(12.5)
    session.tick(12.5)
    assert spoken(session, 12.5) == [], "two more are still to be refused, and come before what is new"
    for one in said[1:]:
        session.receive(frame({"type": "error", "id": one["id"], "data": fault}), 10.0, 0.0)
    assert session.deadline == 12.0
    session.tick(12.5)
    assert [one["data"] for one in spoken(session, 12.5)] == [0, 1, 2, 3]


def test_no_more_is_taken_at_once_than_was_asked_for(session: Session) -> None:
    for number in range(6):
        publish(session, number, ack=False)
    waiting = session.outbox.bytes
    assert b"".join(session.take(1)).count(b"publish") == 1
    assert b"".join(session.take(waiting // 3)).count(b"publish") == 2
    assert session.outbox.bytes == waiting // 2
    assert b"".join(session.take(waiting)).count(b"publish") == 3
    assert not session.has_to_say


def test_a_final_refusal_is_told_to_its_receipt(session: Session) -> None:
    outcome = publish(session, 1)
    said = spoken(session)[0]
    fault = {"error": "read-only", "code": "forbidden", "retry": False}
    session.receive(frame({"type": "error", "id": said["id"], "topic": "lab:a", "data": fault}), 0.0, 0.0)
    assert isinstance(outcome.fault, Refused)
    assert outcome.fault.code == "forbidden"


def test_what_turns_out_too_large_is_not_sent(session: Session) -> None:
    outcome = publish(session, "x" * 1000)
    assert spoken(session) == []
    assert isinstance(outcome.fault, MessageTooLarge)


def test_a_v1_server_acknowledges_nothing_and_its_publisher_learns_it() -> None:
    session = Session(random=lambda: 0.5)
    session.connecting()
    session.connected(0.0)
    outcome = publish(session, 1)
    assert spoken(session) == []
    assert isinstance(outcome.fault, Refused)


def test_closing_tells_every_receipt(session: Session) -> None:
    written = publish(session, 1)
    spoken(session)
    waiting = publish(session, 2)
    session.close()
    late = publish(session, 3)
    silent = publish(session, 4, ack=False)
    assert isinstance(written.fault, PublishUncertain)
    assert isinstance(waiting.fault, ConnectionClosed)
    assert isinstance(late.fault, ConnectionClosed)
    assert silent.fault is None
    assert (session.outbox.queued, session.outbox.bytes, session.outbox.acknowledged_bytes) == (0, 0, 0)
