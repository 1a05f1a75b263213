"""The one thread of all connections: ``nbrealtime-client``, with its event loop.

It starts with the first connection and ends with the process. Everything about
a connection happens on it; other threads hand it work by `call` and `run`.

What may block (looking up a host's name, a user's function that fetches a
token, a server that is to prove itself) must not stop every connection, and
may last long after the process wants to end: `blocking` gives each such call a
short-lived daemon thread of its own. asyncio's executor would be joined at
exit, behind a name server that does not answer.

The one rule: no user code runs on the client thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from nbrealtime import lifecycle
from nbrealtime.turns import Loop

__all__ = ["assert_on_thread", "blocking", "call", "on_stop", "on_thread", "run", "stop"]

T = TypeVar("T")


class _Loop(Loop):
    """An event loop that looks names up on a daemon thread."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        return await blocking(lambda: socket.getaddrinfo(host, port, **options))


class _Portal:
    def __init__(self) -> None:
        self.loop = _Loop()
        self.thread = threading.Thread(target=self._work, name="nbrealtime-client", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        _here.is_portal = True
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        # A connection that was just given back may still be ending its task.
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()


# Which thread it is the thread itself knows: by the time of the farewells no portal is open any more.
class _Here(threading.local):
    is_portal = False


_here = _Here()
_lock = threading.Lock()
_portal: _Portal | None = None
# What a fork left behind. Were it collected, its event loop would unregister from a selector that the
# parent still uses.
_abandoned: list[_Portal] = []
_farewells: list[Callable[[], Awaitable[None]]] = []


def _open() -> _Portal:
    global _portal
    portal = _portal
    if portal is None:
        with _lock:
            if _portal is None:
                _portal = _Portal()
            portal = _portal
    return portal


def call(function: Callable[..., object], *arguments: object) -> None:
    """Calls ``function`` on the client thread, soon; in the order of the calls to this."""
    _open().loop.call_soon_threadsafe(function, *arguments)


def run(coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Runs ``coroutine`` on the client thread."""
    return asyncio.run_coroutine_threadsafe(coroutine, _open().loop)


def on_thread() -> bool:
    """Whether the caller is the client thread."""
    return _here.is_portal


def assert_on_thread() -> None:
    """Raises ``AssertionError`` unless the caller is the client thread."""
    if not _here.is_portal:
        raise AssertionError(f"this belongs to the client thread, not to {threading.current_thread().name}")


async def blocking(function: Callable[[], T]) -> T:
    """Awaits ``function()``, called on a daemon thread of its own.

    If the caller stops waiting, the function runs on and its result is forgotten.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, fault: BaseException | None) -> None:
        if answer.done():
            return
        if fault is not None:
            answer.set_exception(fault)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, fault = None, None
        try:
            result = function()
        except BaseException as caught:  # noqa: BLE001 - it is raised where it is awaited
            fault = caught
        # The loop may have ended meanwhile, and with it whoever asked.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, fault)

    threading.Thread(target=work, name="nbrealtime-client-call", daemon=True).start()
    return await answer


def on_stop(farewell: Callable[[], Awaitable[None]]) -> None:
    """Awaits ``farewell()`` on the client thread before it ends."""
    _farewells.append(farewell)


def stop(seconds: float) -> None:
    """Ends the client thread, after its farewells or after ``seconds``. Without a thread, nothing."""
    global _portal
    with _lock:
        portal, _portal = _portal, None
    if portal is None:
        return

    async def finish() -> None:
        try:
            async with asyncio.timeout(seconds):
                for farewell in _farewells:
                    await farewell()
        except TimeoutError:
            pass  # whoever has not answered by now is left
        finally:
            asyncio.get_running_loop().stop()

    asyncio.run_coroutine_threadsafe(finish(), portal.loop)
    portal.thread.join(seconds + 0.5)


def _forget() -> None:
    global _lock, _portal
    _lock = threading.Lock()
    if _portal is not None:
        _abandoned.append(_portal)
        _portal = None


lifecycle.at_exit(lifecycle.CLIENT, stop)
lifecycle.after_fork(_forget)
