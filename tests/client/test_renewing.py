"""Another token for a connection that is open."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nbrealtime.client.renewing import Renewing
from nbrealtime.client.session import Report, Session
from nbrealtime.client.status import LinkState
from nbrealtime.client.target import Place
from nbrealtime.errors import ConnectionFailed, NoServer

from .clock import faults, run, turn
from .session.talk import EVERYTHING, connect


class Dialer:
    """Stands for a dialer: a token is on its way until it is brought."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[Place]] = []

    async def resolve(self) -> Place:
        self.asked.append(asyncio.get_running_loop().create_future())
        return await self.asked[-1]


class Bench:
    """A session that is connected, with a token that expires in 100 s."""

    def __init__(self) -> None:
        self.session = Session(random=lambda: 0.5, client="c")
        self.session.renewal.possible = True
        connect(self.session, 1000.0, expires=100_000)
        self.session.take(EVERYTHING)
        self.dialer = Dialer()
        self.told: list[Any] = []
        self.said: list[bytes] = []
        self.renewing = Renewing(self.dialer, self.session, self._done)  # type: ignore[arg-type]

    def _done(self, reports: list[Any]) -> None:
        self.told.append(reports)
        self.said += self.session.take(EVERYTHING)

    async def want(self) -> None:
        self.session.renewal.wanted = True
        self.renewing.look()
        await turn()

    async def bring(self, token: str | None) -> None:
        self.dialer.asked[-1].set_result(Place("ws://x", token, None))
        await turn()

    async def fail(self, fault: Exception) -> None:
        self.dialer.asked[-1].set_exception(fault)
        await turn()


def test_nothing_is_fetched_that_nobody_wants() -> None:
    async def check() -> None:
        bench = Bench()
        bench.renewing.look()
        await turn()
        assert bench.dialer.asked == []
        bench.session.renewal.tick(1075.0)
        bench.renewing.look()
        await turn()
        assert len(bench.dialer.asked) == 1

    run(check())


def test_a_token_that_came_is_said_to_the_server_before_anybody_is_told() -> None:
    async def check() -> None:
        bench = Bench()
        await bench.want()
        assert bench.told == []
        await bench.bring("another")
        assert bench.told == [[]]
        (said,) = bench.said
        assert b'"auth"' in said
        assert b'"another"' in said

    run(check())


def test_one_fetch_at_a_time_and_then_the_next() -> None:
    async def check() -> None:
        bench = Bench()
        await bench.want()
        await bench.want()
        assert len(bench.dialer.asked) == 1
        await bench.bring("another")
        bench.renewing.look()
        await turn()
        assert len(bench.dialer.asked) == 1, "it has what it wanted"
        await bench.want()
        assert len(bench.dialer.asked) == 2

    run(check())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (ConnectionRefusedError(), "nothing listens there: is the server running?"),
        (ValueError("no address"), "no address"),
        (ConnectionFailed("ws://x", "the function failed"), "no connection to ws://x: the function failed"),
        (NoServer(), str(NoServer())),
    ],
    ids=["OSError", "ValueError", "ConnectionFailed", "NoServer"],
)
def test_a_token_that_cannot_be_had_is_told_once_and_the_connection_goes_on(
    fault: Exception, reason: str
) -> None:
    async def check() -> None:
        bench = Bench()
        for _ in range(2):
            await bench.want()
            await bench.fail(fault)
        assert bench.told == [[Report(f"no new token: {reason}")], []]
        assert bench.said == []
        assert bench.session.state is LinkState.CONNECTED
        assert bench.session.renewal.due == 1075.0, "it is tried again before the old one has expired"
        assert faults() == []

    run(check())


def test_where_there_is_no_token_any_more_nothing_is_said() -> None:
    async def check() -> None:
        bench = Bench()
        await bench.want()
        await bench.bring(None)
        assert bench.told == [[]]
        assert bench.said == []

    run(check())


def test_a_token_for_a_connection_that_is_over_is_kept_quiet() -> None:
    async def check() -> None:
        bench = Bench()
        await bench.want()
        bench.session.close()
        await bench.bring("another")
        assert bench.said == []

    run(check())


def test_a_fault_of_our_own_is_shown_and_does_not_stand_in_the_way_of_the_next_fetch() -> None:
    async def check() -> None:
        bench = Bench()
        await bench.want()
        await bench.fail(RuntimeError("a fault"))
        assert [str(fault) for fault in faults()] == ["a fault"]
        assert bench.told == []
        await bench.want()
        assert len(bench.dialer.asked) == 2

    run(check())


def test_a_fetch_that_is_cancelled_with_the_thread_is_no_fault() -> None:
    async def check() -> None:
        bench = Bench()
        await bench.want()
        (task,) = asyncio.all_tasks() - {asyncio.current_task()}
        task.cancel()
        await turn()
        assert faults() == []
        assert bench.told == []

    run(check())
