"""Samples as arrays and tables."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from nbrealtime.live import exports
from nbrealtime.live.connection import Connection
from nbrealtime.live.samples.order import FARTHEST
from nbrealtime.live.samples.ring import Ring
from nbrealtime.live.topic import LiveTopic

from .fakes import NOW, FakeLink


@pytest.fixture
def topic(connection: Connection, link: FakeLink) -> LiveTopic:
    topic = connection.topic("lab:temp")
    link.say("lab:temp", {"x": 1, "y": 2}, {"x": 3, "y": None}, {"x": 5, "y": 6}, at=NOW + 0.25)
    return topic


def test_numpy_has_t_first(topic: LiveTopic) -> None:
    array = topic.to_numpy()
    assert array.dtype == np.dtype([("t", "f8"), ("x", "f8"), ("y", "f8")])
    np.testing.assert_array_equal(array["t"], [NOW + 0.25, NOW + 1.25, NOW + 2.25])
    np.testing.assert_array_equal(array["y"], [2, np.nan, 6])


def test_numpy_of_some_fields_and_the_last(topic: LiveTopic) -> None:
    array = topic.to_numpy(["y", "z"], last=1)
    assert array.dtype.names == ("t", "y", "z")
    assert array["y"].tolist() == [6]
    assert np.isnan(array["z"]).all()


def test_what_is_taken_is_a_copy(topic: LiveTopic) -> None:
    topic.to_numpy()["x"][:] = 99
    assert topic.to_numpy()["x"].tolist() == [1, 3, 5]


def test_fields_whose_names_are_taken_are_renamed() -> None:
    ring = Ring()
    ring.append(np.array([NOW]), {"t": np.array([1.0]), "": np.array([2.0]), "_": np.array([3.0])})
    assert exports.to_numpy(ring, None, None).dtype.names == ("t", "t_", "_", "__")


def test_pandas_has_a_utc_index_named_time(topic: LiveTopic) -> None:
    pandas = pytest.importorskip("pandas")
    frame = topic.to_pandas()
    assert (frame.index.name, str(frame.index.tz), list(frame.columns)) == ("time", "UTC", ["x", "y"])
    assert frame.index[0] == pandas.Timestamp(NOW + 0.25, unit="s", tz="UTC")
    assert frame["x"].tolist() == [1, 3, 5]
    assert topic["y"].to_pandas(last=1).tolist() == [6]


def test_pandas_of_nothing_is_empty(connection: Connection) -> None:
    pytest.importorskip("pandas")
    frame = connection.topic("lab:empty").to_pandas()
    assert (len(frame), frame.index.name, str(frame.index.tz)) == (0, "time", "UTC")


def test_times_keep_their_digits_and_stay_distinct() -> None:
    pytest.importorskip("pandas")
    ring = Ring()
    for _ in range(5):
        ring.append(np.array([NOW]), {"value": np.array([1.0])})
    index = exports.to_pandas(ring, None, None).index
    assert index.is_unique
    assert index.is_monotonic_increasing


def stamps(times: np.ndarray, library: str) -> list[int]:
    """A table's times in whole nanoseconds since the epoch."""
    pytest.importorskip(library)
    ring = Ring()
    ring.append(times, {"value": np.zeros(len(times))})
    if library == "pandas":
        return exports.to_pandas(ring, None, None).index.as_unit("ns").asi8.tolist()  # type: ignore[no-any-return, attr-defined]
    if library == "polars":
        return exports.to_polars(ring, None, None)["time"].to_physical().to_list()  # type: ignore[no-any-return]
    arrow = pytest.importorskip("pyarrow")
    return exports.to_arrow(ring, None, None)["time"].cast(arrow.int64()).to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_times_of_today_are_whole_microseconds(library: str) -> None:
    # A float64 holds them to 0.24 µs: further digits are those of the nearest binary number.
    meant = int(NOW) * 1_000_000 + np.array([123_456, 123_457, 300_000, 999_999, 1_000_001])
    times = meant / 1e6
    assert any(round(time % 1 * 1e9) % 1000 for time in times)
    assert stamps(times, library) == (meant * 1000).tolist()


def test_a_second_of_a_million_samples_has_the_times_that_were_meant() -> None:
    meant = int(NOW) * 1_000_000 + np.arange(1_000_000)
    assert stamps(meant / 1e6, "pandas") == (meant * 1000).tolist()


@pytest.mark.parametrize("apart", [0.0, 3e-7, 5e-7, 9.6e-7])
def test_times_that_are_closer_than_a_microsecond_stay_apart_and_in_order(apart: float) -> None:
    # None apart at all: such are put a microsecond apart, as nearly as a float64 can.
    times = NOW + apart * np.arange(1000)
    found = np.array(stamps(times, "pandas"))
    assert (np.diff(found) > 0).all()
    ring = Ring()
    ring.append(times, {"value": np.zeros(1000)})
    np.testing.assert_allclose(
        found - int(NOW) * 10**9, (exports.to_numpy(ring, None, None)["t"] - int(NOW)) * 1e9, atol=500
    )


def test_times_that_a_float64_holds_to_the_nanosecond_keep_it() -> None:
    assert stamps(np.array([0.0, 1e-9, 3e-9, 1.000000123]), "pandas") == [0, 1, 3, 1_000_000_123]


def test_numpy_has_the_times_as_they_are_kept() -> None:
    ring, time = Ring(), NOW + 0.123456
    ring.append(np.array([time]), {"value": np.array([1.0])})
    assert exports.to_numpy(ring, None, None)["t"].tolist() == [time]


def test_polars_has_time_first(topic: LiveTopic) -> None:
    polars = pytest.importorskip("polars")
    frame = topic.to_polars()
    assert frame.columns == ["time", "x", "y"]
    assert frame.schema["time"] == polars.Datetime("ns", "UTC")
    assert frame["x"].to_list() == [1, 3, 5]


def test_arrow_has_time_first(topic: LiveTopic) -> None:
    arrow = pytest.importorskip("pyarrow")
    table = topic.to_arrow(last=2)
    assert table.column_names == ["time", "x", "y"]
    assert table.schema.field("time").type == arrow.timestamp("ns", tz="UTC")
    assert table["x"].to_pylist() == [3, 5]


@pytest.mark.parametrize(
    ("method", "module"), [("to_pandas", "pandas"), ("to_polars", "polars"), ("to_arrow", "pyarrow")]
)
def test_a_missing_library_is_named_with_what_installs_it(
    topic: LiveTopic, method: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        ModuleNotFoundError, match=rf'{method}\(\) needs {module}.*pip install "nbrealtime\[{module}\]"'
    ):
        getattr(topic, method)()


@pytest.mark.parametrize("time", [-FARTHEST, FARTHEST])
def test_the_farthest_times_that_are_kept_are_times_of_a_table(time: float) -> None:
    pytest.importorskip("pandas")
    ring = Ring()
    ring.append(np.array([time]), {"x": np.array([1.0])})
    ring.append(np.array([1e18]), {"x": np.array([2.0])})
    [stamp] = exports.to_pandas(ring, None, None).index
    assert stamp.year == (1678 if time < 0 else 2261)
