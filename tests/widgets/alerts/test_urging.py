"""However many alerts flap, a hidden page is told a few times a second, and in the end of what is so."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.widgets.alerts.urging import Urging


def run(asks, until):
    """The times at which it urges when alerts ask at ``asks`` (pairs of time and alert), and who was told when."""
    urging, urged, told = Urging(apart=0.5, each=5.0), [], []
    waiting: set[int] = set()
    pending = sorted(asks)
    again = None
    while pending or again is not None:
        asked = pending[0][0] if pending else until
        if again is not None and again <= asked:
            now = again
        else:
            now, alert = pending.pop(0)
            urging.ask(alert, now)
            waiting.add(alert)
        due, again = urging.come(now)
        if due:
            urged.append(now)
            told += [(now, alert) for alert in waiting]
            waiting.clear()
    assert not waiting, "who asked was never told"
    return urged, told


def test_the_first_is_told_at_once():
    assert run([(10.0, 1)], 99.0)[0] == [10.0]


def test_one_alert_is_told_of_every_five_seconds():
    assert run([(10.0 + n / 10, 1) for n in range(100)], 99.0)[0] == [10.0, 15.0, 20.0]


def test_many_alerts_share_what_is_told_every_half_second():
    assert run([(10.0 + n / 100, n) for n in range(100)], 99.0)[0] == [10.0, 10.5, 11.0]


def test_what_is_forgotten_is_not_told():
    urging = Urging()
    urging.ask(1, 10.0)
    urging.forget(1)
    assert urging.come(10.0) == (False, None)
    urging.ask(2, 10.0)
    urging.clear()
    assert urging.come(10.0) == (False, None)


@given(st.lists(st.tuples(st.floats(0, 60), st.integers(0, 5)), max_size=200))
def test_it_is_never_more_than_twice_a_second_and_everybody_is_told_within_five(asks):
    urged, told = run(asks, 120.0)
    assert all(b - a >= 0.5 - 1e-9 for a, b in pairwise(urged))
    for at, alert in asks:
        assert any(at <= now <= at + 5.5 for now, other in told if other == alert)
