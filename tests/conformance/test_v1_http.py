"""The HTTP routes, word for word, and what a bad request gets."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket

import pytest


def test_health_needs_no_token_and_tells_nothing_else(tested):
    assert tested.request("GET", "/health") == (200, {"status": "ok"})


def test_health_proves_who_wrote_the_entry(tested):
    status, body = tested.request("GET", "/health?nonce=0123456789abcdef0123456789abcdef")
    assert status == 200
    assert set(body) == {"status", "proof"}
    assert len(bytes.fromhex(body["proof"])) == hashlib.sha256().digest_size
    other = tested.request("GET", "/health?nonce=fedcba9876543210fedcba9876543210")[1]
    assert not hmac.compare_digest(body["proof"], other["proof"])


def test_stats_count_topics_and_subscribers(tested, token):
    ada, bob = tested.join("ada"), tested.join("bob")
    ada.follow("lab:b")
    ada.follow("lab:a")
    bob.follow("lab:b")
    status, body = tested.request("GET", "/ws/stats", token=token(sub="x"))
    assert status == 200
    assert sorted(body["topics"], key=lambda item: item["topic"]) == [
        {"topic": "lab:a", "subscribers": 1},
        {"topic": "lab:b", "subscribers": 2},
    ]
    assert (body["totalTopics"], body["totalSubscribers"]) == (2, 3)


def test_stats_list_what_the_token_may_subscribe_to(tested, token):
    ada = tested.join("ada")
    ada.follow("lab:a")
    ada.follow("user:ada")
    key = token(sub="bob", topics=[{"match": "other:*", "allow": ["subscribe"]}])
    body = tested.request("GET", "/ws/stats", token=key)[1]
    assert (body["topics"], body["totalTopics"], body["totalSubscribers"]) == ([], 0, 0)
    body = tested.request("GET", "/ws/stats", token=token(sub="bob"))[1]
    assert [item["topic"] for item in body["topics"]] == ["lab:a"]


def test_a_topic_without_subscribers_is_gone_from_the_stats(tested, token):
    ada = tested.join("ada")
    ada.follow("lab:a")
    ada.say(type="unsubscribe", topic="lab:a")
    ada.hear()
    assert tested.request("GET", "/ws/stats", token=token(sub="x"))[1]["topics"] == []


@pytest.mark.parametrize("data", [{"v": 1}, 0, False, "", None])
def test_a_post_is_published(tested, token, data):
    ada = tested.join("ada")
    ada.follow("lab:temp")
    answer = tested.request("POST", "/ws/publish", {"topic": "lab:temp", "data": data}, token=token(sub="x"))
    assert answer == (200, {"success": True, "message": "Message published to topic: lab:temp"})
    heard = ada.hear()
    assert (heard["type"], heard["topic"], heard["data"]) == ("message", "lab:temp", data)
    assert heard["messageId"]


def test_key_and_retain_are_accepted(tested, token):
    body = {"topic": "lab:temp", "data": 1, "key": "k:1", "retain": True}
    assert tested.request("POST", "/ws/publish", body, token=token(sub="x"))[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"data": 1}, 400, "Topic is required"),
        ({"topic": "", "data": 1}, 400, "Topic is required"),
        ({"topic": None, "data": 1}, 400, "Topic is required"),
        ({}, 400, "Topic is required"),
        ({"topic": "lab:temp"}, 400, "Data is required"),
        ({"topic": 5, "data": 1}, 400, None),
        ({"topic": "lab:*", "data": 1}, 400, None),
        ({"topic": "lab::temp", "data": 1}, 400, None),
        ([], 400, None),
        ("{", 400, None),
        ("", 400, None),
        (b'{"topic":"lab:temp","data":"\xff"}', 400, None),
        ("[" * 100_000, 400, None),
        ({"topic": "$sys/topics", "data": 1}, 403, None),
        ({"topic": "user:bob", "data": 1}, 403, None),
        ({"topic": "lab:temp", "data": "x" * 2**20}, 413, None),
        ({"topic": "lab:temp", "data": "x" * 2**22}, 413, None),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_bad_publish_is_named(tested, token, body, status, error):
    ada = tested.join("ada")
    ada.follow("lab:temp")
    got, answer = tested.request("POST", "/ws/publish", body, token=token(sub="x"))
    assert got == status
    assert answer["error"]
    if error is not None:
        assert answer == {"error": error}
    ada.hears_nothing()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/ws/stats"), ("POST", "/ws/publish"), ("GET", "/nowhere")]
)
def test_every_other_route_needs_a_token(tested, token, method, path):
    for key in (
        None,
        "garbage",
        token(sub="x", secret="x" * 32),
        token(sub="x", exp=1),
        token(sub="x", alg="none"),
    ):
        status, body = tested.request(method, path, {"topic": "a", "data": 1}, token=key)
        assert status == 401
        assert body["error"]
        assert key is None or key not in json.dumps(body)


def test_what_is_not_there_is_said_in_json(tested, token):
    key = token(sub="x")
    for method, path, expected in [
        ("GET", "/nowhere", 404),
        ("GET", "/ws/publish", 405),
        ("POST", "/ws/stats", 405),
        ("DELETE", "/health", 405),
        ("GET", "/ws", 426),
    ]:
        status, body = tested.request(method, path, token=key)
        assert (status, bool(body["error"])) == (expected, True), path


def test_one_connection_serves_several_requests_and_a_large_one_leaves_the_server_well(tested, token):
    connection = http.client.HTTPConnection("127.0.0.1", tested.port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/health")
        assert connection.getresponse().read() == b'{"status":"ok"}'
    connection.close()
    assert tested.request("POST", "/ws/publish", b"x" * 2**23, token=token(sub="x"))[0] == 413
    assert tested.request("GET", "/health")[0] == 200


def answer_to(port: int, *parts: bytes) -> bytes:
    """What a bare socket gets for these bytes, to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        received = b""
        while data := connection.recv(65536):
            received += data
        return received


def test_a_head_in_pieces_is_read_and_a_bad_one_is_refused(tested):
    whole = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert answer_to(tested.port, *(whole[i : i + 1] for i in range(len(whole)))).startswith(b"HTTP/1.1 200")
    assert answer_to(tested.port, b"nonsense\r\n\r\n").split(b" ")[1] == b"400"
    assert answer_to(tested.port, b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000).startswith(b"HTTP/1.1 431")
    many = b"".join(b"X-%d: 1\r\n" % i for i in range(300))
    assert answer_to(tested.port, b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n" + many + b"\r\n").startswith(
        b"HTTP/1.1 4"
    )
