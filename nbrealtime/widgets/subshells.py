"""Hearing the browser while a cell runs.

Collaborators: the hub and every panel open their comm through `hear_at_once`; ipykernel
≥ 7 with JupyterLab ≥ 4.4 then handles what a browser says on a subshell's thread.

ipykernel 7.4 does not send a comm's message to the subshell that the browser addressed,
but to the one from which that comm last *sent*: a reply is to find the loop that waits for
it. A widget that a cell made has last sent from the main shell, so its browser would wait
for the running cell like on ipykernel 6; and our frames, sent by a thread, would bind the
hub to the main shell for ever.

The one rule: nothing of ours waits for a reply, so what a browser addresses to a subshell
belongs there.
"""

from __future__ import annotations

from typing import Any

__all__ = ["hear_at_once"]


def hear_at_once(comm: Any) -> None:
    """Has ``comm`` take messages where the browser sent them. Without effect where nothing routes them."""
    # ipykernel asks the comm for this method, and takes None for "no opinion". There is no public switch.
    comm._reply_subshell_for = None
