"""``nbrealtime demo``: JupyterLab, opened on a notebook that runs by itself.

Collaborators: the notebooks that the wheel carries (``nbrealtime/notebooks``; in
a checkout they stand beside the package), and JupyterLab as a child process.

The one rule: a notebook that is there already is somebody's work and is never
overwritten.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from nbrealtime.commands.reporting import CommandError, say
from nbrealtime.commands.values import port
from nbrealtime.errors import AddressInUse

__all__ = ["HELP", "configure", "find_notebooks", "run"]

HELP: Final = "open a notebook that shows this machine's load, live"

_EPILOG: Final = """\
The notebooks are copied into a directory of yours, where you may edit them; those
that are there already stay as they are. To start afresh, delete or rename yours.
"""
_FIRST: Final = "quickstart.ipynb"
_STOP_SECONDS: Final = 10.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds this command's options."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address instead of opening a browser"
    )
    parser.add_argument("--port", type=port, help="JupyterLab's port (default: 8888, or the next free one)")
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path("nbrealtime-demo"),
        metavar="DIR",
        help="where the notebooks go (default: nbrealtime-demo, below this directory)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Copies the notebooks and runs JupyterLab until Ctrl-C, SIGTERM, or its own end."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise CommandError('the demo needs JupyterLab: pip install "nbrealtime[demo]"')
    if arguments.port:
        _check_free(arguments.port)
    directory: Path = arguments.directory
    try:
        _copy_notebooks(find_notebooks(), directory)
    except OSError as fault:
        raise CommandError(f"the notebooks cannot be put into {directory}: {fault.strerror}") from fault
    say(
        f"Starting JupyterLab on {directory / _FIRST}. Run all of its cells: Run > Run All Cells. Ctrl-C ends it."
    )
    return _run_lab(_command(arguments.port, browser=not arguments.no_browser), directory)


def find_notebooks() -> Path:
    """Returns the directory of the notebooks that came with the package.

    Raises:
        CommandError: they are not there.
    """
    package = Path(__file__).parent.parent
    for candidate in (package / "notebooks", package.parent / "notebooks"):
        if (candidate / _FIRST).is_file():
            return candidate
    raise CommandError(
        'the notebooks are missing from this installation: pip install --force-reinstall "nbrealtime[demo]"'
    )


def _copy_notebooks(source: Path, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(source.glob("*.ipynb")):
        target = directory / notebook.name
        try:
            # Exclusively: between a look and a copy somebody could have saved a notebook there.
            with target.open("xb") as file:
                file.write(notebook.read_bytes())
        except FileExistsError:
            if target.read_bytes() != notebook.read_bytes():
                say(f"{target} is there already and stays as it is.")


def _command(number: int | None, *, browser: bool) -> list[str]:
    # Not as an argument: then only the browser that Jupyter opens itself would come there, and not who
    # types the address that it prints.
    command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{_FIRST}"]
    if not browser:
        command.append("--no-browser")
    if number:
        command += [f"--ServerApp.port={number}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Jupyter refuses to run as root, which in a container is who one is. It listens on this machine
        # only, and asks for its token.
        command.append("--allow-root")
    return command


def _run_lab(command: list[str], directory: Path) -> int:
    # Out of reach of the terminal's Ctrl-C: at SIGINT Jupyter asks whether that is meant, or, without a
    # terminal, drops everything and leaves its kernels. At SIGTERM it ends them first.
    with subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, start_new_session=True) as lab:
        try:
            status = lab.wait()
        except KeyboardInterrupt:
            lab.terminate()
            try:
                lab.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                lab.kill()
            return 0
    if status != 0:
        raise CommandError(f"JupyterLab ended with status {status}; what it said stands above")
    return 0


def _check_free(number: int) -> None:
    """Raises ``AddressInUse`` now, rather than have Jupyter say it in forty lines."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError as fault:
            raise AddressInUse("127.0.0.1", number) from fault
