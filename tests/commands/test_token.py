"""`nbrealtime token`: what it prints opens a server with the same secret."""

from __future__ import annotations

import getpass
import time
from pathlib import Path

import jwt
import pytest

from nbrealtime.cli import main

SECRET = "a secret of forty characters, more or less"


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBREALTIME_SECRET", SECRET)


def claims_of(capsys: pytest.CaptureFixture[str], secret: str = SECRET) -> dict[str, object]:
    printed = capsys.readouterr()
    assert printed.err == ""
    token = printed.out.removesuffix("\n")
    assert "\n" not in token, "the token stands alone"
    claims: dict[str, object] = jwt.decode(token, secret, algorithms=["HS256"])
    return claims


def test_it_carries_user_and_name_and_ends_after_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "ada", "--name", "Ada Lovelace"]) == 0
    claims = claims_of(capsys)
    assert (claims["sub"], claims["name"]) == ("ada", "Ada Lovelace")
    assert claims["exp"] == pytest.approx(time.time() + 86_400, abs=60)
    assert "topics" not in claims, "without grants of its own it has the server's default ones"


def test_without_a_user_it_is_for_whoever_runs_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token"]) == 0
    assert claims_of(capsys)["sub"] == getpass.getuser()


def test_topics_and_actions_become_grants(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "screen", "--topics", "lab:*", "news", "--allow", "subscribe,presence"]) == 0
    assert claims_of(capsys)["topics"] == [
        {"match": "lab:*", "allow": ["subscribe", "presence"]},
        {"match": "news", "allow": ["subscribe", "presence"]},
    ]


def test_a_token_may_last_for_ever(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "ada", "--ttl", "never"]) == 0
    assert "exp" not in claims_of(capsys)


def test_the_secret_of_a_file_signs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "secret.txt"
    file.write_text("another secret of forty characters or so\n")
    file.chmod(0o600)
    assert main(["token", "ada", "--secret-file", str(file)]) == 0
    assert claims_of(capsys, "another secret of forty characters or so")["sub"] == "ada"


def test_without_a_secret_it_says_where_to_put_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NBREALTIME_SECRET")
    assert main(["token", "ada"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "NBREALTIME_SECRET" in printed.err
    assert "--secret-file" in printed.err


def test_an_unknown_action_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["token", "ada", "--allow", "write"])
    assert ended.value.code == 2
    assert "'write' is none of subscribe" in capsys.readouterr().err
