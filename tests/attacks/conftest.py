"""A server to attack, and the sockets to do it with."""

from __future__ import annotations

from tests.server.conftest import call, join, start

__all__ = ["call", "join", "start"]
