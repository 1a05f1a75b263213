"""The session in v2, against a simple model of a server with history and keys that does anything in any order."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nbrealtime.client.message import Message
from nbrealtime.client.session import Gap, Session
from nbrealtime.client.status import LinkState
from nbrealtime.errors import PublishUncertain

from .talk import EVERYTHING, Outcome, connect, frame, message, publish


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
        self.session.heartbeat.heard(self.now)
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
TestSessionV2.settings = settings(max_examples=100, stateful_step_count=40)
