"""A transport that notes what it is asked for, and takes more only when the other end has read."""

from __future__ import annotations

from collections.abc import Callable


class Transport:
    """Like asyncio's: above ``high`` bytes it says stop, and go on once a quarter of them is left.

    ``pause`` and ``resume`` are called for that, as asyncio calls a protocol.
    """

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.asked: list[str] = []
        self.high = 64 * 1024
        self.closing = False
        self.ends_half = True
        self.pause: Callable[[], None] = lambda: None
        self.resume: Callable[[], None] = lambda: None
        self._waiting = 0
        self._full = False

    @property
    def written(self) -> bytes:
        return b"".join(self.parts)

    def set_write_buffer_limits(self, high: int) -> None:
        self.high = high

    def get_write_buffer_size(self) -> int:
        return self._waiting

    def write(self, data: bytes) -> None:
        assert data, "nothing to write"
        assert not self.closing, "it is closing"
        assert not self._full, "it said stop"
        self.parts.append(data)
        self._waiting += len(data)
        if self._waiting > self.high:
            self._full = True
            self.pause()

    def deliver(self) -> None:
        """The other end reads everything that was written."""
        self._waiting = 0
        if self._full:
            self._full = False
            self.resume()

    def fill(self) -> None:
        """Has so much to write that it says stop."""
        self.write(b"-" * (self.high + 1))
        self.parts.clear()

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return self.ends_half

    def write_eof(self) -> None:
        self.asked.append("eof")

    def close(self) -> None:
        self.asked.append("close")
        self.closing = True

    def abort(self) -> None:
        self.asked.append("abort")
        self.closing = True

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")
