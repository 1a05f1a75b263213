"""What a kernel sends to its front ends, counted beside them on its own channel.

Counting in a page would count what arrives there; this counts what leaves the kernel, also when no page is left.
"""

from __future__ import annotations

import queue
import time
from collections import Counter
from types import TracebackType
from typing import Any, Self

from jupyter_client.blocking.client import BlockingKernelClient

from .lab import Lab

__all__ = ["Comms"]


class Comms:
    """The comm messages of the one kernel that runs in a `Lab`."""

    def __init__(self, lab: Lab) -> None:
        (kernel,) = lab.kernels()
        self._client = BlockingKernelClient(connection_file=str(lab.runtime / f"kernel-{kernel['id']}.json"))
        self._client.load_connection_file()

    def __enter__(self) -> Self:
        self._client.start_channels(shell=False, iopub=True, stdin=False, hb=False, control=False)
        self.count(0.3)  # what subscribes late misses the first
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.stop_channels()

    def count(self, seconds: float) -> int:
        """How many comm messages leave the kernel in so many seconds."""
        return sum(self.kinds(seconds).values())

    def kinds(self, seconds: float) -> Counter[str]:
        """The same by what they are: ``frames`` of the pump, ``update`` of a trait, …"""
        seen: Counter[str] = Counter()
        while self._next(0.0) is not None:
            pass  # what came before
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and (message := self._next(left)) is not None:
            if message["msg_type"] == "comm_msg":
                data = message["content"]["data"]
                seen[str(data.get("content", {}).get("type", data.get("method")))] += 1
        return seen

    def _next(self, seconds: float) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] = self._client.get_iopub_msg(timeout=seconds)
        except queue.Empty:
            return None
        return message
