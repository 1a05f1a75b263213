"""What a heatmap that is made now shows of the time before: the window that this process has received.

Collaborators: `heatmap.LiveHeatmap` asks for it once, before it draws; the topic's feed keeps lists of numbers
(`live.lists`) and samples (`live.samples.ring`), and `arrays.Arrays` makes columns of them.

The one rule: a heatmap made late is the one that was made early. Lists come as they came, and so do numbers that lie
deeper in an object; numbers that are rows, of an object's fields or of a pattern's topics, come from the rings, a mean for
each of the grid's bins.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from heapq import merge
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbrealtime.live.feed import Feed
from nbrealtime.live.lists import packed
from nbrealtime.live.samples.bands import Indices, first_bin
from nbrealtime.live.samples.order import is_time
from nbrealtime.live.samples.ring import Ring
from nbrealtime.widgets.heatmaps.arrays import Arrays, is_list, is_number, member
from nbrealtime.widgets.heatmaps.grid import MOST_ROWS, HeatGrid, bin_width

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["follow_from_past"]


_ONE_BY_ONE: Final = 20_000
"""Samples that are given their bins one after the other: 50 ms, when a heatmap is made."""


class _Binned(NamedTuple):
    """Where a field has numbers, and which."""

    bins: Indices
    means: NDArray[np.floating[Any]]


def follow_from_past(feed: Feed, arrays: Arrays, field: str | None, *, topics: bool) -> Callable[[], None]:
    """Has ``arrays`` take the window so far, and then every message of ``feed``; returns what ends it.

    ``field`` and ``topics`` are those of `Arrays`.
    """
    joining = threading.Lock()
    newest: Message | None = None

    def take(messages: Sequence[Message]) -> None:
        nonlocal newest
        if not messages:
            return
        with joining:
            # A batch that was committed while we joined is told us too; the past has it already.
            known, newest = newest, None
            if known is None or messages[-1] is not known:
                arrays.put(messages)

    # Nobody makes columns of what comes before those of the past are made.
    with arrays.lock:
        with joining:
            untap = feed.tap(take)
            newest, lists = feed.past()
        if newest is not None:
            _recall(feed, arrays, newest, lists, field, topics=topics)
    return untap


def _recall(
    feed: Feed, arrays: Arrays, newest: Message, lists: list[Message], field: str | None, *, topics: bool
) -> None:
    if topics and field is not None:
        lists = list(merge(*(strand.past()[1] for strand in feed.strands), key=_time))
    lists = [
        message
        for message in lists
        if is_time(_time(message)) and _is_drawn(message.data, field, topics=topics)
    ]
    since = _newest_time(feed, newest, lists) - arrays.grid.window
    lists = [message for message in lists if _time(message) >= since]
    if topics:
        rings = {
            strand.name: (strand.ring, field or "value")
            for strand in feed.strands
            if (last := strand.newest.message) is not None
            and is_number(last.data if field is None else member(last.data, field))
            and (field or "value") in strand.ring.fields
        }
    elif field is None and _is_named(newest.data):
        rings = {name: (feed.ring, name) for name in feed.fields}
        if lists:
            # In the bin after the last list's: names begin the picture anew, and lists are samples in the ring, too.
            since = max(since, _time(lists[-1]) + bin_width(arrays.grid.window, len(rings)))
    else:
        rings = {}
    if not rings or not _recall_numbers(arrays, rings, since):
        arrays.recall(_with_newest(feed, newest, lists, field, topics=topics))


def _with_newest(
    feed: Feed, newest: Message, lists: list[Message], field: str | None, *, topics: bool
) -> list[Message]:
    """The newest one as it came, since it also says why it cannot be drawn."""
    kept = packed([newest], feed.time_field) if is_time(_time(newest)) else []
    if not any(_is_drawn(message.data, field, topics=topics) for message in kept):
        return [*lists, newest]
    # Of a pattern's it need not be the last: each topic has times of its own.
    return lists if topics else [*lists[:-1], newest]


def _recall_numbers(arrays: Arrays, rings: Mapping[str, tuple[Ring, str]], since: float) -> bool:
    """Has ``arrays`` take what the rings (with a field of each) have since then; returns whether there is anything."""
    window, width = arrays.grid.window, bin_width(arrays.grid.window, len(rings))
    fields: dict[int, tuple[Ring, list[str]]] = {}
    for ring, field in rings.values():
        fields.setdefault(id(ring), (ring, []))[1].append(field)
    binned: dict[int, dict[str, _Binned]] = {}
    came, room = 0, _ONE_BY_ONE
    for key, (ring, wanted) in fields.items():
        count = ring.count(since, np.inf)
        came += count
        if count <= min(room, 2 * window / width) and ring.reaches(since):
            room -= count
            binned[key] = _in_turn(ring, wanted, window, width, since)
        else:
            binned[key] = _in_bands(ring, wanted, width, since)
    found = {
        name: numbers
        for name, (ring, field) in list(rings.items())[:MOST_ROWS]
        if len((numbers := binned[id(ring)][field]).bins)
    }
    if not found:
        return False
    index = np.unique(np.concatenate([numbers.bins for numbers in found.values()]))
    columns = np.full((len(index), len(found)), np.nan, dtype=np.float32)
    for row, numbers in enumerate(found.values()):
        columns[np.searchsorted(index, numbers.bins), row] = numbers.means
    # In the middle of their bins, but for the newest, from which what comes next is told.
    times = (index + 0.5) * width
    newest = max(ring.newest or 0.0 for ring, _wanted in fields.values())
    times[-1] = max([min(newest, (index[-1] + 1.25) * width), *times[-2:-1]])
    arrays.recall_numbers(list(found), index.tolist(), times.tolist(), list(columns), came)
    return True


def _in_turn(ring: Ring, fields: list[str], window: float, width: float, since: float) -> dict[str, _Binned]:
    """Each field's means, of so few samples that two in a bin could leave the next one empty: as if they came now."""
    times, numbers = ring.snapshot(fields, since=since)
    grid = HeatGrid(window)
    grid.shape(len(fields))
    grid.width = width
    rows = np.array([numbers[field] for field in fields], dtype=np.float32).T.copy()
    for time, row in zip(times.tolist(), rows, strict=True):
        grid.add(time, row)
    bins, _times, body = grid.whole()
    index = np.frombuffer(bins).astype(np.int64)
    means = np.frombuffer(body, dtype=np.float32).reshape(len(index), len(fields))
    return {field: _known(index, means[:, at]) for at, field in enumerate(fields)}


def _in_bands(ring: Ring, fields: list[str], width: float, since: float) -> dict[str, _Binned]:
    """Each field's means, of however many samples."""
    first = first_bin(since, width)
    bands = ring.bands(fields, width, since)
    return {
        field: _known(band.index[late], band.mean[late])
        for field, band in bands.items()
        for late in [band.index >= first]
    }


def _known(index: Indices, means: NDArray[np.floating[Any]]) -> _Binned:
    known = np.isfinite(means)
    return _Binned(index[known], means[known])


def _newest_time(feed: Feed, newest: Message, lists: list[Message]) -> float:
    """When the newest of what came was, or of what has a time that can be one."""
    if is_time(_time(newest)):
        return _time(newest)
    heard = [time for strand in feed.strands if (time := strand.ring.newest) is not None]
    return max([*heard, *map(_time, lists[-1:])], default=0.0)


def _is_drawn(data: object, field: str | None, *, topics: bool) -> bool:
    """Whether a message that was kept says anything of what is shown."""
    if field is not None:
        data = member(data, field)
    if topics:
        return is_number(data)
    if isinstance(data, Mapping):
        # The numbers of an object itself are in the ring.
        return any(is_list(value) or (field is not None and is_number(value)) for value in data.values())
    return is_list(data)


def _is_named(data: object) -> bool:
    return isinstance(data, Mapping) and not any(map(is_list, data.values()))


def _time(message: Message) -> float:
    return message.timestamp if message.time is None else message.time
