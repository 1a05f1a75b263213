"""Which server is used when none was named."""

from __future__ import annotations

import json
import os
import re
import time

import pytest

from nbrealtime import discovery
from nbrealtime.errors import AmbiguousServer, NoServer

from .conftest import KEY, URL, advertise, rewrite


def test_none_running_says_what_to_type() -> None:
    with pytest.raises(NoServer, match="%rtserver"):
        discovery.find()


def test_the_only_one_is_found() -> None:
    advertise()
    assert discovery.find().url == URL


def test_several_are_listed_with_what_to_type() -> None:
    advertise("ws://127.0.0.1:1")
    advertise("ws://127.0.0.1:2")
    with pytest.raises(AmbiguousServer, match=r"rt\.connect") as caught:
        discovery.find()
    assert set(caught.value.servers) == {"ws://127.0.0.1:1", "ws://127.0.0.1:2"}


def test_several_are_told_apart_by_where_each_was_started() -> None:
    notebook = advertise("ws://127.0.0.1:1")
    rewrite(notebook, birthplace={"notebook": "/data/rig.ipynb"})
    rewrite(advertise("ws://127.0.0.1:10"), birthplace={"program": "nbrealtime serve", "directory": "/data"})
    with pytest.raises(AmbiguousServer) as caught:
        discovery.find()
    pid = os.getpid()
    said = re.sub(r"up \d+ m?s", "up …", str(caught.value))
    assert f"\n  ws://127.0.0.1:1   /data/rig.ipynb (pid {pid}, up …)\n" in said
    assert f"\n  ws://127.0.0.1:10  nbrealtime serve in /data (pid {pid}, up …)\n" in said
    assert not {"a token", KEY} & set(caught.value.places)
    assert "a token" not in said
    assert KEY not in said


def test_an_older_releases_entry_does_not_say_where_but_how_long() -> None:
    for port in (1, 2):
        advertisement = advertise(f"ws://127.0.0.1:{port}")
        content = json.loads(advertisement.path.read_text())
        del content["birthplace"], content["since"]
        advertisement.path.write_text(json.dumps(content))
        os.utime(advertisement.path, (time.time() - 300, time.time() - 300))
    with pytest.raises(AmbiguousServer) as caught:
        discovery.find()
    assert f"\n  ws://127.0.0.1:1  (pid {os.getpid()}, up 5 min)\n" in str(caught.value)


def test_this_process_own_comes_first() -> None:
    advertise("ws://127.0.0.1:1")
    advertise("ws://127.0.0.1:2")
    own = discovery.describe("ws://127.0.0.1:3", "t", KEY, kind="kernel")
    discovery.set_local(own)
    try:
        assert discovery.find() is own
    finally:
        discovery.set_local(None)
