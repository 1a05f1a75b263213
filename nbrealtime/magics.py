"""``%rtserver``: a server in this kernel, in one line.

Collaborators: :func:`nbrealtime.server.serve` is the server;
:func:`nbrealtime.widgets.token.show_token` shows a token for a minute;
:func:`nbrealtime.api.close_all` closes what the notebook opened. The package's
``load_ipython_extension`` delegates to :func:`load`.

The one rule: a magic prints and never raises. What goes wrong is one sentence on
stderr: what happened, then what to type.

Runs on the main thread. The kernel has one such server; this module owns it.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from nbrealtime import discovery
from nbrealtime.birthplace import printable
from nbrealtime.commands.values import claim, grant, history, history_rules, lifetime, pattern, port
from nbrealtime.errors import AddressInUse, RealtimeError
from nbrealtime.wire.times import format_age, format_duration

if TYPE_CHECKING:
    from nbrealtime.server import Server

__all__ = ["build_parser", "load", "unload"]

_NAME: Final = "rtserver"
_NEXT: Final = 'Next: t = rt.subscribe("lab:temp"), then t.plot()'
_START: Final = f"Start one: %{_NAME}"

_server: Server | None = None
# The store that it was asked for, as it was written.
_stored: str | None = None


def load(shell: Any) -> None:
    """Registers ``%rtserver`` with an IPython shell."""
    shell.register_magic_function(rtserver, "line", _NAME)


def unload(shell: Any) -> None:
    """Removes ``%rtserver`` and closes what it and the notebook opened."""
    shell.magics_manager.magics["line"].pop(_NAME, None)
    api = sys.modules.get("nbrealtime.api")
    if api is not None:  # else nothing was opened, and importing it now would be for nothing
        api.close_all()
    _close_server()


def rtserver(line: str) -> None:
    """A pub/sub server in this kernel.

    %rtserver [start] [--port PORT] [--host HOST] [--store URL]
        start one on a free port; if one runs, say where
    %rtserver status
        say where it listens and who uses it
    %rtserver who
        list who is connected
    %rtserver kick NAME
        remove a user, or one connection
    %rtserver token [NAME] [--ttl 2h] [--topics TOPIC …] [--allow ACTION …]
        show a token for somebody else, for a minute
    %rtserver stop
        stop it, with a goodbye to everybody
    """
    try:
        arguments = build_parser().parse_args(_with_action(_words(line)))
        arguments.run(arguments)
    except _Help as wanted:
        print(wanted)
    except (_Trouble, RealtimeError, OSError, ValueError) as trouble:
        sentence = str(trouble)
        print(f"{sentence[:1].upper()}{sentence[1:]}", file=sys.stderr)


class _Help(Exception):
    """Somebody typed ``--help``; the message is it."""


class _Trouble(Exception):
    """The sentence that the user reads."""


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would end the process, which here is the kernel."""

    def error(self, message: str) -> NoReturn:
        raise _Trouble(f"{self.prog}: {message}. Its options: {self.prog} --help")

    def print_help(self, file: object = None) -> None:
        raise _Help(self.format_help().rstrip())


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of ``%rtserver``'s line."""
    parser = _Parser(prog=f"%{_NAME}", description="A pub/sub server in this kernel.")
    commands = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    def add(
        name: str, run: Callable[[argparse.Namespace], None], description: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name, help=description, description=f"{description[0].upper()}{description[1:]}."
        )
        command.set_defaults(run=run)
        return command

    start = add("start", _start, "start a server; the action when none is named")
    start.add_argument("--port", type=port, help="the port to listen on (default: a free one)")
    start.add_argument("--host", help="the address to listen on (default: 127.0.0.1, this machine only)")
    start.add_argument(
        "--store",
        metavar="URL",
        help="where history lives: memory, or sqlite:///PATH, which survives a restart (default: memory)",
    )
    start.add_argument(
        "--history",
        type=history,
        nargs="+",
        metavar="RULE",
        help="how many messages a topic keeps, and how long: 1000, 1000,1h or lab:*=0 (default: the store's)",
    )
    add("status", _status, "say where the server listens and who uses it")
    add("who", _who, "list who is connected")
    kick = add("kick", _kick, "remove a user, or one connection")
    kick.add_argument("name", metavar="NAME", help="the user, or a connection like c3, as who lists them")
    token = add("token", _token, "show a token for somebody else, for a minute")
    token.add_argument(
        "name", nargs="?", default="guest", metavar="NAME", help="whose token it is (default: guest)"
    )
    token.add_argument(
        "--ttl",
        type=lifetime,
        default=7200.0,
        metavar="DURATION",
        help="how long it is good for, like 90s, 2h, 30d or never (default: 2h)",
    )
    token.add_argument(
        "--topics",
        type=pattern,
        nargs="+",
        metavar="TOPIC",
        help="the topics or patterns that it is good for (default: all)",
    )
    token.add_argument(
        "--allow",
        type=grant,
        nargs="+",
        metavar="ACTION",
        help="what it allows on them: subscribe, publish, presence, history (default: all four); or PATTERN=ACTION,…",
    )
    add("stop", _stop, "stop the server, with a goodbye to everybody")
    return parser


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as fault:
        raise _Trouble(f"%{_NAME}: a quotation mark in {line!r} has no partner") from fault


def _with_action(words: list[str]) -> list[str]:
    """``%rtserver`` and ``%rtserver --port 8750`` start one."""
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        return ["start", *words]
    return words


def _start(arguments: argparse.Namespace) -> None:
    from nbrealtime.server import serve

    global _server, _stored
    running = _address()
    if running is not None:
        # A cell that is run again asks for the same server; only another port, host or store asks for another.
        if _differs(running, arguments):
            raise _Trouble(
                f"A server runs here already, at {running}. To move it: %{_NAME} stop, then start it again"
            )
    else:
        try:
            _server = serve(
                arguments.port or 0,
                arguments.host or "127.0.0.1",
                store=arguments.store or "memory",
                history=history_rules(arguments.history),
            )
            _stored = arguments.store
        except AddressInUse as fault:
            raise _Trouble(
                f"Port {fault.port} on {fault.host} is in use. Take a free one: %{_NAME}"
            ) from fault
        running = _server.url
    print(f"Server running at {running} (this kernel)")
    print(_NEXT)


def _status(arguments: argparse.Namespace) -> None:
    running = _address()
    if running is None:
        print(f"No server runs in this kernel. {_START}")
        return
    server = _own()
    used = ""
    if server is not None:
        stats = server.stats()
        used = f": connections {stats['connections']}, topics {stats['totalTopics']}"
    print(f"Server running at {running} (this kernel){used}")


def _who(arguments: argparse.Namespace) -> None:
    server = _own()
    if server is None:
        raise _unowned("see who is there")
    found = server.connections()
    if not found:
        print("Nobody is connected.")
        return
    now = time.time()
    lines = [("CONNECTION", "USER", "NAME", "TOPICS", "SINCE", "FROM")]
    lines += [
        (
            one["connection"],
            printable(one["user"]),
            printable(one["name"]),
            str(one["topics"]),
            format_age(max(0.0, now - one["since"])),
            one["address"],
        )
        for one in found
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _kick(arguments: argparse.Namespace) -> None:
    server = _own()
    if server is None:
        raise _unowned("remove somebody")
    count = server.kick(arguments.name)
    if not count:
        raise _Trouble(f"Nobody of that name is connected. Who is: %{_NAME} who")
    connections = "1 connection" if count == 1 else f"{count} connections"
    print(f"{arguments.name} removed: {connections}. A token that is out stays good until its time is over.")


def _token(arguments: argparse.Namespace) -> None:
    server = _own()
    if server is None:
        raise _unowned("make a token")
    from nbrealtime.widgets.token import show_token

    token = server.token(arguments.name, topics=claim(arguments.topics, arguments.allow), ttl=arguments.ttl)
    lasting = "ever" if arguments.ttl is None else format_duration(arguments.ttl)
    show_token(token, ttl_text=lasting)


def _stop(arguments: argparse.Namespace) -> None:
    server = _own()
    if server is None:
        raise _unowned("stop it")
    _close_server()
    print(f"Server at {server.url} stopped. Start it again: %{_NAME}")


def _close_server() -> None:
    global _server
    server, _server = _server, None
    if server is not None:
        server.close()


def _own() -> Server | None:
    """The server that ``%rtserver`` started, while it runs."""
    return None if _server is None or _server.closed else _server


def _address() -> str | None:
    """Where the server of this kernel listens, whoever started it."""
    server = _own()
    if server is not None:
        return server.url
    entry = discovery.local()
    return None if entry is None else entry.url.removesuffix("/ws")


def _unowned(wish: str) -> _Trouble:
    running = _address()
    if running is None:
        return _Trouble(f"No server runs in this kernel. {_START}")
    return _Trouble(f"The server at {running} was started by rt.serve(); use what that returned to {wish}")


def _differs(running: str, arguments: argparse.Namespace) -> bool:
    host, _, number = running.partition("://")[2].rpartition(":")
    if arguments.store is not None and arguments.store != _stored:
        return True
    return (arguments.port or int(number)) != int(number) or (arguments.host or host) != host
