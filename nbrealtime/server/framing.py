"""WebSocket frames as the server sends them: whole, unmasked, uncompressed.

The source is RFC 6455, section 5.2. What a server sends carries no mask, so
without compression the same bytes serve every subscriber.
"""

from __future__ import annotations

__all__ = ["frame_text"]


def frame_text(payload: bytes) -> bytes:
    """Returns the text frame that carries ``payload``."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 0x10000:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), payload)
