"""Where a signing secret comes from: the environment or a file, never an argument.

``ps`` shows every argument to every user of the machine; the environment and a
private file it does not show.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from nbrealtime.commands.reporting import CommandError, say

__all__ = ["VARIABLE", "add_key_arguments", "add_secret_argument", "read_key", "read_secret"]

VARIABLE: Final = "NBREALTIME_SECRET"
_SAFE_BYTES: Final = 32  # RFC 7518, 3.2: as long as the hash of HS256


class _Refuse(argparse.Action):
    """``--secret X``, which people try: everybody on the machine sees it in ``ps``. The message must not repeat it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        parser.error(
            f"a secret on the command line is seen by everybody here: use {VARIABLE} or --secret-file FILE"
        )


def add_secret_argument(parser: argparse.ArgumentParser, *, otherwise: str) -> None:
    """Adds ``--secret-file``; ``otherwise`` says what happens without a secret."""
    parser.add_argument("--secret", action=_Refuse, nargs="?", help=argparse.SUPPRESS)
    parser.add_argument(
        "--secret-file",
        type=Path,
        metavar="FILE",
        help=f"read the signing secret from FILE (else from {VARIABLE}; {otherwise})",
    )


def add_key_arguments(parser: argparse.ArgumentParser, *, purpose: str) -> None:
    """Adds ``--algorithm``, ``--key-file``, ``--audience`` and ``--issuer``."""
    parser.add_argument(
        "--algorithm",
        nargs="+",
        metavar="NAME",
        help="of the tokens' signatures, like RS256, ES256 or EdDSA (default: HS256, with a secret)",
    )
    parser.add_argument("--key-file", type=Path, metavar="FILE", help=purpose)
    parser.add_argument("--audience", metavar="NAME", help="what a token's aud says")
    parser.add_argument("--issuer", metavar="NAME", help="what a token's iss says")


def read_key(file: Path, algorithms: Sequence[str] | None) -> str:
    """Returns the key in ``file``, in PEM.

    Raises:
        CommandError: it cannot be read, or it is not said what it is for.
    """
    if algorithms is None:
        raise CommandError(f"say what the key in {file} is for: --algorithm RS256, ES256 or EdDSA")
    try:
        return file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not in PEM"
        raise CommandError(f"the key file {file} cannot be read: {reason}") from fault


def read_secret(file: Path | None) -> str | None:
    """Returns the secret in ``file``, else that of the environment, else ``None``.

    White space around it is not part of it, so that an editor's last newline does no harm.

    Raises:
        CommandError: the file cannot be read, or the secret is empty.
    """
    if file is None:
        value = os.environ.get(VARIABLE)
        if value is None:
            return None
        source = VARIABLE
    else:
        source = str(file)
        try:
            value = file.read_text("utf-8")
            shared = stat.S_IMODE(file.stat().st_mode) & 0o077
        except (OSError, UnicodeDecodeError) as fault:
            reason = fault.strerror if isinstance(fault, OSError) else "it is not text in UTF-8"
            raise CommandError(f"the secret file {file} cannot be read: {reason}") from fault
        if shared and sys.platform != "win32":
            say(f"Warning: others may read {file}; `chmod 600 {file}` keeps the secret yours")
    secret = value.strip()
    if not secret:
        raise CommandError(f"the secret in {source} is empty")
    size = len(secret.encode(errors="surrogateescape"))
    if size < _SAFE_BYTES:
        say(
            f"Warning: the secret in {source} has {size} bytes and could be guessed; take {_SAFE_BYTES} or more"
        )
        # PyJWT would say so again, at every token and with a line of its source.
        warnings.filterwarnings("ignore", message="The HMAC key is")
    return secret
