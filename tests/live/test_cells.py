"""Cells, ownership and origins, with a shell that a test plays; a real kernel is in ``tests/kernel``."""

from __future__ import annotations

import contextvars
import io
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from nbrealtime.live import cells
from nbrealtime.live.cells import Origin, current_cell, own


class FakeShell:
    """As much of an IPython shell in a kernel as ``cells`` looks at."""

    def __init__(self) -> None:
        self.parent: Any = {}
        self.kernel = SimpleNamespace(get_parent=lambda channel: self.parent)
        self.handlers: list[Callable[[Any], None]] = []
        self.events = SimpleNamespace(register=self._register)

    def _register(self, event: str, handler: Callable[[Any], None]) -> None:
        assert event == "pre_run_cell"
        self.handlers.append(handler)

    def begin(self, cell: str | None) -> None:
        self.parent = {"metadata": {"cellId": cell} if cell else {}}
        for handler in self.handlers:
            handler(SimpleNamespace(cell_id=cell))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> FakeShell:
    shell = FakeShell()
    monkeypatch.setattr(cells, "shell", lambda: shell)
    monkeypatch.setattr(cells, "_hooked", None)
    monkeypatch.setattr(cells, "_owned", {})
    return shell


def test_outside_a_kernel_there_is_no_cell() -> None:
    assert current_cell() is None


@pytest.mark.parametrize(
    "parent", [{}, {"metadata": {}}, {"metadata": {"cellId": ""}}, {"metadata": None}, None]
)
def test_a_request_without_an_id_is_no_cell(shell: FakeShell, parent: Any) -> None:
    shell.parent = parent
    assert current_cell() is None


def test_the_current_cell_is_the_requests(shell: FakeShell) -> None:
    shell.begin("a")
    assert current_cell() == "a"


def test_what_a_cell_owns_goes_when_it_starts_again_and_only_then(shell: FakeShell) -> None:
    gone: list[str] = []
    own("a", lambda: gone.append("a"))
    shell.begin("b")
    shell.begin(None)
    assert gone == []
    shell.begin("a")
    shell.begin("a")
    assert gone == ["a"]


def test_without_a_cell_nothing_is_owned(shell: FakeShell) -> None:
    gone: list[str] = []
    own(None, lambda: gone.append("none"))()
    shell.begin(None)
    assert (gone, shell.handlers) == ([], [])


def test_what_was_taken_back_stays(shell: FakeShell) -> None:
    gone: list[str] = []
    disown = own("a", lambda: gone.append("first"))
    own("a", lambda: gone.append("second"))
    disown()
    disown()
    shell.begin("a")
    assert gone == ["second"]
    assert cells._owned == {}


def test_one_that_fails_does_not_keep_the_others(
    shell: FakeShell, capsys: pytest.CaptureFixture[str]
) -> None:
    gone: list[str] = []
    own("a", lambda: 1 / 0)
    own("a", lambda: gone.append("a"))
    shell.begin("a")
    assert gone == ["a"]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_what_a_cell_makes_while_its_old_things_go_is_its_new(shell: FakeShell) -> None:
    gone: list[str] = []
    own("a", lambda: own("a", lambda: gone.append("new")))
    shell.begin("a")
    assert gone == []
    shell.begin("a")
    assert gone == ["new"]


def test_a_callback_belongs_to_its_cell_while_another_one_runs(shell: FakeShell) -> None:
    shell.begin("a")
    origin = Origin.here()
    shell.begin("b")
    assert origin.run(current_cell) == "a"
    assert current_cell() == "b"


def test_what_runs_for_an_origin_sees_its_context_and_changes_nothing_of_it() -> None:
    variable = contextvars.ContextVar("variable", default="before")
    variable.set("registered")
    origin = Origin.here()
    variable.set("now")

    def change() -> str:
        seen = variable.get()
        variable.set("changed")
        return seen

    assert [origin.run(change), origin.run(change), variable.get()] == ["registered", "registered", "now"]


def test_an_origin_may_run_inside_itself() -> None:
    origin = Origin.here()
    assert origin.run(origin.run, lambda: 3) == 3


def test_saying_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Origin.here().say("nobody is here")
    assert capsys.readouterr().err == "nobody is here\n"


@pytest.mark.parametrize("closed", [True, False])
def test_saying_to_nobody_is_harmless(monkeypatch: pytest.MonkeyPatch, closed: bool) -> None:
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream if closed else None)
    Origin.here().say("nobody is here")
