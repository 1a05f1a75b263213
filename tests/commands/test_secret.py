"""Where a signing secret comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbrealtime.cli import build_parser, main
from nbrealtime.commands.reporting import CommandError
from nbrealtime.commands.secret import read_secret

OF_THE_FILE = "of the file, and long enough not to be guessed"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "secret.txt"
    file.write_text(f"{OF_THE_FILE}\n")
    file.chmod(0o600)
    return file


def test_without_file_and_variable_there_is_none() -> None:
    assert read_secret(None) is None


def test_it_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBREALTIME_SECRET", "of the environment")
    assert read_secret(None) == "of the environment"


def test_a_file_that_is_named_wins_and_loses_its_last_newline(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBREALTIME_SECRET", "of the environment")
    assert read_secret(file) == OF_THE_FILE


def test_a_file_that_others_can_read_is_used_with_a_warning(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.chmod(0o644)
    assert read_secret(file) == OF_THE_FILE
    assert f"chmod 600 {file}" in capsys.readouterr().err


def test_a_private_file_needs_no_word(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read_secret(file)
    assert capsys.readouterr().err == ""


def test_a_secret_that_could_be_guessed_is_used_with_one_sentence(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("geheim")
    assert main(["token", "ada", "--secret-file", str(file)]) == 0
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"Warning: the secret in {file} has 6 bytes")
    assert "geheim" not in said


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        read_secret(tmp_path / "none")


def test_an_empty_secret_is_refused_wherever_it_stands(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(" \n")
    with pytest.raises(CommandError, match="is empty"):
        read_secret(file)
    monkeypatch.setenv("NBREALTIME_SECRET", "")
    with pytest.raises(CommandError, match="NBREALTIME_SECRET is empty"):
        read_secret(None)


@pytest.mark.parametrize("words", [["--secret", "hunter2hunter2"], ["--secret=hunter2hunter2"]])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(words, capsys):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(["serve", *words])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "NBREALTIME_SECRET" in said
    assert "hunter2" not in said
