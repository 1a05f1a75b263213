"""What was said since the last flush, and to whom.

The hub writes every frame here together with its recipients, a tuple that stays
the same object while nobody joins or leaves. A flush joins what went to the same
tuple once and hands everybody one buffer. To those who take arrays, what went to
the same tuple is one frame.

The one rule: a publish costs the same however many follow the topic. Appending
to each subscriber's own list took 0.1 µs per delivery, more than everything
else together apart from the system call; here the subscribers are visited once
a flush, not once a message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nbrealtime.wire.v2 import encode_batches

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session

__all__ = ["Journal"]


class Journal:
    """Frames in the order they were written; ``frame`` makes a payload into one.

    ``size`` is how many bytes wait to be posted: 0 if there is nothing.
    """

    __slots__ = ("_frame", "_frames", "_recipients", "_runs", "size")

    def __init__(self, frame: Callable[[bytes], bytes] = bytes) -> None:
        self._frame = frame
        self._runs: list[tuple[tuple[Session, ...], list[bytes], bool]] = []
        self._recipients: tuple[Session, ...] | None = None
        self._frames: list[bytes] = []
        self.size = 0

    def write(self, recipients: tuple[Session, ...], *frames: bytes) -> None:
        """Adds frames for everybody in ``recipients``."""
        if recipients is not self._recipients:
            self._recipients = recipients
            self._frames = []
            self._runs.append((recipients, self._frames, False))
        self._frames += frames
        self.size += sum(map(len, frames))

    def write_batch(self, recipients: tuple[Session, ...], *payloads: bytes) -> None:
        """Adds payloads for everybody in ``recipients``, a tuple that gets nothing but payloads."""
        if recipients is not self._recipients:
            self._recipients = recipients
            self._frames = []
            self._runs.append((recipients, self._frames, True))
        self._frames += payloads
        self.size += sum(map(len, payloads))

    def post(self) -> tuple[tuple[Session, ...], int]:
        """Moves everything to the outboxes; returns who got something, and how many deliveries that were."""
        runs = self._runs
        self._runs = []
        self._recipients = None
        self.size = 0
        if len(runs) == 1:
            recipients, frames, is_batch = runs[0]
            data = self._join(frames, is_batch)
            readers = len(recipients)
            if readers == 1 and recipients is recipients[0].alone:
                # Control goes to one session alone, and is not held back.
                recipients[0].urgent = True
            for session in recipients:
                session.outbox.put(data)
            return recipients, readers * len(frames)
        deliveries = 0
        parts: dict[Session, list[bytes]] = {}
        for recipients, frames, is_batch in runs:
            deliveries += len(recipients) * len(frames)
            data = self._join(frames, is_batch)
            if len(recipients) == 1 and recipients is recipients[0].alone:
                recipients[0].urgent = True
            for session in recipients:
                if session in parts:
                    parts[session].append(data)
                else:
                    parts[session] = [data]
        # Connections that follow the same topics have the same parts: joined once for all of them.
        # Lists are compared element by element, and identical elements before anything else.
        last: list[bytes] = []
        joined = b""
        for session, own in parts.items():
            if len(own) == 1:
                session.outbox.put(own[0])
                continue
            if own != last:
                last = own
                joined = b"".join(own)
            session.outbox.put(joined)
        return tuple(parts), deliveries

    def _join(self, frames: list[bytes], is_batch: bool) -> bytes:
        # One alone is handed on by `join` as it is.
        return b"".join(map(self._frame, encode_batches(frames)) if is_batch else frames)
