"""What an entry shows, and since when its server runs."""

from __future__ import annotations

import time

import msgspec
import pytest

from .conftest import KEY, advertise


def test_an_entry_shows_neither_key_nor_token() -> None:
    entry = advertise().entry
    assert KEY not in f"{entry!r} {entry}"
    assert "a token" not in f"{entry!r} {entry}"


def test_an_entry_says_when_its_server_started() -> None:
    before = time.time()
    entry = advertise().entry
    assert entry.since == pytest.approx(before, abs=5)
    assert entry.age(entry.since + 7) == 7
    # Whoever set the clock back meanwhile.
    assert entry.age(entry.since - 7) == 0


def test_nobody_knows_how_long_an_older_releases_server_ran_when_it_has_ended() -> None:
    advertisement = advertise()
    old = msgspec.structs.replace(advertisement.entry, since=None)
    assert old.age(time.time() + 60) == pytest.approx(60, abs=5)
    advertisement.close()
    assert old.age(time.time()) is None
