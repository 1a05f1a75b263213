"""The turning points of a service: who hears what when it drains and stops, and what it leaves behind.

Connections are real, the transports under them are not: so nothing is said before a test says it.
"""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest

from nbrealtime.errors import AddressInUse
from nbrealtime.hub import Limits
from nbrealtime.server import service as service_module
from nbrealtime.server.config import Config
from nbrealtime.server.service import Service
from nbrealtime.wire.v2 import SUBPROTOCOL

from .connection.opening import request, text
from .connection.transport import Transport


class Line(Transport):
    """A transport that tells its connection when it is gone, as asyncio does: in the next turn."""

    def __init__(self, connection):
        super().__init__()
        self.connection = connection
        self.pause, self.resume = connection.pause_writing, connection.resume_writing

    def get_extra_info(self, name):
        return None

    def abort(self):
        if not self.closing:
            super().abort()
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)

    hang_up = abort

    def says(self, **message):
        self.connection.data_received(text(json.dumps(message)))

    def heard(self, kind):
        """Whether a message of this type, or an error with this code, was sent."""
        return f'"{kind}"'.encode() in self.written

    def closed_with(self, code):
        """Whether a close frame with this code was sent."""
        at = self.written.rfind(b"\x88")
        return at >= 0 and self.written[at + 2 : at + 4] == code.to_bytes(2, "big")


class Bench:
    """A service that listens nowhere."""

    def __init__(self, **options):
        self.service = Service(Config(**options), key="k")
        self.closed_with = []
        close = self.service.store.close
        self.service.store.close = lambda: (self.closed_with.append(len(self.service.roster)), close())

    def dial(self, user="ada", *, spoken=True, greet=True, **claims):
        """Somebody who is connected: with v2 he has said hello, unless he does not ``greet``."""
        connection = self.service.websocket_protocol()
        line = Line(connection)
        connection.connection_made(line)
        token = self.service.authority.issue(user, **claims)
        connection.data_received(request(f"/ws?token={token}", subprotocol=SUBPROTOCOL if spoken else None))
        if spoken and greet:
            line.says(type="hello", id=1, version=2, client="c")
        return line


async def turn(times=5):
    for _ in range(times):
        await asyncio.sleep(0)


@pytest.fixture
def run():
    """Runs a coroutine function with a bench."""

    def runner(check, **options):
        async def main():
            bench = Bench(**options)
            try:
                await asyncio.wait_for(check(bench), 20)
            finally:
                await bench.service.stop(0.01)

        asyncio.run(main())

    return runner


# -- stopping


def test_a_stop_is_said_to_everybody_and_waits_for_their_goodbyes(run):
    async def check(bench):
        ada, bob, silent = bench.dial(), bench.dial("bob", spoken=False), bench.dial(greet=False)
        await turn()
        stopping = asyncio.ensure_future(bench.service.stop(20))
        await turn()
        for line in (ada, silent):
            assert line.heard("unavailable")
            assert line.closed_with(1001)
        assert bob.closed_with(1001)
        assert not bob.heard("error"), "a v1 client takes an error for a fault"
        ada.hang_up()
        bob.hang_up()
        await turn()
        assert not stopping.done()
        silent.hang_up()
        await stopping

    run(check)


def test_who_says_no_goodbye_is_cut_off(run):
    async def check(bench):
        ada = bench.dial()
        await turn()
        await bench.service.stop(0.01)
        assert ada.asked[-1] == "abort"
        assert len(bench.service.roster) == 0

    run(check)


def test_what_was_said_before_a_stop_is_still_delivered(run):
    async def check(bench):
        ada = bench.dial()
        await turn()
        ada.says(type="subscribe", id=2, topic="a")
        await turn()
        ada.says(type="publish", id=3, topic="a", data="the last")
        await bench.service.stop(0.01)
        assert ada.written.index(b"the last") < ada.written.index(b'"unavailable"')

    run(check)


def test_nobody_is_let_in_while_it_stops(run):
    async def check(bench):
        bench.dial()
        stopping = asyncio.ensure_future(bench.service.stop(0.05))
        await turn()
        assert bench.service.stopping
        late, later = bench.dial(), bench.dial(spoken=False)
        assert late.heard("unavailable")
        assert late.closed_with(1001)
        assert later.written.startswith(b"HTTP/1.1 503")
        late.hang_up()
        later.hang_up()
        await stopping
        assert not bench.service.hub.sessions

    run(check)


def test_the_store_is_closed_once_and_after_everybody_has_left(run):
    async def check(bench):
        bench.dial()
        first = asyncio.ensure_future(bench.service.stop(0.05))
        await turn()
        await bench.service.stop(20)
        assert not first.done(), "a second stop does nothing"
        assert bench.closed_with == []
        await first
        assert len(bench.closed_with) == 1

    run(check)


def test_after_a_stop_nothing_rings_any_more(run):
    async def check(bench):
        bench.dial()
        await turn()
        await bench.service.stop(0.01)
        assert bench.service.flusher._closed
        assert bench.service.roster._beat.cancelled()

    run(check)


# -- starting


def test_a_start_that_fails_closes_the_store(run, monkeypatch):
    def taken(host, port):
        raise AddressInUse(host, port)

    async def check(bench):
        monkeypatch.setattr(service_module, "bind", taken)
        with pytest.raises(AddressInUse):
            await bench.service.start()
        assert len(bench.closed_with) == 1

    run(check)


@pytest.mark.parametrize("part", ["keys", "routes"])
def test_a_start_that_is_cancelled_leaves_neither_a_socket_nor_a_store_behind(run, part):
    async def check(bench):
        service = bench.service
        under_way = asyncio.Event()

        async def wait():
            under_way.set()
            await asyncio.Event().wait()

        if part == "keys":
            service.authority.keys = SimpleNamespace(start=wait, stop=_nothing)
        else:
            service._http.start = wait
        starting = asyncio.ensure_future(service.start())
        await under_way.wait()
        listener = service._socket
        assert listener.fileno() >= 0
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert listener.fileno() == -1
        assert bench.closed_with == [0]

    run(check)


async def _nothing():
    pass


# -- draining


def test_a_drain_is_announced_to_v2_alone_and_is_over_when_they_have_left(run):
    async def check(bench):
        ada, bob = bench.dial(), bench.dial("bob", spoken=False)
        await turn()
        draining = asyncio.ensure_future(bench.service.drain(20))
        await turn()
        assert b'"delay":[0,20000]' in ada.written
        assert not bob.heard("drain")
        assert not draining.done()
        assert not bob.heard("draining"), "who cannot be asked is served on"
        ada.hang_up()
        await draining
        assert bob.heard("draining")
        assert bob.closed_with(4001)

    run(check)


def test_who_stays_is_parted_from_when_the_time_is_over(run):
    async def check(bench):
        ada = bench.dial()
        await turn()
        await bench.service.drain(0.01)
        assert ada.heard("draining")
        assert ada.closed_with(4001)

    run(check)


def test_nobody_is_let_in_during_a_drain_not_even_whose_hello_was_under_way(run):
    async def check(bench):
        waiting, late = bench.dial(greet=False), bench.dial(greet=False)
        bench.dial()
        await turn()
        draining = asyncio.ensure_future(bench.service.drain(0.05))
        await turn()
        assert bench.dial().closed_with(4001)
        assert bench.dial(spoken=False).written.startswith(b"HTTP/1.1 503")
        late.says(type="hello", id=1, version=2, client="c")
        assert late.closed_with(4001)
        assert not late.heard("welcome")
        await draining
        assert waiting.closed_with(4001)

    run(check)


def test_a_second_drain_does_nothing(run):
    async def check(bench):
        ada = bench.dial()
        await turn()
        first = asyncio.ensure_future(bench.service.drain(20))
        await turn()
        before = ada.written
        await bench.service.drain(0)
        await turn()
        assert ada.written == before
        ada.hang_up()
        await first

    run(check)


def test_a_drain_after_a_stop_does_nothing(run):
    async def check(bench):
        await bench.service.stop(0.01)
        closed = bench.service.admissions.closed
        await bench.service.drain(0)
        assert bench.service.admissions.closed is closed

    run(check)


def test_a_stop_ends_a_drain(run):
    async def check(bench):
        bench.dial()
        await turn()
        draining = asyncio.ensure_future(bench.service.drain(20))
        await turn()
        await bench.service.stop(0.01)
        await draining
        assert bench.service.admissions.closed.close == 1001

    run(check)


# -- who is there


def test_it_is_crowded_when_there_are_spare_sockets_no_more(run, monkeypatch):
    monkeypatch.setattr(service_module, "_SPARE_TRANSPORTS", 1)

    async def check(bench):
        service = bench.service
        bench.dial()
        bench.dial("bob")
        assert not service.crowded
        guest = object()
        service.lobby.enter(guest, 0.0)
        assert service.crowded
        service.lobby.leave(guest)
        bench.dial("eve")
        assert service.crowded

    run(check, limits=Limits(connections=2))


def test_without_a_limit_it_is_never_crowded(run, monkeypatch):
    monkeypatch.setattr(service_module, "_SPARE_TRANSPORTS", -1)

    async def check(bench):
        bench.dial()
        assert not bench.service.crowded

    run(check, limits=Limits(connections=None))


def test_a_token_sees_what_it_may_subscribe_to_and_the_operator_sees_all(run):
    async def check(bench):
        service = bench.service
        ada = bench.dial()
        for topic in ("lab:a", "lab:b", "secret"):
            ada.says(type="subscribe", id=2, topic=topic)
            ada.says(type="publish", id=3, topic=topic, data=1)
        await turn()
        everything = service.stats()
        assert [entry["topic"] for entry in everything["topics"]] == ["lab:a", "lab:b", "secret"]
        assert everything["carrying"] == ["lab:a", "lab:b", "secret"]
        assert (everything["totalTopics"], everything["totalSubscribers"]) == (3, 3)
        claims = service.authority.verify(service.authority.issue("bob", topics=["lab:*"]), 0.0)
        visible = service.stats(claims)
        assert [entry["topic"] for entry in visible["topics"]] == visible["carrying"] == ["lab:a", "lab:b"]
        assert (visible["totalTopics"], visible["totalSubscribers"]) == (2, 2)
        assert visible["connections"] == 1

    run(check)


def test_a_deadline_hears_of_the_hearts_lateness(run):
    async def check(bench):
        bench.service.roster.heart.lateness = 3.5
        assert (bench.service.lateness, bench.service.late_seconds) == (3.5, 1.25)

    run(check, late_seconds=1.25)
