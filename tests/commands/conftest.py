"""Commands as people run them: real processes, watched through what they print."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from nbrealtime.server import Server, serve


class Process:
    """One ``nbrealtime …``; every read waits for a line, bounded by the test's own timeout."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "nbrealtime", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        self.stdin, self.stdout, self.stderr = self._popen.stdin, self._popen.stdout, self._popen.stderr

    @property
    def pid(self) -> int:
        return self._popen.pid

    def hears(self, words: str) -> str:
        """Waits until it says ``words`` on stderr; returns that line."""
        heard = []
        for line in self.stderr:
            if words in line:
                return line
            heard.append(line)
        raise AssertionError(f"{words!r} was never said, but:\n{''.join(heard)}")

    def send(self, signal_number: signal.Signals) -> None:
        self._popen.send_signal(signal_number)

    def ends(self) -> int:
        """Waits for its end; returns the exit status."""
        return self._popen.wait()

    def kill(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.pid).children(recursive=True):
                child.kill()
        self._popen.kill()
        self._popen.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            with contextlib.suppress(BrokenPipeError):  # what was never read stays unread
                stream.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Starts a command; what still runs at the test's end is killed."""
    running: list[Process] = []

    def run(*arguments: str, **environment: str) -> Process:
        running.append(Process(*arguments, **environment))
        return running[-1]

    yield run
    for process in running:
        process.kill()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server in this process, which other processes find in the runtime directory."""
    with serve() as server:
        yield server
