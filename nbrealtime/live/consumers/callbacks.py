"""What a user hands us to call: run where it was registered, and unable to harm the stream.

A ``Callback`` wraps a function together with the cell that registered it. ``Faults`` collects what went wrong in the
callbacks of one topic or connection, for its ``errors`` trait.

The rule here: *whatever a callback does, the stream goes on*. An exception is kept, and shown once below the cell that
registered the callback; one that lasts over a second is named there once, because everybody behind it waits.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

from nbrealtime.live.cells import Origin

__all__ = ["KEPT_ERRORS", "SLOW_SECONDS", "Callback", "Faults"]

SLOW_SECONDS = 1.0
KEPT_ERRORS = 100


class Faults:
    """The newest exceptions of one subject's callbacks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._errors: deque[BaseException] = deque(maxlen=KEPT_ERRORS)
        self._newest: tuple[BaseException, ...] = ()

    def add(self, error: BaseException) -> None:
        # Line numbers stay; the frames' locals would keep a hundred batches of data alive.
        traceback.clear_frames(error.__traceback__)
        with self._lock:
            self._errors.append(error)
            self._newest = tuple(self._errors)

    @property
    def newest(self) -> tuple[BaseException, ...]:
        """The newest ``KEPT_ERRORS``, oldest first; the same object until another one comes."""
        return self._newest


class Callback:
    """A user's function, the cell that registered it, and what has been said about it.

    Equal to the function it wraps, so that ``traitlets`` finds it again when the user unregisters the function.
    """

    def __init__(self, function: Callable[..., Any], faults: Faults) -> None:
        self.function = function
        self.origin = Origin.here()
        self.disown: Callable[[], None] = _nothing
        """Takes back that it goes when its cell starts again; set by who registers it."""
        self._faults = faults
        self._complained = False
        self._named = False

    def __eq__(self, other: object) -> bool:
        return bool(self.function == (other.function if isinstance(other, Callback) else other))

    def __hash__(self) -> int:
        return hash(self.function)

    @property
    def name(self) -> str:
        return getattr(self.function, "__qualname__", None) or repr(self.function)

    def __call__(self, *args: Any) -> Any:
        """Call the function as its cell; return what it returned, or None if it raised."""
        return self.origin.run(self._guarded, args)

    def _guarded(self, args: tuple[Any, ...]) -> Any:
        began = time.monotonic()
        try:
            return self.function(*args)
        except BaseException as error:  # noqa: BLE001 - also SystemExit: in the kernel's loop it would end the kernel
            if not self._complained:
                self._complained = True
                # Without the topmost frame, which is ours.
                below = error.__traceback__ and error.__traceback__.tb_next
                said = "".join(traceback.format_exception(type(error), error, below)).rstrip()
                self.origin.say(f"{said}\n{self.name} raised this; what else it raises is in .errors only")
            self._faults.add(error)
        finally:
            lasted = time.monotonic() - began
            if lasted > SLOW_SECONDS and not self._named:
                self._named = True
                self.origin.say(
                    f"{self.name} took {lasted:.1f} s; until it returns, nothing else of its topic is delivered"
                )
        return None


def _nothing() -> None:
    pass
