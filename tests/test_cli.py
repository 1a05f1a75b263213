"""The command line as a whole: its help, its documentation, its manners with faults."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import nbrealtime
from nbrealtime.cli import COMMANDS, build_parser, main

REFERENCE = Path(__file__).parent.parent / "docs" / "reference" / "cli.md"


def parsers() -> dict[str, argparse.ArgumentParser]:
    (commands,) = (
        action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    found: dict[str, argparse.ArgumentParser] = dict(commands.choices)
    return found


def rows_of(parser: argparse.ArgumentParser) -> list[str]:
    """The table's rows that the reference must have for a command."""
    rows = []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or action.dest == "help":
            continue
        label = ", ".join(action.option_strings)
        if action.nargs != 0:
            shown = action.metavar or action.dest.upper()
            more = " …" if action.nargs == "+" else ""
            label = f"{label} {shown}{more}".strip()
        rows.append(f"| `{label}` | {action.help} |")
    return rows


def section_of(command: str) -> str:
    sections = re.split(r"^## ", REFERENCE.read_text("utf-8"), flags=re.MULTILINE)
    (section,) = (section for section in sections if section.startswith(f"nbrealtime {command}\n"))
    return section


@pytest.mark.parametrize("command", COMMANDS)
def test_the_reference_has_every_option_and_no_other(command: str) -> None:
    table = section_of(command).partition("| argument | |\n|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == rows_of(parsers()[command])


def test_the_reference_has_every_command_and_no_other() -> None:
    assert re.findall(r"^## nbrealtime (\w+)$", REFERENCE.read_text("utf-8"), flags=re.MULTILINE) == list(
        COMMANDS
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_each_example_of_the_help_is_a_call_that_the_parser_takes(command: str) -> None:
    for line in (parsers()[command].epilog or "").splitlines():
        for call in line.split("|"):
            if call.strip().startswith("nbrealtime "):
                build_parser().parse_args(shlex.split(call)[1:])


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_what_the_command_is_for(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert COMMANDS[command].HELP[1:] in shown
    assert max(map(len, shown.splitlines())) <= 110


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"nbrealtime {nbrealtime.__version__}\n"


def test_without_a_command_it_says_how_to_call_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "usage: nbrealtime" in capsys.readouterr().err


def test_it_runs_as_a_module() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "nbrealtime", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert shown.stdout == f"nbrealtime {nbrealtime.__version__}\n"


def test_building_the_parser_imports_nothing_heavy() -> None:
    program = (
        "import sys; from nbrealtime.cli import build_parser; build_parser(); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    loaded = set(shown.stdout.split())
    heavy = {
        "IPython",
        "aiohttp",
        "anywidget",
        "asyncio",
        "ipywidgets",
        "jwt",
        "msgspec",
        "numpy",
        "traitlets",
        "websockets",
    }
    assert not loaded & heavy


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(arguments: argparse.Namespace) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(COMMANDS["list"], "run", fails)
    with pytest.raises(ZeroDivisionError):
        main(["list"])


def test_interrupted_is_a_status_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(arguments: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(COMMANDS["list"], "run", interrupted)
    assert main(["list"]) == 130
