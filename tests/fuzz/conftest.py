"""The same helpers as the server's tests."""

from __future__ import annotations

from tests.server.conftest import call, join, start

__all__ = ["call", "join", "start"]
