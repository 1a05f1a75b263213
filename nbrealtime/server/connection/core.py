"""The sans-I/O core of ``websockets``, with the goodbyes of our protocol.

The one rule: whatever ends a connection is said in-band first, as far as the
connection is open; so what the library would close without a word is said, too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from websockets.frames import CloseCode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from nbrealtime.server.clock import milliseconds
from nbrealtime.server.hello import Goodbye, choose_subprotocol
from nbrealtime.wire.messages import ErrorCode, encode_error
from nbrealtime.wire.v2 import SUBPROTOCOL

__all__ = ["UNFRAMEABLE", "Core"]

UNFRAMEABLE: Final = 4501

# The library logs every connection at INFO, with its own logger; ours says what matters.
_quiet = logging.getLogger("nbrealtime.server.websockets")
_quiet.setLevel(logging.ERROR)


class Core(ServerProtocol):
    """The state machine of one connection; a message may have ``message_bytes``."""

    def __init__(self, message_bytes: int | None) -> None:
        super().__init__(max_size=message_bytes, subprotocols=[Subprotocol(SUBPROTOCOL)], logger=_quiet)

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Takes v2 if it is offered; whoever offers only others speaks v1, as without any."""
        chosen = choose_subprotocol(list(subprotocols))
        return None if chosen is None else Subprotocol(chosen)

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Says in-band what ends the connection, and closes with 4501, where the library closes without a word."""
        if self.state is OPEN and code != CloseCode.ABNORMAL_CLOSURE:
            too_large = code == CloseCode.MESSAGE_TOO_BIG
            if too_large:
                reason = f"a frame is over the limit of {self.max_message_size:,} bytes"
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
