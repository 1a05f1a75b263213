"""This machine's load, as percentages and rates."""

from __future__ import annotations

import psutil
import pytest

from nbrealtime.commands.machine import Machine, SlidingWindow


def test_a_window_has_no_growth_before_its_second_reading() -> None:
    assert SlidingWindow(1.0).move(5.0, (100.0,)) == (0.0, [0.0])


def test_a_window_compares_with_the_newest_reading_that_is_old_enough() -> None:
    window = SlidingWindow(1.0)
    for second in range(5):
        window.move(second / 2, (10.0 * second,))
    assert window.move(2.5, (50.0,)) == (1.0, [20.0])


def test_a_counter_that_went_back_has_not_grown() -> None:
    window = SlidingWindow(1.0)
    window.move(0.0, (100.0, 5.0))
    assert window.move(1.0, (3.0, 6.0)) == (1.0, [0.0, 1.0])


def test_a_core_that_appears_begins_the_window_anew() -> None:
    window = SlidingWindow(1.0)
    window.move(0.0, (1.0,))
    assert window.move(1.0, (2.0, 2.0)) == (0.0, [0.0, 0.0])


def test_the_processor_has_a_total_and_a_field_for_each_core() -> None:
    sample = Machine(0.0).cpu(1.0)
    assert list(sample) == ["total", *(f"core{core}" for core in range(len(psutil.cpu_times(percpu=True))))]
    assert all(value is not None and 0 <= value <= 100 for value in sample.values())


def test_a_machine_is_settled_once_its_processor_has_counted_some_ticks() -> None:
    machine = Machine(5.0)
    assert not machine.is_settled(5.002)
    assert machine.is_settled(5.2)


def test_memory_is_told_in_percent() -> None:
    sample = Machine(0.0).memory(1.0)
    assert list(sample) == ["used", "swap"]
    assert sample["used"] is not None
    assert 0 < sample["used"] <= 100


class _Counters:
    def __init__(self, received: int = 0, sent: int = 0) -> None:
        self.bytes_recv, self.bytes_sent = received, sent
        self.read_bytes, self.write_bytes = received, sent


def test_network_rates_leave_out_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    counters = {"lo": _Counters(), "eth0": _Counters(1000, 100), "wlan0": _Counters(0, 0)}
    monkeypatch.setattr(psutil, "net_io_counters", lambda pernic: counters)
    machine = Machine(0.0)
    counters = {"lo": _Counters(10**9, 10**9), "eth0": _Counters(3000, 200), "wlan0": _Counters(500, 0)}
    assert machine.network(2.0) == {"received": 1250.0, "sent": 50.0}


def test_disk_rates_are_bytes_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    counters = _Counters(0, 0)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: counters)
    machine = Machine(0.0)
    counters = _Counters(4096, 1024)
    assert machine.disk(0.5) == {"read": 8192.0, "written": 2048.0}


def test_a_machine_without_disk_counters_has_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: None)
    assert Machine(0.0).disk(1.0) == {"read": None, "written": None}
