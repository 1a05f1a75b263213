"""Which server, as whom: ``--url`` and ``--token``, else the environment, else discovery.

Collaborators: :func:`nbrealtime.client.open_link` resolves what is not named;
:class:`nbrealtime.client.Link` is the connection that it returns.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from typing import TYPE_CHECKING, Final

from nbrealtime.commands.reporting import CommandError
from nbrealtime.errors import ConnectionFailed

if TYPE_CHECKING:
    from nbrealtime.client import Link

__all__ = [
    "TARGET_EPILOG",
    "add_target_arguments",
    "address_of",
    "check_usable",
    "is_found",
    "open_link",
    "wait_connected",
]

TARGET_EPILOG: Final = """\
Without --url and --token, NBREALTIME_URL and NBREALTIME_TOKEN say which server;
without those it is the only one that runs here (`nbrealtime list`). A token in
the environment is safer than one on the command line, which `ps` shows.
"""

_CONNECT_SECONDS: Final = 10.0


def add_target_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--url`` and ``--token``."""
    parser.add_argument(
        "--url", help="the server's address, like ws://127.0.0.1:8750 (default: found by itself)"
    )
    parser.add_argument("--token", help="the token that opens it (default: found by itself)")


def is_found(arguments: argparse.Namespace) -> bool:
    """Whether the server is found by discovery, since nothing names one."""
    return not (arguments.url or os.environ.get("NBREALTIME_URL"))


def open_link(arguments: argparse.Namespace) -> Link:
    """Returns a link to the server that the arguments mean; it connects in the background.

    Raises:
        NoServer: none was named, and none runs here.
        AmbiguousServer: none was named, and several run here.
        CommandError: what was named is no address.
    """
    from nbrealtime import client

    try:
        return client.open_link(arguments.url, arguments.token)
    except ValueError as fault:
        raise CommandError(str(fault)) from fault


def address_of(link: Link) -> str:
    """The server's address as `nbrealtime serve` prints it."""
    return link.status.url.removesuffix("/ws")


def check_usable(link: Link) -> None:
    """Raises ``ConnectionFailed`` if the link has ended, as after a token that the server does not accept."""
    status = link.status
    if status.state == "closed":
        raise ConnectionFailed(status.url, status.error or "it is closed")


def wait_connected(link: Link) -> None:
    """Returns once the link is connected.

    A first attempt that fails ends the wait: whoever typed a command is better served by the reason
    now than by a silence that might end well.

    Raises:
        ConnectionFailed: the attempt failed, or nothing was decided for 10 s.
    """
    changed = threading.Event()
    unlisten = link.listen(lambda status: changed.set())
    deadline = time.monotonic() + _CONNECT_SECONDS
    try:
        while (status := link.status).state != "connected":
            if status.error or time.monotonic() >= deadline:
                raise ConnectionFailed(status.url, status.error or f"no answer for {_CONNECT_SECONDS:g} s")
            changed.wait(deadline - time.monotonic())
            changed.clear()
    finally:
        unlisten()
