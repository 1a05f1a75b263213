"""How threads end: one ``atexit`` hook for all of them, and nothing left in a fork.

The threads of a kernel depend on each other, so they stop in one order, from
what people see back to the server: pump, delivery, client, server. Each has a
second; whatever is still running then is a daemon and dies with the process.

The one rule: a layer that starts a thread says here how to stop it, and how to
forget it in a forked child, where the thread does not exist but its locks may
be held for ever.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import Final

__all__ = ["GRACE_SECONDS", "Order", "after_fork", "at_exit", "stop_all"]

GRACE_SECONDS: Final = 1.0


class Order(IntEnum):
    """Who stops first."""

    PUMP = 0
    DELIVERY = 1
    CLIENT = 2
    SERVER = 3


PUMP, DELIVERY, CLIENT, SERVER = Order.PUMP, Order.DELIVERY, Order.CLIENT, Order.SERVER

_stops: dict[Order, Callable[[float], None]] = {}


def at_exit(order: Order, stop: Callable[[float], None]) -> None:
    """Calls ``stop(seconds)`` when the interpreter ends; one function for each place in the order."""
    _stops[order] = stop


def after_fork(forget: Callable[[], None]) -> None:
    """Calls ``forget()`` in every forked child, to drop threads, loops and locks of the parent."""
    os.register_at_fork(after_in_child=forget)


def stop_all(seconds: float = GRACE_SECONDS) -> None:
    """Stops every thread in order; ``seconds`` for each.

    A stop that fails is shown and does not keep the next one from running.
    """
    for order in sorted(_stops):
        try:
            _stops[order](seconds)
        except Exception:  # noqa: BLE001 - at exit there is nobody above us; the next thread must still stop
            sys.excepthook(*sys.exc_info())


atexit.register(stop_all)
