"""A server and its clients with a lossy wire between them, all of it pure: the hub, the session, a clock that is a number.

`World` lets things happen, one at a time and in any order: to its clients (``peer.py``), the store (``latestore.py``) and
the wires between. `Truth` (``truth.py``) is the simple model that they are held against, in every subscriber's `Ear`.

The one rule: the model never asks the hub or the session what they believe. It
knows what the store committed, what the subscribers and the receipts were told,
and nothing else.
"""

from __future__ import annotations

from types import SimpleNamespace

from nbrealtime.client.session import Memory
from nbrealtime.client.status import LinkState
from nbrealtime.hub import Grants, Hub, Limits
from nbrealtime.server.hello import options_of, read_hello, welcome

from .latestore import LateStore
from .peer import Peer, Wire
from .setting import KEY_SECONDS, OUTBOX_BYTES, URL
from .truth import Truth


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
