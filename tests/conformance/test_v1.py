"""The base dialect, rule by rule: what goes in, what comes out, and to whom."""

from __future__ import annotations

import json
import time

import pytest


def test_a_connection_is_greeted_without_a_topic(tested, token):
    before = int(time.time() * 1000)
    socket = tested.open(f"/ws?token={token(sub='ada', name='Ada')}")
    greeting = json.loads(socket.recv(timeout=10))
    assert greeting["type"] == "message"
    assert "topic" not in greeting
    assert greeting["data"] == {"message": "Connected to WebSocket server"}
    assert before - 1000 <= greeting["timestamp"] <= before + 60_000


def test_subscribed_comes_first_and_presence_to_every_subscriber_follows(tested):
    ada, bob = tested.join("ada"), tested.join("bob")
    ada.say(type="subscribe", topic="lab:temp")
    assert ada.hear() | {"timestamp": 0} == {
        "type": "subscribed",
        "topic": "lab:temp",
        "data": {"presenceCount": 1},
        "timestamp": 0,
    }
    assert ada.hear() | {"timestamp": 0} == {
        "type": "presence",
        "topic": "lab:temp",
        "data": {"presenceCount": 1},
        "timestamp": 0,
    }
    assert bob.follow("lab:temp") == 2
    assert ada.hear()["data"] == {"presenceCount": 2}
    ada.hears_nothing()


def test_presence_reaches_subscribers_of_that_topic_only(tested):
    ada, bob = tested.join("ada"), tested.join("bob")
    ada.follow("lab:temp")
    bob.follow("lab:other")
    ada.hears_nothing()


def test_subscribing_twice_is_one_subscription(tested):
    ada, bob = tested.join("ada"), tested.join("bob")
    bob.follow("lab:temp")
    ada.follow("lab:temp")
    assert bob.hear()["data"]["presenceCount"] == 2
    ada.say(type="subscribe", topic="lab:temp")
    assert ada.hear()["data"]["presenceCount"] == 2
    assert ada.hear()["type"] == "presence"
    bob.say(type="publish", topic="lab:temp", data=1)
    assert ada.hear()["data"] == 1
    ada.hears_nothing()
    ada.say(type="unsubscribe", topic="lab:temp")
    assert ada.hear()["type"] == "unsubscribed"
    assert bob.hear()["data"] == 1
    assert bob.hear()["data"]["presenceCount"] == 1


def test_unsubscribed_has_no_data_and_those_who_remain_hear_of_it(tested):
    ada, bob = tested.join("ada"), tested.join("bob")
    ada.follow("lab:temp")
    bob.follow("lab:temp")
    ada.hear()
    bob.say(type="unsubscribe", topic="lab:temp")
    answer = bob.hear()
    assert set(answer) == {"type", "topic", "timestamp"}
    assert (answer["type"], answer["topic"]) == ("unsubscribed", "lab:temp")
    assert ada.hear()["data"] == {"presenceCount": 1}
    ada.say(type="publish", topic="lab:temp", data=1)
    assert ada.hear()["data"] == 1
    bob.hears_nothing()


def test_unsubscribing_from_what_is_not_subscribed_is_harmless(tested):
    ada, bob = tested.join("ada"), tested.join("bob")
    bob.follow("lab:temp")
    ada.say(type="unsubscribe", topic="lab:temp")
    assert ada.hear()["type"] == "unsubscribed"
    ada.hears_nothing()
    bob.hears_nothing()


@pytest.mark.parametrize("how", ["with a close", "without a word"])
def test_a_connection_that_ends_is_no_longer_present(tested, how):
    ada, bob = tested.join("ada"), tested.join("bob")
    ada.follow("lab:temp")
    bob.follow("lab:temp")
    ada.hear()
    if how == "with a close":
        bob.socket.close()
    else:
        bob.socket.socket.shutdown(2)
    assert ada.hear()["data"] == {"presenceCount": 1}


def test_a_publish_reaches_every_subscriber_the_sender_included(tested):
    ada, bob = tested.join("ada"), tested.join("bob")
    ada.follow("lab:temp")
    bob.follow("lab:temp")
    ada.hear()
    ada.say(type="publish", topic="lab:temp", data={"v": 21.5})
    heard = ada.hear()
    assert set(heard) == {"type", "topic", "data", "timestamp", "messageId"}
    assert (heard["type"], heard["topic"], heard["data"]) == ("message", "lab:temp", {"v": 21.5})
    assert isinstance(heard["timestamp"], int)
    assert isinstance(heard["messageId"], str)
    assert bob.hear() == heard


def test_who_publishes_need_not_subscribe(tested):
    ada, bob = tested.join("ada"), tested.join("bob")
    bob.follow("lab:temp")
    ada.say(type="publish", topic="lab:temp", data="hi")
    assert bob.hear()["data"] == "hi"
    ada.hears_nothing()


@pytest.mark.parametrize("data", [0, False, "", None, [], {}, 0.0])
def test_what_looks_empty_is_data(tested, data):
    ada = tested.join()
    ada.follow("lab:temp")
    ada.say(type="publish", topic="lab:temp", data=data)
    heard = ada.hear()
    assert heard["type"] == "message"
    assert heard["data"] == data
    assert type(heard["data"]) is type(data)


def test_a_publish_without_data_is_an_error(tested):
    ada = tested.join()
    ada.follow("lab:temp")
    ada.say(type="publish", topic="lab:temp")
    ada.hear_error("bad_request")
    ada.hears_nothing()


def test_messages_come_in_the_order_they_were_published(tested):
    ada, bob = tested.join("ada"), tested.join("bob")
    for topic in ("lab:a", "lab:b"):
        bob.follow(topic)
    for number in range(300):
        ada.say(type="publish", topic="lab:a" if number % 3 else "lab:b", data=number)
    heard = [bob.hear() for _ in range(300)]
    assert [message["data"] for message in heard] == list(range(300))
    assert len({message["messageId"] for message in heard}) == 300


@pytest.mark.parametrize(
    "payload",
    [
        '{"b":1,"a":[1,2,{"c":null}]}',
        "12345678901234567890123",
        '"\\u00e9 \\ud83d\\ude00 é 😀"',
        " [ 1 , 2 ] ",
    ],
)
def test_a_payload_arrives_as_it_was_sent(tested, payload):
    ada = tested.join()
    ada.follow("lab:temp")
    ada.socket.send(f'{{"type":"publish","topic":"lab:temp","data":{payload}}}')
    frame = ada.socket.recv(timeout=10)
    assert payload.strip() in frame


@pytest.mark.parametrize("kind", ["PING", "Ping", "ping"])
def test_the_type_is_case_insensitive_on_input(tested, kind):
    ada = tested.join()
    ada.say(type=kind)
    answer = ada.hear()
    assert set(answer) == {"type", "timestamp"}
    assert answer["type"] == "pong"


def test_unknown_fields_are_ignored(tested):
    ada = tested.join()
    ada.say(type="subscribe", topic="lab:temp", colour="red", since={"epoch": "k", "offset": 1}, data=[1])
    assert ada.hear()["type"] == "subscribed"
    ada.hear()
    ada.say(type="publish", topic="lab:temp", data=1, messageId="mine", timestamp=5, extra={"a": 1})
    heard = ada.hear()
    assert heard["data"] == 1
    assert heard["timestamp"] > 5


def test_the_two_separators_make_two_topics(tested):
    ada = tested.join()
    ada.follow("lab:a")
    ada.say(type="publish", topic="lab/a", data=1)
    ada.hears_nothing()
    assert ada.follow("lab/a") == 1


def test_a_message_in_fragments_is_one_message(tested):
    raw = tested.raw()
    text = json.dumps({"type": "publish", "topic": "lab:é", "data": "ü" * 10}, ensure_ascii=False).encode()
    raw.text(type="subscribe", topic="lab:é")
    raw.next(), raw.next()
    cut = text.index("ü".encode()) + 1  # in the middle of a character
    raw.frame(0x1, text[:10], fin=False)
    raw.frame(0x0, b"", fin=False)
    raw.frame(0x9, b"in between")
    raw.frame(0x0, text[10:cut], fin=False)
    raw.frame(0x0, text[cut:])
    frames = [raw.next(), raw.next()]
    assert (0xA, b"in between") in frames
    [(_, message)] = [frame for frame in frames if frame[0] == 0x1]
    assert json.loads(message)["data"] == "ü" * 10
