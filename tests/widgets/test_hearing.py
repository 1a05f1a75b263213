"""Whether a kernel hears, and what is made of what browsers say."""

from __future__ import annotations

import math

import pytest

from nbrealtime.widgets import hearing
from nbrealtime.widgets.hearing import DEAF_SECONDS, EAR_SECONDS, Ear, pertinent, view_of


class Loop:
    """A kernel's loop that runs what it was asked when the test says so."""

    def __init__(self):
        self.asked = []
        self.closed = False

    def is_closed(self):
        return self.closed

    def call_soon_threadsafe(self, call):
        if self.closed:
            raise RuntimeError("closed")
        self.asked.append(call)

    def run(self):
        asked, self.asked = self.asked, []
        for call in asked:
            call()


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(hearing, "time", made)
    return made


@pytest.fixture
def loop(monkeypatch):
    made = Loop()
    monkeypatch.setattr(hearing, "_kernel_loop", lambda: made)
    return made


@pytest.fixture
def ear(clock, loop):
    return Ear()


def test_a_kernel_that_answers_hears(ear, clock, loop):
    for _ in range(20):
        clock.now += EAR_SECONDS
        assert ear.hearing(clock.now, ask=True)
        loop.run()


def test_a_kernel_that_lets_the_question_wait_is_deaf_until_it_answers(ear, clock, loop):
    clock.now += EAR_SECONDS
    assert ear.hearing(clock.now, ask=True)
    clock.now += DEAF_SECONDS - 0.01
    assert ear.hearing(clock.now, ask=True)
    clock.now += 0.02
    assert not ear.hearing(clock.now, ask=True)
    assert not ear.hearing(clock.now, ask=False), "whether it is asked or not"
    assert len(loop.asked) == 1, "one question at a time"
    loop.run()
    assert ear.hearing(clock.now, ask=True)


def test_a_browsers_word_says_that_it_hears(ear, clock):
    clock.now += EAR_SECONDS
    ear.hearing(clock.now, ask=True)
    clock.now += DEAF_SECONDS
    ear.heard()
    assert ear.hearing(clock.now, ask=True)


def test_nothing_is_asked_while_it_does_not_matter_or_was_just_answered(ear, clock, loop):
    clock.now += 100
    assert ear.hearing(clock.now, ask=False)
    assert loop.asked == []
    ear.hearing(clock.now, ask=True)
    loop.run()
    clock.now += EAR_SECONDS / 2
    ear.hearing(clock.now, ask=True)
    assert loop.asked == []


def test_a_kernel_that_ends_and_a_process_without_one_are_not_deaf(ear, clock, loop, monkeypatch):
    loop.closed = True
    clock.now += 100
    assert ear.hearing(clock.now, ask=True)
    monkeypatch.setattr(loop, "is_closed", lambda: False)
    assert ear.hearing(clock.now, ask=True), "it closed between the two looks"
    monkeypatch.setattr(hearing, "_kernel_loop", lambda: None)
    assert Ear().hearing(clock.now + 100, ask=True)


def test_of_a_views_questions_the_newest_counts_and_the_order_stays():
    def question(view, number):
        return "word", {"type": "range", "part": "p", "view": view, "request": number}

    hello = ("word", {"type": "hello", "view": "a"})
    words = [question("a", 1), hello, question("b", 1), question("a", 2), ("leave", "p"), hello]
    assert pertinent(words) == [hello, question("b", 1), question("a", 2), ("leave", "p"), hello]


def test_a_view_is_taken_within_bounds():
    least = view_of({"view": 1, "part": "p", "width": -5, "rate": 0}, 7)
    assert (least.view, least.page, least.width, least.rate) == ("1", "7", 1, 0.5)
    most = view_of({"view": "v", "part": "p", "width": 10**9, "rate": 10**9}, "page")
    assert (most.width, most.rate) == (16384, 60.0)
    plain = view_of({"view": "v", "part": "p"}, "page")
    assert plain.visible
    assert not plain.away


@pytest.mark.parametrize("content", [{}, {"view": "v"}, {"view": "v", "part": "p", "width": "wide"}])
def test_what_is_no_view_is_a_fault(content):
    with pytest.raises((KeyError, TypeError, ValueError)):
        view_of(content, "page")


def test_a_rate_that_is_no_number_is_within_bounds_too():
    assert 0.5 <= view_of({"view": "v", "part": "p", "rate": math.nan}, "page").rate <= 60.0
