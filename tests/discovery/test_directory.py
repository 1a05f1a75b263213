"""Entries in the runtime directory: left, read, foreign, broken."""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbrealtime import discovery
from nbrealtime.errors import DiscoveryError

from .conftest import KEY, URL, advertise


def test_an_entry_holds_what_a_client_needs(runtime: Path) -> None:
    advertisement = advertise()
    (entry,) = discovery.entries()
    assert (entry.url, entry.token, entry.key, entry.origin) == (URL, "a token", KEY, "standalone")
    assert entry.pid == os.getpid()
    assert entry.host == socket.gethostname()
    assert Path(entry.path) == advertisement.path
    assert entry.path.startswith(str(runtime / "nbrealtime-"))


def test_only_its_user_can_read_it(runtime: Path) -> None:
    before = os.umask(0)
    try:
        advertisement = advertise()
    finally:
        os.umask(before)
    assert stat.S_IMODE(advertisement.path.stat().st_mode) == 0o600
    assert list(runtime.iterdir()) == [advertisement.path], "nothing unfinished stays behind"


def test_it_goes_with_its_server() -> None:
    advertisement = advertise()
    advertisement.close()
    advertisement.close()
    assert discovery.entries() == []


def test_the_runtime_directory_is_made_if_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "not" / "there"))
    assert discovery.entries() == []
    advertise()
    assert len(discovery.entries()) == 1
    assert stat.S_IMODE((tmp_path / "not" / "there").stat().st_mode) == 0o700


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_remove_the_parents_entry() -> None:
    advertisement = advertise()
    discovery.set_local(advertisement.entry)
    child = os.fork()
    if child == 0:
        advertisement.close()
        os._exit(0 if discovery.local() is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert discovery.local() is not None
    discovery.set_local(None)
    assert len(discovery.entries()) == 1


# -- foreign ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")
def test_another_users_entry_is_refused() -> None:
    advertisement = advertise()
    os.chown(advertisement.path, 12345, 12345)
    assert discovery.entries() == []
    assert advertisement.path.exists()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")
def test_no_token_is_left_in_another_users_directory(runtime: Path) -> None:
    os.chown(runtime, 12345, 12345)
    with pytest.raises(DiscoveryError, match="another user"):
        advertise()
    assert list(runtime.iterdir()) == []


def test_an_entry_that_others_can_write_is_refused() -> None:
    advertisement = advertise()
    advertisement.path.chmod(0o622)
    assert discovery.entries() == []


def test_a_link_is_not_followed(runtime: Path, tmp_path: Path) -> None:
    advertisement = advertise()
    elsewhere = tmp_path / "elsewhere.json"
    advertisement.path.rename(elsewhere)
    advertisement.path.symlink_to(elsewhere)
    assert discovery.entries() == []


# -- broken -----------------------------------------------------------------------------------------------


def test_what_is_no_file_is_passed_over(runtime: Path) -> None:
    (runtime / "nbrealtime-directory.json").mkdir()
    os.mkfifo(runtime / "nbrealtime-pipe.json")
    (runtime / "nbrealtime-dangling.json").symlink_to(runtime / "nowhere")
    (runtime / "kernel-1.json").write_text("{}")
    advertise()
    assert discovery.find().url == URL


@settings(suppress_health_check=list(HealthCheck), max_examples=60)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
        ).map(lambda value: json.dumps(value).encode()),
        st.sampled_from(
            (
                "host",
                "boot",
                "pid",
                "started",
                "url",
                "key",
                "token",
                "origin",
                "namespace",
                "since",
                "birthplace",
            )
        ).flatmap(
            lambda field: st.sampled_from((None, [], {}, 1e400, -1, "", "\0", True)).map(
                lambda value: json.dumps({**_an_entry(), field: value}).encode()
            )
        ),
        st.just(b"[" * 50_000),
        st.just(b" " * 100_000),
    )
)
def test_no_content_breaks_the_listing(runtime: Path, content: bytes) -> None:
    path = runtime / "nbrealtime-broken.json"
    path.write_bytes(content)
    path.chmod(0o600)
    for entry in discovery.entries():
        discovery.verify(entry, timeout=0.2)
        assert str(entry.birthplace).isprintable()
        entry.age(time.time())


def _an_entry() -> dict[str, Any]:
    entry = discovery.describe(URL, "t", KEY, kind="kernel")
    return {field: value for field, value in msgspec.to_builtins(entry).items() if field != "path"}
