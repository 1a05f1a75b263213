"""How a topic or a connection shows itself as a cell's last expression: a card, or one line of text."""

from __future__ import annotations

import reprlib
from typing import Any

from nbrealtime.live import views
from nbrealtime.live.cells import shell

__all__ = ["mimebundle", "shown"]

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60
_short.maxdict = _short.maxlist = 6


def shown(value: Any) -> str:
    """Return a payload on at most one short line."""
    return _short.repr(value)


def mimebundle(subject: Any, include: Any, exclude: Any) -> Any:
    """Return the bundle of the subject's card, with its own text beside it; only the text where no widget can be."""
    text = {"text/plain": repr(subject)}
    # A terminal's shell shows text; loading the widgets for it would be in vain.
    if not views.provided("card") and getattr(shell(), "kernel", None) is None:
        return text
    bundle = views.make("card", subject)._repr_mimebundle_(include=include, exclude=exclude)
    if isinstance(bundle, tuple):
        data, metadata = bundle
        return {**data, **text}, metadata
    return {**(bundle or {}), **text}
