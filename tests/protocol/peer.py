"""A client: a session, its user, and the wire that it is on.

Its subscriptions' ears (``ear.py``) and its publishes' receipts hold what they are told against the truth.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from nbrealtime.client.message import Message
from nbrealtime.client.session import Gap, Memory, Options, Publish, RefusedTopic, Session, Subscribed
from nbrealtime.errors import PublishUncertain
from nbrealtime.hub import User

from .ear import Ear
from .setting import URL

if TYPE_CHECKING:
    from .world import World


class Wire:
    """One connection: frames under way in both directions. Each end finds out for itself that it is cut."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.up: deque[bytes] = deque()
        self.down: deque[bytes] = deque()
        self.session: Any = None
        self.cut_off = False


class Receipt:
    """What becomes of one acknowledged publish."""

    def __init__(self, world: World, topic: str, value: str) -> None:
        self._world = world
        self.topic = topic
        self.value = value
        self.done = False

    def settle(self, told: Any) -> None:
        assert not self.done
        self.done = True
        place = self._world.truth.places.get(self.value)
        assert place == (self.topic, told.epoch, told.offset), "acknowledged is committed, and there"

    def fail(self, fault: Exception) -> None:
        assert not self.done
        self.done = True
        assert isinstance(fault, PublishUncertain), fault
        assert self._world.may_doubt, f"nothing made this uncertain: {fault}"


class Peer:
    """One client."""

    def __init__(self, world: World, name: str, user: str, memory: Memory) -> None:
        self.world = world
        self.name = name
        self.user = User(user, user.title())
        self.session = Session(random=lambda: 0.5, client=name, memory=memory)
        self.wire: Wire | None = None
        self.ears: dict[str, Ear] = {}
        self.serial = 0
        self.silent: set[str] = set()
        self.receipts: list[Receipt] = []

    # -- what its user does

    def publish(self, topic: str, *, ack: bool, echo: bool, retain: bool) -> None:
        self.serial += 1
        value = f'"{self.name}#{self.serial}"'
        receipt = Receipt(self.world, topic, value) if ack else None
        if receipt is not None:
            self.receipts.append(receipt)
        if not echo:
            self.silent.add(value)
        data = value.encode()
        self.session.publish(Publish(topic, data, len(data) + 100, receipt=receipt, echo=echo, retain=retain))
        self.write()

    def subscribe(self, name: str, options: Options, since: Any, count: int | None) -> None:
        if name in self.ears:
            ear = self.ears[name]
            # What was skipped before stays skipped: it is not known from when on the new options hold.
            ear.conflates = ear.conflates or options.policy == "conflate"
            since = None
        else:
            self.ears[name] = ear = Ear(
                self.world,
                self,
                name,
                conflates=options.policy == "conflate",
                drops=options.policy == "drop_oldest",
            )
            ear.count = count
        self.session.subscribe(name, options, since)
        self.write()

    def unsubscribe(self, name: str) -> None:
        if self.ears.pop(name, None) is not None:
            self.session.unsubscribe(name)
            self.write()

    # -- its connection

    def connect(self) -> None:
        if self.wire is not None:
            return
        self.session.reconnect(self.world.seconds)
        self.session.connecting()
        assert self.session.attempt(URL, "token"), "it was v2 before"
        assert self.session.opened(self.world.seconds, "token") == []
        self.wire = Wire(self)
        self.world.wires.append(self.wire)
        self.write()

    def write(self) -> None:
        if self.wire is not None:
            self.wire.up.extend(self.session.take(400, self.world.seconds))

    def read(self) -> None:
        """Reads the next frame."""
        wire = self.wire
        if wire is None or not wire.down:
            return
        session = self.session
        session.heartbeat.heard(self.world.seconds)
        for event in session.receive(wire.down.popleft(), self.world.seconds, self.world.seconds):
            self._hear(event)
        self.write()

    def _hear(self, event: Any) -> None:
        if isinstance(event, Message):
            ear = self.ears.get(event.subscription or "")
            assert ear is not None, "nobody wants this any more"
            ear.message(event)
        elif isinstance(event, Subscribed):
            self.ears[event.topic].subscribed(event)
        elif isinstance(event, Gap):
            self.ears[event.topic].gap(event)
        elif isinstance(event, RefusedTopic):
            assert event.code in ("unavailable", "not_subscribed"), event
            self.ears[event.topic].refused = True

    def tick(self) -> None:
        session = self.session
        deadline = session.deadline
        if deadline is None or deadline > self.world.seconds:
            return
        if session.tick(self.world.seconds) is not None and self.wire is not None:
            self.lose(1006)
        self.write()

    def lose(self, code: int = 1006) -> None:
        """Finds out that the connection is gone."""
        if self.wire is None:
            return
        self.wire.cut_off = True
        self.wire = None
        self.session.lost(self.world.seconds, code, "")
