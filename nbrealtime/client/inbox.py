"""What other threads want of the client thread, in the order in which they said it.

``connection.py`` empties it. The one rule: the loop is woken once a tick
however much is in here; a call into the loop for each publish would cost fifty
times as much.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from nbrealtime.client import portal
from nbrealtime.client.session import Publish

__all__ = ["Inbox"]


class Inbox:
    """Publishes and errands. ``on_mail`` is called on the client thread when there are some, and empties it."""

    def __init__(self, on_mail: Callable[[], None]) -> None:
        self._on_mail = on_mail
        self._items: deque[Publish | Callable[[], None]] = deque()
        self._errands = 0  # how many of these are no publishes
        self._counting = threading.Lock()
        self._is_posted = False

    @property
    def publishes(self) -> int:
        """How many publishes wait here. Any thread."""
        return max(0, len(self._items) - self._errands)

    def post(self, item: Publish | Callable[[], None]) -> None:
        """Leaves a publish or an errand. Any thread."""
        if not isinstance(item, Publish):
            with self._counting:
                self._errands += 1
        self._items.append(item)
        # A race costs one needless call: `empty` lowers the flag before it looks.
        if not self._is_posted:
            self._is_posted = True
            portal.call(self._on_mail)

    def empty(self, publish: Callable[[Publish], None]) -> int:
        """Gives publishes to ``publish`` and runs errands; returns the publishes' bytes. Client thread."""
        portal.assert_on_thread()
        self._is_posted = False
        items = self._items
        taken = 0
        # Only what is there now: a thread that publishes without pause must not keep us here.
        for _ in range(len(items)):
            item = items.popleft()
            if isinstance(item, Publish):
                taken += item.size
                publish(item)
            else:
                with self._counting:
                    self._errands -= 1
                item()
        return taken
