"""Calling out of the client thread's own code without losing the thread to a fault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

__all__ = ["guarded"]


def guarded(function: Callable[..., None], *arguments: Any) -> None:
    """Calls a sink or a listener. One that fails is logged by the loop, and costs the others nothing."""
    try:
        function(*arguments)
    except Exception as fault:  # noqa: BLE001 - handed to the loop's handler, which logs it
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"nbrealtime: {function!r} failed on the client thread", "exception": fault}
        )
