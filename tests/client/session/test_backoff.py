"""The schedule of attempts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.client.session.backoff import (
    PATIENCE,
    SLOW_SECONDS,
    STABLE_SECONDS,
    Backoff,
    delay_after,
)


def test_the_bound_doubles_up_to_half_a_minute() -> None:
    bounds = [delay_after(failures, lambda: 1.0) for failures in range(1, PATIENCE + 3)]
    assert bounds == [1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30]


@given(st.integers(1, PATIENCE - 1), st.floats(0, 1, exclude_max=True))
def test_the_jitter_is_full(failures: int, chance: float) -> None:
    assert delay_after(failures, lambda: chance) == chance * delay_after(failures, lambda: 1.0)


def test_after_ten_failures_the_rhythm_is_slow_and_steady() -> None:
    assert delay_after(PATIENCE, lambda: 0.0) == SLOW_SECONDS
    assert delay_after(10**6, lambda: 0.0) == SLOW_SECONDS


def test_a_row_of_failures_ends_with_a_connection_that_lasted() -> None:
    backoff = Backoff(lambda: 1.0)
    backoff.fail(0.0, refused=False)
    backoff.connected(10.0)
    backoff.ended(10.0 + STABLE_SECONDS - 0.1)
    assert backoff.failures == 1
    backoff.ended(10.0 + STABLE_SECONDS)
    assert backoff.failures == 0


def test_a_refusal_is_not_tried_again_within_a_second() -> None:
    backoff = Backoff(lambda: 0.0)
    backoff.fail(5.0, refused=True)
    assert backoff.due == 5.0 + SLOW_SECONDS


def test_hurrying_means_nothing_while_no_attempt_is_due() -> None:
    backoff = Backoff(lambda: 1.0)
    backoff.hurry(3.0)
    assert backoff.due is None
    backoff.fail(3.0, refused=False)
    backoff.hurry(3.5)
    assert (backoff.due, backoff.failures) == (3.5, 0)
