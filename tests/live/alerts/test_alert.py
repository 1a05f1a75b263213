"""Alerts on a topic, on a link that the test plays: what they show, whom they tell, when they go."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from traitlets import TraitError

from nbrealtime.live import cells
from nbrealtime.live.alerts import book
from nbrealtime.live.alerts.alert import Alert
from nbrealtime.live.alerts.calls import MAX_EVENTS
from nbrealtime.live.alerts.history import KEPT_EVENTS
from nbrealtime.live.connection import Connection
from nbrealtime.live.topic import LiveTopic

from ..fakes import NOW, Ear, FakeKernel, FakeLink


@pytest.fixture
def temp(connection: Connection, link: FakeLink) -> LiveTopic:
    topic = connection.topic("lab:temp", notify_hz=1000)
    link.confirm("lab:temp")
    return topic


def test_its_traits_follow_and_say_what_it_watches(temp: LiveTopic, link: FakeLink) -> None:
    alert = temp.alert(above=30, for_="2s")
    assert (alert.state, alert.value, alert.since, alert.count) == ("ok", None, None, 0)
    assert repr(alert) == "Alert 'lab:temp above 30': ok, no number yet"
    link.say("lab:temp", 29, 31)
    assert (alert.state, alert.value, alert.since) == ("pending", 31, NOW + 1)
    link.say("lab:temp", 31, 31.5, at=NOW + 2)
    assert (alert.state, alert.value, alert.since, alert.count) == ("firing", 31.5, NOW + 3, 1)
    assert alert.message == "lab:temp is 31.5, above 30 for 2 s"
    link.say("lab:temp", 30, at=NOW + 15)
    assert (alert.state, alert.message) == ("ok", "lab:temp is back at 30 after 12 s")
    assert repr(alert) == "Alert 'lab:temp above 30': ok (30), fired once"
    assert [(event.state, event.time) for event in alert.history] == [("firing", NOW + 3), ("ok", NOW + 15)]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"above": 30}, "lab:temp above 30"),
        ({"below": -1.5, "field": "x"}, "lab:temp x below -1.5"),
        ({"above": 30, "below": 10}, "lab:temp outside 10 to 30"),
        ({"stale_after": "30s"}, "lab:temp silent for 30 s"),
        ({"above": 30, "name": "Too hot"}, "Too hot"),
    ],
)
def test_it_has_a_name(temp: LiveTopic, options: dict[str, Any], name: str) -> None:
    assert temp.alert(**options).name == name


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, ValueError),
        ({"above": "30"}, TypeError),
        ({"above": 30, "level": "severe"}, ValueError),
        ({"above": 30, "for_": "soon"}, ValueError),
        ({"above": 30, "field": 5}, TypeError),
        ({"above": 30, "field": ["x", "y"]}, TypeError),
        ({"above": 30, "name": 5}, TypeError),
        ({"over": 30}, TypeError),
    ],
)
def test_what_makes_no_alert_is_refused_and_leaves_nothing(
    temp: LiveTopic, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        temp.alert(**options)
    assert not book.alerts()


def test_its_traits_cannot_be_assigned(temp: LiveTopic) -> None:
    with pytest.raises(TraitError, match="the samples decide"):
        temp.alert(above=30).state = "ok"


def test_callbacks_are_told_each_firing_and_each_clearing_in_order(temp: LiveTopic, link: FakeLink) -> None:
    alert, fired, cleared = temp.alert(above=30, name="Hot", level="critical"), Ear(), Ear()
    assert alert.on_fire(fired) is fired
    alert.on_clear(cleared)
    link.say("lab:temp", 31, 29, 32, 29)
    (first, second), (third, _) = fired.wait(2), cleared.wait(2)
    assert (first.name, first.level, first.topic, first.field) == ("Hot", "critical", "lab:temp", "value")
    assert (first.state, first.reason, first.value, first.time) == ("firing", "above", 31, NOW)
    assert (second.value, second.time) == (32, NOW + 2)
    assert (third.state, third.value, third.lasted) == ("ok", 29, 1)
    assert first.message == "Hot: lab:temp is 31, above 30"
    alert.off_fire(fired)
    alert.off_clear(cleared)
    link.say("lab:temp", 31, 29, at=NOW + 9)
    alert.on_fire(fired)
    link.say("lab:temp", 33, at=NOW + 20)
    assert [event.value for event in fired.wait(3)] == [31, 32, 33]


def test_who_asks_while_it_fires_is_told_so(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 31)
    alert = temp.alert(above=30)
    assert alert.state == "firing"
    late = Ear()
    alert.on_fire(late)
    assert [event.value for event in late.wait(1)] == [31]


def test_a_callback_that_raises_is_kept_in_the_topic_s_errors(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str]
) -> None:
    alert, after = temp.alert(above=30), Ear()

    @alert.on_fire
    def faulty(event: Any) -> None:
        raise ZeroDivisionError(event.value)

    alert.on_fire(after)
    link.say("lab:temp", 31, 29, 32)
    after.wait(2)
    assert [error.args for error in temp.errors] == [(31.0,), (32.0,)]
    assert capsys.readouterr().err.count("ZeroDivisionError: 31") == 1


def test_observers_are_told(temp: LiveTopic, link: FakeLink) -> None:
    alert, ear = temp.alert(above=30), Ear()
    alert.observe(ear, "state")
    link.say("lab:temp", 31)
    assert ear.wait(1)[0].new == "firing"
    alert.close()
    ear.wait_until(lambda heard: heard[-1].new == "closed")


def test_while_a_cell_computes_callbacks_run_beside_it(
    kernel: FakeKernel, connection: Connection, link: FakeLink
) -> None:
    topic = connection.topic("lab:temp")
    alert, ear = topic.alert(above=30), Ear()
    alert.on_fire(ear)
    with kernel.busy():
        link.say("lab:temp", 31)
        ear.wait(1)
        assert ear.threads == ["nbrealtime-delivery"]


def test_a_slow_callback_misses_no_more_than_what_is_bounded(temp: LiveTopic, link: FakeLink) -> None:
    alert, began, go_on, ear = temp.alert(above=30), threading.Event(), threading.Event(), Ear()

    @alert.on_fire
    def slow(event: Any) -> None:
        began.set()
        go_on.wait(10)
        ear(event)

    link.say("lab:temp", 31)
    assert began.wait(10)
    link.say("lab:temp", *[20, 31] * (MAX_EVENTS + 200), at=NOW + 1)
    assert len(alert.history) == KEPT_EVENTS
    go_on.set()
    last = ear.wait_until(lambda heard: heard[-1].time == NOW + 2 * (MAX_EVENTS + 200))
    assert len(last) == MAX_EVENTS + 1
    assert alert.count == MAX_EVENTS + 201


def test_a_paused_topic_is_still_watched(temp: LiveTopic, link: FakeLink) -> None:
    alert, ear = temp.alert(above=30), Ear()
    alert.on_fire(ear)
    temp.pause()
    link.say("lab:temp", 31)
    ear.wait(1)
    assert temp.value is None


def test_a_block_of_samples_is_judged_sample_by_sample(temp: LiveTopic, link: FakeLink) -> None:
    alert = temp.alert(above=30, for_=1)
    block = [20.0] * 400 + [31.0] * 200 + [20.0] * 400
    link.say("lab:temp", {"value": block, "t": [NOW + n / 100 for n in range(1000)]})
    fired, cleared = alert.history
    assert (round(fired.time - NOW, 6), fired.reason) == (5.0, "above")
    assert round(cleared.time - NOW, 6) == 6.0


def test_without_a_field_each_has_a_state_and_the_worst_is_shown(temp: LiveTopic, link: FakeLink) -> None:
    alert = temp.alert(above=30)
    link.say("lab:temp", {"x": 20, "y": 20, "text": "31"})
    assert alert.series == {"lab:temp x": "ok", "lab:temp y": "ok"}
    link.say("lab:temp", {"x": 20, "y": 31}, at=NOW + 1)
    assert (alert.state, alert.value) == ("firing", 31)
    assert alert.series == {"lab:temp y": "firing", "lab:temp x": "ok"}
    assert alert.fires_on == (("lab:temp", "y"),)
    link.say("lab:temp", {"x": 35, "y": 20}, at=NOW + 2)
    assert (alert.state, alert.value, alert.count) == ("firing", 35, 2)
    assert "1 of 2 series, lab:temp x (35)" in repr(alert)


def test_a_field_has_an_alert_of_its_own(temp: LiveTopic, link: FakeLink) -> None:
    alert = temp["y"].alert(below=0)
    assert alert.name == "lab:temp y below 0"
    link.say("lab:temp", {"x": -5, "y": 1}, {"x": -5, "y": -1})
    assert (alert.state, alert.value, alert.since) == ("firing", -1, NOW + 1)


def test_each_topic_of_a_pattern_has_a_state(connection: Connection, link: FakeLink) -> None:
    topic = connection.topic("lab:*")
    link.say("lab:a", 20, pattern="lab:*")
    alert, ear = topic.alert(above=30), Ear()
    alert.on_fire(ear)
    link.say("lab:b", 31, pattern="lab:*")
    link.say("lab:a", 32, at=NOW + 5, pattern="lab:*")
    link.say("lab:c", 1, at=NOW + 5, pattern="lab:*")
    assert [event.topic for event in ear.wait(2)] == ["lab:b", "lab:a"]
    assert alert.series == {"lab:b": "firing", "lab:a": "firing", "lab:c": "ok"}
    assert alert.value == 31
    only = topic.by_topic("lab:c").alert(above=30)
    link.say("lab:a", 40, at=NOW + 6, pattern="lab:*")
    assert only.state == "ok"
    topic.close()
    assert (alert.state, only.state) == ("closed", "closed")


def test_missing_messages_start_anew_what_waits(temp: LiveTopic, link: FakeLink) -> None:
    alert = temp.alert(above=30, for_=5)
    link.say("lab:temp", 31, 31)
    link.miss("lab:temp", "slow", 3)
    assert alert.state == "ok"
    link.say("lab:temp", 31, at=NOW + 5)
    assert alert.state == "pending"


def test_a_cleared_topic_may_begin_its_time_anew(temp: LiveTopic, link: FakeLink) -> None:
    alert = temp.alert(above=30)
    link.say("lab:temp", 20)
    temp.clear()
    link.say("lab:temp", 31, at=NOW - 500)
    assert alert.state == "firing"


def test_silence_fires_and_ends(temp: LiveTopic, link: FakeLink) -> None:
    alert, fired, cleared = temp.alert(stale_after="50ms", name="Dead"), Ear(), Ear()
    alert.on_fire(fired)
    alert.on_clear(cleared)
    event = fired.wait(1)[0]
    assert (event.reason, event.value) == ("stale", None)
    assert event.message == "Dead: no number from lab:temp for 50 ms"
    link.say("lab:temp", 20)
    assert cleared.wait(1)[0].message.startswith("Dead: lab:temp is heard again")
    assert "" not in alert.series
    # And again, now after a number.
    assert fired.wait(2)[1].value == 20


def test_it_closes_with_its_topic_by_with_and_once(temp: LiveTopic, link: FakeLink) -> None:
    with temp.alert(above=30) as first:
        assert book.alerts() == (first,)
    assert first.state == "closed"
    second, ear = temp.alert(above=30), Ear()
    second.on_fire(ear)
    temp.close()
    second.close()
    assert (second.state, repr(second)) == ("closed", "Alert 'lab:temp above 30': closed")
    assert not book.alerts()
    assert not temp.feed._sample_taps


def test_a_closed_alert_judges_and_calls_no_more(temp: LiveTopic, link: FakeLink) -> None:
    alert, ear, other = temp.alert(above=30), Ear(), temp.alert(above=30)
    alert.on_fire(ear)
    alert.close()
    heard = Ear()
    other.on_fire(heard)
    link.say("lab:temp", 31)
    heard.wait(1)
    assert not ear.heard
    assert not alert.history


def test_it_goes_when_its_cell_starts_again(
    temp: LiveTopic, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "current_cell", lambda: "cell-1")
    alert = temp.alert(above=30)
    kept: list[Alert] = []
    monkeypatch.setattr(cells, "current_cell", lambda: "cell-2")
    kept.append(temp.alert(above=31))
    cells._begin(type("Info", (), {"cell_id": "cell-1"}))
    assert alert.state == "closed"
    assert kept[0].state == "ok"


def test_who_watches_the_book_hears_of_everything(temp: LiveTopic, link: FakeLink) -> None:
    seen: list[Any] = []
    unwatch = book.watch_alerts(lambda alert, event: seen.append(event and event.state))
    alert = temp.alert(above=30)
    link.say("lab:temp", 31, 29)
    alert.close()
    unwatch()
    temp.alert(above=30)
    assert seen == [None, "firing", "ok", None]


def test_a_message_has_four_digits_or_those_that_tell_a_value_from_its_threshold(
    temp: LiveTopic, link: FakeLink
) -> None:
    alert = temp.alert(above=30)
    said = []
    for value in (33.53971, 30.00001, 12345.678, 2.5e9, 29.123456):
        link.say("lab:temp", value)
        said.append(alert.message.removeprefix("lab:temp is "))
        if value > 30:
            link.say("lab:temp", 1)
    assert said[:4] == ["33.54, above 30", "30.00001, above 30", "12346, above 30", "2.5e+09, above 30"]
    assert said[4].startswith("back at 1 ")
