"""Contention, found by late wake-ups."""

from __future__ import annotations

from nbrealtime.contention import Contention


def test_late_wake_ups_mean_contention_and_prompt_ones_its_end():
    contention = Contention()
    for _ in range(8):
        contention.woke(0.0001)
    assert not contention.busy
    for _ in range(8):
        contention.woke(0.005)
    assert contention.busy
    for _ in range(20):
        contention.woke(0.0001)
    assert not contention.busy


def test_one_late_wake_up_is_no_contention_however_late():
    contention = Contention()
    contention.woke(0.005)
    assert not contention.busy
    contention = Contention()
    contention.woke(3600.0)
    for _ in range(30):
        contention.woke(0.0001)
    assert not contention.busy


def test_a_wake_up_before_its_time_is_a_prompt_one_however_early():
    contention = Contention()
    contention.woke(-3600.0)
    for _ in range(8):
        contention.woke(0.005)
    assert contention.busy
