"""How long a connection that is closed waits for what was published.

A program may publish once and end, connected or not yet. Runs on the client
thread. The one rule: what can still be written is written, but nobody waits for
a server that does not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from nbrealtime.client.session import Session
from nbrealtime.client.status import LinkState

__all__ = ["Goodbye"]

_WRITTEN_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 1.0


class Goodbye:
    """One connection's; it says by `stir` when something may have changed for who waits."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._stirred = asyncio.Event()
        self.has_published = False
        """Whether anything ever was: then the server's answer is waited for, too."""
        self.waiting = 0
        """How many wait: for nobody `stir` may be spared. Two do if the process ends during a goodbye."""

    def stir(self) -> None:
        """Something was written, answered or lost."""
        self._stirred.set()

    async def wait(self, ask: Callable[[], None]) -> None:
        """Waits until what waits is written, for a first connection too; then for the answer to ``ask``.

        ``ask`` says something that a server answers only when it has read all: some servers forget what
        they have not read yet when they see the goodbye.
        """
        self.waiting += 1
        try:
            async with asyncio.timeout(_WRITTEN_SECONDS):
                while self._is_worth_waiting():
                    await self._stir()
            async with asyncio.timeout(_ANSWER_SECONDS):
                if self._is_up() and self.has_published:
                    ask()
                    while self._is_up() and not self._session.is_answered:
                        await self._stir()
        except TimeoutError:
            pass  # a server that reads so slowly is left; what waits is counted as dropped
        finally:
            self.waiting -= 1

    async def _stir(self) -> None:
        self._stirred.clear()
        await self._stirred.wait()

    def _is_worth_waiting(self) -> bool:
        state, outbox = self._session.state, self._session.outbox
        is_first = state is LinkState.CONNECTING and self._session.error is None
        return (outbox.queued > 0 or bool(outbox.acknowledged)) and (is_first or state is LinkState.CONNECTED)

    def _is_up(self) -> bool:
        return self._session.state is LinkState.CONNECTED
