"""Where a process says that it was started, and how that reads."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import msgspec
import pytest
from IPython.core import getipython

from nbrealtime.birthplace import Birthplace, birthplace, printable


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, below the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    lab = tmp_path / "lab"
    lab.mkdir()
    monkeypatch.chdir(lab)
    return lab


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The user's names in the kernel that this process is now."""
    names: dict[str, object] = {}
    shell = SimpleNamespace(kernel=object(), user_ns=names)
    monkeypatch.setattr(getipython, "get_ipython", lambda: shell)
    return names


def runs_as(monkeypatch: pytest.MonkeyPatch, *, file: str | None = None, module: str | None = None) -> None:
    main = ModuleType("__main__")
    main.__spec__ = None if module is None else SimpleNamespace(name=module)  # type: ignore[assignment]
    if file is not None:
        main.__file__ = file
    monkeypatch.setitem(sys.modules, "__main__", main)


# What a process knows.


def test_a_kernel_knows_its_notebook_as_jupyter_server_told_it(here, names, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", str(here / "rig.ipynb"))
    assert birthplace("kernel") == Birthplace(notebook=str(here / "rig.ipynb"), directory=str(here))


def test_in_vs_code_its_own_variable_tells_more_than_the_made_up_name_of_the_session(
    here, names, monkeypatch
):
    monkeypatch.setenv("JPY_SESSION_NAME", "rig-jvsc-c2f2a306.ipynb")
    names["__vsc_ipynb_file__"] = str(here / "rig.ipynb")
    assert birthplace("kernel").notebook == str(here / "rig.ipynb")


@pytest.mark.parametrize("told", ["", None, 7])
def test_a_kernel_without_a_notebook_knows_its_directory(here, names, told):
    names["__vsc_ipynb_file__"] = told
    assert birthplace("kernel") == Birthplace(directory=str(here))


def test_what_a_notebook_starts_is_not_the_notebook(here, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", str(here / "rig.ipynb"))
    runs_as(monkeypatch, file=str(here / "feed.py"))
    assert birthplace("kernel") == Birthplace(program="feed.py", directory=str(here))
    assert birthplace("standalone") == Birthplace(program="nbrealtime serve", directory=str(here))


def test_a_program_is_known_by_its_name_alone(here, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["feed.py", "--token", "secret"])
    runs_as(monkeypatch, file="/opt/rig/feed.py")
    assert birthplace("kernel").program == "feed.py"
    runs_as(monkeypatch, file="/opt/rig/__main__.py", module="rig.__main__")
    assert birthplace("kernel").program == "python -m rig"
    runs_as(monkeypatch)
    assert birthplace("kernel").program == "python"


def test_a_directory_that_is_gone_is_none(here, names):
    here.rmdir()
    assert birthplace("kernel") == Birthplace()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_a_path_of_any_bytes_can_travel(here, names, monkeypatch):
    strange = here / os.fsdecode(b"caf\xe9")
    strange.mkdir()
    monkeypatch.chdir(strange)
    names["__vsc_ipynb_file__"] = "\ud800.ipynb"
    born = birthplace("kernel")
    assert msgspec.json.decode(msgspec.json.encode(born), type=Birthplace) == born
    assert str(born).isprintable()


def test_a_path_without_end_is_none(here, names):
    names["__vsc_ipynb_file__"] = "/x" * 5000
    assert birthplace("kernel").notebook == ""


# How it reads.


@pytest.mark.parametrize(
    ("born", "words"),
    [
        (Birthplace(), ""),
        (Birthplace(notebook="/data/rig.ipynb", directory="/data"), "/data/rig.ipynb"),
        (Birthplace(notebook="rig.ipynb", directory="/data"), "rig.ipynb in /data"),
        (Birthplace(notebook="rig.ipynb"), "rig.ipynb"),
        (Birthplace(directory="/data"), "a kernel in /data"),
        (Birthplace(program="nbrealtime serve", directory="/data"), "nbrealtime serve in /data"),
        (Birthplace(program="feed.py"), "feed.py"),
        (Birthplace(notebook="/data/\x1b[2Jrig\n.ipynb"), "/data/�[2Jrig�.ipynb"),
    ],
)
def test_it_reads_as_its_user_knows_it(born, words):
    assert str(born) == words


def test_the_users_home_is_short(here):
    assert str(Birthplace(notebook=str(here / "rig.ipynb"))) == "~/lab/rig.ipynb"
    assert str(Birthplace(directory=str(here.parent))) == "a kernel in ~"
    # Another's home begins with the same letters.
    assert str(Birthplace(notebook=f"{here.parent}2/rig.ipynb")) == f"{here.parent}2/rig.ipynb"


def test_what_is_printable_stays():
    assert printable("Zoë's rig 3") == "Zoë's rig 3"
