"""Limits, the heartbeat and the end: who goes, with which words, and who does not notice."""

from __future__ import annotations

import http.client
import json
import threading

import pytest
from websockets.exceptions import InvalidStatus

from nbrealtime.server import Limits


def test_topics_per_connection_are_limited(start):
    tested = start(limits=Limits(topics=3))
    ada = tested.join()
    for number in range(3):
        ada.follow(f"lab:{number}")
    ada.say(type="subscribe", topic="lab:3")
    assert ada.hear_error("limit_exceeded")["topic"] == "lab:3"
    ada.follow("lab:0")
    ada.say(type="unsubscribe", topic="lab:0")
    ada.hear()
    ada.follow("lab:3")


def test_256_topics_are_the_default(tested):
    ada = tested.join()
    for number in range(256):
        ada.follow(f"lab:{number}")
    ada.say(type="subscribe", topic="one:more")
    ada.hear_error("limit_exceeded")
    ada.hears_nothing()


def test_one_connection_too_many_is_refused_before_the_upgrade(start, token):
    tested = start(limits=Limits(connections=2))
    first, second = tested.join("ada"), tested.join("bob")
    with pytest.raises(InvalidStatus) as refusal:
        tested.open(f"/ws?token={token(sub='eve')}")
    assert refusal.value.response.status_code == 503
    assert "2 connections" in json.loads(refusal.value.response.body)["error"]
    second.hears_nothing()
    second.follow("here")
    first.follow("here")
    second.hear()
    first.socket.close()
    assert second.hear()["data"]["presenceCount"] == 1
    tested.join("eve")


def test_who_does_not_read_is_disconnected_and_nobody_else_notices(tested):
    slow, ada = tested.raw("slow"), tested.join("ada")
    slow.text(type="subscribe", topic="lab:big")
    slow.next(), slow.next()
    assert ada.follow("lab:big") == 2
    sent = 0
    blob = "x" * 500_000
    while True:
        ada.say(type="publish", topic="lab:big", data=blob)
        sent += 1
        message = ada.hear()
        if message["type"] == "presence":
            # The slow one left while its share was being written; the message itself comes too.
            assert message["data"] == {"presenceCount": 1}
            break
        assert len(message["data"]) == len(blob)
        assert sent < 200, "nothing bounds what waits for a slow reader"
    # It took 4 MiB that wait here, besides what the operating system takes.
    assert sent > 8
    heard = []
    while True:
        opcode, payload = slow.next()
        if opcode != 0x1:
            break
        heard.append(json.loads(payload))
    assert (opcode, int.from_bytes(payload[:2], "big")) == (0x8, 4008)
    assert heard[-1]["type"] == "error"
    assert heard[-1]["data"]["code"] == "slow_consumer"
    assert heard[-1]["data"]["close"] == 4008
    assert heard[-1]["data"]["reconnect"] is True
    assert all(message["type"] in ("message", "presence") for message in heard[:-1])


def test_who_answers_pings_stays_and_who_misses_one_goes(start):
    tested = start(heartbeat=0.3)
    silent, ada = tested.raw("silent"), tested.join("ada")
    ada.follow("lab:temp")
    silent.text(type="subscribe", topic="lab:temp")
    assert ada.hear()["data"]["presenceCount"] == 2
    frames = [silent.next()]
    while frames[-1][0] != 0x8:
        frames.append(silent.next())
    assert sum(opcode == 0x9 for opcode, _ in frames) == 1
    assert json.loads(frames[-2][1])["data"]["code"] == "heartbeat"
    assert int.from_bytes(frames[-1][1][:2], "big") == 4012
    assert ada.hear()["data"]["presenceCount"] == 1
    ada.hears_nothing()


def test_a_peer_that_vanishes_without_a_word_is_dropped(start):
    tested = start(heartbeat=0.3)
    gone, ada = tested.raw("gone"), tested.join("ada")
    gone.text(type="subscribe", topic="lab:temp")
    gone.next()
    ada.follow("lab:temp")
    # It keeps its socket open, reads nothing and says nothing.
    assert ada.hear()["data"]["presenceCount"] == 1


def test_pings_can_be_switched_off(start):
    raw = start(heartbeat=None).raw()
    raw.text(type="ping")
    assert json.loads(raw.next()[1])["type"] == "pong"


def test_a_stop_says_goodbye_to_everybody(tested):
    crowd = [tested.join(f"user{number}") for number in range(20)]
    for one in crowd:
        one.say(type="subscribe", topic="lab:temp")
    for one in crowd:
        one.hears = [one.hear() for _ in range(2)]
    kept = http.client.HTTPConnection("127.0.0.1", tested.port, timeout=10)
    kept.request("GET", "/health")
    kept.getresponse().read()
    codes: list[int] = []
    readers = [threading.Thread(target=lambda one=one: codes.append(one.ended())) for one in crowd]
    for reader in readers:
        reader.start()
    tested.server.close()
    for reader in readers:
        reader.join(10)
    assert codes == [1001] * 20
    assert kept.sock.recv(1) == b""
    kept.close()
    with pytest.raises(OSError):
        tested.open("/ws")


def test_messages_published_before_a_stop_still_arrive(tested):
    ada, bob = tested.join("ada"), tested.join("bob")
    bob.follow("lab:temp")
    for number in range(100):
        ada.say(type="publish", topic="lab:temp", data=number)
    ada.hears_nothing()
    closing = threading.Thread(target=tested.server.close)
    closing.start()
    assert [bob.hear()["data"] for _ in range(100)] == list(range(100))
    assert bob.ended() == 1001
    closing.join(10)
