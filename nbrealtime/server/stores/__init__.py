"""Where history lives: stores behind the protocol of `nbrealtime.hub.store`.

`open_store` makes one from an address; `memory` forgets with the process,
`sqlite` keeps a file. What a topic keeps is said by `History`.
"""

from __future__ import annotations

from nbrealtime.server.stores.history import History, HistoryOptions, HistoryRules
from nbrealtime.server.stores.memory import MemoryStore
from nbrealtime.server.stores.open import check_store, open_store
from nbrealtime.server.stores.sqlite import SqliteStore

__all__ = [
    "History",
    "HistoryOptions",
    "HistoryRules",
    "MemoryStore",
    "SqliteStore",
    "check_store",
    "open_store",
]
