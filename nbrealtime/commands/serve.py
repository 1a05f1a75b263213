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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nbrealtime.commands.reporting import CommandError, say
from nbrealtime.commands.secret import (
    VARIABLE,
    add_key_arguments,
    add_secret_argument,
    read_key,
    read_secret,
)
from nbrealtime.commands.values import history, history_rules, port, positive, seconds

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
    parser.add_argument(
        "--store",
        default="memory",
        metavar="URL",
        help="where history lives: memory, or sqlite:///PATH, which survives a restart (default: memory)",
    )
    parser.add_argument(
        "--history",
        type=history,
        nargs="+",
        metavar="RULE",
        help="how many messages a topic keeps, and how long: 1000, 1000,1h or 'lab:*=0' (default: the store's)",
    )
    add_secret_argument(parser, otherwise="else a random one, new at each start")
    add_key_arguments(
        parser, purpose="verify tokens with the key in FILE (PEM, public or private), instead of a secret"
    )
    parser.add_argument(
        "--jwks",
        metavar="URL",
        help="verify tokens with the public keys at this address: https, or of this machine",
    )
    parser.add_argument(
        "--origin",
        nargs="+",
        default=[],
        metavar="ORIGIN",
        help="web origins whose pages may connect, like https://lab.example, besides this machine's",
    )
    parser.add_argument(
        "--public-url",
        metavar="URL",
        help="where browsers reach this server, if that is not where it listens",
    )
    parser.add_argument(
        "--tls-cert", type=Path, metavar="FILE", help="encrypt, with the certificate in FILE (PEM)"
    )
    parser.add_argument(
        "--tls-key", type=Path, metavar="FILE", help="the certificate's key (default: in the same file)"
    )
    parser.add_argument(
        "--rate",
        type=positive,
        metavar="N",
        help="messages that a connection may publish per second (default: any number)",
    )
    parser.add_argument(
        "--drain",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="when told to stop, let clients leave spread over SECONDS first (default: 0)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serves until Ctrl-C or SIGTERM, then says goodbye to everybody."""
    server = _start(arguments)
    try:
        print(f"Server running at {server.url}", flush=True)
        if arguments.host not in _LOOPBACK and arguments.tls_cert is None:
            say(
                "Warning: it listens beyond this machine, and what travels is not encrypted: give --tls-cert and "
                "--tls-key, or put a TLS proxy in front of it."
            )
        say(
            "Next: rt.connect() in a notebook, or `nbrealtime sensor host` in another terminal. Ctrl-C stops it."
        )
        _report_activity(server)
    except KeyboardInterrupt:
        _drain(server, arguments.drain)
    finally:
        server.close()
    say("Stopped.")
    return 0


def _start(arguments: argparse.Namespace) -> Server:
    from nbrealtime.server import serve

    algorithms = arguments.algorithm
    if arguments.jwks is not None:
        if arguments.key_file is not None or arguments.secret_file is not None:
            raise CommandError(
                "tokens are verified with --jwks, with --key-file or with a secret, not with two"
            )
        key = None
        algorithms = algorithms or ("RS256", "ES256", "EdDSA")
    elif arguments.key_file is not None:
        key = read_key(arguments.key_file, algorithms)
    else:
        key = read_secret(arguments.secret_file)
        if any(not name.startswith("HS") for name in algorithms or ()):
            raise CommandError(f"{', '.join(algorithms)} needs a key: --key-file FILE, or --jwks URL")
    try:
        return serve(
            arguments.port,
            arguments.host,
            key,
            store=arguments.store,
            history=history_rules(arguments.history),
            algorithms=algorithms or ("HS256",),
            jwks=arguments.jwks,
            audience=arguments.audience,
            issuer=arguments.issuer,
            origins=arguments.origin,
            public_url=arguments.public_url,
            tls_cert=arguments.tls_cert,
            tls_key=arguments.tls_key,
            rate=arguments.rate,
            kind="standalone",
        )
    except ValueError as fault:
        # An option that makes no sense. The message is ours, and quotes neither secret nor key.
        raise CommandError(str(fault)) from fault


def _drain(server: Server, seconds: float) -> None:
    """Lets everybody leave in peace; a second Ctrl-C has no patience."""
    if not seconds or server.closed:
        return
    say(f"Draining for at most {seconds:g} s. Ctrl-C stops at once.")
    try:
        server.drain(seconds)
    except KeyboardInterrupt:
        return


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
