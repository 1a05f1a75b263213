"""Names and patterns that try to reach what is not granted."""

from __future__ import annotations

import pytest

TRICKS = [
    "lab:a\x00secret",
    "lab:a\n",
    " lab:a",
    "lab:a ",
    "lab::a",
    ":lab",
    "lab:",
    "lab//a",
    "lab:a*",
    "lab:**:a",
    "***",
    "",
    "x" * 256,
    "\u2028",
    "lab:\x7f",
    "\ud800",
]
HIDDEN = [
    "secret", "secret:a", "lab/a", "LAB:a", "lab:a:b", "lab", "lab:../secret", "lab%3Aa", "lab:a/../../secret",
    "ⅼab:a", "user:bob", "user:bob:inbox", "user/bob", "$sys/secret", "$SYS", "*", "**", "*:*", "lab:*:*", "lab:**",
    "user:*", "$sys/*", "$**",
]  # fmt: skip


@pytest.fixture
def ada(start, join):
    return join(start(), "ada", topics=["lab:*"])


@pytest.mark.parametrize("topic", TRICKS)
@pytest.mark.parametrize("kind", ["subscribe", "publish", "history", "unsubscribe"])
def test_what_is_no_name_is_a_bad_request(ada, kind, topic):
    ada.say(type=kind, id=2, topic=topic, data=1)
    assert ada.hear_error("bad_request")["id"] in (2, None)
    ada.hears_nothing()


@pytest.mark.parametrize("topic", HIDDEN)
def test_what_is_not_granted_is_forbidden_whatever_it_looks_like(ada, topic):
    for number, kind in enumerate(("subscribe", "publish", "history"), 2):
        ada.say(type=kind, id=number, topic=topic, data=1)
        error = ada.hear_type("error")
        assert error["id"] == number
        # A pattern is no name, wherever a name is needed.
        assert error["data"]["code"] in (
            ("forbidden", "bad_request") if "*" in topic or "$" in topic else ("forbidden",)
        )
    ada.hears_nothing()


def test_a_pattern_is_granted_whole_or_not_at_all(ada):
    ada.say(type="subscribe", id=2, topic="lab:*")
    ada.hear_type("subscribed")
    ada.say(type="subscribe", id=3, topic="*:a")
    ada.hear_error("forbidden")


def test_a_wildcard_reaches_no_other_user_and_nothing_of_the_servers(start, join):
    server = start()
    eve, bob = join(server, "eve", topics=["**"]), join(server, "bob")
    for topic in ("**", "*:*", "user:*", "user:**"):
        eve.say(type="subscribe", id=2, topic=topic)
        assert eve.hear()["type"] in ("subscribed", "error")
    bob.say(type="publish", id=3, topic="user:bob:inbox", data="private", ack=True)
    bob.hear_type("ack")
    eve.hears_nothing()


@pytest.mark.parametrize("path", ["//ws", "/ws/", "/ws/../ws", "/WS", "/ws;x", "/%77s", "/ws%00"])
def test_a_path_is_the_path_or_none(start, call, path):
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    server = start()
    with pytest.raises(InvalidStatus) as refusal, connect(f"{server.url}{path}?token={server.token('ada')}"):
        pass
    assert refusal.value.response.status_code == 404


def test_nobody_publishes_what_the_server_says(start, join):
    ada = join(start(), "ada", topics=["**", "$sys/*", "$sys/topics"])
    for number, topic in enumerate(("$sys/topics", "$sys/x"), 2):
        ada.say(type="publish", id=number, topic=topic, data=1, retain=True)
        assert ada.hear_error("forbidden")["id"] == number
