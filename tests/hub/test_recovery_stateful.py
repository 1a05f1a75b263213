"""Positions against a model that cannot be wrong: the log of what the store committed.

Clients come and go, read slowly, present their positions; the store answers late, trims, forgets; the
server restarts. Whatever happens, what a client hears is the log from its position on, or it was told
that this cannot be.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nbrealtime.hub import Grants, Hub, Limits, Options, Session, User
from nbrealtime.wire.topics import Pattern

from .stores import PatientStore

TOPICS = ("lab:a", "lab:b")
SUBJECTS = ("lab:a", "lab:a", "lab:*", "**")
# What ends everything is rare, or nothing else is ever reached.
RARELY = st.sampled_from([False, False, False, False, True])
POLICIES = ("disconnect", "disconnect", "drop_oldest", "conflate")
CLIENTS = 2


class Feed:
    """What a client knows of one of its subscriptions."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.positions: dict[str, tuple[str, int]] = {}
        self.policy = "disconnect"
        # Asked for and not ended, and answered.
        self.open = False
        self.live = False
        self.asked = 0
        # Until the answer comes, what comes belongs to the stream before.
        self.stale = False
        self.since: Any = None
        # How many the newest few are, where that is known.
        self.newest: dict[str, int] = {}
        # How often something had been trimmed when it was asked for.
        self.trims = 0


class Client:
    """A connection, and what its program remembers when there is none."""

    def __init__(self, number: int) -> None:
        self.user = User(f"u{number}", "")
        self.session: Session | None = None
        self.feeds: dict[str, Feed] = {}
        self.reads = True
        self.id = 0


class RecoveryMachine(RuleBasedStateMachine):
    """The hub, its store, and its clients."""

    def __init__(self) -> None:
        super().__init__()
        self.clients = [Client(number) for number in range(CLIENTS)]
        self.now = 1000
        self.published = 0
        self.keys: list[tuple[str, str]] = []
        self.acks: dict[str, tuple[str, int]] = {}

    @initialize(messages=st.sampled_from([4, 300, 10_000]), patient=st.booleans())
    def begin(self, messages: int, patient: bool) -> None:
        self.store = PatientStore(messages=messages, is_patient=patient)
        self.start()

    def start(self) -> None:
        self.hub = Hub(
            lambda payload: payload + b"\n", name="h", limits=Limits(outbox_bytes=2000), store=self.store
        )
        self.publisher = self.hub.open(User("p", ""), Grants.usual(), self.now, options=Options())
        for client in self.clients:
            client.session = None
            for feed in client.feeds.values():
                feed.open = feed.live = feed.stale = False

    # -- what happens

    @rule(topic=st.sampled_from(TOPICS), count=st.integers(1, 6))
    def publish(self, topic: str, count: int) -> None:
        for _ in range(count):
            self.published += 1
            key = f"k{self.published}"
            self.keys.append((topic, key))
            self.send(topic, key, self.published)

    @rule(topic=st.sampled_from(TOPICS))
    def publish_many(self, topic: str) -> None:
        for _ in range(300):
            self.published += 1
            self.send(topic, None, self.published)
        self.flush()

    @precondition(lambda self: self.keys)
    @rule(data=st.data())
    def publish_again(self, data: st.DataObject) -> None:
        topic, key = data.draw(st.sampled_from(self.keys))
        self.send(topic, key, -1)

    def send(self, topic: str, key: str | None, data: int) -> None:
        request = {
            "type": "publish",
            "topic": topic,
            "data": data,
            "ack": key is not None,
            "id": len(self.keys),
        }
        if key is not None:
            request["key"] = key
            request["id"] = int(key[1:])
        self.hub.receive(self.publisher, json.dumps(request).encode(), self.now)

    @rule(
        number=st.integers(0, CLIENTS - 1),
        name=st.sampled_from(SUBJECTS),
        how=st.sampled_from(["live", "again", "again", "again", "count"]),
        policy=st.sampled_from(POLICIES),
        count=st.integers(0, 8),
    )
    def subscribe(self, number: int, name: str, how: str, policy: str, count: int) -> None:
        """Begins a subscription: with what comes, with the newest few, or ``count`` before where it was."""
        client = self.clients[number]
        if client.session is None:
            client.session = self.hub.open(client.user, Grants.usual(), self.now, options=Options())
            client.session.blocked = not client.reads
        self.hear(client)
        known = client.feeds.get(name)
        since: Any = None
        if how == "count":
            since = {"count": count}
        elif how == "again" and known is not None:
            known.positions = {
                topic: (epoch, max(0, offset - count)) for topic, (epoch, offset) in known.positions.items()
            }
            places = {
                topic: {"epoch": epoch, "offset": offset}
                for topic, (epoch, offset) in known.positions.items()
            }
            since = {"topics": places} if "*" in name else places.get(name)
        if since is None and known is not None and known.open:
            return  # goes on with other options: another test's business
        feed = Feed(name)
        feed.open, feed.stale = True, known is not None and known.open
        client.id += 1
        feed.asked, feed.since, feed.policy = client.id, since, policy
        if how == "again" and known is not None:
            feed.positions = known.positions
        feed.trims = self.store.trims
        client.feeds[name] = feed
        request = {"type": "subscribe", "id": client.id, "topic": name, "policy": policy}
        if since is not None:
            request["since"] = since
        if how == "count" and not self.store.is_patient:
            self.store.answer()
            self.hub.flush(self.now)
            for topic, position in self.store.topics(self.now).items():
                kept = position.offset - self.store.first(topic) + 1
                feed.newest[topic] = min(count, kept)
        self.hub.receive(client.session, json.dumps(request).encode(), self.now)

    @rule(number=st.integers(0, CLIENTS - 1), name=st.sampled_from(SUBJECTS))
    def unsubscribe(self, number: int, name: str) -> None:
        client = self.clients[number]
        if client.session is None or name not in client.feeds:
            return
        self.hub.receive(
            client.session, json.dumps({"type": "unsubscribe", "id": 0, "topic": name}).encode(), self.now
        )
        self.flush()
        self.hear(client)
        feed = client.feeds[name]
        feed.open = feed.live = feed.stale = False

    @rule(number=st.integers(0, CLIENTS - 1), hears=st.booleans())
    def drop(self, number: int, hears: bool) -> None:
        client = self.clients[number]
        if client.session is None:
            return
        if hears:
            self.hear(client)
        self.hub.close(client.session, self.now)
        client.session = None
        for feed in client.feeds.values():
            feed.open = feed.live = feed.stale = False

    @rule(number=st.integers(0, CLIENTS - 1), reads=st.booleans())
    def read_or_not(self, number: int, reads: bool) -> None:
        client = self.clients[number]
        client.reads = reads
        if client.session is not None:
            client.session.blocked = not reads
            self.hear(client)

    @rule(number=st.integers(0, CLIENTS - 1), count=st.integers(1, 6), back=st.integers(0, 8))
    def come_back(self, number: int, count: int, back: int) -> None:
        """A connection is lost, something is published, and the client asks for what it missed."""
        self.drop(number, True)
        self.clients[number].reads = True
        self.publish(TOPICS[back % 2], count)
        self.flush()
        self.store.answer(1)
        for name in list(self.clients[number].feeds):
            self.subscribe(number, name, "again", "disconnect", back)

    @rule()
    def flush(self) -> None:
        self.now += 1
        for session in self.hub.flush(self.now):
            if session.overrun:
                raise AssertionError("no subscription of this test is to be ended")

    @rule(count=st.integers(1, 3))
    def answer(self, count: int) -> None:
        self.store.answer(count)

    @rule(really=RARELY)
    def fail(self, really: bool) -> None:
        """The next batch fails."""
        self.store.fails = really

    @rule(topic=st.sampled_from(TOPICS), keep=st.integers(0, 8))
    def trim(self, topic: str, keep: int) -> None:
        self.store.trim(topic, keep)

    @rule(topic=st.sampled_from(TOPICS), really=RARELY)
    def forget(self, topic: str, really: bool) -> None:
        if not really:
            return
        self.store.forget(topic)

    @rule(really=RARELY, loses=st.booleans())
    def restart(self, really: bool, loses: bool) -> None:
        if not really:
            return
        for client in self.clients:
            self.hear(client)
        self.store.answer()
        if loses:
            for topic in TOPICS:
                self.store.forget(topic)
        self.keys.clear()
        self.start()

    # -- what is heard

    def hear(self, client: Client) -> None:
        """Reads what is in the outbox, if the client reads at all; then more may come."""
        session = client.session
        if session is None or session.blocked:
            return
        for line in session.outbox.take().splitlines():
            self.understand(client, json.loads(line))
        self.hub.drained(session)

    def understand(self, client: Client, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "message":
            self.understand_message(client.feeds[message["subscription"]], message)
        elif kind == "lost":
            feed = client.feeds[message["subscription"]]
            if feed.stale:
                return
            assert feed.policy == "drop_oldest"
            epoch, offset = feed.positions.get(message["topic"], (message.get("epoch"), 0))
            assert message["from"] == offset + 1
            assert message["to"] >= message["from"]
            feed.positions[message["topic"]] = (epoch, message["to"])
        elif kind == "subscribed":
            self.understand_subscribed(client.feeds[message["topic"]], message)
        elif kind == "unsubscribed":
            if message["code"] == 2000:
                client.feeds[message["topic"]].live = False
            elif message["topic"] in client.feeds:
                feed = client.feeds[message["topic"]]
                assert message["resubscribe"]
                # A store that answers late may have trimmed what the subscriber was not told of yet.
                trimmed = self.store.is_patient or self.store.trims > feed.trims
                assert message["code"] == 2001 or trimmed, "ended without a reason"
                feed.open = feed.live = feed.stale = False
        elif kind == "error":
            assert message["data"]["code"] in ("not_subscribed", "unavailable"), message

    def understand_subscribed(self, feed: Feed, message: dict[str, Any]) -> None:
        if message["id"] != feed.asked:
            return  # of an earlier life under the same name
        feed.live, feed.stale = True, False
        found = message["topics"] if "*" in feed.name else {feed.name: message}
        since = feed.since
        before, feed.positions = feed.positions, {}
        for topic, said in found.items():
            assert Pattern(feed.name).matches(topic)
            feed.positions[topic] = (said["epoch"], said["offset"])
            if since is None:
                assert "recovered" not in said
                continue
            if "count" in since:
                assert said["recovered"]
                assert said["replayed"] == feed.newest.get(topic, said["replayed"]) <= since["count"]
                continue
            place = before.get(topic)
            if said["recovered"]:
                assert feed.positions[topic] == (place or (said["epoch"], 0)), "recovered from somewhere else"
            else:
                # It must be true that it cannot be had.
                epoch, offset = place or (said["epoch"], 0)
                position = self.store.position(topic, self.now)
                assert (
                    epoch != position.epoch
                    or offset > self.store.told.get((topic, epoch), 0)
                    or self.store.first(topic) > offset + 1
                ), f"{topic}: everything after {offset} was there"

    def understand_message(self, feed: Feed, message: dict[str, Any]) -> None:
        if feed.stale:
            return
        topic, offset = message["topic"], message["offset"]
        assert feed.live, "nothing comes before subscribed, or after the end"
        epoch, before = feed.positions[topic] if topic in feed.positions else (message["epoch"], 0)
        if "*" in feed.name:
            assert message["epoch"] == epoch, "a new epoch comes with a new subscription"
        skipped = message.get("skipped", 0)
        assert not skipped or feed.policy == "conflate"
        assert offset == before + 1 + skipped, f"{topic}: {offset} after {before}"
        assert json.dumps(message["data"]).encode() == self.store.log[topic, epoch][offset]
        assert offset <= self.store.told[topic, epoch], "told before it was committed"
        feed.positions[topic] = (epoch, offset)

    @invariant()
    def the_publisher_hears_the_truth(self) -> None:
        if not hasattr(self, "hub"):
            return
        for line in self.publisher.outbox.take().splitlines():
            message = json.loads(line)
            if message["type"] == "error":
                assert message["data"]["code"] == "unavailable"
                assert message["data"]["retry"]
                continue
            assert message["type"] == "ack"
            place = (message["epoch"], message["offset"])
            key = (message["topic"], message["id"])
            first = self.acks.setdefault(key, place)
            assert first == place, "a repeat is told what the original was told"
            if not message["duplicate"]:
                data = self.store.log[message["topic"], place[0]][place[1]]
                assert data in (b"%d" % message["id"], b"-1")

    def settle(self) -> None:
        """Lets everything happen that is to happen: everybody reads, the store answers."""
        self.store.fails = False
        for client in self.clients:
            client.reads = True
            if client.session is not None:
                client.session.blocked = False
        for _ in range(200):
            self.store.answer()
            self.flush()
            for client in self.clients:
                self.hear(client)
            if not self.hub.pending and not self.store.waiting:
                break
        else:
            raise AssertionError("it does not come to rest")

    @rule()
    def everybody_has_everything(self) -> None:
        self.settle()
        for client in self.clients:
            for feed in client.feeds.values():
                if not feed.live or client.session is None:
                    continue
                for topic in TOPICS:
                    if not Pattern(feed.name).matches(topic):
                        continue
                    position = self.store.topics(self.now).get(topic)
                    if position is None:
                        continue
                    told = self.store.told.get((topic, position.epoch), 0)
                    known = feed.positions.get(topic)
                    if known is None:
                        assert told == 0, f"{feed.name} heard nothing of {topic}"
                    elif known[0] == position.epoch:
                        assert known[1] == told, f"{feed.name}: {topic} stands at {known[1]} of {told}"
                    else:
                        # It begins anew with the next message; none of the new epoch was told yet.
                        assert told == 0

    def teardown(self) -> None:
        if hasattr(self, "hub"):
            self.everybody_has_everything()


TestRecovery = RecoveryMachine.TestCase
TestRecovery.settings = settings(max_examples=150, stateful_step_count=40, derandomize=True)
