"""A server's entry as the tests leave it, and as another program would change it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nbrealtime import discovery

KEY = "5e" * 32
URL = "ws://127.0.0.1:1"


@pytest.fixture
def runtime() -> Path:
    return Path(os.environ["JUPYTER_RUNTIME_DIR"])


def advertise(url: str = URL) -> discovery.Advertisement:
    return discovery.advertise(url, "a token", KEY, kind="standalone")


def rewrite(advertisement: discovery.Advertisement, **changes: Any) -> None:
    """Another program's hand in an entry."""
    content = json.loads(advertisement.path.read_text())
    advertisement.path.write_text(json.dumps({**content, **changes}))


def dead_pid() -> int:
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid
