"""Which cell is running, what it owns, and where what it started may write.

A callback or a plot remembers the cell that made it: it goes when that cell starts again (``own``), and what it
prints, however late and on whatever thread, appears below that cell (``Origin``). Cells are known by the id that
the front end sends with each execute request; without one (a terminal, a script, an old front end) nothing is
ever replaced, because nothing tells a second run from another cell.

The rule here: *``pre_run_cell`` is the start of a cell*. ``pre_execute`` also fires for every widget message.
"""

from __future__ import annotations

import contextvars
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, Self, TypeVar

__all__ = ["Origin", "current_cell", "own", "shell"]

T = TypeVar("T")

_lock = threading.Lock()
# Set while a callback runs. Older kernels know only one current request, that of the cell which runs now.
_speaking_for: contextvars.ContextVar[str | None] = contextvars.ContextVar("nbrealtime_cell")
_owned: dict[str, list[Callable[[], object]]] = {}
_hooked: Any = None  # the shell whose event we follow


def shell() -> Any | None:
    """The IPython shell that runs here, if there is one; never loads IPython."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()  # type: ignore[no-untyped-call, unused-ignore]


def current_cell() -> str | None:
    """The id of the cell whose code is running, or whose callback is; None if it has none."""
    try:
        return _speaking_for.get()
    except LookupError:
        pass
    kernel = getattr(shell(), "kernel", None)
    if kernel is None:
        return None
    parent = kernel.get_parent("shell")
    metadata = parent.get("metadata") if isinstance(parent, dict) else None
    cell = metadata.get("cellId") if isinstance(metadata, dict) else None
    return cell if isinstance(cell, str) and cell else None


def own(cell: str | None, close: Callable[[], object]) -> Callable[[], None]:
    """Have ``close()`` called on the main thread when ``cell`` starts again; return what takes that back."""
    if cell is None:
        return _nothing
    with _lock:
        _hook()
        _owned.setdefault(cell, []).append(close)

    def disown() -> None:
        with _lock:
            owned = _owned.get(cell, [])
            if close in owned:
                owned.remove(close)
            if not owned:
                _owned.pop(cell, None)

    return disown


class Origin:
    """The cell that runs now, kept so that something later can speak there.

    ``run`` runs code as if that cell did: what it prints or displays appears below it. In a script, and for code
    that runs in no cell, it is simply where output goes.
    """

    def __init__(self, cell: str | None, context: contextvars.Context) -> None:
        self.cell = cell
        self._context = context

    @classmethod
    def here(cls) -> Self:
        """The origin of whatever the caller is about to register."""
        cell, context = current_cell(), contextvars.copy_context()
        context.run(_speaking_for.set, cell)
        return cls(cell, context)

    def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call ``function(*args)`` as if this cell did."""
        # A fresh copy: a context can be entered only once at a time, and must not collect what callbacks set.
        return self._context.copy().run(function, *args)

    def say(self, sentence: str) -> None:
        """Write one line below this cell, on stderr."""
        self.run(_write, sentence)


def _write(sentence: str) -> None:
    stream = sys.stderr
    if stream is None:  # pythonw
        return
    try:
        # One write: two threads' lines do not run into each other.
        stream.write(sentence + "\n")
        stream.flush()
    except (OSError, ValueError):
        pass  # a closed stream at the end of a process; there is nobody left to tell


def _nothing() -> None:
    pass


def _hook() -> None:
    # The caller holds the lock.
    global _hooked
    running = shell()
    if running is None or running is _hooked:
        return
    running.events.register("pre_run_cell", _begin)
    _hooked = running


def _begin(info: Any) -> None:
    """IPython's ``pre_run_cell``: a cell starts, so what its last run made goes."""
    cell = getattr(info, "cell_id", None)
    if not cell:
        return
    with _lock:
        closing = _owned.pop(cell, [])
    for close in closing:
        try:
            close()
        except Exception:  # noqa: BLE001 - one that fails must not leave the others, nor keep the cell from running
            traceback.print_exc()
