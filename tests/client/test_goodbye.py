"""How long the end of a connection waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from nbrealtime.client.goodbye import Goodbye
from nbrealtime.client.session import Publish, Session
from nbrealtime.client.status import LinkState

from .clock import now, run, turn
from .session.talk import EVERYTHING, Outcome, attempt, connect, frame


class Bench:
    """A session that somebody takes leave of."""

    def __init__(self) -> None:
        self.session = Session(random=lambda: 0.5, client="c")
        self.goodbye = Goodbye(self.session)
        self.asked: list[float] = []

    def connect(self) -> None:
        connect(self.session)
        self.session.take(EVERYTHING)

    def publish(self, *, ack: bool = False) -> None:
        self.session.publish(Publish("lab:a", b"1", 10, receipt=Outcome() if ack else None))
        self.goodbye.has_published = True

    def write(self) -> None:
        self.session.take(EVERYTHING)
        self.goodbye.stir()

    def ask(self) -> None:
        self.asked.append(now())
        self.session.ask_alive(now())

    def answer(self) -> None:
        self.session.receive(frame({"type": "pong"}), now(), 0.0)
        self.goodbye.stir()

    async def wait(self, meanwhile: Callable[[], None] = lambda: None, *, after: float = 0.5) -> float:
        """Returns how long it took; ``meanwhile`` happens a while after it began."""
        asyncio.get_running_loop().call_later(after, meanwhile)
        await self.goodbye.wait(self.ask)
        return round(now(), 3)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_who_never_published_waits_for_nothing(bench: Bench) -> None:
    bench.connect()
    assert run(bench.wait()) == 0
    assert bench.asked == []


def test_what_waits_for_a_first_connection_is_waited_for(bench: Bench) -> None:
    attempt(bench.session)
    bench.publish()

    def meanwhile() -> None:
        bench.connect()
        bench.write()
        asyncio.get_running_loop().call_later(0.25, bench.answer)

    assert run(bench.wait(meanwhile)) == 0.75
    assert bench.asked == [0.5]


def test_a_first_connection_that_failed_is_not_waited_for(bench: Bench) -> None:
    attempt(bench.session)
    bench.publish()

    def meanwhile() -> None:
        bench.session.failed(now(), "nothing listens there")
        bench.goodbye.stir()

    assert run(bench.wait(meanwhile)) == 0.5
    assert run(bench.wait()) == 0
    assert bench.asked == []


def test_a_connection_that_was_lost_is_not_waited_for(bench: Bench) -> None:
    bench.connect()
    bench.publish()

    def meanwhile() -> None:
        bench.session.lost(now(), 1006, "")
        bench.session.connecting()
        bench.goodbye.stir()

    assert run(bench.wait(meanwhile)) == 0.5
    assert bench.session.state is LinkState.RECONNECTING
    assert run(bench.wait()) == 0
    assert bench.asked == []


def test_a_server_that_does_not_read_is_left(bench: Bench) -> None:
    bench.connect()
    bench.publish()
    assert run(bench.wait()) == 5
    assert bench.asked == [], "it would not read that either"


def test_what_is_stirred_by_something_else_is_waited_for_still(bench: Bench) -> None:
    bench.connect()
    bench.publish()
    assert run(bench.wait(bench.goodbye.stir)) == 5


def test_when_all_is_written_the_server_is_asked_whether_it_read_all(bench: Bench) -> None:
    bench.connect()
    bench.publish()
    bench.write()
    assert run(bench.wait(bench.answer)) == 0.5
    assert bench.asked == [0]


def test_a_server_that_does_not_answer_is_left(bench: Bench) -> None:
    bench.connect()
    bench.publish()
    bench.write()
    assert run(bench.wait()) == 1


def test_an_answer_that_the_connection_did_not_live_to_is_not_waited_for(bench: Bench) -> None:
    bench.connect()
    bench.publish()
    bench.write()

    def meanwhile() -> None:
        bench.session.lost(now(), 1006, "")
        bench.goodbye.stir()

    assert run(bench.wait(meanwhile)) == 0.5


def test_an_acknowledgement_on_its_way_is_waited_for(bench: Bench) -> None:
    bench.connect()
    bench.publish(ack=True)
    (said,) = bench.session.take(EVERYTHING)
    assert bench.session.outbox.queued == 0

    def meanwhile() -> None:
        bench.session.receive(frame({"type": "ack", "id": 2, "offset": 1, "epoch": "e"}), now(), 0.0)
        bench.answer()

    assert b'"id":2' in said
    took = run(bench.wait(meanwhile, after=3))
    assert 3 <= took <= 4


def test_it_says_while_somebody_waits_that_stirring_him_makes_sense(bench: Bench) -> None:
    bench.connect()
    bench.publish()
    waited: list[int] = []

    def meanwhile() -> None:
        waited.append(bench.goodbye.waiting)
        bench.write()
        asyncio.get_running_loop().call_later(0.25, answer)

    def answer() -> None:
        waited.append(bench.goodbye.waiting)
        bench.answer()

    assert not bench.goodbye.waiting
    assert run(bench.wait(meanwhile)) == 0.75
    assert waited == [1, 1]
    assert not bench.goodbye.waiting


def test_one_who_has_waited_long_enough_leaves_another_waiting(bench: Bench) -> None:
    """A connection is closed, and before that is over the process ends, which closes all of them."""

    async def check() -> None:
        bench.connect()
        bench.publish()
        first = asyncio.ensure_future(bench.goodbye.wait(bench.ask))
        await asyncio.sleep(1)
        second = asyncio.ensure_future(bench.goodbye.wait(bench.ask))
        await first
        assert now() == pytest.approx(5)
        assert bench.goodbye.waiting == 1
        second.cancel()
        await asyncio.wait([second])
        assert bench.goodbye.waiting == 0

    run(check())


def test_who_is_cancelled_while_he_waits_is_cancelled(bench: Bench) -> None:
    async def check() -> None:
        bench.connect()
        bench.publish()
        task = asyncio.ensure_future(bench.goodbye.wait(bench.ask))
        await turn()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not bench.goodbye.waiting

    run(check())
