"""`MessageLog`: the messages of topics as they come, newest first.

Collaborators: each topic's feed hands over every message (`Feed.tap`), `logrows` keeps the
newest as text and streams them, `panel.Panel` does what every panel does,
``js/src/log.ts`` draws, filters and pauses.

The one rule: a payload is text, from here to the screen. Nothing interprets it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import traitlets

from ..live import cells
from ..live.feed import Feed
from ..wire.topics import is_pattern
from .logrows import LogPart, LogRows
from .panel import Panel
from .parts import Part
from .subjects import connection_of, sentence, topic_of, watch_link

if TYPE_CHECKING:
    from ..client import Link, Message
    from ..live.topic import LiveTopic

__all__ = ["MessageLog", "log"]

MOST_ROWS: Final = 10_000
_ENDED: Final = ("closed", "refused")


class MessageLog(Panel):
    """Shows what arrives on topics, newest first: time, topic if there are several, payload.

    It begins with the newest message that a topic knows, keeps the newest ``rows`` and
    follows while cells run. Filter and pause belong to each view. `close` leaves the rows
    and the topics; a log that a cell made goes altogether when that cell runs again.

    Args:
        topics: topics, as `LiveTopic` or by name on the default connection; a list of them is as good.
        rows: how many messages are kept, 1 to 10,000; at most 4 MiB of text in any case.
        height: of the rows' area, in CSS pixels, at least 160.

    Raises:
        TypeError: ``topics`` is empty or holds something that is no topic.
        ValueError: ``rows`` or ``height`` is out of its range.
        InvalidTopic: a name is none.
        NoServer, AmbiguousServer: no server can be found without being told.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    _bundle = "log"

    topics = traitlets.List(traitlets.Unicode(), read_only=True, help="the topics' names").tag(sync=True)
    rows = traitlets.Int(500, read_only=True, help="how many messages are kept").tag(sync=True)
    height = traitlets.Int(280, read_only=True, help="of the rows' area, in CSS pixels").tag(sync=True)

    def __init__(self, *topics: LiveTopic | str | Iterable[Any], rows: int = 500, height: int = 280) -> None:
        cell = cells.current_cell()
        if not 1 <= rows <= MOST_ROWS:
            raise ValueError(f"rows is between 1 and {MOST_ROWS:,}, not {rows!r}")
        if height < 160:
            raise ValueError(f"height is at least 160 pixels, not {height!r}")
        found = list(dict.fromkeys(topic_of(topic) for topic in _flat(topics)))
        if not found:
            raise TypeError("a log needs at least one topic")
        self._sources: list[tuple[Feed, Link]] = [(topic.feed, connection_of(topic).link) for topic in found]
        self._rows = LogRows(rows)
        self._several = len(found) > 1 or is_pattern(found[0].name)
        self._closed_at: float | None = None
        super().__init__()
        self.set_trait("topics", [topic.name for topic in found])
        self.set_trait("rows", rows)
        self.set_trait("height", height)
        for feed, _link in self._sources:
            self._watch(_follow(feed, self._rows), feed.watch(self._mark))
        for link in {id(link): link for _feed, link in self._sources}.values():
            self._watch(watch_link(link, self._mark))
        self._replace_with(cell)

    def __repr__(self) -> str:
        state = self._read()["state"]
        messages = f"{self._rows.came:,} message{'' if self._rows.came == 1 else 's'}"
        return f"MessageLog of {', '.join(self.topics)}: {state}, {messages}"

    def close(self) -> None:
        """Lets go of its topics and keeps the rows, marked with the time. Harmless when repeated."""
        if not self._closed:
            self._closed_at = time.time()
        super().close()

    def _make_part(self) -> Part:
        return LogPart(self._rows, self._read, self._mark, topics=self._several)

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


def log(subject: Any, /, *others: Any, **options: Any) -> MessageLog:
    """The view named ``"log"``: a `MessageLog` of ``subject`` and what else is to be in the same list."""
    return MessageLog(subject, *others, **options)


def _flat(topics: Iterable[Any]) -> Iterator[Any]:
    for topic in topics:
        if isinstance(topic, (list, tuple)):
            yield from topic
        else:
            yield topic


def _follow(feed: Feed, rows: LogRows) -> Callable[[], None]:
    """Has every message of ``feed`` become a row, its newest one so far being the first; returns what ends it."""
    lock = threading.Lock()
    first: Message | None = None

    def take(messages: Sequence[Message]) -> None:
        nonlocal first
        if not messages:
            return
        with lock:
            # A batch that was committed while we joined is told us too: its last message we have already.
            rows.put([message for message in messages if message is not first])
            first = None

    # Nothing may come between the tap and the first row, or the first would be the second.
    with lock:
        untap = feed.tap(take)
        first = feed.newest.message
        if first is not None:
            rows.put([first])
    return untap
