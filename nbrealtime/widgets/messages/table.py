"""`LiveTable`: messages as rows, newest first, or the newest of each key.

Collaborators: each topic's feed hands over every message (`Feed.tap`), `tablerows` keeps the rows
and streams them, `stream.StreamPanel` does what all do that show messages, ``js/src/table.ts``
draws, sorts, filters and pauses.

The one rule: sorting, filtering and pausing are each view's own. The kernel sends rows in the
order of their changes and knows of no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import traitlets

from nbrealtime.live.feed import Feed
from nbrealtime.options import names, text, whole
from nbrealtime.widgets.messages.tablerows import MOST_COLUMNS, TablePart, TableRows
from nbrealtime.widgets.parts import Part
from nbrealtime.widgets.stream import LEAST_HEIGHT, StreamPanel, checked_zone, follow, topics_of

if TYPE_CHECKING:
    import datetime as dt

    from nbrealtime.live.topic import LiveTopic

__all__ = ["LiveTable", "table"]

MOST_ROWS: Final = 20_000


class LiveTable(StreamPanel):
    """Shows messages as rows and their fields as columns; with ``key``, one row for each of its values.

    A payload that is no object is the column ``value``. Nested values are shown as JSON on one line.
    Without ``key`` the newest message is on top; with it a row keeps its place and its cells change.
    It begins with what this process has heard, the newest 500 messages of each topic as far as they fit into
    1 MiB (of a pattern also with the newest of each topic), and follows while cells run. Sorting, filter and
    pause belong to each view. `close` leaves the rows and the topics; a table that a cell made goes altogether
    when that cell runs again. Create and close it on the main thread.

    Args:
        topics: topics, as `LiveTopic` or by name on the default connection; a list of them is as good.
        key: the field that tells the rows apart (``"sensor"``, or a path, ``"pump.id"``); ``"topic"`` is the
            topic's name. Messages without it are counted and left out.
        columns: the fields to show, in this order, or paths to them; by default all that come, up to 64.
        rows: how many are kept, 1 to 20,000, and 8 MiB of cells in any case; those that changed last.
        time: whether there is a column with the time of each message.
        time_zone: of that column: ``""`` is the browser's, else ``"UTC"`` or a name like ``"Europe/Berlin"``.
        title: a line above the table, instead of the topics' names.
        height: of the rows' area, in CSS pixels, at least 160.

    Raises:
        TypeError: ``topics`` is empty or holds something that is no topic; ``columns`` are no names.
        ValueError: ``rows``, ``height``, ``key``, ``columns`` or ``time_zone`` is out of its range.
        InvalidTopic: a name is none.
        NoServer, AmbiguousServer: no server can be found without being told.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    _bundle = "table"

    topics = traitlets.List(traitlets.Unicode(), read_only=True, help="the topics' names").tag(sync=True)
    key = traitlets.Unicode("", read_only=True, help="the field that tells rows apart").tag(sync=True)
    rows = traitlets.Int(1000, read_only=True, help="how many rows are kept").tag(sync=True)
    time = traitlets.Bool(True, read_only=True, help="whether there is a column with the time").tag(sync=True)
    time_zone = traitlets.Unicode("", read_only=True, help="of the times; empty: the browser's").tag(
        sync=True
    )
    title = traitlets.Unicode("", read_only=True, help="a line above the table").tag(sync=True)
    height = traitlets.Int(320, read_only=True, help="of the rows' area, in CSS pixels").tag(sync=True)

    def __init__(
        self,
        *topics: LiveTopic | str | Iterable[Any],
        key: str | None = None,
        columns: str | Iterable[str] | None = None,
        rows: int = 1000,
        time: bool = True,
        time_zone: str | dt.tzinfo = "",
        title: str = "",
        height: int = 320,
    ) -> None:
        rows = whole("rows", rows, 1, MOST_ROWS)
        height = whole("height", height, LEAST_HEIGHT)
        if key is not None and (type(key) is not str or not key):
            raise ValueError(f"key is a field's name, like 'sensor', not {key!r}")
        chosen, zone = _columns(columns), checked_zone(time_zone)
        found = topics_of(topics, "a table")
        self._rows = TableRows(rows, key=key, columns=chosen)
        super().__init__(
            found,
            topics=[topic.name for topic in found],
            key=key or "",
            rows=rows,
            time=bool(time),
            time_zone=zone,
            title=text("title", title),
            height=height,
        )

    def __repr__(self) -> str:
        state = self._read()["state"]
        messages = f"{self._rows.came:,} message{'' if self._rows.came == 1 else 's'}"
        by = f" by {self.key}" if self.key else ""
        return f"LiveTable of {', '.join(self.topics)}{by}: {state}, {messages}"

    def _make_part(self) -> Part:
        return TablePart(self._rows, self._read, self._mark)

    def _attach(self, feeds: Sequence[Feed]) -> Iterable[Callable[[], None]]:
        return follow(feeds, self._rows)


def table(subject: Any, /, *others: Any, **options: Any) -> LiveTable:
    """The view named ``"table"``: a `LiveTable` of ``subject`` and what else is to be in the same rows.

    Of a field of a topic (``topic["x"]``) it shows that column.
    """
    field = getattr(subject, "field", None)
    if field is not None:
        options.setdefault("columns", [field])
    return LiveTable(subject, *others, **options)


def _columns(columns: str | Iterable[str] | None) -> list[str] | None:
    chosen = names("columns", columns)
    if chosen is not None and not 1 <= len(chosen) <= MOST_COLUMNS:
        raise ValueError(f"a table has between 1 and {MOST_COLUMNS} columns, not {len(chosen)}")
    return chosen
