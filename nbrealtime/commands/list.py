"""``nbrealtime list``: the servers that the runtime directory names, and whether they are there.

Collaborators: :mod:`nbrealtime.discovery` reads the entries and asks for the proof.

The one rule: an entry's key and token are never shown, in no format.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from nbrealtime.discovery import Entry

__all__ = ["HELP", "configure", "run"]

HELP: Final = "show the servers that run here"

_EPILOG: Final = """\
A server is "verified" when it proved that it wrote its entry, "untrusted" when
somebody answers at its address who could not, and "unreachable" when nobody
does. Clients send their token to verified servers only. Where it was started is
the kernel's notebook, as it was named then, or the program and its directory.
"""
_TIMEOUT: Final = 2.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds this command's options."""
    parser.epilog = _EPILOG
    parser.add_argument("--json", action="store_true", help="print a JSON array instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Prints the servers; none is no fault."""
    import asyncio

    from nbrealtime.discovery import entries

    found = entries()
    rows = asyncio.run(_describe_all(found))
    if arguments.json:
        print(json.dumps(rows, indent=2))
    elif not rows:
        print("No server runs here. Start one: `nbrealtime serve`, or %rtserver in a notebook.")
    else:
        _print_table(rows)
    return 0


async def _describe_all(found: Sequence[Entry]) -> list[dict[str, Any]]:
    import asyncio

    # Side by side, so that one server that hangs costs two seconds and not two for each.
    return await asyncio.gather(*map(_describe, found))


async def _describe(entry: Entry) -> dict[str, Any]:
    from nbrealtime.discovery import averify

    if await averify(entry, _TIMEOUT):
        state = "verified"
    else:
        state = "untrusted" if await _answers(entry.url) else "unreachable"
    age, where = entry.age(time.time()), entry.birthplace
    return {
        "url": entry.url,
        "kind": entry.origin,
        "pid": entry.pid,
        "age": None if age is None else round(age, 1),
        "state": state,
        "where": str(where) or None,
        "notebook": where.notebook or None,
        "program": where.program or None,
        "directory": where.directory or None,
        "started": entry.since,
    }


async def _answers(url: str) -> bool:
    import asyncio

    address = urlsplit(url)
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(address.hostname, address.port)
    except (OSError, ValueError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _print_table(rows: Sequence[dict[str, Any]]) -> None:
    from nbrealtime.wire.times import format_duration

    # Where comes last: it is what is longest, and differs most.
    lines = [("URL", "KIND", "PID", "UP", "STATE", "WHERE")]
    for row in rows:
        age = "—" if row["age"] is None else format_duration(row["age"])
        lines.append((row["url"], row["kind"], str(row["pid"]), age, row["state"], row["where"] or "—"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
