"""A subscription as its owner holds it."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from nbrealtime.client import portal
from nbrealtime.client.connection import Connection
from nbrealtime.client.routes import Route
from nbrealtime.client.subscription import Subscription
from nbrealtime.client.target import Target


class Bench:
    """A subscription at a connection that never began, and what is left for the client thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[Callable[[], None]] = []
        monkeypatch.setattr(portal, "call", self.calls.append)
        monkeypatch.setattr(portal, "assert_on_thread", lambda: None)
        self.connection = Connection(Target("k", "ws://x", None, None), on_end=lambda connection: None)
        self.removed: list[Route] = []
        monkeypatch.setattr(self.connection, "remove_route", self.removed.append)
        monkeypatch.setattr(self.connection, "_write", lambda taken: None)
        self.forgotten: list[Subscription] = []
        self.route = Route("lab:temp", object())  # type: ignore[arg-type]
        self.subscription = Subscription(self.connection, self.route, self.forgotten.append)

    def serve(self) -> None:
        """The client thread does what it was called for."""
        calls, self.calls[:] = list(self.calls), []
        for call in calls:
            call()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_it_tells_its_topic_and_whether_it_is_open(bench: Bench) -> None:
    assert bench.subscription.topic == "lab:temp"
    assert repr(bench.subscription) == "Subscription('lab:temp', open)"
    bench.subscription.close()
    assert repr(bench.subscription) == "Subscription('lab:temp', closed)"


def test_closing_stops_what_the_sink_is_told_at_once_and_the_rest_soon(bench: Bench) -> None:
    bench.subscription.close()
    assert not bench.route.open, "whatever the client thread reads until then, the sink does not get"
    assert bench.forgotten == [bench.subscription]
    assert bench.removed == [], "that belongs to the client thread"
    bench.serve()
    assert bench.removed == [bench.route]


def test_closing_twice_is_closing_once(bench: Bench) -> None:
    bench.subscription.close()
    bench.subscription.close()
    bench.serve()
    assert bench.removed == [bench.route]
    assert bench.forgotten == [bench.subscription]


def test_after_the_end_of_the_connection_there_is_nothing_left_to_do(bench: Bench) -> None:
    bench.route.open = False  # as `Routes.close` leaves it
    bench.subscription.close()
    assert bench.calls == []


def test_in_a_forked_child_nobody_is_called(bench: Bench) -> None:
    # The client thread is the parent's, and so is the socket.
    bench.connection.pid = os.getpid() + 1
    bench.subscription.close()
    assert bench.calls == []
    assert not bench.route.open
    assert bench.forgotten == [bench.subscription]
