"""`nbrealtime demo`: the notebooks, JupyterLab on them, and a clean end."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbrealtime.cli import main
from nbrealtime.commands import demo
from tests.commands.conftest import Process

Start = Callable[..., Process]


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Path]]:
    """How JupyterLab would have been started."""
    started: list[tuple[list[str], Path]] = []

    def start(command: list[str], directory: Path) -> int:
        started.append((command, directory))
        return 0

    monkeypatch.setattr(demo, "_run_lab", start)
    return started


def test_it_copies_the_notebooks_and_opens_the_first(
    tmp_path: Path, lab: list[tuple[list[str], Path]]
) -> None:
    directory = tmp_path / "new" / "notebooks"
    assert main(["demo", "--directory", str(directory)]) == 0
    assert {path.name for path in directory.iterdir()} == {"quickstart.ipynb", "sensors.ipynb"}
    ((command, where),) = lab
    assert where == directory
    assert command[1:4] == ["-m", "jupyterlab", "--LabApp.default_url=/lab/tree/quickstart.ipynb"]
    assert "--no-browser" not in command


def test_an_edited_notebook_stays_as_it_is(
    tmp_path: Path, lab: list[tuple[list[str], Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "quickstart.ipynb"
    mine.write_text("mine")
    assert main(["demo", "--directory", str(tmp_path)]) == 0
    assert mine.read_text() == "mine"
    assert (tmp_path / "sensors.ipynb").is_file()
    assert f"{mine} is there already and stays as it is" in capsys.readouterr().err


def test_a_notebook_that_is_still_ours_is_not_worth_a_word(
    tmp_path: Path, lab: list[tuple[list[str], Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["demo", "--directory", str(tmp_path)])
    capsys.readouterr()
    main(["demo", "--directory", str(tmp_path)])
    assert "already" not in capsys.readouterr().err


def test_the_browser_can_be_left_out_and_the_port_chosen(
    tmp_path: Path, lab: list[tuple[list[str], Path]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert main(["demo", "--directory", str(tmp_path), "--no-browser", "--port", str(port)]) == 0
    ((command, _),) = lab
    assert {"--no-browser", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"} <= set(command)


def test_a_port_in_use_is_a_sentence(
    tmp_path: Path, lab: list[tuple[list[str], Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["demo", "--directory", str(tmp_path), "--port", str(port)]) == 1
    assert f"port {port} on 127.0.0.1 is in use" in capsys.readouterr().err
    assert lab == []


def test_without_jupyterlab_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["demo", "--directory", str(tmp_path)]) == 1
    assert (
        capsys.readouterr().err == 'nbrealtime: the demo needs JupyterLab: pip install "nbrealtime[demo]"\n'
    )


def test_a_directory_that_cannot_be_made_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["demo", "--directory", str(tmp_path / "file")]) == 1
    error = capsys.readouterr().err
    assert error == f"nbrealtime: the notebooks cannot be put into {tmp_path / 'file'}: File exists\n"


def fetch(url: str) -> Any:
    """Reads JSON from a server that logs its address a moment before it listens."""
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            time.sleep(0.05)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_jupyterlab_really_starts_on_the_quickstart_and_ends_with_it(
    tmp_path: Path, start: Start, ending: signal.Signals
) -> None:
    private = {
        f"JUPYTER{name}_DIR": str(tmp_path / name.lower())
        for name in ("_CONFIG", "_DATA", "LAB_SETTINGS", "LAB_WORKSPACES")
    }
    running = start("demo", "--no-browser", "--directory", str(tmp_path / "demo"), **private)
    url = ""
    while not url:
        # Jupyter logs its address once it serves.
        found = re.search(
            r"(http://(?:127\.0\.0\.1|localhost):\d+)/lab/tree/quickstart\.ipynb\?token=(\w+)",
            running.stderr.readline(),
        )
        url = f"{found[1]}/api/contents?token={found[2]}" if found else ""
    notebooks = {entry["name"] for entry in fetch(url)["content"]}
    assert notebooks >= {"quickstart.ipynb", "sensors.ipynb"}
    running.send(ending)
    for _ in running.stderr:
        pass  # both processes have it; it ends when both have ended
    assert running.ends() == 0
    assert not [file for file in os.listdir(os.environ["JUPYTER_RUNTIME_DIR"]) if file.startswith("jpserver")]
