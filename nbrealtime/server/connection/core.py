"""The sans-I/O core of ``websockets``, with the goodbyes of our protocol.

The plain case passes the library by: one whole text frame, which is all that a
read brought, costs it thirty calls, and `Core.take_text` three.

The one rule: whatever ends a connection is said in-band first, as far as the
connection is open; so what the library would close without a word is said, too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from nbrealtime.server.clock import milliseconds
from nbrealtime.server.hello import Goodbye, choose_subprotocol
from nbrealtime.wire.messages import ErrorCode, encode_error
from nbrealtime.wire.v2 import SUBPROTOCOL

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library does without it where nothing could be compiled
    from websockets.utils import apply_mask

__all__ = ["UNFRAMEABLE", "Core"]

UNFRAMEABLE: Final = 4501

# RFC 6455, section 5.2: the first octet of a text frame that is no fragment, and of which no extension made something
# else; what masks the second; and what stands there for two octets of length.
_TEXT, _MASKED, _LONGER, _LONGEST = 0x81, 0x80, 126, 127
_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)

# The library logs every connection at INFO, with its own logger; ours says what matters.
_quiet = logging.getLogger("nbrealtime.server.websockets")
_quiet.setLevel(logging.ERROR)


class Core(ServerProtocol):
    """The state machine of one connection; a message may have ``message_bytes``."""

    def __init__(self, message_bytes: int | None) -> None:
        super().__init__(max_size=message_bytes, subprotocols=[Subprotocol(SUBPROTOCOL)], logger=_quiet)
        # The library knows both as well, but its releases do not call them the same.
        self._message_bytes = message_bytes
        self._in_fragments = False
        # Whether a message may begin with the next byte that comes in: the library has had whole frames only, none of
        # them a fragment whose others are to come, and the connection is open.
        self._between = False

    def take_text(self, data: bytes) -> bytes | None:
        """Returns the message if ``data`` is one whole text frame; None leaves it to `receive_data`, untouched.

        The library notices nothing: such a frame changes nothing in it. What it judges (size, mask, reserved bits,
        anything that is no text) is left to it.
        """
        size = len(data)
        if not self._between or size < 8 or data[0] != _TEXT or data[1] < _MASKED:
            return None
        start, length = 6, data[1] & ~_MASKED
        if length == _LONGER:
            start, length = 8, data[2] << 8 | data[3]
        elif length == _LONGEST:
            return None
        most = self._message_bytes
        if start + length != size or (most is not None and length > most):
            return None
        return apply_mask(data[start:], data[start - 4 : start])

    def receive_data(self, data: bytes | bytearray) -> None:
        """Takes what came in, which may be anything."""
        self._between = False
        super().receive_data(data)

    def recv_frame(self, frame: Frame) -> None:
        """The library's word that it has read a frame to its end."""
        super().recv_frame(frame)
        if frame.opcode in _DATA:
            self._in_fragments = not frame.fin
        self._between = not (self.reader.buffer or self._in_fragments) and self.state is OPEN

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Takes v2 if it is offered; whoever offers only others speaks v1, as without any."""
        chosen = choose_subprotocol(list(subprotocols))
        return None if chosen is None else Subprotocol(chosen)

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Says in-band what ends the connection, and closes with 4501, where the library closes without a word."""
        self._between = False
        if self.state is OPEN and code != CloseCode.ABNORMAL_CLOSURE:
            too_large = code == CloseCode.MESSAGE_TOO_BIG
            if too_large:
                reason = f"a frame is over the limit of {self._message_bytes:,} bytes"
            error = encode_error(
                reason or "a frame cannot be read",
                ErrorCode.TOO_LARGE if too_large else ErrorCode.BAD_REQUEST,
                timestamp=milliseconds(),
                close=UNFRAMEABLE,
                reconnect=False,
            )
            self.send_text(error)
            code = UNFRAMEABLE
        super().fail(code, _short(reason))

    def end(self, close: int, reason: str, said: Goodbye | None) -> None:
        """Closes with ``close``, after what is ``said``. A second time nothing happens."""
        self._between = False
        if self.state is OPEN:
            if said is not None:
                self.send_text(said.encode(milliseconds()))
            self.send_close(close, _short(reason))

    def forget(self) -> None:
        """Lets go of what it was reading, after the end: the parser knows this object, and so do its faults."""
        self.parser.close()
        for fault in (self.parser_exc, self.handshake_exc):
            link: BaseException | None = fault
            while link is not None:
                link.__traceback__ = None  # its frames have all that was at hand
                link = link.__cause__ or link.__context__


def _short(reason: str) -> str:
    """A close frame has room for 123 bytes."""
    return reason.encode()[:120].decode(errors="ignore")
