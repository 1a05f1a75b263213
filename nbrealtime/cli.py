"""The ``nbrealtime`` command: one parser, and the one place where an error becomes a sentence.

Collaborators: :mod:`nbrealtime.commands` holds one file per command, each with
``HELP``, ``configure(parser)`` and ``run(arguments)``, which returns the exit
status. What a command prints as its result goes to stdout, what it says about
itself to stderr.

The one rule: nobody sees a traceback for a fault that is theirs or the
network's. Such a fault is a :class:`~nbrealtime.errors.RealtimeError`, a
:class:`~nbrealtime.commands.reporting.CommandError` or an ``OSError`` and ends
here as one message on stderr and status 1; anything else is ours and keeps its
traceback, because we have to find it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Final

from nbrealtime import __version__
from nbrealtime.commands import demo, publish, sensor, serve, subscribe, token
from nbrealtime.commands import list as list_
from nbrealtime.commands.reporting import CommandError, say
from nbrealtime.errors import RealtimeError

__all__ = ["COMMANDS", "build_parser", "main"]

COMMANDS: Final[dict[str, ModuleType]] = {
    "serve": serve,
    "token": token,
    "list": list_,
    "publish": publish,
    "subscribe": subscribe,
    "sensor": sensor,
    "demo": demo,
}

_DESCRIPTION: Final = "Live data for notebooks: a pub/sub server, and everything that talks to it."
_EPILOG: Final = """\
A first try, in two terminals:
  nbrealtime serve                      a server on a free port
  nbrealtime sensor host                this machine's load, on host:cpu and others

and in a notebook of the same user, which finds that server by itself:
  import nbrealtime as rt
  rt.subscribe("host:cpu").plot()

No terminal at all? `nbrealtime demo` opens a notebook that does it for you.
"""


def build_parser() -> argparse.ArgumentParser:
    """Returns the whole command line; it imports nothing that a command needs only when it runs."""
    parser = argparse.ArgumentParser(
        prog="nbrealtime",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nbrealtime {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=f"{module.HELP[0].upper()}{module.HELP[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            # An abbreviation that works today is another option's name tomorrow.
            allow_abbrev=False,
        )
        module.configure(command)
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status: 0, 1 for a fault, 2 for a wrong call, 130 if interrupted."""
    arguments = build_parser().parse_args(argv)
    with _signals_interrupt():
        try:
            status: int = arguments.run(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            return 130
        except BrokenPipeError:
            # `nbrealtime subscribe … | head -1`: the reader has what it wanted. The interpreter flushes stdout
            # once more as it ends, so give it one that takes everything.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (RealtimeError, CommandError, OSError) as fault:
            say(f"nbrealtime: {fault}")
            return 1
    return status


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Makes SIGTERM, and the end of the terminal, what Ctrl-C is: as clean a stop as a person's."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # What nohup has switched off stays off.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
