"""The beginning of a v2 connection: hello, welcome, and every way in which it may be refused."""

from __future__ import annotations

import json
import time

import jwt
import pytest
from websockets.exceptions import InvalidStatus

from nbrealtime.server import Limits

SECRET = "a secret of these tests that is long enough"


@pytest.fixture
def server(start):
    return start(secret=SECRET)


def token(secret=SECRET, **claims):
    return jwt.encode({"sub": "ada", "name": "Ada", **claims}, secret, algorithm="HS256")


def test_hello_is_answered_with_welcome_and_nothing_comes_before_it(server, call):
    ada = call(server)
    assert ada.socket.subprotocol == "nbrealtime.v2"
    with pytest.raises(TimeoutError):
        ada.socket.recv(timeout=0.2)
    welcome = ada.hello(id=7, token=token())
    assert welcome["id"] == 7
    assert welcome["version"] == 2
    assert welcome["user"] == {"id": "ada", "name": "Ada"}
    assert set(welcome["capabilities"]) == {"ack", "recover", "batch", "presence", "lost"}
    assert welcome["encoding"] == "json"
    assert welcome["pingInterval"] == 25
    assert welcome["expires"] is None
    assert isinstance(welcome["keyMemory"], str)
    assert welcome["limits"] == {
        "messageBytes": 2**20,
        "topics": 256,
        "patternTopics": 1000,
        "keySeconds": 300,
        "keys": 200_000,
    }
    ada.hears_nothing()


def test_connections_have_names_of_their_own(server, call):
    assert call(server).hello(token=token())["connection"] != call(server).hello(token=token())["connection"]


def test_welcome_says_when_the_token_expires(server, call):
    exp = int(time.time()) + 1000
    assert call(server).hello(token=token(exp=exp))["expires"] == exp * 1000
    assert call(server).hello(token=token(exp=1e300))["expires"] <= 2**53


def test_capabilities_are_those_of_both_sides(server, call):
    assert call(server).hello(token=token(), capabilities=["ack", "telepathy"])["capabilities"] == ["ack"]
    assert call(server).hello(token=token(), capabilities=[])["capabilities"] == []


def test_an_encoding_that_is_not_served_becomes_json(server, call):
    assert call(server).hello(token=token(), encoding="msgpack")["encoding"] == "json"


def test_a_later_version_is_answered_with_ours(server, call):
    assert call(server).hello(token=token(), version=3)["version"] == 2


@pytest.mark.parametrize("subprotocols", [["other"], ["other", "nbrealtime.v2"]])
def test_other_subprotocols_do_not_matter(server, call, subprotocols):
    ada = call(server, f"?token={token()}", subprotocols=subprotocols)
    if "nbrealtime.v2" in subprotocols:
        ada.hello()
    else:
        assert ada.socket.subprotocol is None
        assert ada.hear_type("message")["data"] == {"message": "Connected to WebSocket server"}


# -- credentials


def test_hellos_token_comes_first_then_the_header_then_the_query(server, call):
    ways = [
        {"token": token(sub="hello")},
        {"additional_headers": {"Authorization": f"Bearer {token(sub='header')}"}},
        {"access_token": token(sub="access")},
        {"token": token(sub="query")},
    ]
    for first, expected in enumerate(["hello", "header", "access", "query"]):
        used = ways[first:]
        query, options, said = [], {}, {}
        for place, way in enumerate(used, first):
            if place == 0:
                said = way
            elif place == 1:
                options = way
            else:
                query += [f"{name}={value}" for name, value in way.items()]
        ada = call(server, "?" + "&".join(query), **options)
        assert ada.hello(**said)["user"]["id"] == expected


@pytest.mark.parametrize(
    "foreign", ["0123456789abcdef", token("another secret of thirty-two bytes and more"), ""]
)
def test_credentials_of_somebody_else_are_passed_over(server, call, foreign):
    for query, header in ((f"?token={foreign}", {}), ("", {"Authorization": f"Bearer {foreign}"})):
        ada = call(server, query, additional_headers=header)
        assert ada.hello(token=token())["user"]["id"] == "ada"
        eve = call(server, query, additional_headers=header)
        eve.say(type="hello", id=1, version=2, client="c")
        assert eve.hear_error("unauthorized")["close"] == 4500
    behind = call(server, f"?token={token()}", additional_headers={"Authorization": f"token {foreign}"})
    assert behind.hello()["user"]["id"] == "ada"


def test_without_the_subprotocol_a_bad_token_is_refused_before_the_upgrade(server, call):
    for query in ("", "?token=x"):
        with pytest.raises(InvalidStatus) as refusal:
            call(server, query, subprotocols=None)
        assert refusal.value.response.status_code == 401


@pytest.mark.parametrize(
    "bad", ["x", token("another secret of thirty-two bytes and more"), token(sub=""), token(topics="a")]
)
def test_a_bad_token_in_hello_ends_the_connection_with_words(server, call, bad):
    # Even if the request brought a good one: hello decides.
    ada = call(server, f"?token={token()}")
    ada.say(type="hello", id=4, version=2, client="c", token=bad)
    error = ada.hear_error("unauthorized")
    assert (error["id"], error["close"], error["reconnect"]) == (4, 4500, False)
    assert bad not in json.dumps(error) or bad == "x"
    assert ada.ended() == 4500


def test_an_expired_token_may_be_replaced_by_another_one(server, call):
    ada = call(server)
    ada.say(type="hello", id=1, version=2, client="c", token=token(exp=int(time.time()) - 60))
    error = ada.hear_error("token_expired")
    assert (error["close"], error["reconnect"]) == (4005, True)
    assert ada.ended() == 4005


# -- what is no hello


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type":"subscribe","id":1,"topic":"a"}', "unauthorized"),
        ('{"type":"ping"}', "unauthorized"),
        ('[{"type":"hello","id":1},{"type":"ping"}]', "unauthorized"),
        ("[]", "unauthorized"),
        ("not json", "bad_request"),
        ('{"type":"hello","id":"one"}', "bad_request"),
        ('{"type":"hello","version":1}', "bad_request"),
        ('{"type":"hello","capabilities":3}', "bad_request"),
        (b"\x00\x01", "bad_request"),
    ],
)
def test_whatever_else_comes_first_ends_the_connection_with_words(server, call, frame, code):
    ada = call(server)
    ada.socket.send(frame)
    error = ada.hear_error(code)
    assert (error["close"], error["reconnect"]) == (4500, False)
    assert ada.ended() == 4500


def test_hello_must_come_in_time(start, call):
    server = start(hello_seconds=0.2)
    ada = call(server)
    assert ada.hear_error("unauthorized")["close"] == 4500
    assert ada.ended() == 4500
    with_token = call(server, f"?token={server.token('ada')}")
    with_token.hear_error("unauthorized")


def test_a_later_hello_is_a_bad_request_and_changes_nothing(server, call):
    ada = call(server)
    ada.hello(token=token())
    ada.say(type="hello", id=9, version=2, client="c", token=token(sub="eve"))
    assert ada.hear_error("bad_request")["id"] == 9
    assert server.connections()[0]["user"] == "ada"
    ada.hears_nothing()


# -- hello after a greeting


def test_who_was_greeted_may_still_say_hello_first(server, call):
    ada = call(server, f"?token={token()}", subprotocols=None)
    assert ada.hear_type("message")["data"] == {"message": "Connected to WebSocket server"}
    welcome = ada.hello()
    assert welcome["user"]["id"] == "ada"
    ada.say(type="subscribe", id=2, topic="lab:a")
    assert ada.hear_type("subscribed")["id"] == 2
    assert server.stats()["connections"] == 1
    assert [one["version"] for one in server.connections()] == [2]


def test_who_was_greeted_and_says_something_else_speaks_v1(server, call):
    ada = call(server, f"?token={token()}", subprotocols=None)
    ada.hear()
    ada.say(type="publish", topic="hello", data="hello")
    ada.say(type="hello", id=1, version=2, client="c")
    assert ada.hear_error("bad_request")
    ada.say(type="subscribe", topic="a")
    assert "id" not in ada.hear_type("subscribed")


def test_a_bad_token_in_a_hello_after_the_greeting_ends_it(server, call):
    ada = call(server, f"?token={token()}", subprotocols=None)
    ada.hear()
    ada.say(type="hello", id=1, version=2, client="c", token="x")
    assert ada.hear_error("unauthorized")["close"] == 4500


# -- what stands against a connection is said in-band


def test_one_connection_too_many_hears_it_in_band(start, call, join):
    server = start(limits=Limits(connections=1))
    ada = join(server)
    bob = call(server)
    error = bob.hear_error("limit_exceeded")
    assert (error["close"], error["reconnect"]) == (4504, True)
    assert bob.ended() == 4504
    ada.hears_nothing()


def test_a_foreign_page_hears_it_in_band(server, call):
    eve = call(server, f"?token={token()}", origin="https://evil.example")
    error = eve.hear_error("forbidden")
    assert (error["close"], error["reconnect"]) == (4507, False)
    assert eve.ended() == 4507


def test_a_stop_is_said_in_band(start, join, call):
    server = start()
    ada, waiting = join(server), call(server)
    server.close()
    for one in (ada, waiting):
        error = one.hear_error("unavailable")
        assert (error["close"], error["reconnect"]) == (1001, True)
        assert one.ended() == 1001
