"""The errors' tree: whole, drawn and exported."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import nbrealtime
from nbrealtime import errors
from nbrealtime.errors import RealtimeError


def test_every_error_is_drawn_in_the_tree_and_exported() -> None:
    drawn = re.findall(r"^ {4}[│├└─ ]*([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)
    assert sorted(drawn) == sorted(errors.__all__)
    assert set(errors.__all__) == {kind.__name__ for kind in family(RealtimeError)} & set(nbrealtime.__all__)


def test_no_other_module_defines_one() -> None:
    # In an interpreter of its own: other tests define theirs.
    program = (
        "import importlib, pkgutil, nbrealtime\n"
        "from nbrealtime.errors import RealtimeError\n"
        "for module in pkgutil.walk_packages(nbrealtime.__path__, 'nbrealtime.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "def strays(kind):\n"
        "    for one in kind.__subclasses__():\n"
        "        yield from strays(one)\n"
        "        if one.__module__ != 'nbrealtime.errors':\n"
        "            yield one.__name__\n"
        "print(*strays(RealtimeError))\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def family(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for one in kind.__subclasses__():
        yield from family(one)
