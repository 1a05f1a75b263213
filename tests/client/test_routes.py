"""Who is told what about which topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nbrealtime.client.message import Message
from nbrealtime.client.routes import Route, Routes
from nbrealtime.client.session import Gap, Options, Presence, RefusedTopic, Subscribed
from nbrealtime.wire.v2 import Position

from .clock import faults, run


class Sink:
    """Remembers what it was told, and does something while it is told."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.told: list[Any] = []
        self.lists: list[list[Message]] = []
        self.act = act

    def _hear(self, *what: Any) -> None:
        self.told.append(what)
        self.act()

    def received(self, messages: list[Message]) -> None:
        self.lists.append(messages)
        self._hear([message.data for message in messages])

    def subscribed(self, *what: Any) -> None:
        self._hear("subscribed", *what)

    def presence(self, *what: Any) -> None:
        self._hear("presence", *what)

    def gap(self, *what: Any) -> None:
        self._hear("gap", *what)

    def refused(self, *what: Any) -> None:
        self._hear("refused", *what)

    def offline(self) -> None:
        self._hear("offline")

    def closed(self) -> None:
        self._hear("closed")


@pytest.fixture
def routes() -> Routes:
    return Routes()


def enter(routes: Routes, sink: Sink, topic: str = "a", **options: Any) -> Route:
    route = Route(topic, sink, **options)
    routes.add(route)
    return route


def messages(*data: object, **more: Any) -> list[Message]:
    return [Message("a", one, 0.0, **more) for one in data]


def test_everybody_at_a_topic_gets_a_list_of_their_own(routes: Routes) -> None:
    one, two, stranger = Sink(), Sink(), Sink()
    one.act = lambda: one.lists[-1].clear()
    enter(routes, one)
    enter(routes, two)
    enter(routes, stranger, "b")
    routes.hand_on("a", messages(1, 2))
    assert one.told == two.told == [([1, 2],)]
    assert stranger.told == []


def test_nobody_is_handed_nothing(routes: Routes) -> None:
    sink = Sink()
    enter(routes, sink)
    routes.hand_on("a", [])
    enter(routes, late := Sink()).floor = {"a": Position("e", 9)}
    routes.hand_on("a", messages(1, offset=1, epoch="e"))
    assert sink.told == [([1],)]
    assert late.told == []


def test_who_closes_while_others_are_told_hears_no_more(routes: Routes) -> None:
    later = Sink()
    enter(routes, Sink(lambda: setattr(route, "open", False)))
    route = enter(routes, later)
    routes.hand_on("a", messages(1))
    routes.tell(Presence("a", 1))
    routes.tell_offline()
    routes.close()
    assert later.told == []


def test_who_leaves_or_comes_while_it_is_told_costs_nobody_a_message(routes: Routes) -> None:
    first, second, newcomer = Sink(), Sink(), Sink()
    route = enter(routes, first)
    first.act = lambda: (routes.remove(route), enter(routes, newcomer))
    enter(routes, second)
    routes.hand_on("a", messages(1))
    assert second.told == [([1],)]
    assert newcomer.told == []
    routes.hand_on("a", messages(2))
    assert newcomer.told == [([2],)]
    assert first.told == [([1],)]


def test_who_leaves_while_it_is_told_of_an_event_costs_nobody_the_event(routes: Routes) -> None:
    second = Sink()
    route = enter(routes, Sink(lambda: routes.remove(route)))
    enter(routes, second)
    routes.tell(Presence("a", 1))
    assert second.told == [("presence", 1)]


def test_a_sink_that_fails_costs_the_others_nothing(routes: Routes) -> None:
    async def check() -> None:
        fine = Sink()
        enter(routes, Sink(lambda: 1 / 0))
        enter(routes, fine)
        routes.hand_on("a", messages(1))
        for event in EVENTS:
            routes.tell(event)
        routes.tell_offline()
        routes.close()
        assert len(fine.told) == len(faults()) == 7

    run(check())


EVENTS = (
    Subscribed("a", 2, True, 5),
    Presence("a", 3),
    Gap("a", "slow", 4, "a:b"),
    RefusedTopic("a", "no", "why"),
)


def test_an_event_is_told_at_its_topic_as_it_is(routes: Routes) -> None:
    sink, stranger = Sink(), Sink()
    enter(routes, sink)
    enter(routes, stranger, "b")
    for event in EVENTS:
        routes.tell(event)
    assert sink.told == [
        ("subscribed", 2, True, 5),
        ("presence", 3),
        ("gap", "slow", 4, "a:b"),
        ("refused", "no", "why"),
    ]
    assert stranger.told == []


def test_a_lost_connection_is_told_at_every_topic(routes: Routes) -> None:
    sinks = [Sink(), Sink()]
    enter(routes, sinks[0], "a")
    enter(routes, sinks[1], "b")
    routes.tell_offline()
    assert [sink.told for sink in sinks] == [[("offline",)], [("offline",)]]


def test_after_the_end_nobody_is_told_anything(routes: Routes) -> None:
    sink = Sink()
    route = enter(routes, sink)
    routes.close()
    routes.close()
    routes.hand_on("a", messages(1))
    assert sink.told == [("closed",)]
    assert not route.open
    assert not routes.remove(route)


def test_a_sink_may_leave_while_the_end_is_told(routes: Routes) -> None:
    one, two = Sink(), Sink()
    route = enter(routes, one)
    one.act = lambda: routes.remove(route)
    enter(routes, two)
    routes.tell_offline()
    routes.close()
    assert one.told == [("offline",)]
    assert two.told == [("offline",), ("closed",)]


def test_who_is_closed_by_another_that_is_told_first_hears_nothing_more(routes: Routes) -> None:
    later = Sink()
    enter(routes, Sink(lambda: setattr(route, "open", False)))
    route = enter(routes, later)
    routes.tell_offline()
    assert later.told == []
    route.open = True
    routes.close()
    assert later.told == []


def test_the_last_one_to_leave_a_topic_is_known(routes: Routes) -> None:
    one, two = enter(routes, Sink()), enter(routes, Sink())
    assert not routes.remove(one)
    assert not routes.remove(one), "it left already"
    assert routes.remove(two)
    assert not routes.remove(two)


def test_the_connection_asks_for_what_leaves_nothing_out(routes: Routes) -> None:
    enter(routes, Sink(), options=Options("conflate", 1.0))
    assert routes.options("a") == Options("conflate", 1.0)
    enter(routes, Sink(), options=Options("drop_oldest", 5.0))
    assert routes.options("a") == Options("drop_oldest", 5.0)
    enter(routes, Sink())
    assert routes.options("a") == routes.options("nobody's") == Options()


# -- a stream that begins again for somebody else


def test_a_stream_that_begins_again_for_a_newcomer_passes_the_others_by(routes: Routes) -> None:
    had, newcomer = Sink(), Sink()
    enter(routes, had)
    routes.rewind("a", {"a": Position("e", 2)}, enter(routes, newcomer))
    routes.hand_on("a", [Message("a", number, 0.0, offset=number, epoch="e") for number in (1, 2, 3)])
    assert had.told == [([3],)]
    assert newcomer.told == [([1, 2, 3],)]


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        (Message("a", 1, 0.0, offset=5, epoch="e"), False),
        (Message("a", 1, 0.0, offset=6, epoch="e"), True),
        (Message("a", 1, 0.0, offset=1, epoch="another"), True),
        (Message("b", 1, 0.0, offset=1, epoch="e"), True),
        (Message("a", 1, 0.0), True),
        (Message("a", 1, 0.0, epoch="e"), True),
        (Message("a", 1, 0.0, retained=True), False),
    ],
    ids=["had", "new", "another history", "another topic", "no place", "no offset", "the retained value"],
)
def test_only_what_was_had_is_passed_by(message: Message, passes: bool) -> None:
    route = Route("a", Sink())
    assert route.passes(message), "nothing began again"
    route.floor = {"a": Position("e", 5)}
    assert route.passes(message) is passes


def test_who_asked_for_the_last_value_gets_it_again() -> None:
    route = Route("a", Sink(), since="last")
    route.floor = {}
    assert route.passes(Message("a", 1, 0.0, retained=True))
