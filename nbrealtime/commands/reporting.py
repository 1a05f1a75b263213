"""What a command says about itself: sentences on stderr, never mixed with its result on stdout."""

from __future__ import annotations

import contextlib
import sys

__all__ = ["CommandError", "say"]


class CommandError(Exception):
    """A command cannot do what it was asked to; its message is the sentence that the user reads."""


def say(sentence: str) -> None:
    """Prints ``sentence`` to stderr, at once; does nothing where stderr is gone."""
    # Who started us may have stopped listening; that must not end a feed that others still read.
    with contextlib.suppress(BrokenPipeError):
        print(sentence, file=sys.stderr, flush=True)
