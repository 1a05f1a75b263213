"""An entry: what a server says about itself to this user's clients, and the schema of its file.

Collaborators: ``directory.py`` makes, writes and reads it, ``process.py`` judges
whether its process still runs, ``proving.py`` whether its address is the writer's.

The one rule: it carries a key and a token, and shows neither.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from nbrealtime.birthplace import Birthplace

__all__ = ["Entry", "Kind"]

Kind = Literal["kernel", "standalone"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a server leaves about itself in the runtime directory.

    ``started`` tells the process apart from a later one with the same pid: in
    seconds since the boot where the system counts so (Linux), since the epoch
    elsewhere. It is compared, never shown. ``since`` is when the server itself
    started, seconds since the epoch, and ``birthplace`` what is known of where; an
    older release leaves neither. ``path`` is where the entry was read from, empty
    for one that was never written.
    """

    host: str
    boot: str
    pid: int
    started: float
    url: str
    key: str
    token: str
    origin: Kind
    namespace: str = ""
    since: float | None = None
    birthplace: Birthplace = Birthplace()
    path: str = ""

    def __repr__(self) -> str:
        # Neither the key nor the token: a notebook saves what it shows.
        return f"Entry({self.url!r}, origin={self.origin!r}, pid={self.pid})"

    def age(self, now: float) -> float | None:
        """For how long (s) the server has run at ``now``, seconds since the epoch; None if nobody knows."""
        since = self.since
        if since is None:
            try:
                # An older release wrote its entry when it started, too.
                since = Path(self.path).stat().st_mtime
            except OSError:
                return None
        return max(0.0, now - since)
