"""What a plot's topics say of themselves, put together: whether anything is live, and why nothing comes.

Collaborators: `part.PlotPart` asks before each frame, and puts it into the header.

The one rule: one word for all of them. The first topic that has a reason gives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from nbrealtime.widgets.plots.source import Source

__all__ = ["Standing", "standing"]


class Standing(NamedTuple):
    """The topics of one plot now."""

    closed: bool
    """Whether all of them are."""
    connected: bool
    """Whether any is live."""
    messages: int
    """How many came, of all of them."""
    reason: str
    """Why nothing comes, or ""."""
    text: str
    """What to do with topics of which nothing can be drawn ("lab:temp carries text; use .log()"), or ""."""
    refused: bool = False
    """Whether the server refused all of them."""


def standing(sources: Sequence[Source]) -> Standing:
    """Asks the feeds of ``sources``, as they were given: a pattern is one."""
    closed, connected, messages = True, False, 0
    reason = text = ""
    refused = bool(sources)
    for source in sources:
        # Before each frame of each plot: a topic that simply flows is asked nothing else.
        if (count := source.feed.untroubled) is not None:
            closed, connected, refused = False, True, False
            messages += count
            continue
        status = source.feed.status()
        closed = closed and status.state == "closed"
        connected = connected or status.state == "live"
        refused = refused and status.state == "refused"
        messages += status.count
        if not text and status.numeric is False and status.reason:
            text = f"{status.name} {status.reason}; use .log()"
        reason = reason or _reason(source, status, alone=len(sources) == 1)
    return Standing(closed, connected, messages, reason, text, refused)


def _reason(source: Source, status: Any, *, alone: bool) -> str:
    state = status.state
    if state == "refused":
        return f"{source.name}: {status.error or 'refused'}"
    if state == "closed":
        return f"{source.name} is closed"
    if state != "live" and (why := source.why()):
        return why
    if status.numeric is False or not status.reason:
        return ""
    return str(status.reason) if alone else f"{source.name} {status.reason}"
