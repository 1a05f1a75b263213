"""Frames become messages."""

from __future__ import annotations

from websockets.frames import Frame, Opcode

from nbrealtime.server.connection.fragments import Fragments


def test_text_in_several_frames_is_one_message():
    fragments = Fragments()
    assert fragments.add(Frame(Opcode.TEXT, b"a", fin=False)) is None
    assert fragments.add(Frame(Opcode.CONT, b"b", fin=False)) is None
    assert fragments.add(Frame(Opcode.CONT, b"c")) == (Opcode.TEXT, b"abc")


def test_what_is_not_text_is_named_and_not_kept():
    fragments = Fragments()
    assert fragments.add(Frame(Opcode.BINARY, b"a" * 1000, fin=False)) is None
    assert fragments.add(Frame(Opcode.CONT, b"a" * 1000)) == (Opcode.BINARY, b"")


def test_a_message_leaves_nothing_for_the_next():
    fragments = Fragments()
    fragments.add(Frame(Opcode.TEXT, b"a", fin=False))
    fragments.add(Frame(Opcode.CONT, b""))
    assert fragments.add(Frame(Opcode.BINARY, b"b")) == (Opcode.BINARY, b"")
    fragments.add(Frame(Opcode.TEXT, b"c", fin=False))
    assert fragments.add(Frame(Opcode.CONT, b"d")) == (Opcode.TEXT, b"cd")
