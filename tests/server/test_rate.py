"""The rate with a clock that is only a number, then on a live server."""

from __future__ import annotations

import json
import threading
import time

import pytest

from nbrealtime.server.rate import Allowance


def test_a_burst_of_a_second_is_free():
    allowance = Allowance(10, 0)
    assert [allowance.take(0) for _ in range(10)] == [0.0] * 10
    assert allowance.pause(0) == 0


def test_who_goes_on_is_read_more_slowly_first():
    allowance = Allowance(10, 0)
    assert not any(allowance.take(0) for _ in range(15))
    assert allowance.pause(0) == pytest.approx(0.5)
    assert allowance.pause(0.5) == 0


def test_what_comes_beyond_that_is_refused_and_told_when_to_come_again():
    allowance = Allowance(10, 0)
    refusals = [allowance.take(0) for _ in range(25)]
    assert refusals[:20] == [0.0] * 20
    assert all(seconds == pytest.approx(2.0) for seconds in refusals[20:])
    assert allowance.pause(0) == 0, "what is under way has to be answered"
    assert allowance.take(2.0) == 0


def test_who_waits_as_told_begins_anew():
    allowance = Allowance(10, 0)
    for _ in range(25):
        allowance.take(0)
    assert not any(allowance.take(2.0) for _ in range(10))
    assert not allowance.overdrawn(100)


def test_who_does_not_listen_for_seconds_is_overdrawn():
    allowance = Allowance(10, 0)
    now = 0.0
    while not allowance.overdrawn(now):
        for _ in range(5):
            allowance.take(now)
        now += 0.1
    assert 5 <= now < 8


def test_less_than_one_a_second_is_a_rate_too():
    allowance = Allowance(0.5, 0)
    assert allowance.take(0) == 0
    assert allowance.take(2) == 0


def test_a_clock_that_goes_back_takes_nothing_away():
    allowance = Allowance(10, 100)
    assert allowance.take(50) == 0


# -- on a server


def test_without_a_rate_nothing_is_refused(start, join):
    ada = join(start())
    for number in range(2000):
        ada.say(type="publish", id=number, topic="a", data=number)
    ada.hears_nothing()


def test_a_steady_stream_above_the_rate_is_slowed_down_and_loses_nothing(start, join):
    ada = join(start(rate=200))
    begun = time.monotonic()
    for number in range(300):
        ada.say(type="publish", id=number, topic="a", data=number, ack=True)
        assert ada.hear_type("ack")["id"] == number
    # 200 are the burst; the others came at 200/s.
    assert time.monotonic() - begun > 0.4


@pytest.mark.parametrize("spoken", [True, False])
def test_a_flood_is_refused_and_told_when_to_come_again(start, join, call, spoken):
    server = start(rate=10)
    if spoken:
        ada = join(server)
    else:
        ada = call(server, f"?token={server.token('ada')}", subprotocols=None)
        ada.hear()
    frame = json.dumps({"type": "publish", "id": 1, "topic": "a", "data": 1})
    # More than the burst and what is taken in advance, faster than it could be slowed down.
    for _ in range(60):
        ada.socket.send(frame)
    error = ada.hear_error("rate_limited")
    assert error["retry"] is True
    assert 0 < error["retryAfter"] <= 3
    assert "close" not in error


def test_who_does_not_listen_is_disconnected_and_nobody_else_notices(start, join, monkeypatch):
    monkeypatch.setattr("nbrealtime.server.rate._PATIENCE_SECONDS", 0.5)
    server = start(rate=20)
    eve, ada = join(server, "eve"), join(server, "ada")
    done = threading.Event()

    def publish():
        frame = json.dumps({"type": "publish", "id": 1, "topic": "a", "data": 1})
        try:
            while not done.is_set():
                eve.socket.send(frame)
        except Exception:  # noqa: BLE001 - the server hung up, as it should
            done.set()

    writer = threading.Thread(target=publish, daemon=True)
    writer.start()
    while True:
        message = eve.hear()
        if message.get("data", {}).get("close"):
            break
    assert message["data"]["code"] == "rate_limited"
    assert (message["data"]["close"], message["data"]["reconnect"]) == (4013, True)
    assert message["data"]["retryAfter"] > 0
    assert eve.ended() == 4013
    done.set()
    writer.join(10)
    ada.hears_nothing()
