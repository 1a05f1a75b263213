"""Whether the machine was ours while something was measured.

On a virtual machine the host may give the processors to others: *stolen* time, which no process here shows. A figure
that was taken meanwhile says more about them.
"""

from __future__ import annotations

import psutil

__all__ = ["Quiet"]

_MOST = 0.02


class Quiet:
    """Watches from its creation on."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()

    def stolen(self) -> float:
        """The share of all processors' time that the host gave to others; 0 where it does not say."""
        before, now = self._before, psutil.cpu_times()
        total = sum(now) - sum(before)
        return (getattr(now, "steal", 0.0) - getattr(before, "steal", 0.0)) / total if total > 0 else 0.0

    def remark(self) -> str:
        """A sentence for the end of a table, or nothing if nothing was amiss."""
        stolen = self.stolen()
        if stolen < _MOST:
            return ""
        return f"The host took {stolen:.0%} of the processors away meanwhile: measure again.\n"
