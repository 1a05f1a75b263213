"""How a run that nobody watches is told from a notebook that people look at."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nbrealtime.widgets.saved import headless
from nbrealtime.widgets.saved.headless import QUIET, Gaps


class Widget:
    def __init__(self, speaks: bool = True) -> None:
        self._speaks = speaks
        self.left = 0

    def _refresh_left(self) -> None:
        self.left += 1


@pytest.fixture
def run(monkeypatch):
    """A kernel that runs cells: ``run(idle=…, asks=…)`` returns how often the widget was replaced at the cell's end."""
    clock = SimpleNamespace(now=100.0)
    parent = {"content": {}}
    pump = SimpleNamespace(spoken_to=False)
    kernel = SimpleNamespace(get_parent=lambda channel: parent)
    monkeypatch.setattr(headless, "_gaps", Gaps())
    monkeypatch.setattr(headless.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(headless, "kernel", lambda: kernel)
    monkeypatch.setattr(headless, "pump", lambda: pump)
    monkeypatch.delenv("SERVER_SOFTWARE", raising=False)

    def run(*, idle: float = 0.0, lasts: float = 0.1, asks: bool = True, shows: Widget | None = None) -> None:
        clock.now += idle
        parent["content"]["allow_stdin"] = asks
        headless._began(None)
        clock.now += lasts
        if shows is not None:
            headless.watch(shows)
        headless._ended(None)

    run.pump = pump
    return run


def test_what_cannot_be_asked_has_nobody_before_it(run):
    widget = Widget()
    run(shows=widget, asks=False)
    run(asks=False)
    assert widget.left == 2


def test_two_quiet_seconds_mean_that_there_is_no_page(run):
    widget = Widget()
    run(idle=60, shows=widget)
    run(idle=QUIET - 0.1)
    assert widget.left == 0
    run(idle=QUIET)
    run()
    assert widget.left == 2


def test_many_short_pauses_and_long_cells_mean_nothing(run):
    widget = Widget()
    run(shows=widget)
    for _ in range(50):
        run(idle=0.2, lasts=5)
    assert widget.left == 0


def test_a_word_from_a_page_ends_all_doubt(run):
    widget = Widget()
    run(shows=widget)
    run.pump.spoken_to = True
    run(idle=60)
    run(asks=False)
    assert widget.left == 0


def test_of_what_never_speaks_silence_says_nothing(run):
    widget = Widget(speaks=False)
    run(shows=widget)
    run(idle=60)
    assert widget.left == 0
    run(asks=False)
    assert widget.left == 1


def test_voila_is_watched_later(run, monkeypatch):
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.8")
    widget = Widget()
    run(shows=widget, asks=False)
    assert widget.left == 0


def test_one_that_fails_keeps_no_other_from_its_picture(run, capsys):
    broken, widget = Widget(), Widget()
    broken._refresh_left = lambda: 1 / 0
    run(shows=broken)
    run(shows=widget, asks=False)
    assert widget.left == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
