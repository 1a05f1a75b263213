"""Files beside the notebook: what they are called, that they replace nothing, and what is said when they cannot be."""

from __future__ import annotations

import pytest

from nbrealtime.widgets.saving import MOST_BYTES, answer, plain_name, save_beside

PNG = b"\x89PNG\r\n\x1a\nand the rest"


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("room-2026-11-22-140205.png", "room-2026-11-22-140205.png"),
        ("../../etc/passwd", "etc-passwd.png"),
        ("/tmp/x.png", "tmp-x.png"),
        ("..\\..\\boot.ini", "boot.ini.png"),
        (".bashrc", "bashrc.png"),
        ("a\0b\nc.png", "a-b-c.png"),
        ("Température °C", "Tempe-rature-C.png"),
        ("con.png", "plot-con.png"),
        ("NUL.txt", "plot-NUL.txt.png"),
        ("", "plot.png"),
        ("...", "plot.png"),
        ("x" * 500, "x" * 100 + ".png"),
    ],
)
def test_a_name_is_no_place(name, plain):
    assert plain_name(name, "png") == plain


def test_a_file_lands_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = save_beside("../room.png", PNG, "png")
    assert path == tmp_path / "room.png"
    assert path.read_bytes() == PNG


def test_nothing_is_written_over_and_no_link_is_followed(tmp_path):
    (tmp_path / "room.csv").write_text("mine")
    outside = tmp_path / "outside"
    (tmp_path / "room-2.csv").symlink_to(outside)
    path = save_beside("room", b"time,x\r\n", "csv", folder=tmp_path)
    assert path.name == "room-3.csv"
    assert (tmp_path / "room.csv").read_text() == "mine"
    assert not outside.exists()


@pytest.mark.parametrize(
    ("data", "ending", "why"),
    [
        (b"#!/bin/sh", "png", "no png"),
        (PNG, "py", "only csv and png"),
        (bytes(MOST_BYTES + 1), "csv", "more than"),
    ],
)
def test_only_what_a_plot_saves_is_saved(tmp_path, data, ending, why):
    with pytest.raises(ValueError, match=why):
        save_beside("room", data, ending, folder=tmp_path)
    assert list(tmp_path.glob("room*")) == []


def test_the_view_hears_the_name_or_why_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = {"type": "save", "request": "v-1", "name": "room", "format": "png"}
    assert answer(asked, [memoryview(PNG)]) == {"type": "saved", "request": "v-1", "name": "room.png"}
    assert answer({**asked, "format": "exe"}, [PNG])["why"].startswith("Not saved: only csv and png")
    assert "one buffer" in answer(asked, [])["why"]
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert answer(asked, [PNG])["why"].startswith("Not saved: ")
