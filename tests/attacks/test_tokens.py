"""Forged, stolen, old and misdirected tokens; none opens anything, on any way in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from websockets.exceptions import InvalidStatus

SECRET = "a secret of these tests that is long enough"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS = {
    "RS256": RSA,
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def public_pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def forge(header, claims, key=b""):
    """A JWT by hand: libraries refuse to make the bad ones."""

    def part(content):
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    signed = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.new(key, signed.encode(), hashlib.sha256).digest()) if key else ''}"


def opens(server, call, token):
    """On which ways in a token is good: in hello, in the query, in the header, over HTTP."""
    ways = set()
    talker = call(server)
    talker.say(type="hello", id=1, version=2, client="c", token=token)
    if talker.hear()["type"] == "welcome":
        ways.add("hello")
    for way, query, headers in (
        ("query", f"?token={token}", {}),
        ("access", f"?access_token={token}", {}),
        ("header", "", {"Authorization": f"Bearer {token}"}),
    ):
        try:
            call(server, query, additional_headers=headers, subprotocols=None)
        except InvalidStatus as refusal:
            if refusal.response.status_code != 401:
                raise
        else:
            ways.add(way)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/ws/stats", headers={"Authorization": f"Bearer {token}"})
    if connection.getresponse().status == 200:
        ways.add("http")
    connection.close()
    return ways


EVERYWHERE = {"hello", "query", "access", "header", "http"}
CLAIMS = {"sub": "ada", "aud": "lab", "iss": "idp"}


def test_the_good_token_of_these_tests_opens_everything(start, call):
    server = start(secret=SECRET, audience="lab", issuer="idp")
    assert opens(server, call, jwt.encode(CLAIMS, SECRET, algorithm="HS256")) == EVERYWHERE


@pytest.mark.parametrize(
    "token",
    [
        forge({"alg": "none"}, CLAIMS),
        forge({"alg": "None"}, CLAIMS),
        forge({"alg": "NONE", "typ": "JWT"}, CLAIMS),
        forge({"alg": ""}, CLAIMS),
        forge({}, CLAIMS),
        forge({"alg": ["HS256"]}, CLAIMS, SECRET.encode()),
        forge({"alg": "HS256"}, CLAIMS, b"another secret"),
        jwt.encode(CLAIMS, SECRET, algorithm="HS512"),
        jwt.encode({**CLAIMS, "exp": time.time() - 6}, SECRET, algorithm="HS256"),
        jwt.encode({**CLAIMS, "nbf": time.time() + 3600}, SECRET, algorithm="HS256"),
        jwt.encode({**CLAIMS, "aud": "other"}, SECRET, algorithm="HS256"),
        jwt.encode({**CLAIMS, "aud": ["other"]}, SECRET, algorithm="HS256"),
        jwt.encode({**CLAIMS, "iss": "other"}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "ada"}, SECRET, algorithm="HS256"),
        jwt.encode({"aud": "lab", "iss": "idp"}, SECRET, algorithm="HS256"),
        jwt.encode({**CLAIMS, "topics": "**"}, SECRET, algorithm="HS256"),
        jwt.encode(CLAIMS, SECRET, algorithm="HS256").rpartition(".")[0] + ".",
        jwt.encode(CLAIMS, SECRET, algorithm="HS256") + "A",
    ],
)
def test_a_bad_token_opens_nothing(start, call, token):
    assert opens(start(secret=SECRET, audience="lab", issuer="idp"), call, token) == set()


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_public_key_is_no_secret_to_sign_with(start, call, algorithm):
    key = KEYS[algorithm]
    pem = public_pem(key)
    server = start(secret=pem, algorithms=(algorithm,))
    assert opens(server, call, jwt.encode({"sub": "ada"}, key, algorithm=algorithm)) == EVERYWHERE
    for secret in (pem, pem.strip(), pem.replace(b"\n", b"\r\n")):
        for name in ("HS256", algorithm):
            assert opens(server, call, forge({"alg": name}, {"sub": "eve"}, secret)) == set()
    for other, foreign in KEYS.items():
        if other != algorithm:
            assert opens(server, call, jwt.encode({"sub": "eve"}, foreign, algorithm=other)) == set()


def test_keys_in_a_tokens_own_header_are_not_looked_at(start, call):
    eve = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(eve.public_key()))
    server = start(secret=public_pem(RSA), algorithms=("RS256",))
    for header in (
        {"jwk": jwk},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/c"},
        {"kid": "../x"},
    ):
        assert (
            opens(server, call, jwt.encode({"sub": "eve"}, eve, algorithm="RS256", headers=header)) == set()
        )


@pytest.mark.parametrize("options", [{"secret": public_pem(RSA)}, {"jwks": "https://idp.example/keys"}])
def test_a_server_cannot_be_set_up_to_be_confused(start, options):
    with pytest.raises(ValueError):
        start(algorithms=("HS256",), **options)
    with pytest.raises(ValueError, match="mix"):
        start(algorithms=("RS256", "HS256"), **options)


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/keys",
        "file:///etc/passwd",
        "ftp://localhost/x",
        "https://",
        "http://127.0.0.1.evil.example/",
    ],
)
def test_keys_come_over_https_or_from_this_machine(start, url):
    with pytest.raises(ValueError, match="https"):
        start(jwks=url, algorithms=("RS256",))


def test_no_token_is_in_a_log_an_answer_or_a_repr(start, call, caplog):
    caplog.set_level("DEBUG")
    server = start(secret=SECRET)
    good, bad = server.token("ada"), jwt.encode({"sub": "eve"}, "x" * 40, algorithm="HS256")
    said = []
    for token in (good, bad):
        ada = call(server, f"?token={token}", additional_headers={"Authorization": f"Bearer {token}"})
        ada.say(type="hello", id=1, version=2, client="c", token=token)
        said.append(ada.hear())
        if said[-1]["type"] == "welcome":
            for wrong in (bad, "x"):
                ada.say(type="auth", id=2, token=wrong)
                said.append(ada.hear())
            ada.say(type="hello", id=3, token=token)
            said.append(ada.hear())
            ada.socket.send(f'{{"type":"auth","token":"{token}"')
            said.append(ada.hear())
        first = call(server)
        first.socket.send(f'{{"type":"hello","id":1,"token":"{token}","version":"two"}}')
        said.append(first.hear())
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request(
            "POST", f"/ws/publish?token={token}", body=b"{", headers={"Authorization": f"Bearer {token}"}
        )
        said.append(connection.getresponse().read().decode())
        connection.close()
    shown = [repr(server), str(server.stats()), str(server.connections()), *map(str, said)]
    server.close()
    ours = [record for record in caplog.records if not record.name.startswith("websockets.client")]
    logged = "\n".join(record.getMessage() + str(record.exc_info) for record in ours) + "\n".join(shown)
    for secret in (good, bad, SECRET, good.rpartition(".")[2], bad.rpartition(".")[2]):
        assert secret not in logged
