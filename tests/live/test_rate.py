"""Messages per second, fast and slow, and what has stopped."""

from __future__ import annotations

import pytest

from nbrealtime.live.rate import Rate


def rate_of(times: list[float], now: float) -> float:
    rate = Rate()
    for time in times:
        rate.add(1, time)
    return rate.at(now)


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
