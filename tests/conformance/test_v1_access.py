"""Who is let in, and to what: tokens, grants, origins, and connections whose time is up."""

from __future__ import annotations

import json
import time

import pytest
from websockets.exceptions import InvalidStatus


def refused(tested, path, **options):
    """The status and the body of a refused upgrade."""
    with pytest.raises(InvalidStatus) as refusal:
        tested.open(path, **options)
    response = refusal.value.response
    return response.status_code, json.loads(response.body)


BAD_TOKENS = {
    "garbage": lambda make: "garbage",
    "empty": lambda make: "",
    "another secret": lambda make: make(secret="another secret of thirty-two bytes!!", sub="ada"),
    "alg none": lambda make: make(alg="none", sub="ada"),
    "an algorithm that is not ours": lambda make: make(alg="HS512", sub="ada"),
    "expired": lambda make: make(sub="ada", exp=int(time.time()) - 60),
    "expired beyond the leeway": lambda make: make(sub="ada", exp=int(time.time()) - 6),
    "not valid yet": lambda make: make(sub="ada", nbf=int(time.time()) + 60),
    "exp that is no time": lambda make: make(sub="ada", exp="soon"),
    "nobody": lambda make: make(name="Ada"),
    "an empty id": lambda make: make(sub=""),
    "an id that is none": lambda make: make(sub={"a": 1}),
    "topics that are no grants": lambda make: make(sub="ada", topics="lab:*"),
    "a grant with a bad pattern": lambda make: make(sub="ada", topics=[{"match": "la*b"}]),
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_a_bad_token_is_refused_before_the_upgrade(tested, token, kind):
    bad = BAD_TOKENS[kind](token)
    status, body = refused(tested, f"/ws?token={bad}")
    assert status == 401
    assert body["error"]
    assert not bad or bad not in json.dumps(body)


def test_no_token_is_refused(tested):
    assert refused(tested, "/ws")[0] == 401


def test_a_token_may_come_in_the_query_or_in_the_header(tested, token):
    good, bad = token(sub="ada"), token(sub="ada", secret="x" * 32)
    for path, headers in [
        (f"/ws?token={good}", {}),
        (f"/ws?access_token={good}", {}),
        ("/ws", {"Authorization": f"Bearer {good}"}),
        ("/ws", {"Authorization": f"bearer {good}"}),
        (f"/ws?token={bad}&access_token={good}", {}),
        (f"/ws?access_token={bad}", {"Authorization": f"Bearer {good}"}),
    ]:
        socket = tested.open(path, additional_headers=headers)
        assert json.loads(socket.recv(timeout=10))["type"] == "message"


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "7", "name": "Ada"},
        {"sub": 7, "name": "Ada"},
        {"userId": "7", "username": "Ada"},
        {"userId": 7, "username": "Ada"},
        {"sub": "7"},
        {"sub": "7", "aud": "somebody", "iss": "somebody else"},
    ],
    ids=str,
)
def test_both_kinds_of_names_mean_the_same_user(tested, token, claims):
    socket = tested.open(f"/ws?token={token(**claims)}")
    socket.recv(timeout=10)
    socket.send(json.dumps({"type": "subscribe", "topic": "user:7:inbox"}))
    assert json.loads(socket.recv(timeout=10))["type"] == "subscribed"


def test_audience_and_issuer_are_checked_where_they_are_configured(start, token):
    tested = start(audience="lab", issuer="idp")
    tested.open(f"/ws?token={token(sub='a', aud='lab', iss='idp')}")
    for claims in ({"aud": "other", "iss": "idp"}, {"aud": "lab", "iss": "other"}, {"aud": "lab"}, {}):
        assert refused(tested, f"/ws?token={token(sub='a', **claims)}")[0] == 401


def test_a_connection_ends_with_its_token_and_says_why(tested):
    ada, bob = tested.join("ada", exp=time.time() + 1.0), tested.join("bob")
    bob.follow("lab:temp")
    ada.follow("lab:temp")
    bob.hear()
    error = ada.hear_error("token_expired")
    assert error["data"]["close"] == 4005
    assert error["data"]["reconnect"] is True
    assert ada.ended() == 4005
    assert bob.hear()["data"] == {"presenceCount": 1}


# -- grants


@pytest.mark.parametrize(
    ("claim", "kind", "topic", "allowed"),
    [
        (None, "subscribe", "lab:temp", True),
        (None, "publish", "lab:temp", True),
        (None, "subscribe", "$sys/topics", False),
        (None, "publish", "$sys/topics", False),
        (None, "subscribe", "user:ada", True),
        (None, "publish", "user:ada:inbox", True),
        (None, "subscribe", "user:bob", False),
        (None, "publish", "user:bob:inbox", False),
        ([], "subscribe", "lab:temp", False),
        ([{"match": "lab:*", "allow": ["subscribe"]}], "subscribe", "lab:temp", True),
        ([{"match": "lab:*", "allow": ["subscribe"]}], "publish", "lab:temp", False),
        ([{"match": "lab:*", "allow": ["publish"]}], "subscribe", "lab:temp", False),
        ([{"match": "lab:*", "allow": ["subscribe"]}], "subscribe", "lab:a:b", False),
        ([{"match": "lab:*", "allow": ["subscribe"]}], "subscribe", "lab/temp", False),
        ([{"match": "lab:**", "allow": ["subscribe"]}], "subscribe", "lab:a/b", True),
        ([{"match": "**", "allow": ["subscribe", "publish"]}], "subscribe", "user:bob", False),
        ([{"match": "**", "allow": ["subscribe", "publish"]}], "publish", "$sys/topics", False),
        ([{"match": "$sys/*", "allow": ["subscribe", "publish"]}], "subscribe", "$sys/topics", True),
        ([{"match": "$sys/*", "allow": ["subscribe", "publish"]}], "publish", "$sys/topics", False),
        ([{"match": "user:*", "allow": ["subscribe"]}], "subscribe", "user:bob", False),
        ([{"match": "user:*", "allow": ["subscribe"]}], "subscribe", "user:ada", True),
        ([{"match": "user:bob", "allow": ["subscribe"]}], "subscribe", "user:bob", True),
        (
            [{"match": "a", "allow": ["subscribe"]}, {"match": "lab:temp", "allow": ["publish"]}],
            "publish",
            "lab:temp",
            True,
        ),
    ],
)
def test_a_token_allows_what_it_grants(tested, claim, kind, topic, allowed):
    ada = tested.join("ada", **({} if claim is None else {"topics": claim}))
    ada.say(type=kind, topic=topic, data=1)
    if not allowed:
        assert ada.hear_error("forbidden")["topic"] == topic
    elif kind == "subscribe":
        assert ada.hear()["type"] == "subscribed"
        ada.hear()
    ada.hears_nothing()


def test_a_token_without_grants_has_the_default_ones(start):
    tested = start(default_grants=[{"match": "lab:*", "allow": ["subscribe"]}])
    ada = tested.join()
    ada.follow("lab:temp")
    ada.say(type="publish", topic="lab:temp", data=1)
    ada.hear_error("forbidden")
    ada.say(type="subscribe", topic="other")
    ada.hear_error("forbidden")


# -- origins


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:8888", True),
        ("https://127.0.0.1", True),
        ("http://[::1]:8080", True),
        ("http://lab.localhost", True),
        ("https://lab.example", True),
        ("https://lab.example:443", True),
        ("https://hub.example:8443", True),
        ("http://lab.example", False),
        ("https://lab.example:444", False),
        ("https://lab.example.evil.example", False),
        ("https://evil.example", False),
        ("http://localhost.evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_only_pages_of_known_origins_may_connect(start, token, origin, allowed):
    tested = start(origins=["https://lab.example"], public_url="https://hub.example:8443/user/ada/proxy/1")
    key = token(sub="ada")
    headers = {"Origin": origin, "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    status, _ = tested.request("GET", "/ws/stats", token=key, **headers)
    assert status == (200 if allowed else 403)
    if allowed:
        tested.open(f"/ws?token={key}", additional_headers={"Origin": origin})
    else:
        assert refused(tested, f"/ws?token={key}", additional_headers={"Origin": origin})[0] == 403
