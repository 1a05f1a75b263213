from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from nbrealtime.server.framing import frame_text


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_a_frame_is_what_the_library_makes_of_it(size):
    payload = b"x" * size
    assert frame_text(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
