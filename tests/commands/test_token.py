"""`nbrealtime token`: what it prints opens a server with the same secret."""

from __future__ import annotations

import getpass
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

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


def test_patterns_may_stand_with_what_is_allowed_on_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "robot", "--allow", "lab:**=subscribe,history", "robot:*=publish"]) == 0
    assert claims_of(capsys)["topics"] == [
        {"match": "lab:**", "allow": ["subscribe", "history"]},
        {"match": "robot:*", "allow": ["publish"]},
    ]
    assert main(["token", "robot", "--topics", "a", "--allow", "subscribe", "b=publish"]) == 0
    assert claims_of(capsys)["topics"] == [
        {"match": "b", "allow": ["publish"]},
        {"match": "a", "allow": ["subscribe"]},
    ]


def test_a_private_key_signs_for_servers_with_the_public_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "private.pem").write_bytes(pem)
    (tmp_path / "public.pem").write_bytes(public)
    words = ["token", "ada", "--algorithm", "ES256", "--audience", "lab", "--issuer", "us", "--key-file"]
    assert main([*words, str(tmp_path / "private.pem")]) == 0
    token = capsys.readouterr().out.strip()
    assert jwt.decode(token, public, algorithms=["ES256"], audience="lab", issuer="us")["sub"] == "ada"
    assert main([*words, str(tmp_path / "public.pem")]) == 1
    assert "cannot sign" in capsys.readouterr().err
    assert main(["token", "ada", "--key-file", str(tmp_path / "private.pem")]) == 1
    assert "--algorithm RS256" in capsys.readouterr().err
    assert main(["token", "ada", "--algorithm", "RS256", "--key-file", str(tmp_path / "private.pem")]) == 1
    said = capsys.readouterr().err
    assert "the key is none for RS256" in said
    assert "PRIVATE" not in said
