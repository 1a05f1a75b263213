"""What waits for one connection, counted in bytes.

Filled by the journal, once a flush; emptied by the face as fast as the
connection takes it. Parts are whole frames, or several whole frames joined, so
whatever is dropped here leaves a readable stream behind.

The one rule: the outbox only counts. Who is too slow is decided by the face,
which knows how much more waits in the transport.
"""

from __future__ import annotations

__all__ = ["Outbox"]


class Outbox:
    """Bytes for one connection, oldest first."""

    __slots__ = ("_parts", "closed", "size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0
        self.closed = False

    def __repr__(self) -> str:
        return f"Outbox({self.size} bytes in {len(self._parts)} parts{', closed' if self.closed else ''})"

    def put(self, part: bytes) -> None:
        """Adds whole frames; after `close` they are dropped."""
        if not self.closed:
            self._parts.append(part)
            self.size += len(part)

    def take(self, limit: int | None = None) -> bytes:
        """Removes and returns the oldest parts: all, or as many as make up ``limit`` bytes, but one at least."""
        parts = self._parts
        if limit is None or self.size <= limit:
            self._parts = []
            self.size = 0
            # One alone is handed on by `join` as it is.
            return b"".join(parts)
        count = total = 0
        for part in parts:
            if count and total + len(part) > limit:
                break
            count += 1
            total += len(part)
        self._parts = parts[count:]
        self.size -= total
        return b"".join(parts[:count])

    def clear(self) -> None:
        """Drops everything that waits."""
        self._parts = []
        self.size = 0

    def close(self) -> None:
        """Takes nothing more; what waits may still be taken."""
        self.closed = True
