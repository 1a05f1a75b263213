"""A ring's samples as arrays and tables of other libraries. Always copies; NaN is a gap.

Nothing but numpy is loaded before it is asked for; a library that is missing is named together with the command
that installs it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nbrealtime.live.ring import Floats, Ring

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["to_arrow", "to_numpy", "to_pandas", "to_polars"]


def to_numpy(ring: Ring, fields: Iterable[str] | None, last: int | None) -> NDArray[np.void]:
    """Return a structured array: ``t`` (s since the epoch) first, then a float64 for each field."""
    times, columns = ring.snapshot(fields, last)
    names = _distinct(["t", *columns])
    out = np.empty(len(times), dtype=[(name, np.float64) for name in names])
    for name, column in zip(names, (times, *columns.values()), strict=True):
        out[name] = column
    return out


def to_pandas(ring: Ring, fields: Iterable[str] | None, last: int | None) -> pd.DataFrame:
    """Return a DataFrame with a UTC ``DatetimeIndex`` named ``time``, and a column for each field."""
    pandas = _load("pandas", "to_pandas", "pandas")
    times, columns = ring.snapshot(fields, last)
    index = pandas.DatetimeIndex(_nanoseconds(times).astype("datetime64[ns]"), tz="UTC", name="time")
    frame: pd.DataFrame = pandas.DataFrame(columns, index=index)
    return frame


def to_polars(ring: Ring, fields: Iterable[str] | None, last: int | None) -> Any:
    """Return a polars DataFrame: ``time`` (UTC, ns) first, then a column for each field."""
    polars = _load("polars", "to_polars", "polars")
    times, columns = ring.snapshot(fields, last)
    names = _distinct(["time", *columns])
    data = dict(zip(names[1:], columns.values(), strict=True))
    time = polars.Series("time", _nanoseconds(times)).cast(polars.Datetime("ns", "UTC"))
    return polars.DataFrame({"time": time, **data})


def to_arrow(ring: Ring, fields: Iterable[str] | None, last: int | None) -> Any:
    """Return a pyarrow Table: ``time`` (UTC, ns) first, then a column for each field."""
    arrow = _load("pyarrow", "to_arrow", "pyarrow")
    times, columns = ring.snapshot(fields, last)
    time = arrow.array(_nanoseconds(times), type=arrow.timestamp("ns", tz="UTC"))
    return arrow.Table.from_arrays(
        [time, *(arrow.array(column) for column in columns.values())], names=_distinct(["time", *columns])
    )


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
    # Whole seconds apart from the rest: multiplied at once, a time of today is only good to 256 ns.
    seconds = np.floor(times)
    rest = np.rint((times - seconds) * 1e9)
    whole: NDArray[np.int64] = seconds.astype(np.int64) * 1_000_000_000 + rest.astype(np.int64)
    return whole


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
