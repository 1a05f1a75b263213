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
