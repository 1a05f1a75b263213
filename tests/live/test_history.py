"""How much of the past a topic keeps, as people say it."""

from __future__ import annotations

import numpy as np
import pytest

from nbrealtime.live.connection import Connection
from nbrealtime.live.history import room_for
from nbrealtime.live.samples.ring import MAX_BYTES, MAX_SAMPLES, Ring

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64MiB", 64 << 20),
        ("64 mib", 64 << 20),
        ("500kB", 500_000),
        ("1.5GB", 1_500_000_000),
        ("2048B", 2048),
        ("1TiB", 1 << 40),
    ],
)
def test_a_text_is_bytes(text: str, size: int) -> None:
    assert room_for(text).max_bytes == size


def test_a_number_is_samples_also_beyond_the_usual_bytes() -> None:
    assert room_for(1000) == (1000, MAX_BYTES)
    ring = Ring(**room_for(5_000_000)._asdict())
    ring.append(NOW + np.arange(5_000_001) / 1000, {"value": np.zeros(5_000_001)})
    assert len(ring) == 5_000_000


def test_nothing_said_is_a_million_samples() -> None:
    assert room_for(None) == (MAX_SAMPLES, MAX_BYTES)


@pytest.mark.parametrize("history", ["64", "64 parsecs", "MiB", "-1MB", "12B", 0, -5, "64ib"])
def test_what_is_no_history_is_refused(history: object) -> None:
    with pytest.raises(ValueError, match=r"history|size"):
        room_for(history)


@pytest.mark.parametrize("history", [True, 1e6, b"64MiB"])
def test_neither_number_nor_text_is_a_mistake(history: object) -> None:
    with pytest.raises(TypeError, match="64MiB"):
        room_for(history)


def test_a_topic_keeps_what_it_was_told_to(connection: Connection) -> None:
    temp = connection.topic("lab:temp", history=50)
    temp.feed.ring.append(NOW + np.arange(1000.0), {"value": np.arange(1000.0)})
    assert len(temp.to_numpy()) == 50
    assert temp.feed.ring.extent == (NOW, NOW + 999)


def test_another_history_for_an_open_topic_is_refused(connection: Connection) -> None:
    temp = connection.topic("lab:temp", history="1MiB")
    assert connection.topic("lab:temp") is temp
    assert connection.topic("lab:temp", history="1MiB") is temp
    with pytest.raises(ValueError, match=r"history='1MiB', not 50"):
        connection.topic("lab:temp", history=50)


def test_a_patterns_topics_share_the_bytes(connection: Connection) -> None:
    lab = connection.topic("lab:*", history="256KiB")
    for number in range(10):
        lab.feed.strand(f"lab:{number}").ring.append(NOW + np.arange(10_000.0), {"value": np.zeros(10_000)})
    assert sum(strand.ring.nbytes for strand in lab.feed.strands) <= 256 * 1024
