"""Whose process an entry's is: alive, dead, another's, or out of sight."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbrealtime import discovery
from nbrealtime.discovery.process import start_time
from nbrealtime.errors import NoServer

from .conftest import advertise, dead_pid, rewrite


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(lambda: {"pid": dead_pid()}, id="the process is gone"),
        pytest.param(lambda: {"pid": 1}, id="another process has its pid"),
        pytest.param(lambda: {"started": 1.0}, id="it started at another time"),
        pytest.param(lambda: {"boot": "0000"}, id="the machine was restarted"),
        pytest.param(lambda: {"pid": 0}, id="no process has this number"),
        pytest.param(lambda: {"pid": -1}, id="nor this one"),
        pytest.param(lambda: {"pid": 2**40}, id="nor this one either"),
    ],
)
def test_a_dead_entry_is_removed(changes: Callable[[], dict[str, Any]]) -> None:
    advertisement = advertise()
    rewrite(advertisement, **changes())
    assert discovery.entries() == []
    assert not advertisement.path.exists()


def test_a_process_of_which_only_the_remains_are_left_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    advertisement = advertise()
    started = start_time(child.pid)
    rewrite(advertisement, pid=child.pid, started=started)
    assert len(discovery.entries()) == 1
    child.kill()
    deadline = time.monotonic() + 20
    while discovery.entries() and time.monotonic() < deadline:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not reaped
    assert not advertisement.path.exists()
    child.communicate()


def test_what_a_killed_process_leaves_is_removed() -> None:
    program = (
        "from nbrealtime import discovery; import os\n"
        "print(discovery.advertise('ws://127.0.0.1:1', 't', 'k', kind='kernel').path, flush=True)\n"
        "os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    left = Path(done.stdout.strip())
    assert left.exists()
    with pytest.raises(NoServer):
        discovery.find()
    assert not left.exists()


def test_another_process_entry_is_alive_as_long_as_that_is() -> None:
    program = (
        "from nbrealtime import discovery\n"
        "a = discovery.advertise('ws://127.0.0.1:1', 't', 'k', kind='kernel')\n"
        "print('ready', flush=True)\n"
        "input()\n"
        "a.close()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    assert discovery.find().pid == child.pid
    child.communicate("\n")
    assert discovery.entries() == []


def test_another_hosts_entry_is_left_alone() -> None:
    advertisement = advertise()
    rewrite(advertisement, host="elsewhere", pid=1, boot="another")
    assert discovery.entries() == []
    assert advertisement.path.exists()


def test_another_containers_entry_is_left_alone() -> None:
    advertisement = advertise()
    rewrite(advertisement, namespace="pid:[1]", pid=dead_pid())
    assert discovery.entries() == []
    assert advertisement.path.exists()
