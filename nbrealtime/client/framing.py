"""WebSocket frames in the plain case: whole text frames, read and written for a few calls each.

``websocket.py`` passes what is plain by the ``websockets`` library, which takes some seventy calls for a
frame in and a frame out, and a system call for each mask; beside a cell that computes, each of these counts.
Pure but for the random bytes.

The one rule: whatever is no whole text frame goes to the library as it came, and frames are passed by whole. So what
the library sees is a stream of frames too, and it judges every violation. The source is RFC 6455, section 5.2.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library does without it where nothing could be compiled
    from websockets.utils import apply_mask

__all__ = ["Framer", "Splitter"]

_TEXT: Final = 0x81  # the last fragment, no extensions, text
_END_OF_HEAD: Final = b"\r\n\r\n"
_KEYS_BYTES: Final = 1024


class Splitter:
    """Cuts what a server sends at the boundaries of its frames. ``limit``: the largest plain payload in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._head = b""  # the end of what has come of the handshake's answer
        self._begun = b""  # a frame's header of which a part is to come
        self._owed = 0  # how many bytes are to come of a frame that was given out in part

    def cut_head(self, data: bytes) -> int:
        """Returns how much of ``data`` belongs to the answer to the handshake, which ends with an empty line."""
        seen = self._head + data
        found = seen.find(_END_OF_HEAD)
        if found < 0:
            self._head = seen[-len(_END_OF_HEAD) + 1 :]
            return len(data)
        return found + len(_END_OF_HEAD) - len(self._head)

    def split(self, data: bytes) -> list[tuple[bytes, int]]:
        """Returns the pieces of ``data``, in order, each with where its payload begins: 0 unless it is plain.

        A frame of which some is to come is given out in parts; at most nine bytes of a header wait for the others.
        """
        if self._begun:
            data, self._begun = self._begun + data, b""
        end = len(data)
        at = 0
        pieces: list[tuple[bytes, int]] = []
        if self._owed:
            at = min(end, self._owed)
            self._owed -= at
            pieces.append((data[:at], 0))
        while at < end:
            start = at + 2
            size = data[at + 1] & 0x7F if start <= end else 0
            if size == 126:
                start += 2
                size = int.from_bytes(data[at + 2 : start], "big")
            elif size == 127:
                start += 8
                size = int.from_bytes(data[at + 2 : start], "big")
            if start > end:
                self._begun = data[at:]
                break
            stop = start + size
            if stop > end:
                self._owed = stop - end
                pieces.append((data[at:], 0))
                break
            is_plain = data[at] == _TEXT and data[at + 1] < 0x80 and size <= self._limit
            pieces.append((data[at:stop], start - at if is_plain else 0))
            at = stop
        return pieces

    def take_begun(self) -> bytes:
        """Removes and returns the part of a header that waits for the others: they will not come."""
        begun, self._begun = self._begun, b""
        return begun


class Framer:
    """Writes text frames as a client does: masked. ``random`` returns so many bytes that nobody can foresee."""

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._random = random
        # Masks for many frames at once: the system call for each lets go of the interpreter.
        self._keys = b""
        self._used = 0

    def frame_text(self, payload: bytes) -> bytes:
        """Returns the text frame that carries ``payload``."""
        if self._used >= len(self._keys):
            self._keys, self._used = self._random(_KEYS_BYTES), 0
        key = self._keys[self._used : self._used + 4]
        self._used += 4
        size = len(payload)
        if size < 126:
            return b"\x81%c%b%b" % (0x80 | size, key, apply_mask(payload, key))
        if size < 0x10000:
            return b"\x81\xfe%c%c%b%b" % (size >> 8, size & 0xFF, key, apply_mask(payload, key))
        return b"\x81\xff%b%b%b" % (size.to_bytes(8, "big"), key, apply_mask(payload, key))
