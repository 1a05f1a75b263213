"""`MessageLog`: the messages of topics as they come, newest first.

Collaborators: each topic's feed hands over every message (`Feed.tap`), `logrows` keeps the
newest as text and streams them, `stream.StreamPanel` does what all do that show messages,
``js/src/log.ts`` draws, filters and pauses.

The one rule: a payload is text, from here to the screen. Nothing interprets it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import traitlets

from nbrealtime.live.feed import Feed
from nbrealtime.options import whole
from nbrealtime.widgets.messages.logrows import LogPart, LogRows
from nbrealtime.widgets.parts import Part
from nbrealtime.widgets.stream import LEAST_HEIGHT, StreamPanel, checked_zone, follow, topics_of
from nbrealtime.wire.topics import is_pattern

if TYPE_CHECKING:
    import datetime as dt

    from nbrealtime.live.topic import LiveTopic

__all__ = ["MessageLog", "log"]

MOST_ROWS: Final = 10_000


class MessageLog(StreamPanel):
    """Shows what arrives on topics, newest first: time, topic if there are several, payload.

    It begins with what this process has heard, the newest 500 messages of each topic as far
    as they fit into 1 MiB, keeps the newest ``rows`` and follows while cells run. Filter and
    pause belong to each view. `close` leaves the rows and the topics; a log that a cell made
    goes altogether when that cell runs again.

    Args:
        topics: topics, as `LiveTopic` or by name on the default connection; a list of them is as good.
        rows: how many messages are kept, 1 to 10,000; at most 4 MiB of text in any case.
        time_zone: ``""`` is the browser's, else ``"UTC"`` or a name like ``"Europe/Berlin"``.
        height: of the rows' area, in CSS pixels, at least 160.

    Raises:
        TypeError: ``topics`` is empty or holds something that is no topic.
        ValueError: ``rows``, ``time_zone`` or ``height`` is out of its range.
        InvalidTopic: a name is none.
        NoServer, AmbiguousServer: no server can be found without being told.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    _bundle = "log"

    topics = traitlets.List(traitlets.Unicode(), read_only=True, help="the topics' names").tag(sync=True)
    rows = traitlets.Int(500, read_only=True, help="how many messages are kept").tag(sync=True)
    time_zone = traitlets.Unicode("", read_only=True, help="of the times; empty: the browser's").tag(
        sync=True
    )
    height = traitlets.Int(280, read_only=True, help="of the rows' area, in CSS pixels").tag(sync=True)

    def __init__(
        self,
        *topics: LiveTopic | str | Iterable[Any],
        rows: int = 500,
        time_zone: str | dt.tzinfo = "",
        height: int = 280,
    ) -> None:
        rows = whole("rows", rows, 1, MOST_ROWS)
        height = whole("height", height, LEAST_HEIGHT)
        zone = checked_zone(time_zone)
        found = topics_of(topics, "a log")
        self._rows = LogRows(rows)
        self._several = len(found) > 1 or is_pattern(found[0].name)
        super().__init__(
            found, topics=[topic.name for topic in found], rows=rows, time_zone=zone, height=height
        )

    def __repr__(self) -> str:
        state = self._read()["state"]
        messages = f"{self._rows.came:,} message{'' if self._rows.came == 1 else 's'}"
        return f"MessageLog of {', '.join(self.topics)}: {state}, {messages}"

    def _make_part(self) -> Part:
        return LogPart(self._rows, self._read, self._mark, topics=self._several)

    def _attach(self, feeds: Sequence[Feed]) -> Iterable[Callable[[], None]]:
        return follow(feeds, self._rows)


def log(subject: Any, /, *others: Any, **options: Any) -> MessageLog:
    """The view named ``"log"``: a `MessageLog` of ``subject`` and what else is to be in the same list."""
    return MessageLog(subject, *others, **options)
