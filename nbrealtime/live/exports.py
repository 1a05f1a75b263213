"""Samples as arrays and tables of other libraries. Always copies; NaN is a gap.

Of one topic they come from its ring. Of a pattern they come from several, as one table in the order of time with a
column ``topic``; where a topic lacks another's field, that is NaN.

Nothing but numpy is loaded before it is asked for; a library that is missing is named together with the command
that installs it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbrealtime import options
from nbrealtime.live.samples.ring import Floats, Ring

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Rings", "to_arrow", "to_numpy", "to_pandas", "to_polars"]

Rings = Ring | Mapping[str, Ring]
"""One topic's samples, or those of a pattern's topics by their names."""


class _Table(NamedTuple):
    """``topics`` are the names that ``codes`` mean, row by row; None for a single topic."""

    times: Floats
    columns: dict[str, Floats]
    topics: list[str]
    codes: NDArray[np.int32] | None

    @property
    def names(self) -> NDArray[np.object_]:
        return np.array([*self.topics, ""], dtype=object)[self.codes]


def to_numpy(rings: Rings, fields: Iterable[str] | None, last: int | None) -> NDArray[np.void]:
    """Return a structured array: ``t`` (s since the epoch) first, then a float64 for each field.

    Of a pattern ``topic`` (str objects) stands after ``t``.
    """
    table = _gather(rings, fields, last)
    first: list[tuple[str, Any]] = [("t", np.float64)]
    if table.codes is not None:
        first.append(("topic", object))
    names = _distinct([name for name, _ in first] + list(table.columns))
    kinds = [kind for _, kind in first] + [np.float64] * len(table.columns)
    out = np.empty(len(table.times), dtype=list(zip(names, kinds, strict=True)))
    out["t"] = table.times
    if table.codes is not None:
        out["topic"] = table.names
    for name, column in zip(names[len(first) :], table.columns.values(), strict=True):
        out[name] = column
    return out


def to_pandas(rings: Rings, fields: Iterable[str] | None, last: int | None) -> pd.DataFrame:
    """Return a DataFrame with a UTC ``DatetimeIndex`` named ``time``, and a column for each field.

    Of a pattern the first column is ``topic`` (categorical).
    """
    pandas = _load("pandas", "to_pandas", "pandas")
    table = _gather(rings, fields, last)
    index = pandas.DatetimeIndex(_nanoseconds(table.times).astype("datetime64[ns]"), tz="UTC", name="time")
    columns: dict[str, Any] = dict(table.columns)
    if table.codes is not None:
        # Names stand twice where a payload has a field called "topic".
        names = _distinct(["topic", *table.columns])
        topic = pandas.Categorical.from_codes(table.codes, categories=table.topics)
        columns = dict(zip(names, (topic, *table.columns.values()), strict=True))
    frame: pd.DataFrame = pandas.DataFrame(columns, index=index)
    return frame


def to_polars(rings: Rings, fields: Iterable[str] | None, last: int | None) -> Any:
    """Return a polars DataFrame: ``time`` (UTC, ns) first, of a pattern ``topic``, then a column for each field."""
    polars = _load("polars", "to_polars", "polars")
    table = _gather(rings, fields, last)
    time = polars.Series("time", _nanoseconds(table.times)).cast(polars.Datetime("ns", "UTC"))
    columns: list[Any] = [time]
    if table.codes is not None:
        columns.append(polars.Series("topic", table.names.tolist(), dtype=polars.String))
    return polars.DataFrame(dict(zip(_names(table), [*columns, *table.columns.values()], strict=True)))


def to_arrow(rings: Rings, fields: Iterable[str] | None, last: int | None) -> Any:
    """Return a pyarrow Table: ``time`` (UTC, ns) first, of a pattern ``topic``, then a column for each field."""
    arrow = _load("pyarrow", "to_arrow", "pyarrow")
    table = _gather(rings, fields, last)
    columns = [arrow.array(_nanoseconds(table.times), type=arrow.timestamp("ns", tz="UTC"))]
    if table.codes is not None:
        columns.append(
            arrow.DictionaryArray.from_arrays(
                arrow.array(table.codes), arrow.array(table.topics, arrow.string())
            )
        )
    columns += [arrow.array(column) for column in table.columns.values()]
    return arrow.Table.from_arrays(columns, names=_names(table))


def _gather(rings: Rings, fields: Iterable[str] | None, last: int | None) -> _Table:
    asked = options.names("fields", fields)
    if last is not None:
        last = options.whole("last", last, 0)
    if isinstance(rings, Ring):
        times, columns = rings.snapshot(asked, last)
        return _Table(times, columns, [], None)
    topics = list(rings)
    # ``last`` of each: more cannot be among the newest of all.
    parts = [ring.snapshot(asked, last) for ring in rings.values()]
    names = (
        list(dict.fromkeys(name for _, columns in parts for name in columns))
        if asked is None
        else list(asked)
    )
    times = np.concatenate([times for times, _ in parts]) if parts else np.empty(0)
    codes = np.repeat(np.arange(len(parts), dtype=np.int32), [len(times) for times, _ in parts])
    order = np.argsort(times, kind="stable")
    if last is not None:
        order = order[max(0, len(order) - max(0, last)) :]
    whole: dict[str, Floats] = {}
    for name in names:
        given = [columns.get(name, np.full(len(times), np.nan)) for times, columns in parts]
        whole[name] = np.concatenate(given)[order] if given else np.empty(0)
    return _Table(times[order], whole, topics, codes[order])


def _names(table: _Table) -> list[str]:
    return _distinct(["time", *(["topic"] if table.codes is not None else []), *table.columns])


def _load(module: str, method: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ModuleNotFoundError(
            f'{method}() needs {module}, which is not installed: pip install "nbrealtime[{extra}]"',
            name=module,
        ) from None


def _nanoseconds(times: Floats) -> NDArray[np.int64]:
    """Return times as whole nanoseconds, in the decimals that a float64 of their size holds: today, microseconds.

    Further digits are those of the nearest binary number (``12:00:00.123456001``). They stay where times would be equal
    without them, so that what was apart stays apart, and in order.
    """
    seconds = np.floor(times)
    # Whole seconds apart from the rest: multiplied at once, a time of today is only good to 256 ns.
    whole, rest = seconds.astype(np.int64) * 1_000_000_000, (times - seconds) * 1e9
    apart = np.spacing(np.abs(times).max(initial=1.0))
    unit = 10 ** max(0, 9 - int(np.floor(-np.log10(apart))))
    tidy = whole + np.rint(rest / unit).astype(np.int64) * unit
    equal = np.diff(tidy) == 0
    close = np.concatenate((equal, [False])) | np.concatenate(([False], equal))
    return np.where(close[: len(times)], whole + np.rint(rest).astype(np.int64), tidy)


def _distinct(names: list[str]) -> list[str]:
    """Return the names with underscores after those that are empty or stand twice: a payload may have a field "t"."""
    taken: set[str] = set()
    out: list[str] = []
    for wanted in names:
        name = wanted or "_"
        while name in taken:
            name += "_"
        taken.add(name)
        out.append(name)
    return out
