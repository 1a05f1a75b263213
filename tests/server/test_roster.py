"""Who is connected, with connections that only note what happens to them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from nbrealtime.server.heartbeat import Heartbeat
from nbrealtime.server.roster import Roster
from nbrealtime.wire.messages import ErrorCode

from .loop import Loop


class Connection:
    """Answers no ping, and is given up for it."""

    def __init__(self, user=None):
        self.name = ""
        self.pulse = None
        self.session = None if user is None else SimpleNamespace(user=SimpleNamespace(id=user))
        self.heard = []
        self.when_pinged = lambda: None

    def ping(self):
        self.heard.append("ping")
        self.when_pinged()

    def excused(self):
        return False

    def give_up(self):
        self.heard.append("gone")

    def part(self, goodbye):
        self.heard.append(goodbye)

    def describe(self):
        return {"connection": self.name}


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def roster(loop):
    return Roster(loop, Heartbeat(10.0, 2.0, loop.now, ping_interval=30.0))


@pytest.fixture
def admit(roster):
    def admit(user="ada", *, spoken=False):
        connection = Connection(user)
        roster.enter(connection)
        roster.watch(connection, spoken=spoken)
        return connection

    return admit


def test_it_counts_sockets_and_names_sessions(roster):
    first, second = Connection(), Connection()
    roster.enter(first)
    roster.enter(second)
    assert len(roster) == 2
    assert roster.sessions() == roster.describe() == []
    roster.watch(second, spoken=True)
    roster.watch(first, spoken=True)
    assert (second.name, first.name) == ("c1", "c2")
    assert set(roster.everybody()) == set(roster.sessions()) == {first, second}


def test_who_says_hello_after_a_greeting_keeps_the_name_and_gets_another_pulse(roster, admit, loop):
    ada = admit(spoken=False)
    before = ada.pulse
    roster.watch(ada, spoken=True)
    assert ada.name == "c1"
    assert (before.spoken, before.interval) == (False, 10.0)
    assert (ada.pulse.spoken, ada.pulse.interval) == (True, 30.0)
    assert len(roster.sessions()) == 1


def test_no_name_is_given_twice(roster, admit):
    first = admit()
    roster.retire(first)
    roster.leave(first)
    assert admit().name == "c2"


def test_they_are_described_in_the_order_they_came(roster, admit):
    for _ in range(12):
        admit()
    assert [one["connection"] for one in roster.describe()] == [f"c{number}" for number in range(1, 13)]


def test_the_lists_are_the_callers_own(roster, admit):
    admit()
    roster.everybody().clear()
    roster.sessions().clear()
    assert (len(roster), len(roster.sessions())) == (1, 1)


# -- whose session has ended


def test_whose_session_has_ended_is_not_watched_and_stays_until_his_socket_is_closed(roster, admit, loop):
    ada, bob = admit("ada"), admit("bob")
    roster.retire(ada)
    loop.advance(60)
    assert ada.heard == []
    assert bob.heard[:2] == ["ping", "gone"]
    assert roster.sessions() == [bob]
    assert roster.describe() == [{"connection": "c2"}]
    assert roster.kick("ada") == roster.kick("c1") == 0
    assert len(roster) == 2
    roster.leave(ada)
    assert roster.everybody() == [bob]


def test_it_is_empty_when_the_last_socket_is_closed(roster, admit):
    async def wait():
        await roster.emptied()
        ada, bob = admit(), admit()
        waiting = asyncio.ensure_future(roster.emptied())
        for act, one in ((roster.retire, ada), (roster.leave, ada), (roster.retire, bob)):
            act(one)
            await asyncio.sleep(0)
            assert not waiting.done()
        roster.leave(bob)
        await waiting
        again = admit()
        waiting = asyncio.ensure_future(roster.emptied())
        await asyncio.sleep(0)
        assert not waiting.done()
        roster.leave(again)
        await waiting

    asyncio.run(asyncio.wait_for(wait(), 10))


# -- the beat


def test_it_beats_while_somebody_is_watched(roster, admit, loop):
    roster.enter(Connection())
    assert loop.alarms == [], "nobody to watch yet"
    ada = admit()
    assert loop.alarms == [1.0]
    admit()
    assert loop.alarms == [1.0], "one beat for all"
    loop.advance(11)
    assert ada.heard == ["ping"]
    for connection in roster.sessions():
        roster.retire(connection)
    loop.advance(2)
    assert loop.alarms == []


def test_a_time_without_anybody_to_watch_is_no_lateness(roster, admit, loop):
    roster.retire(admit())
    loop.advance(100)
    ada = admit()
    loop.advance(11)
    assert roster.heart.lateness == 0
    assert ada.heard == ["ping"]


def test_who_ends_another_while_the_heart_beats_disturbs_nobody(roster, admit, loop):
    several = [admit() for _ in range(4)]
    for one in several:
        one.when_pinged = lambda: [roster.retire(other) for other in several]
    loop.advance(11)
    assert [one.heard for one in several] == [["ping"]] * 4


def test_after_close_nobody_is_watched(roster, admit, loop):
    ada = admit()
    roster.close()
    loop.advance(60)
    assert ada.heard == []
    assert len(roster) == 1


def test_a_roster_that_never_watched_is_closed_all_the_same(roster):
    roster.close()


# -- the operator


def test_a_user_is_removed_with_every_connection(roster, admit):
    first, other, second = admit("eve"), admit("ada"), admit("eve")
    assert roster.kick("eve") == 2
    for one in (first, second):
        [goodbye] = one.heard
        assert (goodbye.close, goodbye.code, goodbye.reconnect) == (4503, ErrorCode.REMOVED, False)
    assert other.heard == []


def test_one_connection_is_removed_by_its_name_also_before_it_has_a_user(roster, admit):
    admit("eve")
    nameless = admit(None)
    assert roster.kick("c2") == 1
    assert len(nameless.heard) == 1
    assert roster.kick("nobody") == 0
