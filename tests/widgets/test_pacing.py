"""The pump's decisions, with a passed-in clock: who gets what, when, and when nobody does."""

from __future__ import annotations

import pytest

from nbrealtime.widgets.audience import MOST_PAGES, Audience, View
from nbrealtime.widgets.pacing import TICK, Pacer


def view(name: str = "v", part: str = "p", page: str = "page", **options) -> View:
    return View(view=name, part=part, page=page, **options)


def run(pacer: Pacer, since: float, seconds: float, *, hearing: bool = True, dirty=("p",)) -> list[float]:
    """Ticks as the thread would, everything always dirty; returns when ``p`` was sent."""
    now, sent, news = since, [], dict.fromkeys(dirty, 60.0)
    while now < since + seconds:
        wait = pacer.wait(now, news)
        if wait is None:
            break
        now += max(wait, 1e-4)
        pacer.advance(now, hearing=hearing)
        plan = pacer.plan(now, news)
        if "p" in plan.frames or "p" in plan.snapshots:
            sent.append(now)
    return sent


@pytest.fixture
def pacer() -> Pacer:
    pacer = Pacer(Audience())
    pacer.advance(0.0, hearing=True)
    pacer.audience.hello(view())
    pacer.plan(0.0, {})
    return pacer


def test_without_a_view_nothing_ticks():
    assert Pacer(Audience()).wait(0.0, {"p": 60.0}) is None
    assert not Pacer(Audience()).plan(0.0, {"p": 60.0})


def test_a_hello_is_answered_at_once_and_only_once():
    pacer = Pacer(Audience())
    pacer.audience.hello(view())
    assert pacer.wait(5.0, {}) == 0
    assert [answer.view for answer in pacer.plan(5.0, {}).answers] == ["v"]
    assert pacer.plan(5.1, {}).answers == []


def test_ticks_lie_on_an_absolute_schedule_of_at_most_sixty_a_second(pacer):
    sent = run(pacer, 10.0, 1.0)
    assert 59 <= len(sent) <= 61
    for at in sent:
        assert abs(at / TICK - round(at / TICK)) < 0.02


def test_a_late_tick_does_not_push_the_next(pacer):
    assert pacer.plan(1.0, {"p": 60.0}).frames == ["p"]
    late = 1.0 + 1.4 * TICK
    assert pacer.plan(late, {"p": 60.0}).frames == ["p"]
    assert pacer.plan(1.0 + 2 * TICK, {"p": 60.0}).frames == ["p"]


def test_a_long_pause_is_not_made_up_for(pacer):
    pacer.plan(1.0, {"p": 60.0})
    pacer.plan(100.0, {"p": 60.0})
    burst = [n for n in range(10) if pacer.plan(100.0 + n * 1e-3, {"p": 60.0}).frames]
    assert len(burst) <= 2


def test_a_part_gets_as_many_frames_as_its_slowest_visible_view_can_draw(pacer):
    pacer.ack("page", [view(rate=10.0)])
    pacer.audience.hello(view("w", page="other"))
    assert pacer.audience.known().rates.get("p", 0) == 10
    assert 9 <= len(run(pacer, 10.0, 1.0)) <= 11


def test_a_part_can_ask_for_less(pacer):
    sent = [n for n in range(60) if pacer.plan(10 + n / 60, {"p": 4.0}).frames]
    assert 4 <= len(sent) <= 5


def test_a_hidden_view_gets_nothing_and_a_visible_one_beside_it_all(pacer):
    pacer.ack("page", [view(visible=False)])
    assert not pacer.plan(10.0, {"p": 60.0})
    pacer.audience.hello(view("w", page="other"))
    assert pacer.audience.known().rates.get("p", 0) == 60


def test_a_view_that_is_scrolled_away_gets_the_keep_alive_and_no_more(pacer):
    pacer.ack("page", [view(away=True)])
    sent = run(pacer, 10.0, 20.0)
    assert 9 <= len(sent) <= 11
    pacer.ack("page", [view()])
    assert len(run(pacer, 30.0, 1.0)) > 55, "back in sight it moves at once"


def test_who_looks_does_not_wait_for_a_view_that_is_scrolled_away_elsewhere(pacer):
    pacer.audience.hello(view("w", page="other", away=True))
    assert pacer.audience.known().rates.get("p", 0) == 60


def test_a_hidden_page_and_a_closed_one_get_nothing_for_an_hour_not_even_a_keep_alive(pacer):
    pacer.audience.beside("page")
    pacer.ack("page", [view(visible=False)])
    pacer.audience.hello(view("w", page="other"))
    pacer.audience.bye("w")
    now = 0.0
    while now < 3600:
        now += 1.0
        pacer.advance(now, hearing=True)
        assert pacer.wait(now, {"p": 60.0}) is None
        assert not pacer.plan(now, {"p": 60.0})


def test_a_page_that_went_slow_is_followed_within_one_acknowledgement_and_recovers(pacer):
    # As pace.ts reports of a browser twenty times slower: halved each second, then back up.
    sent = {}
    for second, rate in enumerate([60, 30, 15, 7.5, 7.5, 15, 30, 60], start=10):
        pacer.ack("page", [view(rate=rate)])
        sent[second] = len(run(pacer, float(second), 1.0))
    assert [abs(sent[10 + n] - rate) <= 1.5 for n, rate in enumerate([60, 30, 15, 7.5, 7.5, 15, 30, 60])]
    assert sent[13] <= 9


def test_the_rate_that_was_last_reported_stays_while_the_kernel_is_deaf(pacer):
    pacer.ack("page", [view(rate=20.0)])
    for second in range(10, 60):
        pacer.advance(float(second), hearing=False)
    assert pacer.audience.known().rates.get("p", 0) == 20


def test_while_the_kernel_is_deaf_a_view_that_was_scrolled_away_counts_as_in_sight(pacer):
    pacer.ack("page", [view(away=True)])
    assert len(run(pacer, 10.0, 2.0, hearing=False)) > 100
    assert len(run(pacer, 12.0, 4.0)) <= 3, "until the kernel hears again"


def test_while_the_kernel_is_deaf_a_hidden_page_is_sent_to_in_case_it_is_not_hidden_any_more(pacer):
    pacer.ack("page", [view(visible=False, width=1234)])
    assert pacer.wait(10.0, {"p": 60.0}) == 1.0, "nobody has asked yet whether the kernel hears"
    assert pacer.wait(10.0, {}) is None
    assert pacer.audience.suspicious()
    pacer.advance(10.0, hearing=False)
    assert pacer.audience.known().rates.get("p", 0) == 8
    assert pacer.audience.viewing("p").width == 1234
    for second in range(11, 120):
        pacer.advance(float(second), hearing=False)
    assert pacer.audience.known().rates.get("p", 0) == 1
    pacer.advance(120.0, hearing=True)
    assert pacer.audience.known().rates.get("p", 0) == 0
    pacer.advance(121.0, hearing=False)
    assert pacer.audience.known().rates.get("p", 0) == 8, "a later cell is another matter"


def test_a_part_that_nobody_sees_any_more_is_not_counted_on_to_wake_the_pump(pacer):
    pacer.plan(10.0, {"p": 60.0})
    pacer.wait(10.005, {"p": 60.0})
    pacer.plan(10.0 + TICK, {"p": 60.0})
    assert pacer.coming(10.02) == {"p"}
    pacer.ack("page", [view(visible=False)])
    assert pacer.wait(10.02, {}) is None
    assert pacer.coming(10.02) == set(), "its news has to: it would sleep on beside a kernel that is deaf"


def test_a_page_that_is_heard_beside_a_cell_is_never_taken_for_unheard(pacer):
    pacer.audience.beside("page")
    pacer.ack("page", [view(visible=False)])
    pacer.advance(10.0, hearing=False)
    assert pacer.audience.known().rates.get("p", 0) == 0
    assert not pacer.audience.suspicious()
    pacer.ack("page", [view()])
    pacer.plan(10.0, {})
    for tenths in range(100, 180):
        pacer.advance(tenths / 10, hearing=False)
        assert not pacer.plan(tenths / 10, {}).snapshots
    assert pacer.audience.known().rates.get("p", 0) == 8, "its silence means something, whatever runs"


def test_a_word_of_a_page_begins_its_patience_anew_while_the_kernel_is_deaf(pacer):
    for second in range(1, 89):
        pacer.advance(float(second), hearing=False)
    pacer.ack("page", [view()])
    for second in range(89, 170):
        pacer.advance(float(second), hearing=False)
    assert pacer.audience.known().rates.get("p", 0) == 60


def test_quiet_parts_are_sent_every_two_seconds_together():
    pacer = Pacer(Audience())
    for part in ("a", "b"):
        pacer.audience.hello(view(part, part))
    pacer.plan(0.0, {})
    pacer.plan(1.0, {"a": 60.0})
    plans = {round(n / 10, 1): pacer.plan(n / 10, {}).frames for n in range(11, 80)}
    assert [frames for frames in plans.values() if frames] == [["a", "b"]] * 3 or all(
        len(frames) in (0, 2) for at, frames in plans.items() if at > 3.1
    )


def test_the_keep_alive_is_waited_for_no_longer_than_until_it_is_due(pacer):
    pacer.plan(10.0, {"p": 60.0})
    assert pacer.wait(11.5, {}) == pytest.approx(0.5)
    assert pacer.wait(12.0, {}) == 0.0


def test_who_looks_after_a_while_in_which_nobody_did_gets_the_keep_alive_as_before(pacer):
    pacer.ack("page", [view(visible=False)])
    assert not pacer.plan(5.0, {})
    pacer.ack("page", [view()])
    assert 5 <= len(run(pacer, 6.0, 10.0, dirty=())) <= 6


def test_the_keep_alive_is_due_by_those_who_are_in_sight_now(pacer):
    pacer.audience.hello(view("w", part="q", page="other"))
    pacer.plan(10.0, {"q": 60.0})
    pacer.ack("other", [view("w", part="q", page="other", visible=False)])
    pacer.plan(11.5, {"p": 60.0})
    pacer.ack("other", [view("w", part="q", page="other")])
    assert not pacer.plan(11.9, {})
    assert pacer.plan(12.0, {}).frames == ["q"]


def test_a_page_that_fell_silent_is_slowed_then_crawls_then_is_forgotten(pacer):
    rates = {}
    for tenths in range(400):
        pacer.advance(tenths / 10, hearing=True)
        rates[tenths / 10] = pacer.audience.known().rates.get("p", 0)
    assert rates[6.0] == 60
    assert rates[8.0] == 8
    assert rates[15.0] == 1
    assert rates[35.0] == 0


def test_an_acknowledgement_restores_the_full_rate(pacer):
    for second in range(9):
        pacer.advance(float(second), hearing=True)
    assert pacer.audience.known().rates.get("p", 0) == 8
    pacer.ack("page", [view()])
    assert pacer.audience.known().rates.get("p", 0) == 60


def test_while_the_kernel_is_deaf_silence_means_nothing_for_a_minute_and_a_half(pacer):
    for second in range(1, 89):
        pacer.advance(float(second), hearing=False)
    assert pacer.audience.known().rates.get("p", 0) == 60
    for second in range(89, 400):
        pacer.advance(float(second), hearing=False)
    assert pacer.audience.known().rates.get("p", 0) == 8, (
        "it never stops while nobody can say that they are there"
    )


def test_while_the_kernel_is_deaf_everything_is_repeated_every_two_seconds_for_views_that_could_not_say_hello(
    pacer,
):
    snapshots = []
    for tenths in range(100):
        pacer.advance(tenths / 10, hearing=False)
        if pacer.plan(tenths / 10, {"p": 60.0}).snapshots:
            snapshots.append(tenths / 10)
    assert len(snapshots) == 5


def test_what_went_whole_to_everybody_needs_no_keep_alive_for_as_long(pacer):
    pacer.advance(1.0, hearing=False)
    assert pacer.plan(1.0, {}).snapshots == ["p"]
    assert not pacer.plan(2.5, {})
    assert pacer.plan(3.0, {}).snapshots == ["p"]


def test_what_goes_whole_to_everybody_does_not_go_as_news_beside_that(pacer):
    pacer.advance(1.0, hearing=False)
    plan = pacer.plan(1.0, {"p": 60.0})
    assert (plan.snapshots, plan.frames) == (["p"], [])


def test_an_expected_part_streams_before_its_view_was_heard():
    pacer = Pacer(Audience())
    pacer.expect("p")
    pacer.advance(0.0, hearing=False)
    assert pacer.plan(0.0, {"p": 60.0}).snapshots == ["p"]
    assert len(run(pacer, 1.0, 1.0, hearing=False)) > 50
    pacer.audience.hello(view())
    assert pacer.plan(3.0, {}).answers[0].view == "v"


def test_an_expected_part_that_nobody_shows_falls_silent_once_the_kernel_could_hear():
    pacer = Pacer(Audience())
    pacer.expect("p")
    for second in range(60):
        pacer.advance(float(second), hearing=False)
    assert pacer.audience.known().rates.get("p", 0) == 60
    for second in range(60, 75):
        pacer.advance(float(second), hearing=True)
    assert pacer.wait(75.0, {"p": 60.0}) is None


def test_a_view_that_was_forgotten_and_reports_again_gets_a_snapshot():
    pacer = Pacer(Audience())
    pacer.ack("page", [view()])
    assert [answer.view for answer in pacer.plan(0.0, {}).answers] == ["v"]


def test_the_widest_visible_view_decides_how_finely_a_part_is_sent(pacer):
    pacer.audience.hello(view("w", page="other", width=1400))
    pacer.audience.hello(view("x", page="third", width=2000, visible=False))
    assert pacer.audience.viewing("p").width == 1400


def test_a_part_that_left_and_a_view_that_said_goodbye_leave_nothing_behind(pacer):
    pacer.audience.bye("v")
    assert pacer.wait(1.0, {"p": 60.0}) is None
    pacer.audience.hello(view())
    pacer.forget("p")
    assert not pacer.plan(2.0, {"p": 60.0})


def test_a_part_that_comes_back_after_it_was_forgotten_begins_anew(pacer):
    pacer.plan(10.0, {"p": 1.0})
    pacer.wait(10.5, {"p": 1.0})
    pacer.plan(11.0, {"p": 1.0})
    assert pacer.coming(11.1) == {"p"}
    pacer.forget("p")
    pacer.audience.hello(view())
    assert pacer.plan(11.2, {"p": 1.0}).frames == ["p"], "it has no tick to wait for"
    assert pacer.coming(11.3) == set(), "its news may have been the only one"


def test_a_long_sleep_with_nobody_looking_is_no_silence_of_a_page_that_just_came():
    pacer = Pacer(Audience())
    pacer.advance(0.0, hearing=True)
    pacer.audience.hello(view())
    pacer.advance(3600.0, hearing=True)
    assert [answer.view for answer in pacer.plan(3600.0, {}).answers] == ["v"]
    assert pacer.audience.known().rates.get("p", 0) == 60


def test_hidden_pages_do_not_pile_up():
    pacer = Pacer(Audience())
    for n in range(3 * MOST_PAGES):
        pacer.ack(f"page{n}", [view(f"v{n}", page=f"page{n}", visible=False)])
    assert len(pacer.plan(0.0, {}).answers) == MOST_PAGES


def test_a_cell_that_computes_keeps_most_of_the_interpreter(pacer):
    now, sent, news = 10.0, 0, {"p": 60.0}
    while now < 12.0:
        now += max(pacer.wait(now, news) or 0.0, 1e-4)
        pacer.ack("page", [view()])
        pacer.advance(now, hearing=True, busy=True)
        sent += bool(pacer.plan(now, news).frames)
    assert 70 <= sent <= 73  # 36 a second, and none lost to a grid that does not fit


def test_beside_a_computing_cell_too_there_is_one_message_in_a_tick(pacer):
    pacer.audience.hello(view("w", part="q"))
    pacer.plan(9.0, {})
    at = 600 * TICK + 0.004
    pacer.advance(at, hearing=True, busy=True)
    pacer.plan(at, {"p": 60.0})
    assert pacer.wait(at + 0.001, {"q": 60.0}) == pytest.approx(TICK - 0.005, abs=1e-6)


def test_what_went_whole_to_everybody_is_the_one_message_of_its_tick(pacer):
    at = 600 * TICK + 0.004
    pacer.advance(at, hearing=False, busy=True)
    plan = pacer.plan(at, {})
    assert plan
    assert plan.snapshots == ["p"]
    assert pacer.wait(at + 0.001, {"p": 60.0}) == pytest.approx(TICK - 0.005, abs=1e-6)


def test_parts_of_one_rate_share_their_ticks_while_a_cell_computes(pacer):
    pacer.audience.hello(view("w", part="q"))
    pacer.plan(10.0, {"p": 60.0})
    pacer.plan(10.011, {"q": 60.0})
    pacer.advance(10.02, hearing=True, busy=True)
    for now in (10.03, 10.04):
        pacer.plan(now, {"p": 60.0, "q": 60.0})
    assert pacer.wait(10.05, {"p": 60.0}) == pytest.approx(pacer.wait(10.05, {"q": 60.0}))


def test_whose_news_was_there_by_its_tick_is_looked_after_without_being_woken(pacer):
    pacer.plan(10.0, {"p": 60.0})
    assert pacer.coming(10.001) == set(), "it may have been the only one"
    pacer.plan(10.0 + TICK, {"p": 60.0})
    assert pacer.coming(10.02) == {"p"}
    assert pacer.wait(10.02, {}) == pytest.approx(TICK, abs=TICK)
    # And once only: without news the tick finds nothing, and nothing wakes up for it again.
    pacer.plan(10.05, {})
    assert pacer.coming(10.05) == set()
    assert pacer.wait(10.05, {}) > 0.5


@pytest.mark.parametrize("busy", [False, True])
def test_news_that_waits_for_its_tick_lets_the_next_be_expected(pacer, busy):
    pacer.advance(10.0, hearing=True, busy=busy)
    pacer.plan(10.0, {"p": 4.0})
    assert pacer.wait(10.1, {"p": 4.0}) == pytest.approx(0.15)
    assert pacer.plan(10.25, {"p": 4.0}).frames == ["p"]
    assert pacer.coming(10.3) == {"p"}
    assert pacer.wait(10.3, {}) == pytest.approx(0.2)


def test_that_news_waited_once_says_nothing_of_what_comes_after_a_pause(pacer):
    pacer.plan(10.0, {"p": 4.0})
    pacer.wait(10.1, {"p": 4.0})
    pacer.plan(10.25, {"p": 4.0})
    pacer.plan(10.5, {})
    assert pacer.plan(11.0, {"p": 4.0}).frames == ["p"]
    assert pacer.coming(11.1) == set()


def test_beside_a_computing_cell_what_comes_after_the_ticks_is_waited_for(pacer):
    # To wake up for its ticks would find nothing, and then be woken by the news as well.
    pacer.advance(10.0, hearing=True, busy=True)
    for n in range(10):
        at = 10.001 + n / 33
        assert pacer.wait(at, {"p": 60.0}) == 0
        assert pacer.plan(at, {"p": 60.0}).frames == ["p"]
        assert pacer.coming(at) == set()


def test_a_fast_stream_keeps_to_the_ticks(pacer):
    at = 600 * TICK
    for n in range(10):
        came = at + n * 1.2 * TICK
        tick = came + pacer.wait(came, {"p": 60.0})
        assert n == 0 or abs(tick / TICK - round(tick / TICK)) < 0.01
        assert pacer.plan(tick, {"p": 60.0}).frames == ["p"]
    assert pacer.coming(tick) == {"p"}


def test_what_comes_less_often_than_ticks_do_is_waited_for(pacer):
    for n in range(10):
        at = 10.0 + n / 20
        assert pacer.wait(at, {"p": 60.0}) == 0, "its tick is free: it goes at once"
        assert pacer.plan(at, {"p": 60.0}).frames == ["p"]
        assert pacer.coming(at) == set()


def test_news_goes_at_once_but_only_one_message_in_a_tick(pacer):
    at = 600 * TICK + 0.004
    assert pacer.wait(at, {"p": 60.0}) == 0
    pacer.plan(at, {"p": 60.0})
    assert pacer.wait(at + 0.001, {"p": 60.0}) == pytest.approx(TICK - 0.005, abs=1e-6)


def test_news_of_one_part_waits_for_those_of_the_others_until_the_tick_ends(pacer):
    pacer.audience.hello(view("w", part="q"))
    pacer.plan(9.0, {})
    at = 600 * TICK + 0.004
    assert pacer.wait(at, {"p": 60.0}) == pytest.approx(TICK - 0.004, abs=1e-6)
    assert pacer.wait(at, {"p": 60.0, "q": 60.0}) == 0
    pacer.plan(at, {"p": 60.0})
    assert pacer.wait(at + 0.001, {"q": 60.0}) == pytest.approx(TICK - 0.005, abs=1e-6)
