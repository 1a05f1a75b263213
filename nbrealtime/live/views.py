"""Where a topic finds what shows it, without knowing it.

``nbrealtime.widgets`` stands to the right of this package and may import it, never the other way round. So it
leaves its factories here by name (``provide``), and ``LiveTopic.plot`` asks for ``"plot"`` (``make``). The first
request for a view that nobody has provided loads the package that provides ours, as an entry point would be
loaded: a script that never draws never pays for ipywidgets.

The rule here: *a factory is called on the caller's thread*, and a widget is created on the main thread.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Factory", "make", "provide", "provided"]

Factory = Callable[..., Any]
"""Called as ``factory(subject, **options)``; the subject is a ``LiveTopic``, a ``FieldView`` or a ``Connection``."""

_PROVIDER = "nbrealtime.widgets"
_factories: dict[str, Factory] = {}
_lock = threading.Lock()


def provide(name: str, factory: Factory) -> None:
    """Let ``factory`` make the view called ``name``: "plot", "card", "table" …; a later one replaces it."""
    with _lock:
        _factories[name] = factory


def provided(name: str) -> bool:
    """Say whether ``name`` can be made now, without loading anything."""
    with _lock:
        return name in _factories


def make(name: str, subject: Any, /, *args: Any, **options: Any) -> Any:
    """Return the view ``name`` of ``subject``. Raises ``LookupError`` if nobody provides it."""
    if not provided(name):
        importlib.import_module(_PROVIDER)
    with _lock:
        factory = _factories.get(name)
        known = ", ".join(sorted(_factories))
    if factory is None:
        raise LookupError(f"no view is called {name!r}; there is {known or 'none'}")
    return factory(subject, *args, **options)
