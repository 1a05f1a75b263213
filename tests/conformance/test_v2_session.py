"""v2 from hello on, with a plain client that knows the protocol's page and nothing else."""

from __future__ import annotations

import json

import pytest

from nbrealtime.server import serve

from .conftest import SECRET, Client, Tested, make_token


class Speaker(Client):
    """Speaks v2; arrays come apart."""

    def __init__(self, socket) -> None:
        super().__init__(socket)
        self.number = 1
        self.queue: list[dict] = []

    def hear(self):
        if not self.queue:
            content = json.loads(self.socket.recv(timeout=10))
            self.queue = content if isinstance(content, list) else [content]
        return self.queue.pop(0)

    def ask(self, **message) -> dict:
        """Says something and returns its answer, which must be what comes next."""
        self.number += 1
        self.say(id=self.number, **message)
        answer = self.hear()
        assert answer.get("id") == self.number, answer
        return answer

    def hear_messages(self, count: int) -> list[dict]:
        found = [self.hear() for _ in range(count)]
        assert all(message["type"] == "message" for message in found), found
        return found


def speak(
    tested: Tested, user: str = "ada", *, capabilities=("ack", "recover", "lost"), grants=None, **hello
):
    claims = {"sub": user, "name": user.title()} | ({} if grants is None else {"topics": grants})
    speaker = Speaker(tested.open("/ws", subprotocols=["nbrealtime.v2"]))
    speaker.say(
        type="hello",
        id=1,
        version=2,
        client=user,
        token=make_token(**claims),
        capabilities=list(capabilities),
        **hello,
    )
    welcome = speaker.hear()
    assert welcome["type"] == "welcome", welcome
    return speaker


def test_an_acknowledged_publish_is_in_the_history(tested):
    ada = speak(tested)
    ack = ada.ask(type="publish", topic="lab:a", data=21.5, ack=True, key="c:1", time=1790000000000)
    assert (ack["type"], ack["offset"], ack["duplicate"]) == ("ack", 1, False)
    again = ada.ask(type="publish", topic="lab:a", data=21.5, ack=True, key="c:1")
    assert (again["offset"], again["duplicate"], again["messageId"]) == (1, True, ack["messageId"])
    history = ada.ask(type="history", topic="lab:a")
    [item] = history["items"]
    assert (item["data"], item["time"], item["offset"]) == (21.5, 1790000000000, 1)
    assert history["epoch"] == ack["epoch"]


def test_who_comes_back_gets_what_he_missed_once_and_in_order(tested):
    ada, bob = speak(tested, "ada"), speak(tested, "bob")
    answer = bob.ask(type="subscribe", topic="lab:a")
    ada.ask(type="publish", topic="lab:a", data=0, ack=True)
    assert bob.hear()["offset"] == 1
    bob.socket.close()
    for number in range(1, 1000):
        ada.say(type="publish", topic="lab:a", data=number)
    ada.ask(type="publish", topic="lab:a", data=1000, ack=True)
    bob = speak(tested, "bob", capabilities=("recover", "batch"))
    since = {"epoch": answer["epoch"], "offset": 1}
    back = bob.ask(type="subscribe", topic="lab:a", since=since)
    assert (back["recovered"], back["replayed"], back["offset"]) == (True, 1000, 1)
    ada.say(type="publish", topic="lab:a", data=1001)
    messages = bob.hear_messages(1001)
    assert [message["offset"] for message in messages] == list(range(2, 1003))
    assert [message["data"] for message in messages] == list(range(1, 1002))


def test_a_foreign_position_is_not_recovered(tested):
    ada = speak(tested)
    ada.ask(type="publish", topic="lab:a", data=0, ack=True)
    answer = ada.ask(type="subscribe", topic="lab:a", since={"epoch": "other", "offset": 0})
    assert (answer["recovered"], answer["offset"]) == (False, 1)


def test_patterns_v1_and_v2_share_the_topics(tested):
    ada, old = speak(tested), tested.join("old")
    answer = ada.ask(type="subscribe", topic="lab:*", since={"topics": {}})
    assert answer["topics"] == {}
    assert old.follow("lab:a") == 1
    old.say(type="publish", topic="lab:a", data=1)
    assert set(old.hear()) == {"type", "topic", "data", "timestamp", "messageId"}
    message = ada.hear()
    assert (message["subscription"], message["offset"], message["user"]["id"]) == ("lab:*", 1, "old")
    assert message["epoch"]


def test_http_says_where_a_keyed_publish_went(tested):
    token = make_token(sub="ada")
    body = {"topic": "lab:a", "data": 1, "key": "k", "retain": True}
    status, first = tested.request("POST", "/ws/publish", body, token)
    assert (status, first["success"], first["offset"], first["duplicate"]) == (200, True, 1, False)
    _, second = tested.request("POST", "/ws/publish", body, token)
    assert (second["duplicate"], second["messageId"], second["epoch"]) == (
        True,
        first["messageId"],
        first["epoch"],
    )
    _, plain = tested.request("POST", "/ws/publish", {"topic": "lab:a", "data": 2}, token)
    assert set(plain) == {"success", "message"}
    ada = speak(tested)
    ada.ask(type="subscribe", topic="lab:a", since="last")
    kept = ada.hear()
    assert (kept["data"], kept["retained"]) == (1, True)


def test_a_history_that_is_switched_off_leaves_no_positions(start):
    tested = start(history=0)
    ada = speak(tested)
    answer = ada.ask(type="subscribe", topic="lab:a")
    assert "epoch" not in answer
    ada.say(type="publish", topic="lab:a", data=1)
    assert "offset" not in ada.hear()


def test_a_token_without_history_may_not_count(tested):
    ada = speak(tested, grants=[{"match": "lab:*", "allow": ["subscribe"]}])
    for request in ({"type": "subscribe", "since": {"count": 1}}, {"type": "history"}):
        answer = ada.ask(topic="lab:a", **request)
        assert answer["data"]["code"] == "forbidden"
    assert ada.ask(type="publish", topic="lab:a", data=1)["data"]["code"] == "forbidden"


def test_the_list_of_topics(tested):
    ada = speak(tested)
    ada.ask(type="publish", topic="lab:a", data=1, ack=True)
    assert ada.ask(type="subscribe", topic="$sys/topics")["type"] == "subscribed"
    listed = ada.hear()
    assert [line["topic"] for line in listed["data"]["topics"]] == ["lab:a"]


@pytest.mark.parametrize("flush", [0, 50])
def test_batches_and_flush_ms_lose_nothing(tested, flush):
    ada, bob = speak(tested, "ada"), speak(tested, "bob", capabilities=("batch",), flushMs=flush)
    bob.ask(type="subscribe", topic="lab:a")
    for number in range(500):
        ada.say(type="publish", topic="lab:a", data=number)
    assert [message["data"] for message in bob.hear_messages(500)] == list(range(500))


def test_sqlite_keeps_positions_and_keys_through_a_restart(tmp_path):
    address = f"sqlite:///{tmp_path}/lab.db"
    first = Tested(serve(secret=SECRET, advertise=False, store=address))
    try:
        ada = speak(first)
        ack = ada.ask(type="publish", topic="lab:a", data=1, ack=True, key="k", retain=True)
    finally:
        first.close()
    second = Tested(serve(secret=SECRET, advertise=False, store=address))
    try:
        ada = speak(second)
        again = ada.ask(type="publish", topic="lab:a", data=1, ack=True, key="k")
        assert (again["duplicate"], again["epoch"], again["offset"]) == (True, ack["epoch"], 1)
        ada.ask(type="publish", topic="lab:a", data=2, ack=True)
        back = ada.ask(type="subscribe", topic="lab:a", since={"epoch": ack["epoch"], "offset": 1})
        assert (back["recovered"], back["replayed"]) == (True, 1)
        assert ada.hear()["data"] == 2
    finally:
        second.close()
