"""The hub against a model so simple that it cannot be wrong: a list of what each session must hear."""

from __future__ import annotations

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from nbrealtime.hub import Grants, Hub, Limits, User

TOPICS = st.sampled_from(["a", "b:c", "b/c", "user:u1", "user:u2:x", "$sys/x", "é"])
PAYLOADS = st.sampled_from([0, False, "", None, {"v": 1}, [1, "ü"]])
TOPIC_LIMIT = 3


class HubMachine(RuleBasedStateMachine):
    """Whatever sessions do, everybody hears exactly what the model says, in its order."""

    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub(lambda message: message + b"\n", name="h", limits=Limits(topics=TOPIC_LIMIT))
        self.followers: dict[str, list] = {}
        self.expected: dict = {}
        self.users: dict = {}

    def expect(self, session, *what) -> None:
        self.expected[session].append(what)

    def announce(self, topic) -> None:
        count = len(self.followers[topic])
        for follower in self.followers[topic]:
            self.expect(follower, "presence", topic, {"presenceCount": count})

    def forbidden(self, session, topic) -> bool:
        owner = topic.split(":")[1] if topic.startswith("user:") else None
        return topic.startswith("$") or (owner is not None and owner != self.users[session])

    @rule(target=sessions, user=st.sampled_from(["u1", "u2"]))
    def join(self, user):
        session = self.hub.open(User(user, user), Grants.usual(), 5)
        self.users[session] = user
        self.expected[session] = [("message", None, {"message": "Connected to WebSocket server"})]
        return session

    @rule(session=consumes(sessions))
    def leave(self, session):
        self.check_one(session)
        self.hub.close(session, 5)
        del self.expected[session]
        for topic, followers in self.followers.items():
            if session in followers:
                followers.remove(session)
                self.announce(topic)

    @rule(session=sessions, topic=TOPICS)
    def subscribe(self, session, topic):
        self.hub.receive(session, json.dumps({"type": "subscribe", "topic": topic}).encode(), 5)
        followers = self.followers.setdefault(topic, [])
        if session in followers:
            count = {"presenceCount": len(followers)}
            self.expect(session, "subscribed", topic, count)
            self.expect(session, "presence", topic, count)
        elif (
            self.forbidden(session, topic)
            or sum(session in f for f in self.followers.values()) >= TOPIC_LIMIT
        ):
            self.expect(session, "error", topic, None)
        else:
            followers.append(session)
            self.expect(session, "subscribed", topic, {"presenceCount": len(followers)})
            self.announce(topic)

    @rule(session=sessions, topic=TOPICS)
    def unsubscribe(self, session, topic):
        self.hub.receive(session, json.dumps({"type": "unsubscribe", "topic": topic}).encode(), 5)
        self.expect(session, "unsubscribed", topic, None)
        if session in self.followers.get(topic, []):
            self.followers[topic].remove(session)
            self.announce(topic)

    @rule(session=sessions, topic=TOPICS, data=PAYLOADS)
    def publish(self, session, topic, data):
        self.hub.receive(session, json.dumps({"type": "publish", "topic": topic, "data": data}).encode(), 5)
        if self.forbidden(session, topic):
            self.expect(session, "error", topic, None)
            return
        for follower in self.followers.get(topic, []):
            self.expect(follower, "message", topic, data)

    @rule(session=sessions, junk=st.binary(max_size=20))
    def talk_nonsense(self, session, junk):
        self.hub.receive(session, b"\x00" + junk, 5)
        self.expect(session, "error", None, None)

    @rule()
    def flush(self):
        self.hub.flush()

    @rule(session=sessions)
    def check_one(self, session):
        self.hub.flush()
        heard = []
        for line in session.outbox.take().splitlines():
            message = json.loads(line)
            data = None if message["type"] == "error" else message.get("data")
            heard.append((message["type"], message.get("topic"), data))
        assert heard == self.expected[session]
        assert session.outbox.size == 0
        self.expected[session] = []

    @invariant()
    def counts_agree(self):
        assert self.hub.all_subscribers() == {
            topic: len(followers) for topic, followers in sorted(self.followers.items()) if followers
        }
        assert self.hub.sessions == set(self.expected)

    def teardown(self):
        for session in list(self.expected):
            self.check_one(session)


TestHub = HubMachine.TestCase
TestHub.settings = settings(max_examples=60, stateful_step_count=40)
