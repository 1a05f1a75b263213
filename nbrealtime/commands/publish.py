"""``nbrealtime publish TOPIC [DATA]``: one message, or one for each line of stdin.

Collaborators: a :class:`nbrealtime.client.Link` sends; :class:`_Receipt` waits
for the server.

The one rule: status 0 means that the server has every message. The v1 dialect
confirms no publish, but it answers everything else in order; so after the last
message a subscription to a topic of our own is asked for, and its answer, be it
a refusal, says that what stood before it was read. A publish that was refused
is reported before that answer.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Final, TextIO

from nbrealtime.commands.reporting import CommandError, say
from nbrealtime.commands.sinks import Sink
from nbrealtime.commands.target import (
    TARGET_EPILOG,
    add_target_arguments,
    address_of,
    check_usable,
    open_link,
    wait_connected,
)
from nbrealtime.commands.values import topic

if TYPE_CHECKING:
    from nbrealtime.client import Link

__all__ = ["HELP", "configure", "run"]

HELP: Final = "publish a message, or each line of standard input"

_EPILOG: Final = f"""\
DATA is sent as JSON if it is JSON, else as text: 21.5 is a number, hello a text.
Without DATA each line of standard input is a message; blank lines are passed
over, except with --text.

It ends when the server has every message, and with a status other than 0 if not.

Examples:
  nbrealtime publish lab:temp 21.5
  nbrealtime publish lab:bench '{{"volt": 3.3, "amp": 0.2}}'
  nbrealtime publish lab:name 42 --text
  tail -f readings.txt | nbrealtime publish lab:temp

{TARGET_EPILOG}"""
_CONFIRM_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.5


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds this command's options."""
    parser.epilog = _EPILOG
    parser.add_argument("topic", type=topic, metavar="TOPIC", help="the topic, like lab:temp")
    parser.add_argument(
        "data", nargs="?", metavar="DATA", help="the message (default: each line of standard input)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_const", const="json", dest="form", help="refuse what is no JSON"
    )
    form.add_argument(
        "--text", action="store_const", const="text", dest="form", help="send text, even if it is JSON"
    )
    parser.set_defaults(form="auto")
    add_target_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Publishes; returns once the server has everything."""
    form = arguments.form
    # What cannot be sent is said before anything connects.
    single = None if arguments.data is None else _encode(arguments.data, form)
    with closing(open_link(arguments)) as link:
        wait_connected(link)
        receipt = _Receipt(link)
        messages = _read_lines(sys.stdin, form) if single is None else [single]
        _publish_all(link, receipt, arguments.topic, messages)
        receipt.wait()
    return 0


def _publish_all(link: Link, receipt: _Receipt, name: str, messages: Iterable[bytes]) -> None:
    for message in messages:
        receipt.check()
        check_usable(link)
        link.publish(name, message)


def _read_lines(stream: TextIO, form: str) -> Iterator[bytes]:
    if stream.isatty():
        say("Each line that you type is published; Ctrl-D ends.")
    for number, line in enumerate(stream, start=1):
        text = line.rstrip("\r\n")
        if not text.strip() and form != "text":
            continue
        try:
            message = _encode(text, form)
        except CommandError as fault:
            raise CommandError(f"line {number}: {fault}") from None
        yield message


def _encode(text: str, form: str) -> bytes:
    import msgspec

    from nbrealtime.wire.encodings import encode_data

    if form != "text":
        try:
            # Not handed on as it was typed: JSON may span lines and repeat keys, a message does not.
            return encode_data(msgspec.json.decode(text))
        except msgspec.DecodeError as fault:
            if form == "json":
                raise CommandError(f"{_shown(text)} is no JSON: {fault}") from None
    try:
        return encode_data(text)
    except UnicodeEncodeError:
        raise CommandError(f"{_shown(text)} is not text in UTF-8") from None


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}…"


class _Receipt(Sink):
    """The server's answer to what follows the last message; see the module's rule."""

    def __init__(self, link: Link) -> None:
        super().__init__(f"nbrealtime:receipt:{secrets.token_hex(8)}")
        self._link = link
        self._answered = threading.Event()
        self._complaint: str | None = None
        link.on_report(self._complain)

    def check(self) -> None:
        """Raises ``CommandError`` if a message did not reach the server, or was refused."""
        if self._complaint is not None:
            raise CommandError(self._complaint)

    def wait(self) -> None:
        """Returns once the server has read what was published.

        Raises:
            CommandError: a message was refused or dropped, or no answer came.
        """
        deadline = time.monotonic() + _CONFIRM_SECONDS
        with closing(self._link.subscribe(self._topic, self)):
            while not self._answered.wait(_LOOK_SECONDS):
                self.check()
                check_usable(self._link)
                if time.monotonic() >= deadline:
                    raise CommandError(
                        f"{address_of(self._link)} did not confirm within {_CONFIRM_SECONDS:g} s; try again"
                    )
        self.check()

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None:
        self._answered.set()

    def refused(self, code: str, reason: str) -> None:
        # The token may not subscribe here. It is an answer all the same.
        self._answered.set()

    def offline(self) -> None:
        self._complain("the connection was lost before the server confirmed; messages may be missing")

    def _complain(self, sentence: str) -> None:
        if self._complaint is None:
            self._complaint = sentence
