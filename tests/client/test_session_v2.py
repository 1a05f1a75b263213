"""The session in v2: what it says and hears, against a simple model of a server with history and keys."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nbrealtime.client.message import Message
from nbrealtime.client.session import Gap, Memory, Publish, RefusedTopic, Report, Session, Subscribed
from nbrealtime.client.session.negotiation import SILENT_SECONDS
from nbrealtime.client.session.requests import HistoryQuestion
from nbrealtime.client.status import LinkState
from nbrealtime.errors import ConnectionClosed, MessageTooLarge, PublishUncertain, Refused
from nbrealtime.wire.v2 import Position, Since

EVERYTHING = 2**30
URL = "ws://server/ws"


class Outcome:
    """What waits for an acknowledgement; remembers what it was told."""

    def __init__(self) -> None:
        self.value: Any = None
        self.fault: Exception | None = None

    def settle(self, value: Any) -> None:
        assert self.value is None
        assert self.fault is None
        self.value = value

    def fail(self, fault: Exception) -> None:
        assert self.value is None
        assert self.fault is None
        self.fault = fault


def frame(*messages: dict[str, Any]) -> bytes:
    return json.dumps(messages[0] if len(messages) == 1 else messages).encode()


def spoken(session: Session, now: float = 0.0) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    while frames := session.take(EVERYTHING, now):
        for text in frames:
            message = json.loads(text)
            said += message if isinstance(message, list) else [message]
    return [message for message in said if message["type"] not in ("ping", "hello")]


def welcome(memory: str = "m1", **more: Any) -> bytes:
    limits = {"messageBytes": 1000, "keySeconds": 100, "keys": 1000, **more.pop("limits", {})}
    return frame(
        {
            "type": "welcome",
            "id": 1,
            "version": 2,
            "user": {"id": "u", "name": "Ada"},
            "capabilities": ["ack", "recover", "batch", "lost", "presence"],
            "pingInterval": 20,
            "expires": None,
            "keyMemory": memory,
            "limits": limits,
            **more,
        }
    )


def attempt(session: Session, now: float = 0.0, token: str | None = "t") -> None:
    session.connecting()
    session.attempt(URL, token)
    session.opened(now, token)


def connect(session: Session, now: float = 0.0, memory: str = "m1", **more: Any) -> list[Any]:
    attempt(session, now)
    return session.receive(welcome(memory, **more), now, 0.0)


def publish(session: Session, value: object, topic: str = "lab:a", *, ack: bool = True) -> Outcome:
    data = json.dumps(value).encode()
    outcome = Outcome()
    session.publish(Publish(topic, data, len(data) + 50, receipt=outcome if ack else None))
    return outcome


@pytest.fixture
def session() -> Session:
    """Connected at 0."""
    session = Session(random=lambda: 0.5, client="c")
    connect(session)
    session.heartbeat.is_due(0.0)
    return session


def confirm(session: Session, offset: int = 0, **more: Any) -> list[Any]:
    """Answers the newest subscribe."""
    said = [message for message in spoken(session) if message["type"] == "subscribe"][-1]
    answer = {"type": "subscribed", "id": said["id"], "topic": said["topic"], "data": {"presenceCount": 1}}
    return session.receive(frame({**answer, "epoch": "e", "offset": offset, **more}), 0.0, 0.0)


def message(offset: int, topic: str = "lab:a", **more: Any) -> dict[str, Any]:
    return {"type": "message", "topic": topic, "data": offset, "offset": offset, "timestamp": 0, **more}


# -- a server and a user do anything in any order -------------------------------------------------------


class SessionMachine(RuleBasedStateMachine):
    """The model's server has one topic with a log that may be trimmed, and remembers keys, or forgets them."""

    @initialize()
    def begin(self) -> None:
        self.session = Session(random=lambda: 0.5, client="c")
        self.now = 0.0
        self.epoch = 1
        self.memory = 1
        self.log: list[int] = []  # everything committed in this epoch, by value
        self.first = 1  # the oldest offset kept
        self.keys: dict[str, int] = {}
        self.blocked: str | None = None
        self.inbox: list[dict[str, Any]] = []  # on its way to the server
        self.outbox: list[dict[str, Any]] = []  # on its way to the client
        self.cursor: int | None = None  # what the server has sent of the log, on this connection
        self.serial = 0
        self.outcomes: dict[int, Outcome] = {}
        self.committed: list[int] = []  # values, ever
        self.heard: list[tuple[int, int]] = []  # (epoch, offset) as handed on
        self.missed = False
        self.session.subscribe("lab:a")
        self.go_online()

    def is_connected(self) -> bool:
        return self.session.state is LinkState.CONNECTED

    @precondition(lambda self: not self.is_connected())
    @rule()
    def go_online(self) -> None:
        self.inbox, self.outbox, self.cursor, self.blocked = [], [], None, None
        connect(self.session, self.now, f"m{self.memory}")

    @precondition(lambda self: self.is_connected())
    @rule(reads_first=st.booleans())
    def drop(self, reads_first: bool) -> None:
        if reads_first:
            self.speak(EVERYTHING)
            self.serve(100)
        self.session.lost(self.now, 1006, "")

    @rule(seconds=st.sampled_from((0.1, 1.0, 30.0)))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.session.heard(self.now)
        deadline = self.session.deadline
        if deadline is not None and deadline <= self.now:
            self.session.tick(self.now)

    @rule(count=st.integers(1, 5))
    def publish(self, count: int) -> None:
        for _ in range(count):
            self.serial += 1
            self.outcomes[self.serial] = publish(self.session, self.serial)

    @precondition(lambda self: self.is_connected())
    @rule(limit=st.sampled_from((1, 200, EVERYTHING)))
    def speak(self, limit: int) -> None:
        for text in self.session.take(limit, self.now):
            said = json.loads(text)
            self.inbox += said if isinstance(said, list) else [said]

    @rule(count=st.integers(1, 10))
    def others_publish(self, count: int) -> None:
        for _ in range(count):
            self.commit(-1)

    def commit(self, value: int) -> int:
        self.log.append(value)
        return len(self.log)

    @precondition(lambda self: self.is_connected())
    @rule(count=st.integers(1, 8), refuses=st.sampled_from((False, False, True)))
    def serve(self, count: int, refuses: bool = False) -> None:
        for said in self.inbox[:count]:
            if said["type"] == "subscribe":
                self.answer_subscribe(said)
            elif said["type"] == "publish":
                self.answer_publish(said, refuses)
        del self.inbox[:count]
        self.stream()

    def answer_subscribe(self, said: dict[str, Any]) -> None:
        since, newest = said.get("since"), len(self.log)
        answer = {
            "type": "subscribed",
            "id": said["id"],
            "topic": "lab:a",
            "epoch": f"e{self.epoch}",
            "offset": newest,
            "data": {"presenceCount": 1},
        }
        if since is not None:
            ours = since["epoch"] == f"e{self.epoch}"
            answer["recovered"] = ours and self.first - 1 <= since["offset"] <= newest
            if answer["recovered"]:
                answer["offset"] = since["offset"]
                answer["replayed"] = newest - since["offset"]
        self.cursor = answer["offset"]
        self.outbox.append(answer)

    def answer_publish(self, said: dict[str, Any], refuses: bool) -> None:
        key = said["key"]
        place = {"id": said["id"], "topic": "lab:a"}
        if self.blocked == key:
            self.blocked = None
        if self.blocked is not None or (refuses and key not in self.keys):
            self.blocked = self.blocked or key
            fault = {"error": "not now", "code": "unavailable", "retry": True, "retryAfter": 0.5}
            self.outbox.append({"type": "error", **place, "data": fault})
            return
        duplicate = key in self.keys
        if not duplicate:
            self.keys[key] = self.commit(said["data"])
            self.committed.append(said["data"])
        self.outbox.append(
            {
                "type": "ack",
                **place,
                "epoch": f"e{self.epoch}",
                "offset": self.keys[key],
                "messageId": "m",
                "duplicate": duplicate,
            }
        )

    def stream(self) -> None:
        if self.cursor is None:
            return
        for offset in range(self.cursor + 1, len(self.log) + 1):
            self.outbox.append(message(offset))
        self.cursor = len(self.log)

    @precondition(lambda self: self.is_connected())
    @rule(count=st.integers(1, 10), batched=st.booleans())
    def listen(self, count: int, batched: bool) -> None:
        part = self.outbox[:count]
        del self.outbox[:count]
        frames = [frame(*part)] if batched and part else [frame(one) for one in part]
        for text in frames:
            for event in self.session.receive(text, self.now, 0.0):
                if isinstance(event, Message):
                    assert event.epoch is not None
                    assert event.offset is not None
                    self.heard.append((int(event.epoch[1:]), event.offset))
                    self.missed = False
                elif isinstance(event, Gap):
                    self.missed = True
                    self.heard.append((-1, -1))

    @precondition(lambda self: self.is_connected())
    @rule(written=st.booleans(), served=st.integers(0, 12), heard=st.integers(0, 12))
    def exchange(self, written: bool, served: int, heard: int) -> None:
        """Several at once, or the stories with a beginning and an end would hardly ever be told."""
        if written:
            self.speak(EVERYTHING)
        self.serve(served)
        self.listen(heard, batched=True)

    @precondition(lambda self: self.is_connected())
    @rule(
        publishes=st.integers(0, 3), restarts=st.sampled_from((False, False, True)), kept=st.integers(0, 12)
    )
    def fall_and_rise(self, publishes: int, restarts: bool, kept: int) -> None:
        self.exchange(True, 12, 12)
        self.others_publish(publishes)
        self.publish(2)
        self.exchange(True, kept, kept)
        self.drop(reads_first=False)
        if restarts:
            self.restart()
        self.go_online()
        self.exchange(True, 12, 12)

    @rule(keep=st.integers(0, 3))
    def trim(self, keep: int) -> None:
        self.first = max(self.first, len(self.log) - keep + 1)

    @precondition(lambda self: not self.is_connected())
    @rule()
    def restart(self) -> None:
        """A server without a file: another epoch, and no memory of keys."""
        self.epoch += 1
        self.memory += 1
        self.log, self.first, self.keys = [], 1, {}

    @invariant()
    def nothing_is_handed_on_twice_or_out_of_order_or_left_out_unsaid(self) -> None:
        for before, after in zip(self.heard, self.heard[1:], strict=False):
            if (-1, -1) not in (before, after):
                assert after == (before[0], before[1] + 1)

    @invariant()
    def what_was_committed_was_committed_once_and_in_order(self) -> None:
        assert len(set(self.committed)) == len(self.committed)
        assert self.committed == sorted(self.committed)

    @invariant()
    def a_receipt_tells_the_truth(self) -> None:
        for value, outcome in self.outcomes.items():
            if outcome.value is not None:
                assert value in self.committed
            if outcome.fault is not None:
                assert isinstance(outcome.fault, PublishUncertain)

    def teardown(self) -> None:
        """Left in peace, everything arrives, and every receipt is settled."""
        if not hasattr(self, "session"):
            return
        if not self.is_connected():
            self.go_online()
        for _ in range(20 + self.serial):
            self.speak(EVERYTHING)
            self.serve(1000)
            self.listen(100_000, batched=False)
            self.wait(1.0)
        self.speak(EVERYTHING)
        assert all(outcome.value or outcome.fault for outcome in self.outcomes.values())
        assert self.session.outbox.queued == 0
        assert self.session.outbox.bytes == 0
        assert self.session.outbox.acknowledged_bytes == 0
        if self.log and self.heard and not self.missed:
            assert self.heard[-1] == (self.epoch, len(self.log))


TestSessionV2 = SessionMachine.TestCase
TestSessionV2.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


# -- negotiation ----------------------------------------------------------------------------------------


def test_the_hello_names_the_client_its_token_and_what_it_can() -> None:
    session = Session(random=lambda: 0.5, client="c")
    session.subscribe("lab:a")
    attempt(session)
    (hello,) = [json.loads(text) for text in session.take(EVERYTHING)]
    assert (hello["type"], hello["version"], hello["client"], hello["token"]) == ("hello", 2, "c", "t")
    assert set(hello["capabilities"]) >= {"ack", "recover", "batch", "lost"}
    assert hello["flushMs"] > 0
    assert session.take(EVERYTHING) == [], "nothing else before the answer"
    assert session.state is LinkState.CONNECTING


@pytest.mark.parametrize("data", [{"error": "what?"}, {"error": "what?", "code": "unknown_type"}])
def test_an_error_that_does_not_know_hello_proves_v1(data: dict[str, Any]) -> None:
    session = Session(random=lambda: 0.5)
    attempt(session)
    session.receive(frame({"type": "error", "data": data}), 0.0, 0.0)
    assert session.version == 1
    session.lost(1.0, 1006, "")
    session.connecting()
    assert not session.attempt(URL, "t"), "and is remembered"


def test_another_error_proves_nothing() -> None:
    session = Session(random=lambda: 0.5)
    attempt(session)
    session.receive(frame({"type": "error", "data": {"error": "full", "code": "limit_exceeded"}}), 0.0, 0.0)
    assert session.version is None
    assert session.tick(0.0) is not None
    session.lost(0.0, 1006, "")
    session.connecting()
    assert session.attempt(URL, "t")


def test_silence_after_a_greeting_proves_v1() -> None:
    session = Session(random=lambda: 0.5)
    session.subscribe("lab:a")
    attempt(session)
    session.receive(frame({"type": "message", "data": {"message": "hi"}}), 1.0, 0.0)
    assert session.deadline == 1.0 + SILENT_SECONDS
    assert session.tick(1.0 + SILENT_SECONDS) is None
    assert session.version == 1
    assert [said["type"] for said in spoken(session)] == ["subscribe"]


def test_a_greeting_that_came_with_the_acceptance_counts() -> None:
    session = Session(random=lambda: 0.5)
    session.connecting()
    session.attempt(URL, "t")
    session.receive(frame({"type": "message", "data": {"message": "hi"}}), 0.0, 0.0)
    session.opened(0.0, "t")
    assert session.deadline == SILENT_SECONDS


@pytest.mark.parametrize("how", ["401", "drop"])
def test_an_offer_that_is_refused_or_dropped_is_followed_by_one_without(how: str) -> None:
    session = Session(random=lambda: 0.5)
    session.connecting()
    assert session.attempt(URL, "t")
    if how == "401":
        session.failed(3.0, "token refused", refused=True, status=401)
    else:
        session.opened(3.0, "t")
        session.lost(3.0, 1006, "")
    assert session.retry_at == 3.0
    session.connecting()
    assert not session.attempt(URL, "t")
    session.opened(3.0, "t")
    assert session.version == 1


def test_where_v2_was_spoken_a_drop_is_a_drop(session: Session) -> None:
    session.lost(100.0, 1006, "")
    attempt(session, 101.0)
    session.lost(101.0, 1006, "")
    assert session.retry_at is not None
    assert session.retry_at > 101.0
    session.connecting()
    assert session.attempt(URL, "t")


def test_what_one_connection_learnt_others_know() -> None:
    memory = Memory()
    first = Session(random=lambda: 0.5, memory=memory)
    first.connecting()
    first.attempt(URL, "t")
    first.failed(0.0, "no", refused=True, status=401)
    first.connecting()
    first.attempt(URL, "t")
    first.opened(0.0, "t")
    second = Session(random=lambda: 0.5, memory=memory)
    second.connecting()
    assert not second.attempt(URL, "t")


def test_a_refused_token_ends_it_as_the_server_says() -> None:
    session = Session(random=lambda: 0.5)
    attempt(session)
    fault = {"error": "bad signature", "code": "unauthorized", "close": 4500, "reconnect": False}
    session.receive(frame({"type": "error", "id": 1, "data": fault}), 0.0, 0.0)
    session.lost(0.0, 1006, "")
    assert session.state is LinkState.CLOSED
    assert session.error == "token refused: bad signature"


# -- subscriptions ----------------------------------------------------------------------------------------


def test_a_new_connection_goes_on_from_what_was_handed_on(session: Session) -> None:
    session.subscribe("lab:a")
    assert confirm(session, 41) == [Subscribed("lab:a", 1)]
    session.receive(frame(message(42), message(43)), 0.0, 0.0)
    session.lost(1.0, 1006, "")
    waiting = publish(session, "new")
    connect(session, 2.0)
    said = spoken(session)
    assert [one["type"] for one in said] == ["subscribe", "publish"]
    assert said[0]["since"] == {"epoch": "e", "offset": 43}
    assert waiting.fault is None


def test_what_could_not_be_recovered_is_a_gap_of_known_size(session: Session) -> None:
    session.subscribe("lab:a")
    confirm(session, 41)
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    assert confirm(session, 50, recovered=False) == [
        Subscribed("lab:a", 1, False, 0),
        Gap("lab:a", "unrecoverable", 9),
    ]


def test_a_pattern_goes_on_from_each_of_its_topics(session: Session) -> None:
    session.subscribe("lab:*")
    said = spoken(session)[0]
    topics = {"lab:a": {"epoch": "a", "offset": 3}}
    session.receive(
        frame({"type": "subscribed", "id": said["id"], "topic": "lab:*", "topics": topics}), 0.0, 0.0
    )
    session.receive(
        frame(
            message(4, subscription="lab:*"),
            message(1, "lab:b", subscription="lab:*", epoch="b"),
            message(2, "lab:b", subscription="lab:*"),
        ),
        0.0,
        0.0,
    )
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    assert spoken(session)[0]["since"] == {
        "topics": {"lab:a": {"epoch": "a", "offset": 4}, "lab:b": {"epoch": "b", "offset": 2}}
    }


def test_a_pattern_without_topics_yet_asks_for_those_that_appear_meanwhile(session: Session) -> None:
    session.subscribe("lab:*")
    said = spoken(session)[0]
    assert "since" not in said
    session.receive(frame({"type": "subscribed", "id": said["id"], "topic": "lab:*", "topics": {}}), 0.0, 0.0)
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    assert spoken(session)[0]["since"] == {"topics": {}}


def test_what_the_user_asked_for_counts_until_there_is_a_position(session: Session) -> None:
    session.subscribe("lab:a", since=Since(count=3))
    assert spoken(session)[0]["since"] == {"count": 3}
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    assert confirm(session, 7, recovered=True, replayed=3) == [Subscribed("lab:a", 1, True, 3)]
    session.lost(3.0, 1006, "")
    connect(session, 4.0)
    assert spoken(session)[0]["since"] == {"epoch": "e", "offset": 7}


def test_lost_stands_in_the_stream_as_a_gap(session: Session) -> None:
    session.subscribe("lab:a")
    confirm(session, 45)
    lost = {"type": "lost", "topic": "lab:a", "from": 46, "to": 90, "reason": "slow"}
    events = session.receive(frame(lost, message(91)), 0.0, 0.0)
    assert events[0] == Gap("lab:a", "slow", 45)
    assert isinstance(events[1], Message)
    counted = {"type": "lost", "topic": "lab:a", "count": 7, "reason": "slow"}
    assert session.receive(frame(counted), 0.0, 0.0) == [Gap("lab:a", "slow", 7)]


@pytest.mark.parametrize("code", [2001, 2002])
def test_a_subscription_that_must_begin_again_does(session: Session, code: int) -> None:
    session.subscribe("lab:a")
    confirm(session, 45)
    session.receive(
        frame({"type": "unsubscribed", "topic": "lab:a", "code": code, "resubscribe": True}), 0.0, 0.0
    )
    assert session.receive(frame(message(1)), 0.0, 0.0) == [], "nothing before it is confirmed"
    assert confirm(session, 0, epoch="f", recovered=False) == [
        Subscribed("lab:a", 1, False, 0),
        Gap("lab:a", "unrecoverable", None),
    ]


def test_a_grant_that_is_gone_refuses_the_topic(session: Session) -> None:
    session.subscribe("lab:a")
    confirm(session)
    ended = {
        "type": "unsubscribed",
        "topic": "lab:a",
        "code": 2003,
        "reason": "no grant",
        "resubscribe": False,
    }
    assert session.receive(frame(ended), 0.0, 0.0) == [RefusedTopic("lab:a", "forbidden", "no grant")]


def test_after_unsubscribing_and_subscribing_again_the_old_stream_is_passed_over(session: Session) -> None:
    session.subscribe("lab:a")
    confirm(session, 5)
    session.unsubscribe("lab:a")
    session.subscribe("lab:a")
    assert session.receive(frame(message(6)), 0.0, 0.0) == []
    confirm(session, 6)
    assert len(session.receive(frame(message(7)), 0.0, 0.0)) == 1


def test_a_retained_value_is_marked_and_moves_no_position(session: Session) -> None:
    session.subscribe("lab:a", since="last")
    confirm(session, 9)
    (event,) = session.receive(frame(message(3, retained=True)), 0.0, 0.0)
    assert isinstance(event, Message)
    assert event.retained
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    assert spoken(session)[0]["since"] == {"epoch": "e", "offset": 9}


def test_presence_that_is_not_granted_is_done_without(session: Session) -> None:
    session.subscribe("lab:a")
    first = spoken(session)[0]
    assert first["presence"] is True
    fault = {"error": "no presence", "code": "forbidden", "retry": False}
    assert session.receive(frame({"type": "error", "id": first["id"], "data": fault}), 0.0, 0.0) == []
    second = spoken(session)[0]
    assert "presence" not in second
    assert session.receive(frame({"type": "error", "id": second["id"], "data": fault}), 0.0, 0.0) == [
        RefusedTopic("lab:a", "forbidden", "no presence")
    ]


# -- publishes --------------------------------------------------------------------------------------------


def test_an_acknowledged_publish_has_a_key_and_a_plain_one_has_none(session: Session) -> None:
    outcome = publish(session, 1)
    publish(session, 2, ack=False)
    first, second = spoken(session)
    assert (first["key"], first["ack"]) == ("c:1", True)
    assert not {"key", "ack", "id"} & set(second)
    session.receive(
        frame({"type": "ack", "id": first["id"], "topic": "lab:a", "epoch": "e", "offset": 1}), 0.0, 0.0
    )
    assert (outcome.value.epoch, outcome.value.offset) == ("e", 1)


def test_what_was_written_is_written_again_with_its_key(session: Session) -> None:
    publish(session, 1)
    before = spoken(session)[0]
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    after = spoken(session)[0]
    assert after["key"] == before["key"]


def test_another_memory_of_keys_makes_it_uncertain(session: Session) -> None:
    written = publish(session, 1)
    spoken(session)
    waiting = publish(session, 2)
    session.lost(1.0, 1006, "")
    reports = connect(session, 2.0, "m2")
    assert isinstance(written.fault, PublishUncertain)
    assert reports == [Report("1 message to lab:a may or may not have arrived")]
    assert [said["data"] for said in spoken(session)] == [2]
    assert waiting.fault is None
    assert session.outbox.uncertain == 1


def test_too_late_for_its_key_it_is_uncertain_also_while_offline(session: Session) -> None:
    written = publish(session, 1)
    spoken(session, now=0.0)
    session.lost(1.0, 1006, "")
    due = session.deadline
    assert due is not None
    assert due < 100.0, "within keySeconds of its first writing"
    session.tick(due)
    assert isinstance(written.fault, PublishUncertain)


def test_after_too_many_others_it_is_uncertain() -> None:
    session = Session(random=lambda: 0.5, client="c")
    connect(session, limits={"keys": 3})
    outcomes = [publish(session, number) for number in range(5)]
    spoken(session)
    session.lost(1.0, 1006, "")
    connect(session, 2.0, limits={"keys": 3})
    spoken(session, now=2.0)
    assert [isinstance(outcome.fault, PublishUncertain) for outcome in outcomes] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_the_later_ones_of_a_topic_wait_behind_a_refused_one(session: Session) -> None:
    for number in range(3):
        publish(session, number)
    said = spoken(session)
    elsewhere = publish(session, "elsewhere", "lab:b")
    fault = {"error": "slow down", "code": "rate_limited", "retry": True, "retryAfter": 2.0}
    session.receive(frame({"type": "error", "id": said[0]["id"], "data": fault}), 10.0, 0.0)
    publish(session, 3)
    assert [one["data"] for one in spoken(session)] == ["elsewhere"]
    assert elsewhere.fault is None
    session.heard(12.5)
    session.tick(12.5)
    assert spoken(session, 12.5) == [], "two more are still to be refused, and come before what is new"
    for one in said[1:]:
        session.receive(frame({"type": "error", "id": one["id"], "data": fault}), 10.0, 0.0)
    session.tick(12.5)
    assert [one["data"] for one in spoken(session, 12.5)] == [0, 1, 2, 3]


def test_a_final_refusal_is_told_to_its_receipt(session: Session) -> None:
    outcome = publish(session, 1)
    said = spoken(session)[0]
    fault = {"error": "read-only", "code": "forbidden", "retry": False}
    session.receive(frame({"type": "error", "id": said["id"], "topic": "lab:a", "data": fault}), 0.0, 0.0)
    assert isinstance(outcome.fault, Refused)
    assert outcome.fault.code == "forbidden"


def test_what_turns_out_too_large_is_not_sent(session: Session) -> None:
    outcome = publish(session, "x" * 1000)
    assert spoken(session) == []
    assert isinstance(outcome.fault, MessageTooLarge)


def test_a_v1_server_acknowledges_nothing_and_its_publisher_learns_it() -> None:
    session = Session(random=lambda: 0.5)
    session.connecting()
    session.connected(0.0)
    outcome = publish(session, 1)
    assert spoken(session) == []
    assert isinstance(outcome.fault, Refused)


def test_closing_tells_every_receipt(session: Session) -> None:
    written = publish(session, 1)
    spoken(session)
    waiting = publish(session, 2)
    session.close()
    assert isinstance(written.fault, PublishUncertain)
    assert isinstance(waiting.fault, ConnectionClosed)


# -- the rest ---------------------------------------------------------------------------------------------


def test_a_question_that_was_not_answered_is_asked_again(session: Session) -> None:
    answer = Outcome()
    session.ask(HistoryQuestion("lab:a", answer, since=Position("e", 3), limit=10, reverse=False))
    assert spoken(session)[0]["since"] == {"epoch": "e", "offset": 3}
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    said = spoken(session)[0]
    item = {"type": "message", "topic": "lab:a", "data": 7, "offset": 4, "timestamp": 1000}
    session.receive(
        frame(
            {
                "type": "history",
                "id": said["id"],
                "topic": "lab:a",
                "epoch": "e",
                "offset": 4,
                "items": [item],
            }
        ),
        2.0,
        0.0,
    )
    assert [(one.data, one.offset, one.epoch) for one in answer.value.messages] == [(7, 4, "e")]


def test_a_ping_is_answered(session: Session) -> None:
    session.receive(frame({"type": "ping"}), 0.0, 0.0)
    assert [said["type"] for said in spoken(session)] == ["pong"]


def test_the_servers_interval_decides_when_it_is_silent(session: Session) -> None:
    session.tick(0.0)
    session.tick(20.0)
    assert session.deadline == 30.0
    assert session.tick(30.0) is not None


def test_a_drained_client_is_back_at_a_time_of_its_own(session: Session) -> None:
    session.receive(frame({"type": "drain", "delay": [0, 5000]}), 10.0, 0.0)
    assert session.state is LinkState.CONNECTED
    session.lost(11.0, 4001, "")
    assert session.retry_at == 12.5


def test_a_server_that_drains_and_stays_is_left(session: Session) -> None:
    session.receive(frame({"type": "drain", "delay": [0, 5000]}), 10.0, 0.0)
    assert session.deadline == 12.5
    assert session.tick(12.5) is not None
    session.lost(12.5, 1006, "")
    assert session.retry_at == 12.5


def test_a_token_is_renewed_well_before_it_expires() -> None:
    session = Session(random=lambda: 0.5)
    session.renewal.possible = True
    attempt(session)
    session.receive(welcome(expires=1_000_100_000), 50.0, 1_000_000.0)
    session.heard(125.0)
    session.tick(125.0)
    assert session.renewal.wanted
    session.renew("another", 125.0)
    said = spoken(session)[0]
    assert (said["type"], said["token"]) == ("auth", "another")
    session.receive(
        frame({"type": "authenticated", "id": said["id"], "expires": 1_000_300_000}), 126.0, 1_000_100.0
    )
    assert session.renewal.due == 126.0 + 150.0


def test_an_expired_token_is_not_presented_again() -> None:
    session = Session(random=lambda: 0.5)
    session.renewal.possible = True
    connect(session)
    fault = {"error": "expired", "code": "token_expired", "close": 4005, "reconnect": True}
    session.receive(frame({"type": "error", "data": fault}), 0.0, 0.0)
    session.lost(1.0, 4005, "")
    assert session.state is LinkState.RECONNECTING
    session.connecting()
    session.attempt(URL, "t")
    assert session.state is LinkState.CLOSED


def test_without_another_token_an_expired_one_ends_it(session: Session) -> None:
    fault = {"error": "expired", "code": "token_expired", "close": 4005, "reconnect": True}
    session.receive(frame({"type": "error", "data": fault}), 0.0, 0.0)
    session.lost(1.0, 4005, "")
    assert session.state is LinkState.CLOSED


def test_what_is_no_message_in_an_array_costs_nothing(session: Session) -> None:
    assert isinstance(session.receive(b"[1,2", 0.0, 0.0)[0], Report)
    assert session.receive(b"[]", 0.0, 0.0) == []
    assert session.state is LinkState.CONNECTED
