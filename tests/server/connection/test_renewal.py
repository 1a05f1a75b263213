"""`auth`: a new token for the same user, while the connection goes on."""

from __future__ import annotations

import time

import pytest


@pytest.fixture
def server(start):
    return start()


def test_a_new_token_moves_the_end(server, join):
    ada = join(server, ttl=1.0)
    ada.say(type="auth", id=5, token=server.token("ada", ttl=1000))
    answer = ada.hear_type("authenticated")
    assert answer["id"] == 5
    assert answer["expires"] == pytest.approx((time.time() + 1000) * 1000, abs=10_000)
    ada.socket.socket.settimeout(None)
    with pytest.raises(TimeoutError):
        ada.socket.recv(timeout=1.3)
    ada.hears_nothing()


def test_a_token_without_an_end_removes_it(server, join):
    ada = join(server, ttl=1000)
    ada.say(type="auth", id=5, token=server.token("ada"))
    assert ada.hear_type("authenticated")["expires"] is None


def test_an_end_is_announced(server, join):
    ada = join(server, ttl=0.3)
    error = ada.hear_error("token_expired")
    assert (error["close"], error["reconnect"]) == (4005, True)
    assert ada.ended() == 4005


def test_a_shorter_token_counts_at_once(server, join):
    ada = join(server)
    ada.say(type="auth", id=5, token=server.token("ada", ttl=0.3))
    ada.hear_type("authenticated")
    ada.hear_error("token_expired")


def test_another_users_token_is_forbidden_and_changes_nothing(server, join):
    ada = join(server, topics=["lab:*"])
    ada.say(type="subscribe", id=2, topic="lab:a")
    ada.hear_type("subscribed")
    ada.say(type="auth", id=5, token=server.token("eve", topics=["other"], ttl=0.2))
    error = ada.hear_error("forbidden")
    assert error["id"] == 5
    assert "close" not in error
    ada.say(type="subscribe", id=6, topic="other")
    assert ada.hear_error("forbidden")["id"] == 6
    ada.say(type="publish", id=7, topic="lab:a", data=1, ack=True)
    assert {ada.hear()["type"], ada.hear()["type"]} == {"ack", "message"}
    assert server.connections()[0]["user"] == "ada"


@pytest.mark.parametrize(("more", "code"), [({"token": "x"}, "unauthorized"), ({}, "bad_request")])
def test_a_bad_token_is_an_error_and_the_connection_goes_on_with_the_old_one(server, join, more, code):
    ada = join(server)
    ada.say(type="auth", id=5, **more)
    error = ada.hear_error(code)
    assert error["id"] == 5
    assert "close" not in error
    ada.hears_nothing()


def test_what_is_no_longer_granted_ends_and_the_rest_goes_on(server, join):
    ada = join(server)
    for number, topic in enumerate(("lab:a", "lab:b", "lab:*"), 2):
        ada.say(type="subscribe", id=number, topic=topic)
        ada.hear_type("subscribed")
    ada.say(type="auth", id=5, token=server.token("ada", topics=["lab:a"]))
    heard = [ada.hear() for _ in range(3)]
    ended = {message["topic"]: message for message in heard if message["type"] == "unsubscribed"}
    assert set(ended) == {"lab:b", "lab:*"}
    assert {message["code"] for message in ended.values()} == {2003}
    assert not any(message["resubscribe"] for message in ended.values())
    ada.say(type="publish", id=7, topic="lab:a", data=1, ack=True)
    assert sorted(ada.hear()["type"] for _ in range(2)) == ["ack", "message"]
    ada.say(type="publish", id=8, topic="lab:b", data=1)
    ada.hear_error("forbidden")


def test_more_grants_count_at_once(server, join):
    ada = join(server, topics=["lab:a"])
    ada.say(type="subscribe", id=2, topic="lab:b")
    ada.hear_error("forbidden")
    ada.say(type="auth", id=5, token=server.token("ada", topics=["lab:*"]))
    ada.hear_type("authenticated")
    ada.say(type="subscribe", id=6, topic="lab:b")
    ada.hear_type("subscribed")
