"""A topic's traits, callbacks and waiting, on a link that the test plays."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from traitlets import HasTraits, TraitError, Unicode, dlink, observe

from nbrealtime.errors import RealtimeError, Refused
from nbrealtime.live.connection import Connection
from nbrealtime.live.feed import TopicState
from nbrealtime.live.topic import LiveTopic

from .fakes import NOW, Ear, FakeKernel, FakeLink


@pytest.fixture
def temp(connection: Connection, link: FakeLink) -> LiveTopic:
    topic = connection.topic("lab:temp", notify_hz=1000)
    link.confirm("lab:temp", 2)
    return topic


TRAITS = {
    *(
        "name",
        "state",
        "value",
        "message",
        "timestamp",
        "offset",
        "count",
        "rate",
        "presence_count",
        "members",
    ),
    *("gaps", "dropped", "paused", "error", "errors"),
}

# Reading.


def test_before_anything_came(connection: Connection) -> None:
    topic = connection.topic("lab:temp")
    assert (topic.name, topic.state, topic.count, topic.rate) == ("lab:temp", "subscribing", 0, 0.0)
    assert (topic.value, topic.message, topic.timestamp, topic.offset) == (None, None, None, None)
    assert (topic.presence_count, topic.members, topic.gaps, topic.dropped) == (None, None, 0, 0)
    assert (topic.paused, topic.error, topic.errors) == (False, None, ())


def test_reading_is_fresh(temp: LiveTopic, link: FakeLink) -> None:
    *_, last = link.say("lab:temp", 20, 21.5)
    assert (temp.state, temp.value, temp.count, temp.timestamp) == ("live", 21.5, 2, NOW + 1)
    assert temp.message is not None
    assert temp.message.id == last.id
    assert temp.presence_count == 2
    assert temp.rate > 0


@pytest.mark.parametrize("data", [None, 0, False, "", [], {}])
def test_every_payload_is_a_value(temp: LiveTopic, link: FakeLink, data: Any) -> None:
    link.say("lab:temp", data)
    assert (temp.value, temp.count) == (data, 1)


@pytest.mark.parametrize("trait", ["value", "count", "state", "message", "paused", "name", "errors"])
def test_assigning_a_trait_names_publish(temp: LiveTopic, trait: str) -> None:
    with pytest.raises(TraitError, match="publish"):
        setattr(temp, trait, 3)
    with pytest.raises(TraitError, match="publish"):
        temp.set_trait(trait, 3)


def test_every_trait_of_the_design_is_a_trait(temp: LiveTopic) -> None:
    assert set(temp.trait_names()) == TRAITS
    assert all(temp.traits()[name].help for name in temp.trait_names())


def test_states_follow_the_link(temp: LiveTopic, link: FakeLink) -> None:
    (sink,) = link.sinks("lab:temp")
    sink.offline()
    assert temp.state == "offline"
    sink.subscribed(1)
    assert (temp.state, temp.gaps) == ("live", 1)
    sink.refused("forbidden", "not allowed to subscribe")
    assert (temp.state, temp.error) == ("refused", "not allowed to subscribe")
    sink.closed()
    assert temp.state == "closed"
    sink.subscribed(1)
    assert temp.state == "closed"


def test_a_topic_that_was_never_live_stays_subscribing_while_offline(
    connection: Connection, link: FakeLink
) -> None:
    topic = connection.topic("lab:temp")
    link.sinks("lab:temp")[0].offline()
    assert (topic.state, topic.gaps) == ("subscribing", 0)


# Telling.


def test_value_notifies_when_it_differs_and_count_with_every_batch(temp: LiveTopic, link: FakeLink) -> None:
    values, counts = Ear(), Ear()
    temp.observe(values, "value")
    temp.observe(counts, "count")
    link.say("lab:temp", 1)
    counts.wait_until(lambda heard: heard[-1].new == 1)
    link.say("lab:temp", 1)
    counts.wait_until(lambda heard: heard[-1].new == 2)
    link.say("lab:temp", 2)
    counts.wait_until(lambda heard: heard[-1].new == 3)
    values.wait_until(lambda heard: heard[-1].new == 2)
    assert [(change.old, change.new) for change in values.heard] == [(None, 1), (1, 2)]
    assert values.heard[0].owner is temp


def test_notifications_are_coalesced(connection: Connection, link: FakeLink) -> None:
    topic = connection.topic("lab:temp", notify_hz=10)
    counts = Ear()
    topic.observe(counts, "count")
    began = time.monotonic()
    for at in range(500):
        link.say("lab:temp", at)
    counts.wait_until(lambda heard: heard[-1].new == 500)
    assert len(counts.heard) <= 2 + (time.monotonic() - began) * 10


def test_every_trait_notifies(temp: LiveTopic, link: FakeLink) -> None:
    changes = Ear()
    temp.observe(changes)
    link.say("lab:temp", 7)
    link.sinks("lab:temp")[0].presence(9)
    changes.wait_until(
        lambda heard: (
            {"value", "count", "message", "timestamp", "rate", "presence_count"} <= {c.name for c in heard}
        )
    )
    temp.close()
    changes.wait_until(lambda heard: any(c.name == "state" and c.new == "closed" for c in heard))


def test_rate_goes_on_notifying_when_nothing_comes(
    temp: LiveTopic, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = Ear()
    temp.observe(rates, "rate")
    link.say("lab:temp", 1, 2, 3)
    rates.wait(1)
    rates.wait(2)
    assert rates.heard[-1].new <= rates.heard[0].new


def test_an_observer_can_be_unregistered_by_its_function(temp: LiveTopic, link: FakeLink) -> None:
    gone, stays = Ear(), Ear()
    temp.observe(gone, "value")
    temp.observe(stays, "value")
    temp.unobserve(gone, "value")
    temp.unobserve(gone, "value")
    link.say("lab:temp", 1)
    stays.wait(1)
    assert gone.heard == []


def test_a_subclass_observes_by_decorator(connection: Connection, link: FakeLink) -> None:
    seen = Ear()

    class Watched(LiveTopic):
        @observe("value")
        def _on_value(self, change: Any) -> None:
            seen(change)
            raise RuntimeError("of a subclass")

    topic = Watched(connection, "lab:temp")
    topic.open()
    link.say("lab:temp", 3)
    assert seen.wait(1)[0].new == 3
    link.say("lab:temp", 4)
    seen.wait(2)
    assert "of a subclass" in str(topic.errors[0])
    topic.close()


def test_traitlets_own_links_work(temp: LiveTopic, link: FakeLink) -> None:
    class Label(HasTraits):
        text = Unicode()

    label = Label()
    ear = Ear()
    label.observe(ear, "text")
    linked = dlink((temp, "value"), (label, "text"), str)
    link.say("lab:temp", 21.5)
    ear.wait_until(lambda heard: heard[-1].new == "21.5")
    linked.unlink()
    link.say("lab:temp", 22)
    counts = Ear()
    temp.observe(counts, "count")
    link.say("lab:temp", 23)
    counts.wait(1)
    assert label.text == "21.5"


def test_holding_notifications_in_a_cell_swallows_nothing(
    kernel: FakeKernel, temp: LiveTopic, link: FakeLink
) -> None:
    values = Ear()
    temp.observe(values, "value")
    with temp.hold_trait_notifications():
        link.say("lab:temp", 1)
        values.wait(1)
    link.say("lab:temp", 2)
    values.wait(2)
    assert values.new == [1, 2]


# Callbacks.


def test_on_message_gets_every_message_in_order(temp: LiveTopic, link: FakeLink) -> None:
    ear = Ear()
    assert temp.on_message(ear) is ear
    for at in range(0, 1000, 10):
        link.say("lab:temp", *range(at, at + 10))
    ear.wait(1000)
    assert ear.data == list(range(1000))


def test_on_message_is_a_decorator_and_registers_once(temp: LiveTopic, link: FakeLink) -> None:
    calls: list[Any] = []
    done = Ear()

    @temp.on_message
    def hot(message: Any) -> None:
        calls.append(message.data)

    temp.on_message(hot)
    temp.on_message(done)
    link.say("lab:temp", 1)
    done.wait(1)
    assert calls == [1]


def test_off_message_stops_it(temp: LiveTopic, link: FakeLink) -> None:
    gone, stays = Ear(), Ear()
    temp.on_message(gone)
    temp.on_message(stays)
    temp.off_message(gone)
    temp.off_message(gone)
    link.say("lab:temp", 1)
    stays.wait(1)
    assert gone.heard == []


def test_a_callback_takes_a_function(temp: LiveTopic) -> None:
    with pytest.raises(TypeError, match="function"):
        temp.on_message(3)  # type: ignore[type-var]


def test_an_exception_is_kept_and_shown_once_and_stops_nothing(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str]
) -> None:
    ear = Ear()

    @temp.on_message
    def broken(message: Any) -> None:
        raise ValueError(f"boom {message.data}")

    temp.on_message(ear)
    link.say("lab:temp", *range(150))
    ear.wait(150)
    assert len(temp.errors) == 100
    assert str(temp.errors[-1]) == "boom 149"
    said = capsys.readouterr().err
    assert said.count("ValueError: boom") == 1
    assert "callbacks.py" not in said
    assert "broken raised this" in said


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_not_even_an_exit_ends_the_delivery(
    temp: LiveTopic, link: FakeLink, error: type[BaseException]
) -> None:
    ear = Ear()

    @temp.on_message
    def leave(message: Any) -> None:
        raise error

    temp.on_message(ear)
    link.say("lab:temp", 1, 2)
    ear.wait(2)
    assert [type(kept) for kept in temp.errors] == [error, error]


def test_an_observers_exception_is_kept_too_and_does_not_harm_the_others(
    temp: LiveTopic, link: FakeLink
) -> None:
    ear = Ear()
    temp.observe(lambda change: 1 / 0, "value")
    temp.observe(ear, "value")
    link.say("lab:temp", 1)
    ear.wait(1)
    assert isinstance(temp.errors[0], ZeroDivisionError)


def test_a_callback_that_lasts_is_named_once(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbrealtime.live.callbacks.SLOW_SECONDS", 0.01)
    ear = Ear()

    @temp.on_message
    def slow(message: Any) -> None:
        time.sleep(0.02)

    temp.on_message(ear)
    link.say("lab:temp", 1, 2)
    ear.wait(2)
    assert capsys.readouterr().err.count("slow took") == 1


def test_callbacks_of_one_topic_never_overlap_though_the_loop_is_busy_and_free_by_turns(
    kernel: FakeKernel, temp: LiveTopic, link: FakeLink
) -> None:
    ear = Ear()
    inside = 0
    overlaps: list[Any] = []

    @temp.on_message
    def count(message: Any) -> None:
        nonlocal inside
        inside += 1
        if inside > 1:
            overlaps.append(message)
        inside -= 1
        ear(message)

    for at in range(0, 600, 100):
        with kernel.busy():
            link.say("lab:temp", *range(at, at + 50))
            ear.wait(at + 50)
        link.say("lab:temp", *range(at + 50, at + 100))
        ear.wait(at + 100)
    assert ear.data == list(range(600))
    assert overlaps == []
    assert set(ear.threads) == {"kernel", "nbrealtime-delivery"}


def test_a_callback_may_do_anything_with_its_topic(
    temp: LiveTopic, link: FakeLink, connection: Connection
) -> None:
    ear = Ear()

    @temp.on_message
    def busybody(message: Any) -> None:
        temp.publish(message.data)
        connection.topic("lab:other").on_message(ear)
        temp.off_message(busybody)
        temp.close()

    temp.on_message(ear)
    link.say("lab:temp", 1, 2, 3)
    states = Ear()
    temp.observe(states, "state")
    while temp.state != "closed":
        time.sleep(0.001)
    link.say("lab:other", "later")
    ear.wait(1)
    assert link.published == [("lab:temp", 1)]
    assert ear.data == ["later"]


def test_a_topic_closed_by_another_thread_while_delivering_calls_nothing_more(
    temp: LiveTopic, link: FakeLink
) -> None:
    entered, leave = threading.Event(), threading.Event()
    ear = Ear()

    @temp.on_message
    def held(message: Any) -> None:
        ear(message)
        entered.set()
        leave.wait(10)

    closed = Ear()
    temp.observe(closed, "state")
    link.say("lab:temp", *range(10))
    assert entered.wait(10)
    temp.close()
    leave.set()
    closed.wait_until(lambda heard: heard[-1].new == "closed")
    assert ear.data == [0]


def test_a_callback_that_cannot_keep_up_loses_the_oldest_and_they_are_counted(
    temp: LiveTopic, link: FakeLink
) -> None:
    entered, leave = threading.Event(), threading.Event()
    ear = Ear()

    @temp.on_message
    def held(message: Any) -> None:
        entered.set()
        leave.wait(10)
        ear(message)

    link.say("lab:temp", "first")
    assert entered.wait(10)
    link.say("lab:temp", *range(10_050))
    assert temp.dropped == 50
    leave.set()
    ear.wait(10_001)
    assert ear.data[0] == "first"
    assert ear.data[1:] == list(range(50, 10_050))


# Pausing.


def test_while_paused_the_traits_stand_still_and_the_ring_goes_on(temp: LiveTopic, link: FakeLink) -> None:
    ear, values = Ear(), Ear()
    temp.on_message(ear)
    temp.observe(values, "value")
    link.say("lab:temp", 1)
    ear.wait(1)
    values.wait(1)
    temp.pause()
    link.say("lab:temp", 2, 3, at=NOW + 10)
    assert (temp.value, temp.count, temp.paused) == (1, 1, True)
    assert len(temp.to_numpy()) == 3
    assert temp.feed.status().pending == 2
    temp.resume()
    ear.wait(3)
    values.wait_until(lambda heard: heard[-1].new == 3)
    assert ear.data == [1, 2, 3]
    assert values.new == [1, 3]
    assert (temp.value, temp.count, temp.paused) == (3, 3, False)


def test_clear_forgets_the_samples_and_not_the_stream(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 1, 2)
    temp.clear()
    assert len(temp.to_numpy()) == 0
    assert (temp.value, temp.count) == (2, 2)


# Waiting.


def test_wait_counts_what_came_before_it(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 1, 2, 3)
    assert temp.wait(n=2, timeout=5).data == 3
    assert temp.wait(timeout=5).data == 3
    with pytest.raises(TimeoutError, match=r"0 of 1 message came within 0\.01 s"):
        temp.wait(timeout=0.01)


def test_wait_waits_for_what_comes(temp: LiveTopic, link: FakeLink) -> None:
    teller = threading.Timer(0.02, lambda: link.say("lab:temp", "now"))
    teller.start()
    assert temp.wait(timeout="5s").data == "now"
    teller.join()


def test_a_timeout_says_how_many_came(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 1, 2)
    with pytest.raises(TimeoutError, match=r"lab:temp: 2 of 5 messages came within 0\.01 s \(live"):
        temp.wait(n=5, timeout=0.01)
    with pytest.raises(TimeoutError, match="2 of 3"):
        temp.wait(n=3, timeout=0)


@pytest.mark.parametrize("n", [0, -1, True, 1.5])
def test_wait_takes_a_number_of_messages(temp: LiveTopic, n: Any) -> None:
    with pytest.raises(ValueError, match="at least one"):
        temp.wait(n)


def test_wait_ends_with_the_topic(temp: LiveTopic, link: FakeLink) -> None:
    threading.Timer(0.02, temp.close).start()
    with pytest.raises(RealtimeError, match="is closed"):
        temp.wait(timeout=10)


def test_wait_on_a_refused_topic_says_why(temp: LiveTopic, link: FakeLink) -> None:
    link.sinks("lab:temp")[0].refused("forbidden", "not allowed to subscribe")
    with pytest.raises(Refused, match="not allowed to subscribe"):
        temp.wait(timeout=10)


def test_waiting_goes_on_while_paused(temp: LiveTopic, link: FakeLink) -> None:
    temp.pause()
    link.say("lab:temp", 1)
    assert temp.wait(timeout=5).data == 1


# Showing.


def test_the_text_says_state_count_value_and_age(temp: LiveTopic, link: FakeLink) -> None:
    assert repr(temp) == "LiveTopic 'lab:temp': live, no message yet"
    link.say("lab:temp", *range(41), 21.5)
    began = temp.feed._clock()
    temp.feed._clock = lambda: began + 2
    assert repr(temp) == "LiveTopic 'lab:temp': live, 42 messages, last 21.5 (2 s ago)"
    temp.pause()
    assert "live, paused, 42 messages" in repr(temp)
    temp.close()
    assert repr(temp).startswith("LiveTopic 'lab:temp': closed")


def test_a_long_value_is_cut(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", "x" * 10_000)
    assert len(repr(temp)) < 160


def test_a_refused_topic_says_why_and_once_below_the_cell(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = link.sinks("lab:temp")[0]
    sink.refused("forbidden", "not allowed to subscribe")
    sink.refused("forbidden", "not allowed to subscribe")
    assert repr(temp) == "LiveTopic 'lab:temp': refused (not allowed to subscribe)"
    ear = Ear()
    temp.on_message(ear)
    link.say("lab:temp", 1)
    ear.wait(1)
    temp.delivery.stop(5)
    assert capsys.readouterr().err == "lab:temp was refused: not allowed to subscribe\n"


def test_unequal_lists_are_said_once(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str]
) -> None:
    ear = Ear()
    temp.on_message(ear)
    link.say("lab:temp", {"x": [1, 2], "y": [3]})
    link.say("lab:temp", {"x": [1, 2], "y": [3, 4, 5]})
    ear.wait(2)
    temp.delivery.stop(5)
    assert capsys.readouterr().err == (
        "lab:temp carries lists of unequal length (x: 2, y: 1): such messages are not plotted\n"
    )


def test_a_topic_that_hears_nothing_names_those_that_carry_data(
    connection: Connection, link: FakeLink, temp: LiveTopic
) -> None:
    began = temp.feed._began
    temp.feed._clock = lambda: began + 12
    assert repr(temp) == "LiveTopic 'lab:temp': live, has heard nothing for 12 s"
    connection.topic("lab:tmp")
    link.say("lab:tmp", 1)
    assert repr(temp) == "LiveTopic 'lab:temp': live, has heard nothing for 12 s; lab:tmp carries data"
    assert temp.feed.status().reason == "has heard nothing for 12 s; lab:tmp carries data"


def test_dir_shows_what_is_ours(temp: LiveTopic) -> None:
    names = [name for name in dir(temp) if not name.startswith("_")]
    assert {"value", "on_message", "plot", "observe", "to_pandas"} <= set(names)
    assert "class_own_trait_events" not in names
    assert hasattr(temp, "class_own_trait_events")


def test_one_field_of_it(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", {"x": 1, "y": 2}, {"x": 3, "y": None})
    x, y = temp["x"], temp["y"]
    assert (x.value, y.value, temp["z"].value) == (3.0, 2.0, None)
    assert x.to_numpy().dtype.names == ("t", "x")
    assert x.feed is temp.feed
    assert (x.name, x.field) == ("lab:temp", "x")
    assert "'x' of LiveTopic 'lab:temp'" in repr(x)
    assert temp.fields == ("x", "y")
    with pytest.raises(TypeError, match="field"):
        temp[0]  # type: ignore[index]


def test_publish_goes_through_the_connection(temp: LiveTopic, link: FakeLink) -> None:
    temp.publish({"x": 1})
    assert link.published == [("lab:temp", {"x": 1})]


def test_closing_is_harmless_when_repeated_and_keeps_the_samples(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 1)
    with temp:
        pass
    temp.close()
    assert link.subscriptions == []
    assert temp.feed.newest.state is TopicState.CLOSED
    assert len(temp.to_numpy()) == 1
