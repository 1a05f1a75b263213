"""Whatever a topic is told that cannot be meant: one sentence that says what may be written, and nothing left behind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest

from nbrealtime.live.connection import Connection
from nbrealtime.live.field import FieldView
from nbrealtime.live.sensors import open_sensor
from nbrealtime.live.topic import LiveTopic

from .fakes import FakeLink

OPTIONS: dict[str, tuple[tuple[Any, ...], str]] = {
    "deliver": ((5, "a", None, [], {}), 'deliver is "auto", "main" or "thread", not '),
    "notify_hz": (("a", None, -1, 0, math.nan, [], {}, True), "notify_hz is above 0 and at most 1,000 "),
    "time_field": ((5, -1, math.nan, [], {}), "time_field is a text, "),
    "time_unit": ((5, "a", None, [], {}), "time_unit is one of s, ms, us, ns, not "),
    "history": ((math.nan, [], {}, 2.5, True), "history is a number of samples or a text like "),
    "since": (("a", math.nan, [], 2.5), 'since is "last", a number of messages, or a position '),
    "policy": ((5, "a", None, [], {}), "policy is one of disconnect, drop_oldest, conflate, not "),
    "max_rate": (("a", -1, 0, math.nan, math.inf, [], {}), "max_rate is a number of messages per second, "),
    "on_gap": ((5, "a", -1, [], {}), "on_gap takes a function of one argument, the gap, not "),
}

CALLS: dict[str, tuple[Callable[[LiveTopic, Any], Any], tuple[Any, ...], str]] = {
    "to_numpy of fields": (lambda t, v: t.to_numpy(v), (5, math.nan, [1]), "fields is a list of names, "),
    "to_numpy of the last": (lambda t, v: t.to_numpy(last=v), ("a", [], -1, 2.5), "last is a whole number "),
    "a field": (lambda t, v: t[v], (5, None, []), "a field has a name, like lab:*"),
    "one of its topics": (lambda t, v: t.by_topic(v), (5, None, []), "name is a text, "),
    "another topic": (lambda t, v: t.by_topic(v), ("room:a",), "lab:* does not match 'room:a'"),
    "on_message": (lambda t, v: t.on_message(v), (5, "a", None), "on_message takes a function "),
    "on_gap": (lambda t, v: t.on_gap(v), (5, "a", None), "on_gap takes a function "),
    "observe": (lambda t, v: t.observe(v, "value"), (5, "a", None), "observe takes a function "),
    "wait": (lambda t, v: t.wait(v), ("a", None, -1, 0, []), "wait for at least one message, not n="),
    "a history's beginning": (
        lambda t, v: t.by_topic("lab:a").history(since=v),
        (5, "last", -1, []),
        "since is a position like topic.position, not ",
    ),
    "a timeout": (lambda t, v: t.wait(timeout=v), ("a", [], {}, True), ""),
    "link's trait": (lambda t, v: t.link(ipywidgets.FloatText(), v), (5, None), "trait is a text, "),
    "link's transform": (
        lambda t, v: t.link(ipywidgets.FloatText(), "value", v),
        (5, "a", []),
        "transform is a function of one argument, the value, not ",
    ),
    "another field's alert": (
        lambda t, v: FieldView(t, "x").alert(above=1, field=v),
        (5, "y"),
        "lab:*['x'] is one field; ",
    ),
}


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, (wrong, _) in OPTIONS.items() for value in wrong]
)
def test_an_option_that_cannot_be_meant_is_named_and_nothing_is_subscribed(
    connection: Connection, link: FakeLink, option: str, value: Any
) -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        connection.topic("lab:temp", **{option: value})
    assert str(refused.value).startswith(OPTIONS[option][1])
    assert not link.subscriptions
    assert not connection.topics


@pytest.mark.parametrize(
    ("call", "value"), [(call, value) for call, (_, wrong, _) in CALLS.items() for value in wrong]
)
def test_a_call_that_cannot_be_meant_is_refused_with_what_can(
    connection: Connection, call: str, value: Any
) -> None:
    what, _, says = CALLS[call]
    with pytest.raises((TypeError, ValueError)) as refused:
        what(connection.topic("lab:*"), value)
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize("value", ["soon", "", -1, 0, math.nan])
def test_what_is_no_duration_is_refused_with_what_is(connection: Connection, value: Any) -> None:
    with pytest.raises(ValueError, match=r'write "500ms", "60s"|a duration is positive and finite'):
        connection.topic("lab:temp").history(timeout=value)


def test_one_field_s_name_is_not_its_letters(connection: Connection) -> None:
    assert connection.topic("lab:temp").to_numpy("speed").dtype.names == ("t", "speed")


@pytest.mark.parametrize("hz", ["a", None, -1, 0, 1000, math.nan, [], {}])
def test_a_sensor_is_told_how_often_it_may_measure(hz: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^hz is between 1 and 100 samples per second, not "):
        open_sensor("host", hz=hz)
