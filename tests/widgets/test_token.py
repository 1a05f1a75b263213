"""A token is shown once, and nothing that a notebook saves ever holds it."""

from __future__ import annotations

import pytest

from nbrealtime.widgets import token as module
from nbrealtime.widgets.token import TokenBox, show_token

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def box(comms, clock):
    return TokenBox(TOKEN, title="Token, good for 2 h", seconds=60, clock=clock)


def test_a_view_that_asks_gets_it_with_the_time_that_is_left(box, clock, say):
    clock.now += 12
    assert say(box, {"type": "show", "view": "v1"}) == [
        {"type": "token", "view": "v1", "token": TOKEN, "seconds": 48.0}
    ]


def test_after_its_time_nobody_gets_it(box, clock, say):
    clock.now += 60
    assert say(box, {"type": "show", "view": "v1"}) == [{"type": "hidden", "view": "v1"}]


def test_once_forgotten_it_is_gone(box, say):
    box.forget()
    assert box.comm.sent[-1]["data"]["content"] == {"type": "hidden"}
    assert say(box, {"type": "show", "view": "v1"}) == [{"type": "hidden", "view": "v1"}]
    assert TOKEN not in str(vars(box))


@pytest.mark.parametrize(
    "content", [None, "show", {}, {"type": "show"}, {"type": "show", "view": 1}, {"type": "x", "view": "v"}]
)
def test_nobody_else_gets_anything(box, say, content):
    assert say(box, content) == []


def test_no_synced_trait_and_no_repr_holds_it(box, synced):
    assert TOKEN not in str(synced(box))
    assert TOKEN not in repr(box)
    assert TOKEN not in str(box._repr_mimebundle_())


class Loop:
    """A kernel's loop that a test advances."""

    def __init__(self) -> None:
        self.later: list[tuple[float, object]] = []

    def add_callback(self, function, *args):
        function(*args)

    def call_later(self, seconds, function):
        self.later.append((seconds, function))


class Handle:
    def __init__(self) -> None:
        self.updates: list[tuple[object, bool]] = []

    def update(self, data, raw=False):
        self.updates.append((data, raw))


@pytest.fixture
def kernel(monkeypatch):
    loop, handle, shown = Loop(), Handle(), []
    shell = type("Shell", (), {"kernel": type("Kernel", (), {"io_loop": loop})()})()

    def display(what, display_id):
        shown.append(what)
        return handle

    monkeypatch.setattr(module.cells, "shell", lambda: shell)
    monkeypatch.setattr(module.cells, "current_cell", lambda: None)
    monkeypatch.setattr(module, "display", display)
    return loop, handle, shown


def test_its_display_is_replaced_when_its_time_is_over(kernel, comms):
    loop, handle, shown = kernel
    show_token(TOKEN, ttl_text="2 h")
    [box] = shown
    assert box.title == "Token, good for 2 h"
    [(seconds, replace)] = loop.later
    assert seconds == 60
    replace()
    assert handle.updates == [({"text/plain": "(shown once)"}, True)]
    assert TOKEN not in str(vars(box))


def test_a_cell_that_ran_again_has_nothing_to_replace(kernel, comms, monkeypatch):
    loop, handle, shown = kernel
    owned = []
    monkeypatch.setattr(module.cells, "own", lambda _cell, close: owned.append(close))
    show_token(TOKEN)
    owned[0]()
    assert shown[0].comm is None
    assert TOKEN not in str(vars(shown[0]))
    loop.later[0][1]()
    assert handle.updates == []


def test_a_page_that_is_reloaded_afterwards_says_so_too(kernel, comms, say):
    loop, _, shown = kernel
    show_token(TOKEN)
    loop.later[0][1]()
    assert say(shown[0], {"type": "show", "view": "v1"}) == [{"type": "hidden", "view": "v1"}]


def test_a_terminal_prints_it(monkeypatch, capsys):
    monkeypatch.setattr(module.cells, "shell", lambda: None)
    show_token(TOKEN, ttl_text="2 h")
    assert capsys.readouterr().out == f"Token, good for 2 h:\n{TOKEN}\n"
