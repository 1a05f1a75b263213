"""Files beside the notebook, for hosts that let no download out of a widget.

Collaborators: a plot hands over what its view says (`answer`); ``js/src/plot/save.ts`` asks.

The one rule: a view names a file, never a place. It lands in the kernel's working
directory under a plain name with a new number if it must, so nothing that is there
is ever written over, and no link is followed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

__all__ = ["MOST_BYTES", "answer", "plain_name", "save_beside"]

MOST_BYTES: Final = 32 * 1024 * 1024
MOST_NUMBERS: Final = 1000
_LONGEST: Final = 100
_SIGNS: Final = {"png": b"\x89PNG\r\n\x1a\n", "csv": b""}
_RESERVED: Final = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)
"""What Windows takes for a device, whatever the ending."""


def plain_name(name: str, ending: str) -> str:
    """Letters, digits, dots, dashes and underscores of ``name``, with just this ending; "plot" if none is left."""
    text = unicodedata.normalize("NFKD", name)
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    stem = (
        re.sub(rf"\.{re.escape(ending)}$", "", text, flags=re.IGNORECASE).strip("-. ")[:_LONGEST].rstrip("-.")
    )
    if not stem or _RESERVED.match(stem.split(".")[0]):
        stem = f"plot-{stem}" if stem else "plot"
    return f"{stem}.{ending}"


def save_beside(name: str, data: bytes, ending: str, *, folder: Path | None = None) -> Path:
    """Writes ``data`` to a new file in ``folder`` (the working directory) and returns where.

    Args:
        name: any text; `plain_name` makes a file's name of it.
        ending: ``"png"`` or ``"csv"``.

    Raises:
        ValueError: the ending is another, the data are no such file, or more than `MOST_BYTES`.
        OSError: the directory cannot be written to, or is full.
    """
    if ending not in _SIGNS:
        raise ValueError(f"only {' and '.join(sorted(_SIGNS))} files are saved, not {ending!r}")
    if len(data) > MOST_BYTES:
        raise ValueError(f"{len(data):,} bytes are more than the {MOST_BYTES:,} that are saved")
    if not data.startswith(_SIGNS[ending]):
        raise ValueError(f"this is no {ending} file")
    place = Path.cwd() if folder is None else folder
    stem = plain_name(name, ending).removesuffix(f".{ending}")
    for number in range(1, MOST_NUMBERS + 1):
        path = place / (f"{stem}.{ending}" if number == 1 else f"{stem}-{number}.{ending}")
        try:
            # Exclusive: neither a file that appears between a look and the write nor a link is written to.
            with path.open("xb") as file:
                try:
                    file.write(data)
                except OSError:
                    # Half a picture is worse than none.
                    path.unlink()
                    raise
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{MOST_NUMBERS:,} files are called {stem}.{ending} already")


def answer(content: dict[str, Any], buffers: Sequence[Any]) -> dict[str, Any]:
    """Does what a view's ``save`` asks for and says what it came to: ``name``, or ``why`` not.

    Runs on whichever thread the view's word came; it touches no widget.
    """
    said = {"type": "saved", "request": str(content.get("request", ""))}
    try:
        if len(buffers) != 1:
            raise ValueError("a file comes as one buffer")
        path = save_beside(
            str(content.get("name", "")), bytes(memoryview(buffers[0])), str(content.get("format", ""))
        )
    except OSError as error:
        return {**said, "why": f"Not saved: {error.strerror or error}"}
    except ValueError as error:
        return {**said, "why": f"Not saved: {error}"}
    return {**said, "name": path.name}
