"""``nbrealtime serve``: a server that stands alone until it is told to stop.

Collaborators: :func:`nbrealtime.server.serve` is the server, in a thread of its
own; ``secret`` finds what signs its tokens.

The one rule: nothing secret is printed, neither the signing secret nor a token.
Whoever belongs to this user finds the server through its discovery entry, and
anybody else needs a token from ``nbrealtime token``.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any, Final

from nbrealtime.commands.reporting import say
from nbrealtime.commands.secret import VARIABLE, add_secret_argument, read_secret
from nbrealtime.commands.values import port

if TYPE_CHECKING:
    from nbrealtime.server import Server

__all__ = ["HELP", "configure", "run"]

HELP: Final = "run a server until Ctrl-C"

_EPILOG: Final = f"""\
Notebooks and terminals of the same user find the server by themselves
(`nbrealtime list` shows it). Others connect with its address and a token. To
make one, server and `nbrealtime token` need the same secret:
  python3 -c 'import secrets; print(secrets.token_hex(32))' > secret.txt
  chmod 600 secret.txt
  nbrealtime serve --port 8750 --secret-file secret.txt
  nbrealtime token ada --secret-file secret.txt

There is no option that takes the secret itself: `ps` would show it to every
user of this machine. It comes from {VARIABLE} or from a file.
"""
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds this command's options."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1, this machine only)"
    )
    parser.add_argument("--port", type=port, default=0, help="the port to listen on (default: a free one)")
    add_secret_argument(parser, otherwise="else a random one, new at each start")


def run(arguments: argparse.Namespace) -> int:
    """Serves until Ctrl-C or SIGTERM, then says goodbye to everybody."""
    from nbrealtime.server import serve

    secret = read_secret(arguments.secret_file)
    server = serve(arguments.port, arguments.host, secret, kind="standalone")
    try:
        print(f"Server running at {server.url}", flush=True)
        if arguments.host not in _LOOPBACK:
            say(
                "It listens beyond this machine, and what travels is not encrypted: put a TLS proxy in front of it."
            )
        say(
            "Next: rt.connect() in a notebook, or `nbrealtime sensor host` in another terminal. Ctrl-C stops it."
        )
        _report_activity(server)
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
    say("Stopped.")
    return 0


def _report_activity(server: Server) -> None:
    """Says who came and what is used whenever that changed, at most once a second."""
    told = _describe({"connections": 0, "totalTopics": 0})
    while not server.closed:
        time.sleep(1.0)
        activity = _describe(server.stats())
        if activity != told:
            say(f"{time.strftime('%H:%M:%S')}  {activity}")
            told = activity


def _describe(stats: dict[str, Any]) -> str:
    return f"{_count(stats['connections'], 'connection')}, {_count(stats['totalTopics'], 'topic')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
