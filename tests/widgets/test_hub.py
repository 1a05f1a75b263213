"""The hub's messages go the short way where there is one, and by its comm where there is none."""

from __future__ import annotations

import pytest

from nbrealtime.widgets import hub as module
from nbrealtime.widgets.carrier import Carrier
from nbrealtime.widgets.hub import Hub


class Way:
    def __init__(self, *, is_open: bool) -> None:
        self.is_open = is_open
        self.sent = []

    def send(self, content, buffers) -> bool:
        self.sent.append((content, buffers))
        return self.is_open

    def close(self) -> None:
        self.sent.append("closed")


@pytest.mark.parametrize("is_open", [True, False])
def test_what_the_short_way_does_not_take_goes_by_the_comm(is_open, monkeypatch):
    by_comm = []
    monkeypatch.setattr("ipywidgets.Widget.send", lambda self, *what: by_comm.append(what))
    hub = Hub()
    hub.send({"n": 1})
    hub.carrier = Way(is_open=is_open)
    hub.send({"n": 2}, [b"two"])
    assert hub.carrier.sent == [({"n": 2}, [b"two"])]
    expected = [({"n": 1}, None)] if is_open else [({"n": 1}, None), ({"n": 2}, [b"two"])]
    assert by_comm == expected


def test_a_hub_that_was_closed_sends_nothing():
    hub = Hub()
    hub.carrier = way = Way(is_open=True)
    comm = hub.comm
    comm.close = lambda **_: way.sent.append("the comm")
    hub.close()
    hub.send({"n": 1})
    # What is under way is written before the browser is told.
    assert way.sent == ["closed", "the comm"]


def test_a_hub_that_is_closed_while_it_sends_does_not_fail():
    class Closing(Hub):
        @property
        def carrier(self):
            ways.append(None)  # closed by another thread when it is read again
            return ways.pop(0)

        @carrier.setter
        def carrier(self, way):
            ways[:] = [way]

    way = Way(is_open=True)
    ways = [way]
    hub = Closing()
    hub.send({"n": 1})
    assert way.sent == [({"n": 1}, [])]
    hub.close()


def test_a_hub_has_a_short_way_for_its_own_comm(monkeypatch):
    monkeypatch.setattr(module, "_hub", None)
    made = module.hub()
    try:
        assert isinstance(made.carrier, Carrier)
        assert made.carrier._comm is made.comm
        assert module.hub() is made
    finally:
        made.close()
