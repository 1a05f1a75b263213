"""Messages per second, fast and slow, and what has stopped."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nbrealtime.live.rate import Rate


def rate_of(times: list[float], now: float) -> float:
    rate = Rate()
    for time in times:
        rate.add(1, time)
    return rate.at(now)


@example([1] * 30, 0)
@given(
    st.lists(st.integers(0, 6) | st.integers(0, 80), min_size=1, max_size=60),
    st.integers(0, 30) | st.integers(0, 280),
)
def test_it_is_the_messages_of_five_seconds_or_of_a_minute(pauses: list[int], later: int) -> None:
    # Pauses in quarters of a second: each time has an entry of its own.
    times = [step / 4 for step in accumulate(pauses)]
    now = times[-1] + later / 4
    known = max(1.0, now - times[0])
    recent, older = (sum(now - time < window for time in times) for window in (5, 60))
    slow = min(older / min(60, known), 1 / max(now - times[-1], 0.25))
    assert rate_of(times, now) == (recent / min(5, known) if recent >= 5 else slow)


def test_no_message_no_rate() -> None:
    assert Rate().at(5.0) == 0.0


@pytest.mark.parametrize("hz", [0.1, 1, 20, 1000])
def test_a_steady_stream_has_its_rate(hz: float) -> None:
    seconds = max(10.0, 10 / hz)
    times = [step / hz for step in range(int(seconds * hz))]
    assert rate_of(times, times[-1] + 0.5 / hz) == pytest.approx(hz, rel=0.25)


def test_one_message_is_not_a_fast_stream() -> None:
    assert rate_of([0.0], 0.001) <= 1


def test_a_stream_that_stopped_falls_at_once() -> None:
    times = [step / 100 for step in range(1000)]
    assert rate_of(times, 10.0) == pytest.approx(100, rel=0.1)
    assert rate_of(times, 16.0) < 0.2
    assert rate_of(times, 100.0) == 0
