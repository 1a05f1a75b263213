"""What brought a turn of the server's loop: one thing alone, or several.

The loop that `new_loop` makes notes it in a `Turn`, and `nbrealtime.server.flusher` looks there whether to wait for
what else the turn brings. Where only one connection said something, nothing else comes, and a turn of its own for the
flush would cost as much as the flush (twenty calls and more, beside a cell that computes).

The one rule: only a turn that the loop has waited for is known. One that it had work for anyway may bring anything.
"""

from __future__ import annotations

import asyncio
import selectors
import sys

from nbrealtime import turns

__all__ = ["Selector", "Turn", "new_loop"]


class Turn:
    """The turn under way. ``alone``: one thing was ready when the wait for it ended, and there was no other work."""

    __slots__ = ("alone",)

    def __init__(self) -> None:
        self.alone = False


class Selector(turns.Selector):
    """Notes in ``turn`` what it answers."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self._turn = turn

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready."""
        ready = super().select(timeout)
        self._turn.alone = timeout != 0 and len(ready) == 1
        return ready


def new_loop() -> tuple[asyncio.AbstractEventLoop, Turn]:
    """A new event loop for the server's thread, and its turns; of a platform's own loop nothing is known."""
    turn = Turn()
    if sys.platform == "win32":
        # A selector has room for 512 sockets there.
        return asyncio.new_event_loop(), turn
    return turns.Loop(Selector(turn)), turn
