"""What ``LiveTopic`` and ``Connection`` have in common: traits that follow, and how they tell.

A ``Fresh`` trait has no stored value: its getter reads what its owner knows at this moment, and nobody can assign it. A
``Subject`` compares what it knows with what it last told, and notifies of the differences, when and where its
delivery slot runs (``nbrealtime.live.delivery``). So reading is always fresh, and telling is never faster than
somebody can listen.

The rule here: *only the holder of the slot's claim tells*. The client thread commits and wakes; it never notifies.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from traitlets import All, Bunch, HasTraits, TraitError, TraitType
from traitlets.traitlets import EventHandler

from nbrealtime.live.cells import Origin, own
from nbrealtime.live.consumers.callbacks import Callback, Faults
from nbrealtime.live.delivery import Deliver, delivery
from nbrealtime.options import LEAST, given, number

__all__ = ["NOTIFY_HZ", "Fresh", "Subject"]

NOTIFY_HZ = 10.0


class Fresh(TraitType):  # type: ignore[misc, type-arg, unused-ignore]
    """A trait whose value is read from its owner at every access; assigning raises ``TraitError`` with ``advice``."""

    read_only = True

    def __init__(self, read: Callable[[Any], Any], *, advice: str, help: str) -> None:  # noqa: A002 - traitlets' name
        super().__init__(default_value=None, allow_none=True, help=help)
        self.read = read
        self._advice = advice

    def get(self, obj: Any, cls: Any = None) -> Any:
        return self.read(obj)

    def set(self, obj: Any, value: Any) -> None:
        raise TraitError(f"{self.name!r} follows what arrives and cannot be assigned; {self._advice}")

    def __set__(self, obj: Any, value: Any) -> None:
        self.set(obj, value)


class Subject(HasTraits):  # type: ignore[misc, unused-ignore]
    """Owns a delivery slot and tells its ``Fresh`` traits' changes, at most ``notify_hz`` times a second."""

    # On the class, because the decorators of a subclass observe before its constructor has run.
    _observed = False
    _tell_after = 0.0

    def __init__(self, *, deliver: Deliver, notify_hz: float) -> None:
        hz = number("notify_hz", notify_hz, "above 0 and at most 1,000 notifications per second", LEAST, 1000)
        self._origin = Origin.here()
        self._faults = Faults()
        self._interval = 1 / hz
        self._delivery = delivery()
        self._slot = self._delivery.slot(self._deliver, deliver)
        self._fresh = {name: trait for name, trait in self.traits().items() if isinstance(trait, Fresh)}
        self._told: dict[str, Any] = {}
        self._registered: list[tuple[Callback, Any, Any]] = []  # to disown
        super().__init__()

    @property
    def origin(self) -> Origin:
        """The cell that made it."""
        return self._origin

    @property
    def deliver(self) -> Deliver:
        """Where it calls back: ``"auto"``, ``"main"`` or ``"thread"``."""
        return self._slot.mode

    def observe(
        self,
        handler: Callable[..., Any],
        names: Any = All,
        type: Any = "change",  # noqa: A002 - traitlets' name
    ) -> None:
        """Call ``handler(change)`` when a trait changes; possibly beside the running cell (``deliver="auto"``).

        As in ``traitlets``, with three differences: notifications are coalesced (``notify_hz``), an exception goes to
        ``errors``, and the handler goes when the cell that registered it starts again.
        """
        if not callable(handler):
            raise TypeError(f"observe takes a function of one argument, the change, not {given(handler)}")
        if isinstance(handler, EventHandler):
            self._observed = True
            super().observe(handler, names, type)
            return
        if not self._observed:
            # Nobody was told anything so far, so "old" is what the observer could have read just now.
            self._told = self._current()
            self._observed = True
        if isinstance(handler, Callback):
            super().observe(handler, names, type)
            return
        registered = Callback(handler, self._faults)
        super().observe(registered, names, type)
        registered.disown = own(registered.origin.cell, lambda: self.unobserve(handler, names, type))
        self._registered = [*self._registered, (registered, names, type)]

    def unobserve(
        self,
        handler: Callable[..., Any],
        names: Any = All,
        type: Any = "change",  # noqa: A002 - traitlets' name
    ) -> None:
        """Stop calling ``handler``; harmless if it is not registered."""
        with contextlib.suppress(ValueError):  # traitlets raises it for a handler that is not in its list
            super().unobserve(handler, names, type)
        gone = [entry for entry in self._registered if entry == (handler, names, type)]
        self._registered = [entry for entry in self._registered if entry not in gone]
        for entry in gone:
            entry[0].disown()

    def _wake(self) -> None:
        """Have changes told. Any thread; costs nothing when nobody listens."""
        if self._observed:
            self._delivery.wake(self._slot, self._tell_after)

    def _deliver(self, until: float) -> float | None:
        """Tell what changed. The caller holds the slot's claim."""
        return self._tell(time.monotonic())

    def _tell(self, now: float) -> float | None:
        """Notify of what differs, unless that was done a moment ago; return when to come again, or None."""
        if not self._observed:
            return None
        if now < self._tell_after:
            return self._tell_after
        self._tell_after = now + self._interval
        told = self._told
        changes = []
        for name, new in self._current().items():
            old = told.get(name)
            if old is not new and _differs(old, new):
                told[name] = new
                changes.append(Bunch(name=name, old=old, new=new, owner=self, type="change"))
        for change in changes:
            try:
                # The class's function: ``hold_trait_notifications`` in the running cell replaces the instance's, and
                # would swallow what this thread tells.
                HasTraits.notify_change(self, change)
            except Exception as error:  # noqa: BLE001 - a subclass's own handler; the stream goes on
                self._faults.add(error)
        return None

    def _current(self) -> dict[str, Any]:
        """The values of all fresh traits at one moment."""
        # Not by `getattr`, which is three calls through `traitlets` for each.
        return {name: trait.read(self) for name, trait in self._fresh.items()}


def _differs(old: Any, new: Any) -> bool:
    if type(old) is not type(new):
        return True
    try:
        return bool(old != new)
    except (TypeError, ValueError):  # arrays, which compare element by element
        return True
