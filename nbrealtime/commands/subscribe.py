"""``nbrealtime subscribe TOPIC``: what a topic carries, as JSON lines on stdout.

Collaborators: a :class:`nbrealtime.client.Link` receives on its own thread, an
:class:`_Inbox` hands over to the main thread, which writes.

The one rule: stdout has messages and nothing else, each line flushed before the
next message is waited for, so that whatever reads it is never behind. A reader
that is slower than the topic loses the oldest messages and is told how many.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Final

from nbrealtime.commands.reporting import say
from nbrealtime.commands.sinks import Sink
from nbrealtime.commands.target import (
    TARGET_EPILOG,
    add_target_arguments,
    check_usable,
    open_link,
    wait_connected,
)
from nbrealtime.commands.values import count, pattern

if TYPE_CHECKING:
    from nbrealtime.client import Link, Message

__all__ = ["HELP", "configure", "run"]

HELP: Final = "print what a topic carries, as JSON lines"

_EPILOG: Final = f"""\
Each line is one message: its topic, its data, the server's time in milliseconds
since the epoch, and its id. With jq, the values alone:
  nbrealtime subscribe lab:temp | jq --unbuffered .data

{TARGET_EPILOG}"""
_INBOX_MESSAGES: Final = 10_000
_LOOK_SECONDS: Final = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds this command's options."""
    parser.epilog = _EPILOG
    parser.add_argument("topic", type=pattern, metavar="TOPIC", help="the topic, like lab:temp")
    parser.add_argument(
        "--count", type=count, metavar="N", help="end after N messages (default: go on until Ctrl-C)"
    )
    add_target_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints messages until there were ``--count`` of them, or until Ctrl-C."""
    with closing(open_link(arguments)) as link:
        wait_connected(link)
        inbox = _Inbox(arguments.topic)
        with closing(link.subscribe(arguments.topic, inbox)):
            try:
                _print_messages(link, inbox, arguments.count)
            except KeyboardInterrupt:
                # An endless command that is stopped has done its work; one that counts has not.
                return 0 if arguments.count is None else 130
    return 0


class _Inbox(Sink):
    """What arrived and was not printed yet; filled on the client thread, emptied on the main thread."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self._waiting: deque[Message] = deque()
        self._changed = threading.Condition()
        self._notices: list[str] = []
        self._dropped = 0

    def take(self) -> tuple[list[Message], list[str]]:
        """Waits up to a second; returns the messages that came and what there is to say about them."""
        with self._changed:
            if not (self._waiting or self._notices):
                self._changed.wait(_LOOK_SECONDS)
            messages, notices = list(self._waiting), self._notices
            self._waiting.clear()
            self._notices = []
            if self._dropped:
                notices.append(
                    f"{self._dropped} messages dropped: whatever reads this is slower than the topic."
                )
                self._dropped = 0
            return messages, notices

    def received(self, messages: list[Message]) -> None:
        with self._changed:
            self._waiting.extend(messages)
            while len(self._waiting) > _INBOX_MESSAGES:
                self._waiting.popleft()
                self._dropped += 1
            self._changed.notify()

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None:
        self._notice(f"Subscribed to {self._topic}; Ctrl-C stops it.")

    def offline(self) -> None:
        self._notice("The connection was lost; trying again.")

    def refused(self, code: str, reason: str) -> None:
        super().refused(code, reason)
        self._notice()

    def closed(self) -> None:
        self._notice()

    def _notice(self, *sentences: str) -> None:
        with self._changed:
            self._notices.extend(sentences)
            self._changed.notify()


def _print_messages(link: Link, inbox: _Inbox, limit: int | None) -> None:
    printed = 0
    while limit is None or printed < limit:
        messages, notices = inbox.take()
        for notice in notices:
            say(notice)
        for message in messages[: None if limit is None else limit - printed]:
            sys.stdout.buffer.write(_line(message))
            printed += 1
        sys.stdout.buffer.flush()
        inbox.check()
        check_usable(link)


def _line(message: Message) -> bytes:
    """The message as a line, with the wire's names and units."""
    import msgspec

    from nbrealtime.wire.encodings import encode_data

    fields: dict[str, object] = {"topic": message.topic, "data": msgspec.Raw(encode_data(message.data))}
    fields["timestamp"] = round(message.timestamp * 1000)
    if message.id is not None:
        fields["messageId"] = message.id
    return msgspec.json.encode(fields) + b"\n"
