"""The decision of an alert, for one series: exact times, no clock."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbrealtime.live.alerts.rule import AlertState, Condition, Rule, Step

NAN = math.nan
START = 1_790_000_000.0


def play(condition: Condition, *samples: tuple[float, float]) -> list[tuple[bool, float]]:
    """Feed (seconds after START, value) pairs; return whether it fired, and when."""
    steps = condition.judge(
        np.array([START + time for time, _ in samples]), np.array([value for _, value in samples])
    )
    return [(step.fired, round(step.time - START, 6)) for step in steps]


def test_it_fires_with_the_first_number_beyond_and_clears_with_the_first_one_that_is_not() -> None:
    condition = Condition(Rule(above=30))
    assert play(condition, (0, 29), (1, 30), (2, 30.5), (3, 31), (4, 30)) == [(True, 2), (False, 4)]
    assert (condition.state, condition.count, condition.value) == (AlertState.OK, 1, 30)


def test_outside_of_two_thresholds_is_one_condition() -> None:
    condition = Condition(Rule(above=30, below=10))
    assert play(condition, (0, 20), (1, 9), (2, 31)) == [(True, 1)]
    assert condition.reason == "above"
    assert play(condition, (3, 10)) == [(False, 3)]


def test_for_so_long_means_without_interruption_by_the_samples_times() -> None:
    condition = Condition(Rule(above=30, hold=10))
    assert play(condition, (0, 31), (9.9, 31)) == []
    assert condition.state is AlertState.PENDING
    assert play(condition, (9.95, 30), (10, 31), (19.9, 31), (20, 31)) == [(True, 20)]
    assert condition.began == START + 10


def test_hysteresis_holds_what_fires_and_not_what_waits_to_fire() -> None:
    condition = Condition(Rule(above=30, hysteresis=2, hold=5))
    assert play(condition, (0, 31), (4, 29), (5, 31)) == []
    assert play(condition, (10, 31), (11, 29), (12, 28.1), (13, 28)) == [(True, 10), (False, 13)]


def test_a_gap_neither_fires_nor_clears_and_interrupts_what_waits() -> None:
    condition = Condition(Rule(above=30, hold=5))
    assert play(condition, (0, 31), (3, NAN), (6, 31)) == []
    assert play(condition, (11, 31)) == [(True, 11)]
    assert play(condition, (12, NAN), (13, NAN)) == []
    assert condition.state is AlertState.FIRING
    assert condition.value == 31


def test_missing_messages_interrupt_what_waits_only() -> None:
    condition = Condition(Rule(above=30, hold=5))
    play(condition, (0, 31))
    condition.interrupt()
    assert condition.state is AlertState.OK
    assert play(condition, (6, 31), (11, 31)) == [(True, 11)]
    condition.interrupt()
    assert condition.state is AlertState.FIRING


def test_a_pause_neither_fires_nor_clears_and_counts_as_what_was_before_it() -> None:
    condition = Condition(Rule(above=30, hold=10))
    play(condition, (0, 31))
    assert play(condition, (3600, 31)) == [(True, 3600)]
    assert play(condition, (9999, 31)) == []


def test_a_pause_that_is_longer_than_allowed_starts_anew_what_waits() -> None:
    condition = Condition(Rule(above=30, hold=10, stale=5))
    assert play(condition, (0, 31), (4, 31), (10, 31), (15, 31)) == []
    assert play(condition, (20, 31)) == [(True, 20)]


def test_silence_is_an_alarm_that_the_next_number_ends() -> None:
    condition = Condition(Rule(above=30, stale=5))
    play(condition, (0, 20))
    step = condition.silent(START + 100)
    assert step == Step(fired=True, time=START + 5, value=20, reason="stale", began=START)
    assert condition.silent(START + 101) is None
    assert play(condition, (60, NAN)) == []
    assert play(condition, (61, 20)) == [(False, 61)]
    assert condition.silent(START + 200) is not None
    # What comes back beyond the threshold ends the one alarm and is another.
    assert play(condition, (90, 31)) == [(False, 90), (True, 90)]
    assert condition.reason == "above"
    assert condition.silent(START + 300) is None


def test_silence_from_the_beginning_has_the_clock_s_time() -> None:
    condition = Condition(Rule(stale=5))
    step = condition.silent(START)
    assert step is not None
    assert (step.time, step.value) == (START, None)


def test_a_late_sample_is_judged_as_of_the_newest() -> None:
    condition = Condition(Rule(above=30))
    assert play(condition, (10, 20), (9.5, 31)) == [(True, 10)]
    condition = Condition(Rule(above=30, hold=5))
    assert play(condition, (0, 31), (4, 31), (3.5, 20), (5, 31)) == []
    assert play(condition, (10, 31)) == [(True, 10)]


def test_a_sample_that_the_ring_would_leave_out_is_left_out() -> None:
    condition = Condition(Rule(above=30))
    assert play(condition, (10, 20), (8.9, 31), (NAN, 31)) == []
    condition.restart()
    assert play(condition, (1, 31)) == [(True, 1)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "needs above="),
        ({"above": 10, "below": 10}, "not less than"),
        ({"above": 20, "below": 10, "hysteresis": 6}, "leaves nothing between"),
        ({"above": NAN}, "finite"),
        ({"above": 1, "hysteresis": -1}, "0 or more"),
    ],
)
def test_a_rule_that_could_never_clear_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Rule(**options)


# Against a model that looks at all samples so far each time, in integers of a quarter second.

_values = st.sampled_from([8.0, 9.0, 10.0, 11.0, 15.0, 27.0, 28.0, 29.0, 30.0, 31.0, NAN])
_samples = st.lists(st.tuples(st.integers(-6, 12), _values), min_size=1, max_size=120)
_rules = st.builds(
    Rule,
    above=st.just(29.5),
    below=st.sampled_from([None, 9.5]),
    hold=st.sampled_from([0.0, 0.25, 1.0, 2.5]),
    hysteresis=st.sampled_from([0.0, 1.0, 2.0]),
    stale=st.sampled_from([None, 1.0, 2.0]),
)


def model(rule: Rule, samples: list[tuple[float, float]]) -> list[tuple[bool, float]]:
    seen: list[tuple[float, float]] = []  # (effective time, value), every usable one
    firing, told = False, []
    for time, value in samples:
        newest = max((t for t, _ in seen), default=-math.inf)
        if time < newest - 1.0:
            continue
        time = max(time, newest)
        seen.append((time, value))
        outside = [
            not math.isnan(v)
            and ((rule.above is not None and v > rule.above) or (rule.below is not None and v < rule.below))
            for _, v in seen
        ]
        if firing:
            inner = (rule.above is None or value <= rule.above - rule.hysteresis) and (
                rule.below is None or value >= rule.below + rule.hysteresis
            )
            if not math.isnan(value) and inner:
                firing = False
                told.append((False, time))
            continue
        # Walk back as long as it held.
        start = len(seen)
        while start and outside[start - 1]:
            if (
                start < len(seen)
                and rule.stale is not None
                and seen[start][0] - seen[start - 1][0] > rule.stale
            ):
                break
            start -= 1
        # Nothing before it cleared counts: clearing itself is not outside, so the walk ends there.
        if start < len(seen) and time - seen[start][0] >= rule.hold:
            firing = True
            told.append((True, time))
    return told


@settings(max_examples=300)
@given(rule=_rules, moves=_samples, data=st.data())
def test_it_decides_as_the_model_does_however_the_samples_are_cut_into_blocks(
    rule: Rule, moves: list[tuple[int, float]], data: st.DataObject
) -> None:
    time, samples = 0, []
    for move, value in moves:
        time += move
        samples.append((START + time / 4, value))
    condition, got, at = Condition(rule), [], 0
    while at < len(samples):
        size = data.draw(st.sampled_from([1, 5, 17, 60, 120]))
        block = samples[at : at + size]
        steps = condition.judge(np.array([t for t, _ in block]), np.array([v for _, v in block]))
        got += [(step.fired, step.time) for step in steps]
        at += size
    assert got == model(rule, samples)
    firing = bool(got) and got[-1][0]
    assert (condition.state is AlertState.FIRING) is firing
