"""What travels: messages, their encodings, topic names and patterns, and times.

Server and client share this and nothing else. Everything here is pure: bytes
and values in, bytes and values out.
"""

from __future__ import annotations

__all__: list[str] = []
