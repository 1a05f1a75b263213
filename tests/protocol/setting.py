"""Which topics there are in this small world, and how little is kept of them, so that everything happens soon."""

from __future__ import annotations

URL = "ws://here"
TOPICS = ("lab:a", "lab:b", "yard")
QUIET = "quiet"
"""A topic without history."""
PATTERN = "lab:*"
KEPT = 6
KEPT_SECONDS = 60
PAGE = 2
KEY_SECONDS = 300.0
OUTBOX_BYTES = 2_500
FORGOTTEN_MS = 24 * 3600 * 1000
"""After so long without a message a topic is none."""
