"""Which servers run here: this process's own, and those in Jupyter's runtime directory."""

from __future__ import annotations

from nbrealtime.discovery.directory import (
    Advertisement,
    Entry,
    advertise,
    averify,
    boot_id,
    describe,
    entries,
    find,
    local,
    proof,
    set_local,
    verify,
)

__all__ = [
    "Advertisement",
    "Entry",
    "advertise",
    "averify",
    "boot_id",
    "describe",
    "entries",
    "find",
    "local",
    "proof",
    "set_local",
    "verify",
]
