"""A message that comes in several frames, put together.

The one rule: the core bounds the sum of what is kept here; what is not text is
not kept at all, since nobody would read it.
"""

from __future__ import annotations

from websockets.frames import Frame, Opcode

__all__ = ["Fragments"]


class Fragments:
    """The message under way, if there is one."""

    __slots__ = ("_opcode", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._opcode: Opcode | None = None

    def add(self, frame: Frame) -> tuple[Opcode | None, bytes] | None:
        """Takes a data frame; returns opcode and content of the message that it completes, or None."""
        if frame.opcode is not Opcode.CONT:
            self._opcode = frame.opcode
        if frame.data and self._opcode is Opcode.TEXT:
            self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        parts, self._parts = self._parts, []
        opcode, self._opcode = self._opcode, None
        return opcode, b"".join(parts)
