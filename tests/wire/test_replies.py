"""What a v2 server says: encoded by one end, decoded by the other."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.errors import DecodeError
from nbrealtime.wire import replies, v2
from nbrealtime.wire.replies import TopicPosition, Who


def body(data=b"1", offset=45, time=None):
    return replies.encode_body(
        "lab:run1", data, offset=offset, timestamp=9, time=time, message_id="m", user_id="u1", user_name="Ada"
    )


def test_a_message_is_one_body_and_what_its_subscription_adds():
    shared = body(b'{"x":null}', time=5)
    assert json.loads(replies.finish_message(shared)) == {
        "type": "message",
        "topic": "lab:run1",
        "data": {"x": None},
        "offset": 45,
        "timestamp": 9,
        "time": 5,
        "messageId": "m",
        "user": {"id": "u1", "name": "Ada"},
    }
    [reply] = replies.decode_replies(
        replies.finish_message(shared, subscription="lab:*", epoch="k", skipped=3, retained=True)
    )
    assert (reply.subscription, reply.epoch, reply.skipped, reply.retained) == ("lab:*", "k", 3, True)
    assert (reply.user, reply.time, reply.offset) == (Who("u1", "Ada"), 5, 45)


@pytest.mark.parametrize("epoch", [None, "k"])
def test_a_run_is_finished_like_each_of_its_messages(epoch):
    bodies = [body(b"%d" % offset, offset) for offset in (1, 2)]
    assert replies.finish_messages(bodies, subscription="lab:*", epoch=epoch) == [
        replies.finish_message(one, subscription="lab:*", epoch=epoch) for one in bodies
    ]


def test_without_history_there_is_no_offset():
    assert "offset" not in json.loads(replies.finish_message(body(offset=None)))
    ack = json.loads(replies.encode_ack("a", id=3, message_id="m"))
    assert ack == {"type": "ack", "id": 3, "topic": "a", "messageId": "m", "duplicate": False}


def test_an_ack_says_where():
    [ack] = replies.decode_replies(
        replies.encode_ack("a", id=3, message_id="m", epoch="k3", offset=45, duplicate=True)
    )
    assert (ack.type, ack.id, ack.epoch, ack.offset, ack.duplicate) == ("ack", 3, "k3", 45, True)


def test_subscribed_of_a_name_and_of_a_pattern():
    frame = replies.encode_subscribed(
        "a", id=2, timestamp=9, epoch="k3", offset=41, recovered=True, replayed=3, count=2
    )
    assert json.loads(frame) == {
        "type": "subscribed",
        "id": 2,
        "topic": "a",
        "epoch": "k3",
        "offset": 41,
        "recovered": True,
        "replayed": 3,
        "data": {"presenceCount": 2},
        "timestamp": 9,
    }
    topics = {"lab:a": TopicPosition("k", 3, recovered=False, replayed=0), "lab:b": TopicPosition("m", 0)}
    [pattern] = replies.decode_replies(replies.encode_subscribed("lab:*", id=2, timestamp=9, topics=topics))
    assert pattern.topics == topics
    assert (pattern.recovered, pattern.epoch, pattern.data) == (None, None, None)


def test_lost_is_a_range_or_a_count():
    assert json.loads(replies.encode_lost("a", reason="slow", from_=46, to=90)) == {
        "type": "lost",
        "topic": "a",
        "from": 46,
        "to": 90,
        "reason": "slow",
    }
    [reply] = replies.decode_replies(replies.encode_lost("a", reason="slow", count=4, subscription="*"))
    assert (reply.count, reply.from_, reply.subscription) == (4, None, "*")


def test_history_holds_messages():
    items = [replies.finish_message(body(b'{"$bytes":"YWI="}', offset)) for offset in (1, 2)]
    [reply] = replies.decode_replies(replies.encode_history("a", id=4, epoch="k", offset=2, items=items))
    assert [item.offset for item in reply.items] == [1, 2]
    assert reply.items[0].data == b"ab"


def test_welcome_authenticated_unsubscribed_drain_and_presence():
    frame = replies.encode_welcome(
        id=1,
        connection="c9",
        user_id="u1",
        user_name="Ada",
        capabilities=["ack"],
        encoding="json",
        ping_interval=25,
        expires=None,
        key_memory="m7",
        limits={"messageBytes": 1, "keySeconds": 300},
    )
    assert json.loads(frame)["expires"] is None
    [welcome] = replies.decode_replies(frame)
    assert (welcome.version, welcome.connection, welcome.key_memory) == (2, "c9", "m7")
    assert (welcome.ping_interval, welcome.limits["keySeconds"]) == (25, 300)
    [reply] = replies.decode_replies(replies.encode_authenticated(id=5, expires=7))
    assert (reply.type, reply.id, reply.expires) == ("authenticated", 5, 7)
    [reply] = replies.decode_replies(
        replies.encode_unsubscribed("a", timestamp=9, code=2001, reason="new epoch", resubscribe=True)
    )
    assert (reply.code, reply.resubscribe, reply.id) == (2001, True, None)
    [reply] = replies.decode_replies(replies.encode_drain(0, 5000))
    assert reply.delay == (0, 5000)
    [reply] = replies.decode_replies(
        replies.encode_presence("a", version=17, connections=2, users=1, timestamp=9)
    )
    assert (reply.version, reply.data) == (17, {"presenceCount": 2, "userCount": 1})


def test_an_error_repeats_the_id():
    data = {"error": "no", "code": "forbidden", "retry": False, "retryAfter": None}
    assert json.loads(replies.encode_error("no", "forbidden", id=3, topic="a", timestamp=9)) == {
        "type": "error",
        "id": 3,
        "topic": "a",
        "data": data,
        "timestamp": 9,
    }


def test_an_array_is_read_in_order_and_leniently():
    found = replies.decode_replies('[{"type":"PONG"},{"type":"message","topic":"a","data":1e999}]')
    assert [reply.type for reply in found] == ["pong", "message"]
    assert found[1].data == float("inf")
    with pytest.raises(DecodeError):
        replies.decode_replies("{")


@given(st.binary() | st.text())
def test_no_frame_crashes_the_decoder(frame):
    with contextlib.suppress(DecodeError):
        replies.decode_replies(frame)


@pytest.mark.parametrize("spelling", ["message", "Message", "MESSAGE"])
def test_a_type_is_read_in_any_spelling(spelling):
    frame = b'[%b,{"type":"%b","topic":"a"}]' % (replies.encode_pong(timestamp=1, id=2), spelling.encode())
    assert [reply.type for reply in replies.decode_replies(frame)] == ["pong", "message"]


def test_a_type_of_later_days_is_passed_on_in_lower_case():
    assert [reply.type for reply in replies.decode_replies(b'[{"type":"Whisper"},{"type":"whisper"}]')] == [
        "whisper"
    ] * 2


@pytest.mark.parametrize("topic", ['a "quoted" one', "grüße/1", "lab:\\"])
def test_a_topic_is_the_same_on_both_ends(topic):
    for _ in range(2):
        shared = replies.encode_body(
            topic, b"1", offset=1, timestamp=1, time=None, message_id="m", user_id="u", user_name=""
        )
        [reply] = replies.decode_replies(replies.finish_message(shared, subscription=topic))
        assert (reply.topic, reply.subscription) == (topic, topic)
        [request] = v2.decode_requests(v2.encode_publish(topic, b"1"))
        assert request.topic == topic
