"""The schedule of attempts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.client.session.backoff import PATIENCE, SLOW_SECONDS, delay_after


def test_the_bound_doubles_up_to_half_a_minute() -> None:
    bounds = [delay_after(failures, lambda: 1.0) for failures in range(1, PATIENCE + 3)]
    assert bounds == [1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30]


@given(st.integers(1, PATIENCE - 1), st.floats(0, 1, exclude_max=True))
def test_the_jitter_is_full(failures: int, chance: float) -> None:
    assert delay_after(failures, lambda: chance) == chance * delay_after(failures, lambda: 1.0)


def test_after_ten_failures_the_rhythm_is_slow_and_steady() -> None:
    assert delay_after(PATIENCE, lambda: 0.0) == SLOW_SECONDS
    assert delay_after(10**6, lambda: 0.0) == SLOW_SECONDS
