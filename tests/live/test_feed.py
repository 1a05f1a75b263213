"""What the client thread fills and everybody reads."""

from __future__ import annotations

from typing import Any

import pytest

from nbrealtime.client import Message
from nbrealtime.live.feed import SILENT_SECONDS, Feed

from .fakes import NOW


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feed(clock: Clock) -> Feed:
    return Feed("lab:temp", clock=clock)


def say(feed: Feed, *data: Any, at: float = NOW) -> None:
    feed.received([Message("lab:temp", value, at + step) for step, value in enumerate(data)])


def test_a_status_tells_what_a_view_shows(feed: Feed, clock: Clock) -> None:
    feed.subscribed(3)
    say(feed, 1, 2.5)
    status = feed.status()
    assert (status.name, status.state, status.count, status.value) == ("lab:temp", "live", 2, 2.5)
    assert (status.timestamp, status.presence_count, status.numeric, status.reason) == (NOW + 1, 3, True, "")
    clock.now += 7
    assert feed.age == 7


def test_a_topic_is_untroubled_while_its_status_has_nothing_to_say_but_how_much_came(feed: Feed) -> None:
    def tells() -> bool:
        status = feed.status()
        return status.state != "live" or not status.count or bool(status.reason)

    def check(count: int | None) -> None:
        assert feed.untroubled == count
        assert tells() is (count is None)

    check(None)  # it waits for the server's word
    feed.subscribed(1)
    check(None)  # nothing came
    say(feed, 1, 2)
    check(2)
    feed.pause()
    say(feed, 3)
    check(3)
    say(feed, "a text")
    check(None)
    say(feed, 4)
    check(5)
    feed.refused("forbidden", "not allowed to subscribe")
    check(None)
    feed.closed()
    check(None)


def test_what_is_paused_or_closed_is_not_handed_out(feed: Feed) -> None:
    assert feed.flows
    feed.pause()
    assert not feed.flows
    feed.resume()
    assert feed.flows
    feed.closed()
    assert not feed.flows


def test_a_watcher_hears_that_something_changed_until_it_leaves(feed: Feed) -> None:
    heard: list[str] = []
    unwatch = feed.watch(lambda: heard.append("changed"))
    say(feed, 1)
    feed.presence(2)
    feed.pause()
    feed.resume()
    feed.clear()
    assert (len(heard), feed.watched) == (5, True)
    unwatch()
    unwatch()
    say(feed, 1)
    assert (len(heard), feed.watched) == (5, False)


def test_when_it_is_told_a_watcher_already_sees_the_samples(feed: Feed) -> None:
    seen: list[tuple[int, int]] = []
    feed.watch(lambda: seen.append((feed.ring.written, feed.status().count)))
    say(feed, 1, 2, 3)
    assert seen == [(3, 3)]


def test_a_tap_gets_the_messages_and_an_empty_batch_for_a_change(feed: Feed) -> None:
    batches: list[list[Any]] = []
    untap = feed.tap(lambda messages: batches.append([message.data for message in messages]))
    say(feed, 1, 2)
    feed.offline()
    untap()
    say(feed, 3)
    assert batches == [[1, 2], []]


def test_a_text_is_a_value_and_no_sample(feed: Feed) -> None:
    say(feed, "hot")
    assert (feed.status().value, feed.status().numeric, feed.status().reason) == (
        "hot",
        False,
        "carries text",
    )
    assert len(feed.ring) == 0


def test_pausing_holds_the_record_and_not_the_state(feed: Feed) -> None:
    feed.subscribed(1)
    say(feed, 1)
    feed.pause()
    say(feed, 2, 3)
    feed.offline()
    assert (feed.record.count, feed.record.state.value, feed.newest.count) == (1, "offline", 3)
    status = feed.status()
    assert (status.value, status.count, status.pending, status.paused) == (1, 3, 2, True)
    feed.resume()
    assert (feed.record.count, feed.status().pending) == (3, 0)


def test_nothing_changes_a_closed_feed(feed: Feed) -> None:
    feed.closed()
    say(feed, 1)
    feed.subscribed(2)
    feed.refused("forbidden", "no")
    feed.offline()
    assert (feed.newest.state.value, feed.newest.count, feed.newest.error) == ("closed", 0, None)


def test_silence_is_told_after_a_while_and_with_a_hint(feed: Feed, clock: Clock) -> None:
    feed.subscribed(1)
    clock.now += SILENT_SECONDS - 0.1
    assert (feed.silent, feed.status().reason) == (None, "")
    clock.now += 0.1
    assert feed.status().reason == "has heard nothing for 10 s"
    feed.hint = lambda: "lab:tmp carries data"
    assert feed.status().reason == "has heard nothing for 10 s; lab:tmp carries data"
    say(feed, 1)
    assert feed.status().reason == ""


def test_a_refusal_is_the_reason_and_stays_the_last_error(feed: Feed) -> None:
    feed.refused("forbidden", "not allowed to subscribe")
    assert feed.status().reason == "not allowed to subscribe"
    feed.subscribed(1)
    assert (feed.status().reason, feed.newest.state.value, feed.newest.error) == (
        "",
        "live",
        "not allowed to subscribe",
    )


def test_samples_too_late_are_counted_as_dropped(feed: Feed) -> None:
    say(feed, 1, at=NOW)
    say(feed, 2, at=NOW - 60)
    assert (feed.dropped, feed.newest.count) == (1, 2)


@pytest.mark.parametrize("far", [1e308, -1e308, 1e18, -1e18, 1.79e12])
@pytest.mark.parametrize("first", [True, False])
def test_a_time_that_cannot_be_one_spoils_nothing_that_comes_before_or_after(far: float, first: bool) -> None:
    feed = Feed("lab:temp")
    bad = [Message("lab:temp", {"t": far, "x": 7}, NOW), Message("lab:temp", {"x": 8}, NOW, time=far)]
    sane = [Message("lab:temp", {"t": NOW + at, "x": at}, NOW + at) for at in range(10)]
    for message in [*bad, *sane] if first else [*sane[:5], *bad, *sane[5:]]:
        feed.received([message])
        if message is bad[-1]:
            # Everybody else is told the message, and everybody why it is not drawn.
            assert feed.status().value == {"x": 8}
            assert "carries a time outside of the years" in feed.status().reason
    assert feed.ring.snapshot()[0].tolist() == [NOW + at for at in range(10)]
    assert feed.ring.extent == (NOW, NOW + 9)
    assert (feed.dropped, feed.numeric, feed.status().reason) == (2, True, "")
    assert [message for message in feed.heard().messages if message in bad] == bad
