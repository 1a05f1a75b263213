"""What logs, tables and heatmaps have in common: they show messages of topics as those came.

Collaborators: each topic's `Feed` hands over every message, and those before the first (`follow`),
`panel.Panel` does what every panel does, ``js/src/panels/stream.ts`` says how the stream stands.

The one rule: the client thread only queues. What messages become is made on the pump thread,
as much of it as a frame may carry.
"""

from __future__ import annotations

import datetime as dt
import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import traitlets

from nbrealtime.live import cells
from nbrealtime.live.feed import Feed
from nbrealtime.widgets.panel import Panel
from nbrealtime.widgets.plots.options import TimeZone
from nbrealtime.widgets.subjects import connection_of, sentence, topic_of, watch_link

if TYPE_CHECKING:
    from nbrealtime.client import Link, Message
    from nbrealtime.live.topic import LiveTopic

__all__ = ["LEAST_HEIGHT", "Rows", "StreamPanel", "checked_zone", "follow", "topics_of"]

LEAST_HEIGHT: Final = 160
_ENDED: Final = ("closed", "refused")


class StreamPanel(Panel):
    """A panel that shows what comes on one or several topics.

    `close` lets go of the topics and keeps what is shown, marked with the time. A subclass
    makes its part from what it has set up before it calls ``super().__init__``, with its traits, whose names may be ours.
    """

    def __init__(self, topics: Sequence[LiveTopic], /, **configuration: Any) -> None:
        cell = cells.current_cell()
        self._sources: list[tuple[Feed, Link]] = [(topic.feed, connection_of(topic).link) for topic in topics]
        self._closed_at: float | None = None
        super().__init__(**configuration)
        feeds = [feed for feed, _link in self._sources]
        self._watch(*self._attach(feeds), *(feed.watch(self._mark) for feed in feeds))
        for link in {id(link): link for _feed, link in self._sources}.values():
            self._watch(watch_link(link, self._mark))
        self._replace_with(cell)

    def close(self) -> None:
        """Lets go of its topics and keeps what it shows, marked with the time. Harmless when repeated."""
        if not self._closed:
            self._closed_at = time.time()
        super().close()

    def _attach(self, feeds: Sequence[Feed]) -> Iterable[Callable[[], None]]:
        """Begins to take what ``feeds`` hear; returns what ends that."""
        return ()

    def _state(self) -> dict[str, Any]:
        state, why, ages = "live", "", []
        for feed, link in self._sources:
            record, age = feed.newest, feed.age
            if age is not None:
                ages.append(age * 1000)
            elif feed.silent is not None and not why:
                why = f"{feed.name} {feed.status().reason}"
            # The first that needs a word gets it, unless another still waits for what this one has lost for good.
            if record.state != "live" and (
                state == "live" or (state in _ENDED and record.state not in _ENDED)
            ):
                state = record.state.value
                why = (record.error or "") if state == "refused" else sentence(link.status)
                if why and len(self._sources) > 1:
                    why = f"{feed.name}: {why}"
        if state == "closed" and self._closed_at is None:
            self._closed_at = time.time()
        ended = None if self._closed_at is None else round(self._closed_at * 1000)
        return {"state": state, "why": why, "age": min(ages, default=None), "closed": ended}


def topics_of(subjects: Iterable[Any], what: str) -> list[LiveTopic]:
    """Returns the topics that are meant, each once; ``what`` ("a log") is who needs at least one."""
    found = list(dict.fromkeys(topic_of(topic) for topic in _flat(subjects)))
    if not found:
        raise TypeError(f"{what} needs at least one topic")
    return found


def _flat(topics: Iterable[Any]) -> Iterator[Any]:
    for topic in topics:
        if isinstance(topic, (list, tuple)):
            yield from topic
        else:
            yield topic


class Rows(Protocol):
    """What `follow` fills."""

    def put(self, messages: Sequence[Message]) -> None:
        """Takes messages as they come. Client thread."""

    def recall(self, messages: Sequence[Message], came: int) -> None:
        """Takes the newest of ``came`` messages that came before, the oldest first. Once, before any ``put``."""


def follow(feeds: Sequence[Feed], rows: Rows) -> list[Callable[[], None]]:
    """Has ``rows`` recall what ``feeds`` have kept and then take every message; returns what ends that."""
    joining = threading.Lock()
    newest: dict[int, Message | None] = {}

    def taker(place: int) -> Callable[[Sequence[Message]], None]:
        def take(messages: Sequence[Message]) -> None:
            if not messages:
                return
            with joining:
                # A batch that was committed while we joined is told us too: then it has been recalled already.
                if newest.pop(place, None) is not messages[-1]:
                    rows.put(messages)

        return take

    # Of several feeds none may be told anything before all of them have been recalled, in the order of their times.
    with joining:
        untap = [feed.tap(taker(place)) for place, feed in enumerate(feeds)]
        heard = [feed.heard() for feed in feeds]
        newest.update((place, past.newest) for place, past in enumerate(heard))
        before = heapq.merge(*(past.messages for past in heard), key=lambda message: message.timestamp)
        rows.recall(list(before), sum(past.came for past in heard))
    return untap


def checked_zone(zone: str | dt.tzinfo) -> str:
    """Returns a time zone's name as a plot's option takes it, "" for the browser's; raises ``ValueError`` for what is none."""
    try:
        return TimeZone().validate(None, zone)
    except traitlets.TraitError as error:
        raise ValueError(str(error)) from error
