"""Which series an alert follows and which it shows, without threads or clocks."""

from __future__ import annotations

import numpy as np
import pytest

from nbrealtime.live.alerts import series as module
from nbrealtime.live.alerts.rule import AlertState, Rule
from nbrealtime.live.alerts.series import AlertSeries
from nbrealtime.live.feed import Feed
from nbrealtime.live.samples.payload import Block


def block(time: float, **fields: float) -> Block:
    return Block(np.array([time]), {name: np.array([value]) for name, value in fields.items()})


def states(series: AlertSeries) -> dict[str, str]:
    return {one.label: one.condition.state.value for one in series.ranked}


def test_every_numeric_field_is_a_series_and_one_of_gaps_alone_is_none() -> None:
    series, feed = AlertSeries(Rule(above=10), None), Feed("lab:a")
    series.judge(feed, block(1.0, x=1.0, y=2.0, z=np.nan), 0.0)
    assert states(series) == {"lab:a x": "ok", "lab:a y": "ok"}


def test_only_the_field_that_was_asked_for_is_followed() -> None:
    series, feed = AlertSeries(Rule(above=10), "y"), Feed("lab:a")
    series.judge(feed, block(1.0, x=11.0, y=2.0), 0.0)
    assert states(series) == {"lab:a y": "ok"}


def test_the_worst_is_shown_and_of_the_worst_the_one_that_lasts_longest() -> None:
    series = AlertSeries(Rule(above=10), None)
    for time, topic in enumerate(("lab:a", "lab:b", "lab:c")):
        happened = series.judge(Feed(topic), block(time, value=11.0 if topic != "lab:a" else 1.0), 0.0)
        assert [step.fired for _, step in happened] == ([] if topic == "lab:a" else [True])
    assert series.lead is not None
    assert series.lead.label == "lab:b"
    assert series.shown == (AlertState.FIRING.value, 1.0)


def test_what_stands_for_the_silence_goes_with_the_first_number() -> None:
    series, feed = AlertSeries(Rule(above=10, stale=5.0), None), Feed("lab:a")
    series.await_first(feed, 0.0)
    assert series.listen(5.0, 4.0, 100.0) == ([], 5.0)
    [(silent, step)], _ = series.listen(5.0, 5.0, 101.0)
    assert (silent.label, step.fired, step.reason) == ("lab:a", True, "stale")
    [(_, step)] = series.judge(feed, block(102.0, x=1.0), 6.0)
    assert not step.fired
    assert states(series) == {"lab:a x": "ok"}


def test_who_is_heard_is_not_silent() -> None:
    series, feed = AlertSeries(Rule(stale=5.0), None), Feed("lab:a")
    series.judge(feed, block(1.0, x=1.0), 0.0)
    series.judge(feed, block(4.0, x=1.0), 3.0)
    assert series.listen(5.0, 5.0, 6.0) == ([], 8.0)


def test_missing_messages_concern_the_series_of_their_topic() -> None:
    series, one, other = AlertSeries(Rule(above=10, hold=5.0), None), Feed("lab:a"), Feed("lab:b")
    for feed in (one, other):
        series.judge(feed, block(1.0, value=11.0), 0.0)
    assert set(states(series).values()) == {"pending"}
    series.interrupt(one)
    assert states(series) == {"lab:b": "pending", "lab:a": "ok"}


def test_more_than_can_be_drawn_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SERIES", 2)
    series, feed = AlertSeries(Rule(above=10), None), Feed("lab:a")
    series.judge(feed, block(1.0, x=1.0, y=1.0, z=1.0), 0.0)
    assert list(states(series)) == ["lab:a x", "lab:a y"]


@pytest.mark.parametrize("count", [1, 20])
def test_a_sample_without_a_usable_time_neither_fires_nor_ends_a_silence(count: int) -> None:
    series, feed = AlertSeries(Rule(above=10, stale=5.0), None), Feed("lab:a")
    series.await_first(feed, 0.0)
    series.listen(5.0, 5.0, 101.0)
    nowhere = Block(np.full(count, np.nan), {"x": np.full(count, 11.0)})
    assert series.judge(feed, nowhere, 6.0) == []
    mixed = Block(np.array([np.nan, 102.0]), {"x": np.array([11.0, 1.0])})
    [(_, step)] = series.judge(feed, mixed, 7.0)
    assert (step.fired, step.time) == (False, 102.0)
    assert states(series) == {"lab:a x": "ok"}
