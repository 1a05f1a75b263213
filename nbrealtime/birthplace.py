"""Where this process was started, in the words by which its user knows it: a notebook, a script, a directory.

Collaborators: `nbrealtime.discovery` writes it into a server's entry and reads it there; ``nbrealtime list`` and
`AmbiguousServer` show it to whoever has to choose between servers.

The one rule: it is shown to people and copied into messages. It holds paths and a program's name, never a command
line or an environment variable as a whole, which may hold a token.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

__all__ = ["Birthplace", "birthplace", "printable"]

_LONGEST: Final = 4096
"""Characters of a path: what is longer is none, and must not fill an entry."""


class Birthplace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a server was started; what is not known is empty.

    Args:
        notebook: the path of the kernel's notebook, as its host told the kernel when it started.
        program: what was started, if that was no kernel: ``nbrealtime serve``, or a script's name.
        directory: the working directory then.
    """

    notebook: str = ""
    program: str = ""
    directory: str = ""

    def __str__(self) -> str:
        """In one line: the notebook, or the program and where; empty if nothing is known."""
        notebook, directory = _short(self.notebook), _short(self.directory)
        if notebook and (Path(self.notebook).is_absolute() or not directory):
            return notebook
        what = notebook or printable(self.program)
        return f"{what or 'a kernel'} in {directory}" if directory else what


def birthplace(kind: Literal["kernel", "standalone"]) -> Birthplace:
    """What this process knows of where it was started.

    Args:
        kind: as `discovery.Entry.origin`; a ``standalone`` server is what ``nbrealtime serve`` starts.
    """
    directory = _directory()
    if kind == "standalone":
        return Birthplace(program="nbrealtime serve", directory=directory)
    shell = _kernel_shell()
    if shell is None:
        return Birthplace(program=_program(), directory=directory)
    return Birthplace(notebook=_notebook(shell), directory=directory)


def printable(text: str) -> str:
    """A text as somebody chose it, but without what would move the cursor."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _kernel_shell() -> Any | None:
    """The shell of the Jupyter kernel that this process is, if it is one; never loads IPython."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    shell = get_ipython()  # type: ignore[no-untyped-call, unused-ignore]
    return shell if getattr(shell, "kernel", None) is not None else None


def _notebook(shell: Any) -> str:
    # VS Code runs a kernel of its own, or one of a Jupyter server to which it gives a made-up name: its variable
    # comes first. The environment variable is jupyter_server's, and everything that the kernel starts inherits it,
    # which is why it is read in a kernel only.
    told = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return _text(told) if isinstance(told, str) else ""


def _program() -> str:
    main = sys.modules.get("__main__")
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        return _text(f"python -m {spec.name.removesuffix('.__main__')}")
    return _text(Path(file).name) if isinstance(file, str) else "python"


def _directory() -> str:
    try:
        return _text(str(Path.cwd()))
    except OSError:  # it was deleted
        return ""


def _text(path: str) -> str:
    """A path as JSON can hold it: a name on Linux may be any bytes."""
    text = path.encode("utf-8", "replace").decode()
    return text if len(text) <= _LONGEST else ""


def _short(path: str) -> str:
    """A path as it is read: with ``~`` for this user's home."""
    home = os.path.expanduser("~").rstrip(os.sep)  # noqa: PTH111 - Path.home raises where there is none
    if home and (path == home or path.startswith(home + os.sep)):
        path = f"~{path[len(home) :]}"
    return printable(path)
