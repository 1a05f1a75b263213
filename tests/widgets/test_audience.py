"""Who looks: what is worked out once must never be older than what it follows from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.widgets.audience import (
    BUSY_RATE,
    CRAWL,
    DEAF_SLOW_AFTER,
    DEFAULT_WIDTH,
    EXPECT,
    MOST_PAGES,
    QUIET,
    SLOW,
    Audience,
    View,
    Viewing,
)
from nbrealtime.widgets.hearing import DEAF_SECONDS, EAR_SECONDS
from nbrealtime.widgets.pump import ACCOUNT

PARTS = ("a", "b")


class Forgetful(Audience):
    """The same, but for what it has worked out: it does that anew for every question."""

    def known(self):
        self._known = None
        return super().known()


def answers(audience: Audience):
    return (
        audience.known().watched,
        audience.known().unheard,
        [audience.known().rates.get(part, 0) for part in PARTS],
        [audience.viewing(part) for part in PARTS],
    )


views = st.builds(
    View,
    view=st.sampled_from(["1", "2", "3"]),
    part=st.sampled_from(PARTS),
    page=st.sampled_from(["p", "q"]),
    width=st.integers(100, 900),
    visible=st.booleans(),
    away=st.booleans(),
    rate=st.floats(1, 60),
)
steps = st.one_of(
    st.tuples(st.just("expect"), st.sampled_from(PARTS)),
    st.tuples(st.just("hello"), views),
    st.tuples(st.just("ack"), st.lists(views, max_size=2)),
    st.tuples(st.just("beside"), st.sampled_from(["p", "q"])),
    st.tuples(st.just("bye"), st.sampled_from(["1", "2", "3"])),
    st.tuples(st.just("forget"), st.sampled_from(PARTS)),
    st.tuples(st.just("advance"), st.floats(0, 100), st.booleans(), st.booleans()),
)


def take(audience: Audience, step) -> None:
    kind, *what = step
    if kind == "advance":
        seconds, hearing, busy = what
        audience.advance(seconds, hearing=hearing, busy=busy)
    elif kind == "hello":
        audience.hello(copy(what[0]))
    elif kind == "ack":
        # A page tells of its own views; a view stays on its page.
        audience.ack("p", [copy(view, page="p") for view in what[0]])
    else:
        getattr(audience, kind)(*what)


def copy(view: View, page: str | None = None) -> View:
    # Which page a view is on is told by its name, so that none moves.
    page = page or ("p" if view.view == "1" else "q")
    name = view.view if page == "q" else f"{view.view}p"
    return View(name, view.part, page, view.width, view.visible, view.away, view.rate)


@given(st.lists(steps, max_size=30))
def test_what_is_remembered_is_what_would_be_found_now(history):
    remembers, forgets = Audience(), Forgetful()
    for step in history:
        for audience in (remembers, forgets):
            take(audience, step)
        assert answers(remembers) == answers(forgets)
        assert remembers.suspicious() == forgets.suspicious()


@pytest.fixture
def audience() -> Audience:
    return Audience()


def test_nobody_looks_at_what_no_view_shows(audience):
    assert audience.known().watched == frozenset()
    assert audience.known().rates.get("a", 0) == 0
    assert audience.viewing("a") == Viewing(DEFAULT_WIDTH)


def test_the_slowest_that_looks_decides_how_often_and_the_widest_how_finely(audience):
    audience.hello(View("1", "a", "p", width=300, rate=40.0))
    audience.hello(View("2", "a", "q", width=900, rate=20.0))
    assert audience.known().rates.get("a", 0) == 20
    assert audience.viewing("a") == Viewing(900)
    audience.bye("2")
    assert audience.known().rates.get("a", 0) == 40
    assert audience.viewing("a") == Viewing(300)


def test_a_page_that_says_nothing_is_sent_less_and_is_forgotten(audience):
    audience.hello(View("1", "a", "p"))
    rates = []
    for _ in range(31):
        audience.advance(1.0, hearing=True, busy=False)
        rates.append(audience.known().rates.get("a", 0))
    assert rates == [60.0] * 6 + [SLOW] * 4 + [CRAWL] * 20 + [0.0]
    assert audience.known().watched == frozenset()


def test_a_cell_that_begins_when_a_page_was_quiet_slows_nothing_down(audience):
    # Until its next word; then the kernel's loop answers nothing, which shows no sooner.
    unsuspected = QUIET + EAR_SECONDS + DEAF_SECONDS + 2 * ACCOUNT
    audience.hello(View("1", "a", "p"))
    audience.advance(unsuspected, hearing=True, busy=False)
    for _ in range(60):
        audience.advance(1.0, hearing=False, busy=False)
        assert audience.known().rates["a"] == 60.0


def test_a_page_owes_no_word_once_its_last_visible_view_is_gone(audience):
    audience.hello(View("1", "a", "p"))
    audience.hello(View("2", "b", "p", visible=False))
    audience.advance(1.0, hearing=True, busy=False)
    audience.bye("1")
    for _ in range(40):
        audience.advance(1.0, hearing=True, busy=False)
    assert audience.viewing("b") == Viewing(800)
    assert audience.ack("p", [View("2", "b", "p")]) == ["b"]


def test_a_hidden_view_that_cannot_be_heard_gets_less_after_a_while(audience):
    audience.hello(View("1", "a", "p", visible=False))
    audience.advance(DEAF_SLOW_AFTER, hearing=False, busy=False)
    assert audience.known().rates.get("a", 0) == SLOW
    audience.advance(1.0, hearing=False, busy=False)
    assert audience.known().rates.get("a", 0) == CRAWL


def test_beside_a_cell_that_computes_nobody_gets_more_than_is_seen(audience):
    audience.hello(View("1", "a", "p"))
    audience.advance(0.1, hearing=True, busy=True)
    assert audience.known().rates.get("a", 0) == BUSY_RATE
    audience.advance(0.1, hearing=True, busy=False)
    assert audience.known().rates.get("a", 0) == 60


def test_what_is_shown_is_expected_until_a_view_comes_or_long_enough_none_did(audience):
    assert audience.expect("a")
    assert (audience.known().watched, audience.known().unheard, audience.known().rates.get("a", 0)) == (
        {"a"},
        {"a"},
        60,
    )
    audience.hello(View("1", "a", "p"))
    assert (audience.known().watched, audience.known().unheard) == ({"a"}, set())
    assert not audience.expect("a")
    assert audience.expect("b")
    audience.advance(EXPECT + 0.1, hearing=True, busy=False)
    assert audience.known().watched == {"a"}


def test_who_comes_back_into_sight_is_told_of_once(audience):
    audience.hello(View("1", "a", "p", away=True))
    assert audience.ack("p", [View("1", "a", "p")]) == ["a"]
    assert audience.ack("p", [View("1", "a", "p", visible=False)]) == []
    assert audience.ack("p", [View("1", "a", "p")]) == ["a"]
    assert audience.ack("p", [View("1", "a", "p")]) == []


def test_a_new_view_waits_for_its_answer_and_gets_it_once(audience):
    assert not audience.known().has_new
    audience.ack("p", [View("1", "a", "p")])
    audience.hello(View("2", "b", "p"))
    assert audience.known().has_new
    assert [view.view for view in audience.take_new()] == ["1", "2"]
    assert not audience.known().has_new
    audience.hello(View("2", "b", "p"))
    audience.bye("2")
    assert audience.take_new() == []


def test_of_too_many_pages_the_one_that_spoke_longest_ago_goes(audience):
    for number in range(MOST_PAGES + 1):
        audience.hello(View(f"v{number}", "a" if number == 0 else "b", f"p{number}"))
    assert audience.known().watched == {"b"}


def test_hidden_views_may_be_looked_at_again_without_our_hearing_of_it(audience):
    audience.hello(View("1", "a", "p", visible=False))
    assert audience.doubts({"a": 60.0})
    assert not audience.doubts({"b": 60.0})
    audience.beside("p")
    assert not audience.doubts({"a": 60.0})
