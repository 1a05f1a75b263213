"""The options of ``publish``, stated once for everybody who passes them on: `Link`, the connection, its topics and ``rt``.

The one rule: what carries a publish out names each option with its default again, since ``help`` and the completion
of a notebook read that signature, and of an ``Unpack`` show nothing; the overloads, which only type checkers
read, refer here.
"""

from __future__ import annotations

from typing import Final, Literal, TypedDict, get_args

__all__ = ["QUEUE_BYTES", "OnFull", "PublishOptions", "check_on_full"]

QUEUE_BYTES: Final = 8 * 2**20
"""What may wait offline for an acknowledgement unless said otherwise."""

OnFull = Literal["error", "drop_oldest", "block"]


class PublishOptions(TypedDict, total=False):
    """Those beside ``ack``, which decides what comes back; `Link.publish` says what they mean."""

    time: float | None
    retain: bool
    echo: bool
    on_full: OnFull | None


def check_on_full(on_full: OnFull) -> OnFull:
    """Returns it, or raises ``ValueError``."""
    if on_full not in get_args(OnFull):
        raise ValueError(f"on_full is one of {', '.join(get_args(OnFull))}, not {on_full!r}")
    return on_full
