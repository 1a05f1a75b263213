"""A server and its clients with a lossy wire between them, all of it pure: the hub, the session, a clock that is a number.

`World` lets things happen, one at a time and in any order; `Truth` is the simple
model that they are held against: for every topic the lists of messages that were
committed, one list for each epoch, and for every subscriber the place that it has
reached in them.

The one rule: the model never asks the hub or the session what they believe. It
knows what the store committed, what the subscribers and the receipts were told,
and nothing else.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from nbrealtime.client.message import Message
from nbrealtime.client.session import Gap, Memory, Options, Publish, RefusedTopic, Session, Subscribed
from nbrealtime.client.status import LinkState
from nbrealtime.errors import PublishUncertain
from nbrealtime.hub import Grants, Hub, Limits, User
from nbrealtime.hub.store import Commit, Committed, Entry, Unavailable
from nbrealtime.server.hello import options_of, read_hello, welcome
from nbrealtime.server.stores import HistoryRules, MemoryStore

URL = "ws://here"
TOPICS = ("lab:a", "lab:b", "yard")
QUIET = "quiet"
"""A topic without history."""
PATTERN = "lab:*"
KEPT = 6
KEPT_SECONDS = 60
PAGE = 2
KEY_SECONDS = 300.0
OUTBOX_BYTES = 2_500
FORGOTTEN_MS = 24 * 3600 * 1000
"""After so long without a message a topic is none."""


# -- what is true -------------------------------------------------------------------------------------


class Life:
    """One epoch of a topic: what was committed in it, in order."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.entries: list[Entry] = []
        self.over = False


class Truth:
    """Everything that was ever committed."""

    def __init__(self) -> None:
        self.lives: dict[str, list[Life]] = {}
        self.places: dict[str, tuple[str, str | None, int | None]] = {}
        self.serials: dict[tuple[str, str], int] = {}

    def commit(self, entries: Sequence[Entry], told: Sequence[Committed]) -> None:
        """Holds what a store says it did against what it may do."""
        for entry, one in zip(entries, told, strict=True):
            value = entry.data.decode()
            place = (entry.topic, one.epoch, one.offset)
            if one.duplicate:
                assert self.places[value] == place, "a duplicate repeats its original"
                continue
            assert value not in self.places, f"{value} is committed twice"
            self.places[value] = place
            if entry.key is not None:
                who, _, serial = value.strip('"').partition("#")
                last = self.serials.get((entry.topic, who), 0)
                assert int(serial) > last, f"{value} is committed after a later one of the same publisher"
                self.serials[entry.topic, who] = int(serial)
            if one.epoch is None:
                continue
            lives = self.lives.setdefault(entry.topic, [])
            if not lives or lives[-1].epoch != one.epoch:
                assert all(life.epoch != one.epoch for life in lives), "an epoch does not come back"
                lives.append(Life(one.epoch))
            lives[-1].entries.append(entry)
            assert one.offset == len(lives[-1].entries), "offsets are dense"

    def newest(self, topic: str) -> tuple[str | None, int]:
        """The newest position; no epoch is known where nothing was committed."""
        lives = self.lives.get(topic)
        return (lives[-1].epoch, len(lives[-1].entries)) if lives else (None, 0)

    def number(self, topic: str) -> int:
        """How many epochs the topic has had."""
        return len(self.lives.get(topic, ()))

    def at(self, topic: str, epoch: str | None, offset: int) -> Entry:
        """What was committed there."""
        for life in self.lives.get(topic, ()):
            if life.epoch == epoch:
                assert 1 <= offset <= len(life.entries), f"{topic} has no {offset} yet"
                return life.entries[offset - 1]
        raise AssertionError(f"{topic} has no epoch {epoch}")


# -- the store ----------------------------------------------------------------------------------------


class LateStore:
    """A store in memory that answers when it is let, as one on a disk does; ``at_once`` is as it is."""

    def __init__(self, truth: Truth, *, at_once: bool, keys: int) -> None:
        rules = HistoryRules({QUIET: 0, "**": {"messages": KEPT, "seconds": KEPT_SECONDS}})
        self.inner = MemoryStore(rules, key_seconds=KEY_SECONDS, keys_per_user=keys)
        self.at_once = at_once
        self._truth = truth
        self._jobs: deque[tuple[Callable[[], Any], Commit[Any]]] = deque()
        self._held: dict[str, int] = {}
        self.failing = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def publish(self, batch: Sequence[Entry], now: int) -> Commit[Any]:
        for entry in batch:
            # Known from now on, as the protocol of a store says.
            self.inner.position(entry.topic, now)

        def run() -> Sequence[Committed]:
            told = self.inner.publish(batch, now).result()
            self._truth.commit(batch, told)
            return told

        return self._do(run, fails=self._fails())

    def read(self, topic: str, *, limit: int, until: int | None = None, **options: Any) -> Commit[Any]:
        # Few at a time, so that things happen between two pages.
        limit = min(limit, PAGE)
        position = self.inner.position(topic, 0)
        assert position is not None
        newest = position.offset if until is None else min(until, position.offset)

        def run() -> Any:
            page = self.inner.read(topic, limit=limit, until=newest, **options).result()
            same = page.position.epoch == position.epoch
            return type(page)(position, page.first, page.items) if same else page

        return self._do(run)

    def retained(self, topic: str) -> Commit[Any]:
        return self._do(lambda: self.inner.retained(topic).result())

    def hold(self, topic: str) -> None:
        self._held[topic] = self._held.get(topic, 0) + 1
        self.inner.hold(topic)

    def release(self, topic: str) -> None:
        self._held[topic] -= 1
        self.inner.release(topic)

    def _fails(self) -> bool:
        self.failing -= self.failing > 0
        return self.failing > 0

    def _do(self, run: Callable[[], Any], *, fails: bool = False) -> Commit[Any]:
        commit: Commit[Any] = Commit()
        if fails:

            def run() -> Any:
                raise Unavailable("the disk is full")

        self._jobs.append((run, commit))
        if self.at_once:
            self.answer()
        return commit

    @property
    def is_busy(self) -> bool:
        return bool(self._jobs)

    def answer(self) -> None:
        """Does the oldest thing that waits, and says so."""
        if not self._jobs:
            return
        run, commit = self._jobs.popleft()
        try:
            value = run()
        except Unavailable as fault:
            commit.fail(fault)
        else:
            commit.resolve(value)

    def survive(self, done: int) -> None:
        """The process was killed: of what waited, the first ``done`` were still done, and told to nobody."""
        for run, _ in list(self._jobs)[:done]:
            with contextlib.suppress(Unavailable):
                run()
        self._jobs.clear()
        for topic, count in self._held.items():
            for _ in range(count):
                self.inner.release(topic)
        self._held.clear()


# -- the wire -----------------------------------------------------------------------------------------


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


class Stream:
    """How far one subscription has been told one topic.

    ``at`` is None until a first message says where the stream begins: at the latest behind ``newest``, the
    newest there was when the subscription was confirmed, or at the beginning of an epoch later than that
    one, the topic's ``number``-th.
    """

    def __init__(self, truth: Truth, topic: str) -> None:
        self.epoch, self.newest = truth.newest(topic)
        self.number = truth.number(topic)
        self.at: tuple[str | None, int] | None = None
        self.slack = 0

    def last(self, epoch: str | None) -> int:
        """Behind what a first message of ``epoch`` may not begin later."""
        return self.newest if epoch == self.epoch else 0


class Ear:
    """A subscriber's view: what it was told, held against the truth."""

    def __init__(self, world: World, peer: Peer, name: str, *, conflates: bool, drops: bool) -> None:
        self._world = world
        self._peer = peer
        self.name = name
        self.conflates = conflates
        self.drops = drops
        self.confirmed = False
        self.refused = False
        self.streams: dict[str, Stream] = {}
        self.quiet: set[Any] = set()
        self.count: int | None = None

    @property
    def topics(self) -> list[str]:
        if self.name != PATTERN:
            return [self.name] if self.name != QUIET else []
        return [topic for topic in TOPICS if topic.startswith("lab:")]

    def begin(self, topics: Sequence[str]) -> None:
        """From here on: whatever is committed after this must come."""
        for topic in topics:
            self.streams[topic] = Stream(self._world.truth, topic)

    def subscribed(self, event: Subscribed) -> None:
        self.refused = False
        if not self.confirmed:
            self.confirmed = True
            self.begin(self.topics)
            if self.count is not None and event.recovered:
                assert event.replayed <= self.count * len(self.topics), "no more than was asked for"
                assert event.replayed <= KEPT * len(self.topics)

    def gap(self, event: Gap) -> None:
        if self.name == PATTERN or event.missed is None:
            # It does not say which topic, or how many: what comes next says so.
            self.begin(self.topics)
            return
        stream = self.streams.get(self.name)
        if stream is None:
            return
        assert event.missed > 0, "a gap of nothing is none"
        if stream.at is None:
            self.begin(self.topics)
        else:
            epoch, last = stream.at
            stream.at = (epoch, last + event.missed)
            # Its own that it does not get back may stand between what it heard last and the first that is missed. Whether
            # they are counted depends on whether it knew of them, by their acknowledgements.
            while self._is_silent(epoch, last + 1):
                last += 1
                stream.slack += 1

    def _is_silent(self, epoch: str | None, offset: int) -> bool:
        lives = self._world.truth.lives[self.name]
        entries = next(life.entries for life in lives if life.epoch == epoch)
        return offset <= len(entries) and entries[offset - 1].data.decode() in self._peer.silent

    def message(self, message: Message) -> None:
        assert self.confirmed, "a stream begins with its confirmation"
        if message.retained:
            assert f'"{message.data}"' in self._world.truth.places
            return
        if message.topic == QUIET:
            assert message.offset is None
            assert message.data not in self.quiet, "twice"
            self.quiet.add(message.data)
            return
        truth, offset = self._world.truth, message.offset
        assert offset is not None
        entry = truth.at(message.topic, message.epoch, offset)
        assert entry.data.decode() == f'"{message.data}"', "what was committed there"
        stream = self.streams[message.topic]
        if stream.at is None:
            old = [life.epoch for life in truth.lives[message.topic][: max(0, stream.number - 1)]]
            assert message.epoch not in old, "an epoch that is over"
            if not self.conflates:
                self._no_hole(message, stream, stream.last(message.epoch), offset)
        else:
            epoch, last = stream.at
            assert message.epoch == epoch, "a new epoch is announced"
            assert offset > last, "twice, or out of order"
            if not self.conflates:
                self._no_hole(message, stream, last, offset)
        stream.at = (message.epoch, offset)

    def _no_hole(self, message: Message, stream: Stream, last: int, offset: int) -> None:
        self._missed(stream, message.topic, message.epoch, range(last + 1, offset))
        stream.slack = 0

    def _missed(self, stream: Stream, topic: str, epoch: str | None, offsets: range) -> None:
        entries = [self._world.truth.at(topic, epoch, offset) for offset in offsets]
        loud = [entry for entry in entries if entry.data.decode() not in self._peer.silent]
        assert len(loud) <= stream.slack, f"{loud[0].data.decode()} of {topic} is missing from {self.name}"

    def check_end(self) -> None:
        """Everything is quiet: everything was told."""
        if self.refused:
            return
        assert self.confirmed
        for topic, stream in self.streams.items():
            epoch, newest = self._world.truth.newest(topic)
            if epoch is None:
                continue
            if stream.at is None:
                life = self._world.truth.lives[topic][-1]
                forgotten = life.over or self._world.now - life.entries[-1].timestamp >= FORGOTTEN_MS
                if self.name == PATTERN and epoch != stream.epoch and forgotten:
                    # It came since this began, and went: nobody is left who knows that it was there.
                    continue
                last = stream.last(epoch)
            else:
                told, last = stream.at
                assert told == epoch, f"{topic} has begun anew, and {self.name} was not told"
            self._missed(stream, topic, epoch, range(last + 1, newest + 1))


# -- the clients --------------------------------------------------------------------------------------


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
        session.heard(self.world.seconds)
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


class World:
    """Everything. ``durable``: the store survives the server; else everything is new after a restart."""

    def __init__(self, *, durable: bool, at_once: bool, keys: int = 100_000, peers: int = 3) -> None:
        self.durable = durable
        self.at_once = at_once
        self._keys = keys
        self.now = 1_000_000_000
        self.truth = Truth()
        self.may_doubt = keys < 1000
        self.wires: list[Wire] = []
        self.refusals = 0
        memory = Memory()
        memory.set(URL, 2)
        self._begin(LateStore(self.truth, at_once=at_once, keys=keys))
        users = ("ada", "ada", "bob")
        self.peers = [Peer(self, f"c{n}", users[n], memory) for n in range(peers)]

    @property
    def seconds(self) -> float:
        return self.now / 1000

    def _begin(self, store: LateStore) -> None:
        self._store = store
        self._hub = Hub(
            lambda payload: payload + b"\n",
            name="s",
            limits=Limits(outbox_bytes=OUTBOX_BYTES),
            store=store,
        )

    # -- the server

    def hear(self, wire: Wire) -> None:
        """The server reads the next frame of a connection, or its end."""
        if not wire.up:
            if wire.cut_off:
                self.notice(wire)
            return
        frame = wire.up.popleft()
        if wire.session is None:
            hello = read_hello(frame)
            user = wire.peer.user
            wire.session = self._hub.open(
                user, Grants.usual(), self.now, face=wire, options=options_of(hello)
            )
            wire.session.gate = self._gate
            answer = welcome(
                hello,
                SimpleNamespace(user=user, expires_ms=None),  # type: ignore[arg-type]
                connection="c",
                ping_interval=None,
                key_memory=self._store.key_memory(user.id),
                limits={"keySeconds": KEY_SECONDS, "keys": self._keys},
            )
            self._hub.send(wire.session, answer + b"\n")
        else:
            self._hub.receive(wire.session, frame, self.now)

    def _gate(self, now: int) -> float:
        if self.refusals:
            self.refusals -= 1
            return 0.1
        return 0.0

    def notice(self, wire: Wire) -> None:
        """The server finds out that a connection is gone."""
        if wire.session is not None:
            self._hub.close(wire.session, self.now)
            wire.session.outbox.close()
        wire.cut_off = True
        wire.up.clear()
        if wire in self.wires:
            self.wires.remove(wire)

    def block(self, wire: Wire, blocked: bool) -> None:
        """The connection takes nothing more, or something again."""
        if wire.session is not None:
            wire.session.blocked = blocked
            self._drain(wire)

    def turn(self) -> None:
        """One turn of the server's loop: what was heard is committed, what is to be said goes out."""
        for _ in range(200):
            for session in self._hub.flush(self.now):
                self._drain(session.face)
            if not self._hub.pending:
                return
        raise AssertionError("the hub does not come to rest")

    def _drain(self, wire: Wire) -> None:
        session = wire.session
        if not session.open:
            return
        if session.outbox.size > 2 * OUTBOX_BYTES or session.overrun:
            # A slow consumer; it would hear it, and what the connection holds already.
            self.notice(wire)
            return
        if session.blocked:
            return
        data = session.outbox.take() if session.outbox.size else b""
        session.urgent = False
        if not wire.cut_off:
            wire.down.extend(data.splitlines())
        self._hub.drained(session)

    def work(self) -> None:
        """The server and its store do what is to be done; the clients hear nothing of it yet."""
        for _ in range(50):
            for wire in list(self.wires):
                while wire.up:
                    self.hear(wire)
            self.turn()
            if not self._store.is_busy:
                return
            self.answer()

    def answer(self) -> None:
        """The store answers one question."""
        self._store.answer()

    def fail(self, count: int) -> None:
        """The store's next batches cannot be kept."""
        self._store.failing = count + 1

    # -- what goes wrong

    def cut(self, peer: Peer, *, up: int, down: int) -> None:
        """A connection is cut: of what is under way only so many frames still arrive.

        A frame that is cut in its middle is none.
        """
        wire = peer.wire
        if wire is None:
            return
        while len(wire.up) > up:
            wire.up.pop()
        for _ in range(down):
            peer.read()
        peer.lose()
        wire.down.clear()

    def restart(self, done: int) -> None:
        """The server is killed, and another begins."""
        for wire in list(self.wires):
            wire.up.clear()
            wire.session = None
            wire.cut_off = True
        self.wires.clear()
        for peer in self.peers:
            peer.lose()
        if self.durable:
            self._store.survive(done)
            self._begin(self._store)
        else:
            self.may_doubt = True
            for lives in self.truth.lives.values():
                lives[-1].over = True
            self._begin(LateStore(self.truth, at_once=self.at_once, keys=self._keys))

    def pass_time(self, milliseconds: int) -> None:
        if milliseconds >= 10_000:
            # Nothing is under way for so long on a connection that is gone.
            for wire in list(self.wires):
                if wire.cut_off:
                    self.notice(wire)
        if milliseconds >= KEY_SECONDS * 500:
            self.may_doubt = True
        self.now += milliseconds
        for peer in self.peers:
            peer.tick()
        self.turn()

    # -- the end

    def settle(self) -> None:
        """Lets everything come to rest, with nothing going wrong, and looks whether all is as it must be."""
        self._store.failing = 0
        self.refusals = 0
        quiet = 0
        for _ in range(3000):
            before = (self._store.is_busy, self._hub.pending, [(len(w.up), len(w.down)) for w in self.wires])
            for peer in self.peers:
                if peer.wire is not None and peer.wire.cut_off and not peer.wire.down:
                    peer.lose(4008)
                peer.connect()
            for wire in list(self.wires):
                self.block(wire, False)
                while wire.up:
                    self.hear(wire)
                self.hear(wire)
            self.turn()
            self.answer()
            for peer in self.peers:
                while peer.wire is not None and peer.wire.down:
                    peer.read()
            self.turn()
            idle = not any(wire.up or wire.down for wire in self.wires)
            if idle and not self._store.is_busy and not self._hub.pending and not any(before[:1]):
                quiet += 1
                self.pass_time(50)
                if quiet > 60 and self._at_rest():
                    break
        else:
            raise AssertionError("it does not come to rest")
        for peer in self.peers:
            assert peer.session.state is LinkState.CONNECTED
            for receipt in peer.receipts:
                assert receipt.done, f"{receipt.value} was never answered"
            for ear in peer.ears.values():
                ear.check_end()

    def _at_rest(self) -> bool:
        return self._hub.due is None and all(
            receipt.done for peer in self.peers for receipt in peer.receipts[-50:]
        )
