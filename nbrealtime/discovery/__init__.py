"""Which servers run here: this process's own, and those in Jupyter's runtime directory.

A server that starts leaves an *entry* (``entry.py``) with its address, where it was
started, a key to prove that it wrote the file, and a token for this user; never the
secret that signs tokens. ``nbrealtime.server`` writes entries, ``nbrealtime.client`` and
the CLI read them, and have the address prove itself before they send the token.

``directory.py`` leaves entries in the runtime directory and reads them there
(`advertise`, `describe`, `entries`), ``process.py`` says which process one belongs to and
whether that still runs (`boot_id`), ``proving.py`` asks the address for its proof, and
answers (`verify`, `averify`, `proof`), ``finding.py`` chooses when no server was named
(`find`, `local`, `set_local`).

The one rule: an entry is a claim. A file proves who wrote it (its owner), a
process that it may still hold (host, boot, pid, start time), and only the
answer to a nonce that the address still belongs to the writer.
"""

from __future__ import annotations

from nbrealtime.discovery.directory import Advertisement, advertise, describe, entries
from nbrealtime.discovery.entry import Entry
from nbrealtime.discovery.finding import find, local, set_local
from nbrealtime.discovery.process import boot_id
from nbrealtime.discovery.proving import averify, proof, verify

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
