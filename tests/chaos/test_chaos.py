"""A short run of `benchmarks.chaos`: what was acknowledged arrives once and in order, whatever is done to it."""

from __future__ import annotations

import pytest

from benchmarks import chaos


@pytest.mark.timeout(180)
def test_nothing_is_lost_nothing_comes_twice_and_nothing_out_of_order() -> None:
    result = chaos.run(8.0, seed=3, publishers=3, subscribers=2, rate=60.0, kill_every=3.0)
    print(result)
    assert result.good, str(result)
    # It was a storm, and there was something to lose in it.
    assert result.kills >= 1
    assert sum(result.faults.values()) >= 20
    assert result.acknowledged >= 100
    assert result.delivered >= 5 * result.acknowledged
