"""The card that a `LiveTopic` or a `Connection` shows as a cell's last expression.

Collaborators: `live.views` asks `card` for it; a topic's feed and a connection's link say
what is on it; ``js/src/card.ts`` draws it.

The one rule: one card for each object. Shown in a second cell it is the same card twice,
both following the same state; another card for every look at a topic would be another
stream for the pump.
"""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable
from typing import Any, Final

import traitlets

from nbrealtime.client import Link
from nbrealtime.live.feed import Feed
from nbrealtime.live.record import FeedStatus
from nbrealtime.widgets.panel import Panel
from nbrealtime.widgets.saved.headless import nobody
from nbrealtime.widgets.subjects import connection_of, sentence, status_as_json, watch_link

__all__ = ["Card", "card", "describe"]

FIELDS: Final = 6
"""As many named numbers as stand beside each other on a card."""
CHARACTERS: Final = 160

_cards: weakref.WeakKeyDictionary[Any, Card] = weakref.WeakKeyDictionary()


def card(subject: Any) -> Card:
    """The view named ``"card"``: the one card of a topic or a connection. Runs on the main thread."""
    known = _cards.get(subject)
    # `Widget.close_all()` closes ours too.
    if known is None or known.comm is None:
        known = _cards[subject] = Card(subject)
    return known


class Card(Panel):
    """State, newest value and the facts beside it; `card` makes it."""

    _bundle = "card"

    title = traitlets.Unicode(read_only=True, help="the topic's name, or the connection's address").tag(
        sync=True
    )

    def __init__(self, subject: Any) -> None:
        # Not the subject itself, only what it stands on: the card must not keep it alive.
        self._subject = weakref.ref(subject)
        link = connection_of(subject).link
        feed: Feed | None = getattr(subject, "feed", None)
        self._state_of: Callable[[], dict[str, Any]]
        if feed is None:
            self._state_of = lambda: {"of": "connection", **status_as_json(link.status)}
        else:
            self._state_of = _topic_state(feed, link)
        super().__init__(title=link.status.url if feed is None else feed.name)
        self._watch(watch_link(link, self._mark))
        if feed is not None:
            self._watch(feed.watch(self._mark))

    def _state(self) -> dict[str, Any]:
        return self._state_of()

    def __repr__(self) -> str:
        return repr(self._subject())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # It is shown as its subject's own bundle, which cannot be replaced later.
        if nobody():
            return {"text/plain": repr(self)}
        return super()._repr_mimebundle_(**kwargs)


def _topic_state(feed: Feed, link: Link) -> Callable[[], dict[str, Any]]:
    def state() -> dict[str, Any]:
        status = feed.status()
        refused = status.state == "refused"
        return {
            "of": "topic",
            "name": status.name,
            "state": status.state,
            "value": describe(status.value) if status.count else {"is": "none"},
            "count": status.count,
            "rate": feed.rate(),
            # The server's clock may be ahead of ours; nothing is from the future.
            "age": None if status.timestamp is None else max(0.0, time.time() - status.timestamp) * 1000,
            "presence": status.presence_count,
            "note": _note(status, link),
            "fault": refused,
        }

    return state


def _note(status: FeedStatus, link: Link) -> str:
    """The one sentence that matters now. What cannot be plotted is no fault on a card."""
    if status.state == "refused":
        text = status.error or "the server refused the subscription"
    elif status.state in ("offline", "subscribing"):
        text = sentence(link.status)
    elif status.paused:
        text = f"paused, {status.pending:,} new"
    elif status.state == "live" and not status.count:
        text = status.reason
    else:
        text = ""
    return text[:1].upper() + text[1:]


def describe(value: Any) -> dict[str, Any]:
    """Returns as much of a payload as a card shows, as JSON, at a bounded cost however large it is."""
    if isinstance(value, bool):
        return {"is": "other", "text": "true" if value else "false"}
    if isinstance(value, (int, float)):
        return {"is": "number", "number": _finite(value)}
    if isinstance(value, str):
        return {"is": "text", "text": _shortened(value)}
    if isinstance(value, bytes):
        return {"is": "other", "text": f"{len(value):,} bytes"}
    if isinstance(value, dict):
        return _fields(value)
    if isinstance(value, list):
        return {"is": "other", "text": _list(value)}
    return {"is": "other", "text": "null" if value is None else type(value).__name__}


def _fields(value: dict[str, Any]) -> dict[str, Any]:
    numbers = [(name, one) for name, one in value.items() if isinstance(one, (int, float))]
    if not numbers:
        names = ", ".join(_shortened(name, 24) for name in list(value)[:FIELDS])
        more = ", …" if len(value) > FIELDS else ""
        return {"is": "other", "text": f"object: {names}{more}" if value else "empty object"}
    shown = [[_shortened(name, 24), _finite(one)] for name, one in numbers[:FIELDS]]
    return {"is": "fields", "fields": shown, "more": len(value) - len(shown)}


def _list(value: list[Any]) -> str:
    if not value:
        return "empty list"
    last = value[-1]
    if isinstance(last, (int, float)):
        return f"{len(value):,} values, the last {last:.4g}"
    return f"list of {len(value):,}"


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _shortened(text: str, most: int = CHARACTERS) -> str:
    line = " ".join(text[: 2 * most].split())
    return line if len(line) <= most and len(text) <= 2 * most else f"{line[: most - 1]}…"
