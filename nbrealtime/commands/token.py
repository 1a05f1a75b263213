"""``nbrealtime token``: signs a token for somebody who is to use a server.

Collaborators: :class:`nbrealtime.server.tokens.Authority` signs; ``secret``
finds what it signs with. No server has to run: whoever has its secret can sign.

The one rule: the token stands alone on stdout, so that ``$(nbrealtime token …)``
is one, and nothing else ever holds it.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Final

from nbrealtime.commands.reporting import CommandError
from nbrealtime.commands.secret import (
    VARIABLE,
    add_key_arguments,
    add_secret_argument,
    read_key,
    read_secret,
)
from nbrealtime.commands.values import claim, grant, lifetime, pattern

__all__ = ["HELP", "configure", "run"]

HELP: Final = "make a token that opens a server"

_EPILOG: Final = f"""\
The secret is the one that the server was started with. Without --topics and
--allow the token may do what the server allows to everybody, normally all but
its own $ topics and other users' user:… topics.

Examples:
  nbrealtime token ada --secret-file secret.txt
  nbrealtime token screen --topics 'lab:*' --allow subscribe --ttl 30d
  nbrealtime token robot --allow 'lab:**=subscribe,history' 'robot:*=publish'
  NBREALTIME_TOKEN=$(nbrealtime token robot) nbrealtime publish lab:temp 21.5 --url ws://lab:8750

The secret itself is never an argument; it comes from {VARIABLE}, from a
file, or is asked for.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds this command's options."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "user", nargs="?", metavar="USER", help="whose token it is (default: your own user name)"
    )
    parser.add_argument("--name", help="the name that others see (default: USER)")
    parser.add_argument(
        "--topics",
        type=pattern,
        nargs="+",
        metavar="TOPIC",
        help="the topics or patterns that the token is good for (default: all)",
    )
    parser.add_argument(
        "--allow",
        type=grant,
        nargs="+",
        metavar="ACTION",
        help="what it allows on them: subscribe, publish, presence, history (default: all four); or PATTERN=ACTION,…",
    )
    parser.add_argument(
        "--ttl",
        type=lifetime,
        default=86_400.0,
        metavar="DURATION",
        help="how long it is good for, like 90s, 2h, 30d or never (default: 1d)",
    )
    add_secret_argument(parser, otherwise="else you are asked")
    add_key_arguments(parser, purpose="sign with the private key in FILE (PEM), instead of a secret")


def run(arguments: argparse.Namespace) -> int:
    """Prints one token."""
    if arguments.key_file is not None:
        secret = read_key(arguments.key_file, arguments.algorithm)
    else:
        secret = read_secret(arguments.secret_file) or _ask()
    from nbrealtime.server.config import Config
    from nbrealtime.server.tokens import Authority

    try:
        authority = Authority(
            Config(
                secret=secret,
                algorithms=arguments.algorithm or ("HS256",),
                audience=arguments.audience,
                issuer=arguments.issuer,
            )
        )
        if not authority.can_sign:
            raise CommandError(f"the key in {arguments.key_file} is a public one, and cannot sign")
        token = authority.issue(
            arguments.user or getpass.getuser(),
            name=arguments.name,
            topics=claim(arguments.topics, arguments.allow),
            ttl=arguments.ttl,
        )
    except ValueError as fault:
        # An option that makes no sense. The message is ours, and quotes neither secret nor key.
        raise CommandError(str(fault)) from fault
    print(token)
    return 0


def _ask() -> str:
    if not sys.stdin.isatty():
        raise CommandError(
            f"a token needs the server's secret: set {VARIABLE}, or give --secret-file FILE, as for `nbrealtime serve`"
        )
    secret = getpass.getpass("The server's secret: ").strip()
    if not secret:
        raise CommandError("without a secret there is no token")
    return secret
