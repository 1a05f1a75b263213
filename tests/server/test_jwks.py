"""Keys from an address: looked for when they are wanted, not whenever a stranger says so."""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from nbrealtime.server.jwks import KeySet, check_address, read_keys

FIRST = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SECOND = ec.generate_private_key(ec.SECP256R1())


def jwk(key, kid, algorithm, **more):
    return {**json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key())), "kid": kid, **more}


class Provider:
    """An identity provider with an address."""

    def __init__(self):
        self.keys = [jwk(FIRST, "one", "RS256")]
        self.status, self.asked, self.headers = 200, 0, {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked += 1
                body = json.dumps({"keys": provider.keys}).encode()
                self.send_response(provider.status)
                for name, value in provider.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


@pytest.fixture
def provider():
    found = Provider()
    yield found
    found.close()


@pytest.fixture
def server(start, provider, monkeypatch):
    monkeypatch.setattr(KeySet, "COOLDOWN_SECONDS", 0.0)
    return start(jwks=provider.url, algorithms=("RS256", "ES256"))


def token(key=FIRST, kid="one", algorithm="RS256", **claims):
    return jwt.encode(
        {"sub": "ada", **claims}, key, algorithm=algorithm, headers={"kid": kid} if kid else None
    )


def test_tokens_are_verified_with_the_keys_at_the_address(server, call, provider):
    assert call(server).hello(token=token())["user"]["id"] == "ada"
    assert call(server, f"?token={token(kid=None)}", subprotocols=None).hear_type("message")
    assert provider.asked == 1


def test_a_key_that_is_not_known_is_looked_for_on_every_way_in(server, call, provider):
    for number in range(4):
        kid = f"new{number}"
        provider.keys.append(jwk(SECOND, kid, "ES256"))
        fresh = token(SECOND, kid, "ES256")
        if number == 0:
            assert call(server).hello(token=fresh)["user"]["id"] == "ada"
        elif number == 1:
            call(server, f"?token={fresh}", subprotocols=None).hear_type("message")
        elif number == 2:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            connection.request("GET", "/ws/stats", headers={"Authorization": f"Bearer {fresh}"})
            assert connection.getresponse().status == 200
            connection.close()
        else:
            ada = call(server)
            ada.hello(token=token())
            ada.say(type="auth", id=5, token=fresh)
            assert ada.hear_type("authenticated")["id"] == 5
        assert provider.asked == 2 + number


def test_what_comes_while_a_key_is_looked_for_is_done_afterwards(server, call, provider):
    provider.keys.append(jwk(SECOND, "late", "ES256"))
    ada = call(server)
    ada.say(type="hello", id=1, version=2, client="c", token=token(SECOND, "late", "ES256"))
    ada.say(type="ping", id=2)
    assert ada.hear_type("welcome")["id"] == 1
    assert ada.hear_type("pong")["id"] == 2


def test_strangers_cannot_make_us_ask_more_often_than_now_and_then(start, call, provider):
    server = start(jwks=provider.url, algorithms=("RS256",))
    for number in range(5):
        eve = call(server)
        eve.say(type="hello", id=1, version=2, client="c", token=token(kid=f"guess{number}"))
        assert eve.hear_error("unauthorized")["close"] == 4500
    assert provider.asked == 1


def test_a_key_that_was_withdrawn_is_good_no_more(server, call, provider):
    provider.keys = [jwk(SECOND, "two", "ES256")]
    call(server).hello(token=token(SECOND, "two", "ES256"))
    eve = call(server)
    eve.say(type="hello", id=1, version=2, client="c", token=token())
    eve.hear_error("unauthorized")


def test_an_address_that_does_not_answer_costs_nobody_his_place_for_good(start, call, provider, monkeypatch):
    monkeypatch.setattr(KeySet, "RETRY_SECONDS", 0.0)
    provider.status = 503
    server = start(jwks=provider.url, algorithms=("RS256",))
    ada = call(server)
    ada.say(type="hello", id=1, version=2, client="c", token=token())
    error = ada.hear_error("unavailable")
    assert error["reconnect"] is True
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/ws/stats", headers={"Authorization": f"Bearer {token()}"})
    assert connection.getresponse().status == 503
    connection.close()
    provider.status = 200
    assert call(server).hello(token=token())["user"]["id"] == "ada"


def test_a_redirect_is_not_followed(start, call, provider):
    provider.status, provider.headers = 302, {"Location": f"{provider.url}/elsewhere"}
    server = start(jwks=provider.url, algorithms=("RS256",))
    assert provider.asked == 1
    ada = call(server)
    ada.say(type="hello", id=1, version=2, client="c", token=token())
    ada.hear_error("unavailable")


def test_a_key_is_only_good_for_what_it_is():
    algorithms = ("RS256", "ES256")
    keys = [
        jwk(FIRST, "rsa", "RS256"),
        jwk(FIRST, "encryption", "RS256", use="enc"),
        jwk(FIRST, "other", "RS256", alg="RS512"),
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        {"kty": "EC", "kid": "broken", "crv": "P-256"},
        "nothing",
        jwk(SECOND, "ec", "ES256"),
    ]
    found = read_keys({"keys": keys}, algorithms)
    assert [(key.id, set(key.algorithms)) for key in found] == [("rsa", {"RS256"}), ("ec", {"ES256"})]


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, "x"])
def test_what_is_no_key_set_is_an_error(document):
    with pytest.raises(ValueError, match="key set"):
        read_keys(document, ("RS256",))


@pytest.mark.parametrize("url", ["https://idp.example/keys", "http://localhost:8080/k", "http://[::1]/k"])
def test_addresses_that_nobody_can_change_on_the_way(url):
    assert check_address(url) == url
