"""Addresses of stores, and what is wrong with some."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbrealtime.hub.store import Store
from nbrealtime.server.stores import MemoryStore, SqliteStore, check_store, open_store


def ignore(_: object) -> None:
    pass


def opened(address: str, **options: object) -> Store:
    store = open_store(address, post=ignore, now=1, **options)  # type: ignore[arg-type]
    store.close()
    return store


@pytest.mark.parametrize("address", ["memory", "memory://", "memory?messages=5", "memory://?seconds=none"])
def test_memory_has_an_address(address: str):
    assert isinstance(opened(address), MemoryStore)


def test_three_slashes_are_relative_and_four_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for address, path in [
        ("sqlite:///lab.db", "lab.db"),
        ("sqlite:///data/lab.db", "data/lab.db"),
        (f"sqlite:///{tmp_path}/four.db", "four.db"),
        ("sqlite:///with%20space%23.db", "with space#.db"),
        ("sqlite:///with#hash.db", "with#hash.db"),
    ]:
        assert isinstance(opened(address), SqliteStore)
        assert (tmp_path / path).is_file()


@pytest.mark.skipif(os.name != "posix", reason="has other roots")
def test_three_slashes_may_stand_before_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    opened(f"sqlite://{tmp_path}/three.db")
    assert (tmp_path / "three.db").is_file()


def test_options_bound_the_history(tmp_path: Path):
    for address in ("memory?messages=0", f"sqlite:///{tmp_path}/lab.db?messages=0"):
        store = open_store(address, post=ignore, now=1)
        assert store.position("lab:a", 1) is None
        store.close()


def test_history_adds_to_the_options():
    store = open_store("memory?messages=0", history={"lab:*": 5}, now=1)
    assert store.position("lab:a", 1) is not None
    assert store.position("other", 1) is None


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("postgres://x", "is no store"),
        ("", "is no store"),
        ("memory?nonsense=1", "has no option 'nonsense'"),
        ("memory?synchronous=full", "has no option 'synchronous'"),
        ("memory?messages=many", "messages is a number"),
        ("memory?messages=none", "messages is a number"),
        ("memory?seconds=-1", "must not be negative"),
        ("memory?seconds=nan", "must not be negative"),
        ("sqlite://lab.db", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///data/", "names no file"),
        ("sqlite:///lab%00.db", "zero byte"),
        ("sqlite:///lab.db?synchronous=maybe", "normal or full"),
    ],
)
def test_a_bad_address_is_said_before_anything_is_opened(
    address: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=says):
        check_store(address)
    assert list(tmp_path.iterdir()) == [tmp_path / "jupyter-runtime"]


def test_checking_opens_nothing(tmp_path: Path):
    check_store(f"sqlite:///{tmp_path}/lab.db")
    assert not (tmp_path / "lab.db").exists()


def test_a_file_needs_a_loop_to_answer_on(tmp_path: Path):
    with pytest.raises(ValueError, match="call_soon_threadsafe"):
        open_store(f"sqlite:///{tmp_path}/lab.db")
