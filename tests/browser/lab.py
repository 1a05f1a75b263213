"""One JupyterLab of the tests' own: its process, its directories, its REST API, and commands that run beside it.

Collaborators: `conftest.py` starts one `Lab` per session and `notebook.py` drives pages of it; the kernels that
it starts, and the commands that `Lab.command` runs, share its runtime directory, so that they find each other
as the programs of one user do.

The rule here: *nothing of this machine leaks in or out*. Configuration, data, settings, workspaces and runtime
files live in one temporary folder, the port is free and not retried, kernels run on the interpreter that runs
pytest (or on that which NBREALTIME_TEST_KERNEL names), and everything that was started ends by its process id.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil

import nbrealtime

__all__ = ["KERNEL", "Lab"]

KERNEL = "nbrealtime-tests"
"""The kernelspec's name: without dots, which made JupyterLab hang."""

REPOSITORY = Path(nbrealtime.__file__).resolve().parent.parent

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


class Lab:
    """A running JupyterLab. `stop` ends it with its kernels; calling it twice is harmless."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "notebooks"
        self.runtime = folder / "runtime"
        self.token = secrets.token_hex(16)
        self.log = folder / "lab.log"
        self.env = _environment(folder)
        for part in (self.root, self.runtime):
            part.mkdir(parents=True)
        self.runtime.chmod(0o700)
        _write_kernelspec(folder / "data")
        _write_settings(folder / "settings")
        self._process, self.port = self._start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """Delete the kernels, then end the server: asked first, killed if it takes its time."""
        if self._process.poll() is not None:
            return
        self.delete_kernels()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)

    # Notebooks -------------------------------------------------------------------------------------------

    def write(self, name: str, cells: list[str]) -> str:
        """Write a notebook of these code cells and return its path below the root."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        return self._save(name, notebook)

    def copy(self, source: Path) -> str:
        """Copy a notebook of the repository, with our kernel in it, and return its path below the root."""
        return self._save(source.name, nbformat.read(source, as_version=4))

    def read(self, path: str) -> str:
        """Return the text of a saved notebook, as whoever gets the file sees it."""
        return (self.root / path).read_text(encoding="utf-8")

    def forget_theme(self) -> None:
        """Go back to the light theme, which a test may have left."""
        theme = self.folder / "settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
        theme.unlink(missing_ok=True)

    def _save(self, name: str, notebook: nbformat.NotebookNode) -> str:
        path = f"{Path(name).stem}-{secrets.token_hex(3)}.ipynb"
        notebook.metadata["kernelspec"] = {"name": KERNEL, "display_name": "Python", "language": "python"}
        nbformat.write(notebook, self.root / path)
        return path

    # The REST API ----------------------------------------------------------------------------------------

    def api(self, method: str, path: str, timeout: float = 20.0) -> Any:
        """Call Jupyter's REST API and return the answer's JSON, or None where there is none."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def kernels(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("GET", "kernels")
        return found

    def descendants(self, words: str) -> list[str]:
        """Return the command lines that contain these words, among the processes that came of this server."""
        lines = []
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                lines.append(" ".join(child.cmdline()))
        return [line for line in lines if words in line]

    def delete_kernels(self) -> None:
        """End every kernel; the answer comes when its process has ended."""
        for session in self.api("GET", "sessions"):
            self._delete(f"sessions/{session['id']}")
        for kernel in self.kernels():
            self._delete(f"kernels/{kernel['id']}")

    def _delete(self, path: str) -> None:
        try:
            self.api("DELETE", path, timeout=30)
        except urllib.error.HTTPError as error:
            if error.code != 404:  # it went with its session
                raise

    # Commands beside it ----------------------------------------------------------------------------------

    @contextmanager
    def command(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run `nbrealtime …` as the same user in another terminal; it is interrupted at the end of the block."""
        process = subprocess.Popen(
            [sys.executable, "-m", "nbrealtime", *arguments],
            env=self.env,
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()

    def run(self, *arguments: str, timeout: float = 20.0) -> str:
        """Run `nbrealtime …` to its end and return what it wrote to stdout; a failure shows its stderr."""
        done = subprocess.run(
            [sys.executable, "-m", "nbrealtime", *arguments],
            env=self.env,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"nbrealtime {' '.join(arguments)}: {done.stderr or done.stdout}"
        return done.stdout

    # Starting --------------------------------------------------------------------------------------------

    def _start(self) -> tuple[subprocess.Popen[bytes], int]:
        """Start the server on a free port; another program may take that port first, so try a few."""
        for _ in range(3):
            port = _free_port()
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
                        f"--IdentityProvider.token={self.token}",
                        f"--ServerApp.root_dir={self.root}",
                        "--ServerApp.terminals_enabled=False",
                        "--expose-app-in-browser",
                        "--JupyterNotebookApp.expose_app_in_browser=True",
                    ],
                    env=self.env,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            if self._answers(process, port):
                return process, port
            process.kill()
            process.wait()
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def _answers(self, process: subprocess.Popen[bytes], port: int) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{port}/api/status?token={self.token}", timeout=2
                ) as answer:
                    return bool(answer.status == 200)
            except OSError:  # not listening yet: there is no event to wait for in another process
                time.sleep(0.1)
        return False


def _environment(folder: Path) -> dict[str, str]:
    private = {
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
        "IPYTHONDIR": folder / "ipython",
        "JUPYTER_PLATFORM_DIRS": "1",
    }
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NBREALTIME_", "JUPYTER"))
    }
    # The kernels import what the tests import, whether it is installed or only checked out.
    path = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    commands = [str(Path(sys.executable).parent), *filter(None, [os.environ.get("PATH")])]
    return {
        **kept,
        **{name: str(value) for name, value in private.items()},
        "PYTHONPATH": os.pathsep.join(path),
        "PATH": os.pathsep.join(commands),
    }


def _write_kernelspec(data: Path) -> None:
    folder = data / "kernels" / KERNEL
    folder.mkdir(parents=True)
    # Another environment's interpreter, to see a front end beside an older kernel.
    python = os.environ.get("NBREALTIME_TEST_KERNEL") or sys.executable
    spec = {
        "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python",
        "language": "python",
        "metadata": {"debugger": False},
    }
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def _write_settings(settings: Path) -> None:
    """No news, no questions: what JupyterLab would put over the page that a test looks at."""
    chosen = {
        "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    }
    for plugin, values in chosen.items():
        file = settings / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
