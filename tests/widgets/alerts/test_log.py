"""An alert log lists what is so, what fires first, and streams it as its whole state."""

from __future__ import annotations

import json

import pytest

from nbrealtime.client import LinkState
from nbrealtime.live import connection as connections
from nbrealtime.live.connection import Connection
from nbrealtime.widgets.alerts import log as module
from nbrealtime.widgets.alerts.log import AlertLog
from tests.live.fakes import NOW, FakeLink

pytestmark = pytest.mark.usefixtures("comms", "own_delivery")


@pytest.fixture
def wire():
    return FakeLink()


@pytest.fixture
def source(wire):
    connection = Connection(wire)
    yield connection
    connection.close()


@pytest.fixture
def temp(source):
    return source.topic("lab:temp")


def state(log):
    """What a tick would send, as JSON carries it."""
    return json.loads(json.dumps(log._stream.frame(0.0, None)[0]))


def names(log):
    return [row["name"] for row in state(log)["alerts"]]


def test_what_fires_comes_first_and_the_gravest_of_it(source, temp, wire):
    calm = temp.alert(above=99)
    odd = temp.alert(above=20, for_=60)
    warm = temp.alert(above=30)
    hot = temp.alert(above=35, level="critical")
    log = AlertLog(source)
    assert names(log) == [a.name for a in (hot, calm, odd, warm)]
    wire.say("lab:temp", 40)
    assert log.alerts == (hot, warm, odd, calm)
    rows = state(log)
    assert rows["firing"] == 2
    assert [row["state"] for row in rows["alerts"]] == ["firing", "firing", "pending", "ok"]
    first = rows["alerts"][0]
    assert (first["level"], first["value"], first["since"], first["count"]) == ("critical", 40, NOW * 1000, 1)
    assert [event[2:5] for event in rows["events"]] == [
        ["critical", "firing", "lab:temp is 40, above 35"],
        ["warning", "firing", "lab:temp is 40, above 30"],
    ]
    assert repr(log).endswith("4 alerts, 2 firing")


def test_it_lists_those_of_a_topic_of_a_connection_or_given_ones(source, temp, wire):
    other = source.topic("lab:other")
    mine, theirs = temp.alert(above=30), other.alert(above=30)
    assert names(AlertLog(temp)) == [mine.name]
    assert names(AlertLog(theirs)) == [theirs.name]
    assert names(AlertLog([mine, other])) == [mine.name, theirs.name]
    assert AlertLog(temp).title == "lab:temp"
    pattern = source.topic("lab:*")
    wire.say("lab:a", 1, pattern="lab:*")
    one = pattern.by_topic("lab:a").alert(below=0)
    assert names(AlertLog(pattern)) == [one.name]


def test_without_a_subject_it_lists_the_default_connection_s(source, temp, monkeypatch):
    monkeypatch.setattr(connections, "default_connection", lambda: source)
    assert state(AlertLog())["state"] == "empty"
    alert = temp.alert(above=30)
    assert names(AlertLog()) == [alert.name]


def test_alerts_come_and_go_and_a_given_one_stays_as_closed(source, temp):
    log = AlertLog(source)
    assert state(log)["state"] == "empty"
    alert = temp.alert(above=30)
    given = AlertLog(alert)
    assert names(log) == [alert.name]
    alert.close()
    assert names(log) == []
    assert [row["state"] for row in state(given)["alerts"]] == ["closed"]
    assert not temp.feed._watchers


def test_what_happened_before_it_was_made_is_there(source, temp, wire):
    temp.alert(above=30)
    wire.say("lab:temp", *[31, 20] * 3)
    log = AlertLog(source, history=4)
    assert [event[3] for event in state(log)["events"]] == ["ok", "firing", "ok", "firing"]
    assert [event[0] for event in state(log)["events"]] == [6, 5, 4, 3]
    wire.say("lab:temp", 40, at=NOW + 10)
    assert [event[0] for event in state(log)["events"]] == [7, 6, 5, 4]


def test_a_pattern_s_alert_names_some_of_what_fires(source, wire):
    every = source.topic("lab:*")
    every.alert(above=30, name="Hot")
    log = AlertLog(every)
    for number in range(5):
        wire.say(f"lab:{number}", 31, at=NOW + number, pattern="lab:*")
    wire.say("lab:cold", 3, pattern="lab:*")
    row = state(log)["alerts"][0]
    assert (row["series"], row["firing"], row["on"]) == (6, 5, ["lab:0", "lab:1", "lab:2"])
    assert row["about"] == "lab:* above 30"


def test_the_list_is_bounded(source, temp, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    for number in range(5):
        temp.alert(above=number)
    said = state(AlertLog(source))
    assert (len(said["alerts"]), said["more"]) == (3, 2)


def test_a_lost_connection_is_said(source, wire, temp):
    temp.alert(above=30)
    log = AlertLog(source)
    assert (state(log)["state"], state(log)["why"]) == ("live", "")
    wire.change(state=LinkState.RECONNECTING, attempts=3)
    assert (state(log)["state"], state(log)["why"]) == ("reconnecting", "reconnecting, attempt 3")


def test_closing_keeps_the_list_and_lets_go(source, temp, wire):
    temp.alert(above=30)
    wire.say("lab:temp", 31)
    with AlertLog(source) as log:
        pass
    log.close()
    said = state(log)
    assert said["state"] == "closed"
    assert said["closed"] is not None
    assert len(said["alerts"]) == len(said["events"]) == 1
    assert not temp.feed._watchers
    wire.say("lab:temp", 20, at=NOW + 5)
    assert len(state(log)["events"]) == 1


@pytest.fixture
def clock(monkeypatch):
    """The log's own; nothing passes by itself, and what is put off waits in ``later``."""

    class Clock:
        now = 1000.0
        later = None

        def wake(self, slot, at):
            self.later = at

        def slot(self, deliver, mode):
            return deliver

    made = Clock()
    monkeypatch.setattr(AlertLog, "_clock", staticmethod(lambda: made.now))
    monkeypatch.setattr(module, "delivery", lambda: made)
    return made


@pytest.fixture
def urged(monkeypatch):
    """Of each frame that was urged, what fires in it."""
    frames = []

    def urge(part):
        said = json.loads(json.dumps(part.frame(0.0, None)[0]))
        frames.append([row["name"] for row in said["alerts"] if row["state"] == "firing"])

    monkeypatch.setattr(module.pump(), "urge", urge)
    return frames


def test_a_hidden_page_is_urged_only_for_who_asked(source, temp, wire, urged, clock):
    temp.alert(above=30)
    loud = temp.alert(above=30, notify=True)
    log = AlertLog(source)
    wire.say("lab:temp", 31, 20)
    assert urged == []
    log._stream.told({"type": "notify", "on": True, "view": "v1"})
    wire.say("lab:temp", 31, at=NOW + 5)
    assert len(urged) == 1
    log._stream.told({"type": "notify", "on": False, "view": "v1"})
    clock.now += 60
    wire.say("lab:temp", 20, 31, at=NOW + 60)
    assert len(urged) == 1
    assert next(event[6] for event in state(log)["events"] if event[5] == loud.number) is True


def test_an_alert_that_flaps_urges_every_five_seconds_and_is_told_of_in_the_end(
    source, temp, wire, urged, clock
):
    loud = temp.alert(above=30, notify=True)
    log = AlertLog(source)
    log._stream.told({"type": "notify", "on": True, "view": "v1"})
    for n in range(10):
        wire.say("lab:temp", 20 if n % 2 else 31, at=NOW + n)
    assert (urged, clock.later) == ([[loud.name]], 1005.0)
    wire.say("lab:temp", 31, at=NOW + 20)
    clock.now = 1005.0
    assert log._later(clock.now) is None
    assert urged == [[loud.name]] * 2


def test_alerts_that_flap_together_urge_twice_a_second(source, temp, wire, urged, clock):
    many = [temp.alert(above=30 + n, notify=True, name=f"a{n}") for n in range(50)]
    log = AlertLog(source)
    log._stream.told({"type": "notify", "on": True, "view": "v1"})
    wire.say("lab:temp", 99)
    assert len(urged) == 1
    assert len(urged[0]) < len(many)
    clock.now = clock.later
    assert log._later(clock.now) is None
    assert (clock.now, len(urged), len(urged[1])) == (1000.5, 2, len(many))


def test_a_log_that_is_closed_urges_nobody(source, temp, wire, urged, clock):
    temp.alert(above=30, notify=True)
    log = AlertLog(source)
    log._stream.told({"type": "notify", "on": True, "view": "v1"})
    wire.say("lab:temp", 31, 20, 31)
    log.close()
    clock.now = clock.later
    assert log._later(clock.now) is None
    assert len(urged) == 1


@pytest.mark.parametrize(
    ("subjects", "options", "error"),
    [((3,), {}, TypeError), ((), {"history": 0}, ValueError), ((), {"history": 201}, ValueError)],
)
def test_what_it_cannot_show_is_refused(subjects, options, error):
    with pytest.raises(error):
        AlertLog(*subjects, **options)


def test_no_data_are_in_synced_traits(source, temp, wire, synced):
    temp.alert(above=30, name="Secretive")
    log = AlertLog(source)
    wire.say("lab:temp", 31)
    assert "Secretive" not in repr(synced(log))
