"""A real Jupyter kernel, driven as a front end drives it: cells with ids, outputs by the cell they belong to.

Runs against whatever ipykernel is installed.
"""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 20.0


class Notebook:
    """A kernel with one client. ``outputs[cell]`` is what has appeared below each run of a cell, newest run last."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self._runs: dict[str, str] = {}  # message ids to cells
        self._text: dict[str, str] = {}  # message ids to streams
        self._errors: dict[str, str] = {}
        self._idle: set[str] = set()
        self.displays: list[tuple[str, str, dict[str, Any]]] = []
        """Runs, message types and contents of everything that was displayed, or took the place of a display."""

    def start(self, code: str, cell: str | None = None, *, asks: bool = False) -> str:
        """Send a cell, from a front end that can be asked for input or not; return its run's id."""
        session = self.client.session
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": asks,
            "stop_on_error": True,
        }
        message = session.msg("execute_request", content)
        # As JupyterLab sends it.
        message["metadata"] = {"cellId": cell} if cell else {}
        self.client.shell_channel.send(message)
        run: str = message["header"]["msg_id"]
        self._text[run] = ""
        return run

    def run(self, code: str, cell: str | None = None, *, asks: bool = False) -> str:
        """Run a cell to its end; return what it printed. Raises ``AssertionError`` with its traceback."""
        run = self.start(code, cell, asks=asks)
        self.finish(run)
        if run in self._errors:
            raise AssertionError(self._errors[run])
        return self._text[run]

    def finish(self, run: str) -> str | None:
        """Wait until a run has ended; return its traceback, if it raised."""
        self.until(lambda: run in self._idle)
        return self._errors.get(run)

    def text(self, run: str) -> str:
        """What has been printed below a run so far."""
        return self._text[run]

    def until(self, ready: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Read outputs until ``ready()``."""
        deadline = time.monotonic() + patience
        while not ready():
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"never came; below the cells stands {self._text}, {self._errors}")
            try:
                self._read(self.client.get_iopub_msg(timeout=min(left, 1.0)))
            except queue.Empty:
                continue

    def until_printed(self, run: str, text: str) -> None:
        """Read outputs until ``text`` stands below a run."""
        self.until(lambda: text in self._text[run])

    def _read(self, message: dict[str, Any]) -> None:
        run = message["parent_header"].get("msg_id", "")
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            self._text[run] = self._text.get(run, "") + content["text"]
        elif kind in ("display_data", "update_display_data", "execute_result"):
            self.displays.append((run, kind, content))
        elif kind == "error":
            self._errors[run] = "\n".join(content["traceback"])
        elif kind == "status" and content["execution_state"] == "idle":
            self._idle.add(run)


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """A kernel in which nbrealtime is imported as rt, with a server ``server`` and a topic ``temp``."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    manager = KernelManager(kernel_name="python3")
    # The interpreter that runs the tests, whatever kernels are installed.
    import sys

    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel(cwd=str(tmp_path))
    notebook = Notebook(manager)
    try:
        notebook.run(
            "import asyncio, sys, threading, time\n"
            "import nbrealtime as rt\n"
            "server = rt.serve()\n"
            "temp = rt.subscribe('lab:temp')\n"
            "assert rt.connect().wait_connected(10)\n"
            "def feed(values, every=0.05):\n"
            "    def work():\n"
            "        for value in values:\n"
            "            rt.publish('lab:temp', value)\n"
            "            time.sleep(every)\n"
            "    thread = threading.Thread(target=work, daemon=True)\n"
            "    thread.start()\n"
            "    return thread\n"
        )
        yield notebook
    finally:
        notebook.client.stop_channels()
        if manager.is_alive():
            manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
