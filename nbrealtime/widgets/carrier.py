"""The hub's messages on their way out of the kernel: those that its comm would send, with less to do for each.

Collaborators: `hub.Hub` sends on it; `outlet.Outlet` brings a message to ipykernel's thread.

The comm's own way puts each message together from nothing: four times JSON, each with an encoder of its own, the cell's
header among it, and some thirty traits asked. Of a plot's frame that is nearly half of what it costs the kernel, sixty
times a second. Here what stays the same for a whole cell is made once for it, and the message is written as Jupyter's
messaging protocol (5.x) has it: topic, delimiter, signature, header, parent header, metadata, content, buffers.

Which cell is the newest, and what time it is, is asked once a second: to ask ipykernel for the one took nearly as long as
to write the content, to write the other's microseconds as long as to sign it all. So a frame may name the cell before,
which nobody minds: what a comm's message does follows from the comm alone.

The one rule: what it is not sure to send exactly as ipykernel would (another kernel's comm, a session that somebody has
packing, signing or sending in a way of their own) it leaves to the comm.
"""

from __future__ import annotations

import math
import os
import sys
import time
from itertools import count
from typing import Any, Final, NamedTuple

import msgspec
from jupyter_client.jsonutil import json_default
from jupyter_client.session import DELIM, Session

from nbrealtime.widgets.outlet import Outlet

__all__ = ["Carrier"]


def _known_to_json(what: Any) -> Any:
    """Returns what is of no type of JSON's as ipykernel would write it: of a text, such as numpy's, the text."""
    return str.__str__(what) if isinstance(what, str) else json_default(what)


_JSON: Final = msgspec.json.Encoder(enc_hook=_known_to_json)
_NO_METADATA: Final = b"{}"
_BEFORE: Final = b'{"data":{"method":"custom","content":'
_PACKERS: Final = ("json_packer", "orjson_packer")
_STEPS: Final = {name: vars(Session)[name] for name in ("send", "msg", "msg_header", "serialize", "sign")}
"""What a session does to send a message."""


class _Way(NamedTuple):
    """How messages go out while one request, a cell mostly, is the kernel's newest."""

    parent: Any
    packed_parent: bytes
    header: str
    """As JSON, but for the message's own id and date, and the end."""
    auth: Any
    """What signs messages, where that is wanted; a copy of it. As `hmac.HMAC`, or what that has of OpenSSL."""
    outlet: Outlet
    topic: bytes
    after: bytes
    """What stands behind the content."""
    large: int
    """With a part of so many bytes a message is written from where it lies."""


class Carrier:
    """Sends custom messages of one widget's ``comm``. One thread at a time."""

    def __init__(self, comm: Any) -> None:
        self._comm = comm
        self._kernel: Any = getattr(comm, "kernel", None) if _is_usual_comm(comm) else None
        self._way: _Way | None = None
        self._numbers = count(1)
        self._outlet: Outlet | None = None
        self._second, self._header = -1, ""
        """The last second in which one was sent, and how every header of it begins."""

    def send(self, content: Any, buffers: list[bytes]) -> bool:
        """Sends ``content`` (JSON) and ``buffers``; False, and nothing is sent, if that is the comm's to do."""
        # Read once: another thread may close.
        if (kernel := self._kernel) is None:
            return False
        if not 0.0 <= (now := time.time()) - self._second < 1.0:
            self._turn(kernel, math.floor(now))
        if (way := self._way) is None:
            return False
        header = f'{self._header}{next(self._numbers)}"}}'.encode()
        try:
            packed = b"".join((_BEFORE, _JSON.encode(content), way.after))
        except (TypeError, ValueError):
            # It may be written for all that: a character that stands for one byte of a file's name is.
            way.outlet.give_way()
            return False
        signature, parent = b"", way.packed_parent
        if way.auth is not None:
            # Not `hmac.digest`, which looks the algorithm up for each.
            auth = way.auth.copy()
            auth.update(b"".join((header, parent, _NO_METADATA, packed)))
            signature = auth.hexdigest().encode()
        message = [way.topic, DELIM, signature, header, parent, _NO_METADATA, packed, *buffers]
        way.outlet.write(message, max(map(len, message)) < way.large)
        return True

    def close(self) -> None:
        """Lets the comm send its last message behind all of these, and sends nothing more."""
        self._kernel = None
        if self._outlet is not None:
            self._outlet.give_way()
            self._outlet.close()

    def _turn(self, kernel: Any, second: int) -> None:
        """Another second has begun: which cell is the newest is asked again, and what time it is."""
        self._second = second
        # By its name: without one it looks for the thread that asks.
        parent = kernel.get_parent("shell")
        if self._way is None or self._way.parent is not parent:
            self._way = self._find(kernel, parent)
        if self._way is not None:
            date = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(second))
            self._header = f'{self._way.header},"date":"{date}","msg_id":"{self._comm.comm_id}_'

    def _find(self, kernel: Any, parent: Any) -> _Way | None:
        comm = self._comm
        session = kernel.session
        if not _is_usual_session(session):
            if self._outlet is not None:
                self._outlet.give_way()
            return None
        outlet = self._outlet
        if outlet is None or outlet.socket is not kernel.iopub_socket or not outlet.is_usual():
            if outlet is not None:
                outlet.give_way()
                outlet.close()
            outlet = self._outlet = Outlet(kernel.iopub_socket)
        header = session.msg_header("comm_msg")
        del header["msg_id"], header["date"]
        return _Way(
            parent,
            session.pack(parent.get("header", {})),
            _JSON.encode(header).decode().removesuffix("}"),
            # The same three methods, without a page of Python around them.
            getattr(session.auth, "_hmac", None) or session.auth,
            outlet,
            comm.topic,
            b'},"comm_id":' + _JSON.encode(comm.comm_id) + b"}",
            session.copy_threshold,
        )


def _is_usual_comm(comm: Any) -> bool:
    module = sys.modules.get("ipykernel.comm.comm")
    return module is not None and getattr(type(comm), "publish_msg", None) is module.BaseComm.publish_msg


def _is_usual_session(session: Any) -> bool:
    return (
        isinstance(session, Session)
        and all(getattr(type(session), name) is step for name, step in _STEPS.items())
        and not _STEPS.keys() & vars(session).keys()
        and getattr(session.pack, "__name__", "") in _PACKERS
        and not session.metadata
        and not session.adapt_version
        and not session.debug
        # A forked child sends nothing.
        and not (session.check_pid and session.pid != os.getpid())
    )
