"""wss and https on the same port."""

from __future__ import annotations

import datetime as dt
import http.client
import ipaddress
import json
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nbrealtime import discovery
from nbrealtime.errors import ServerError
from nbrealtime.server import serve


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A certificate of this machine, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "cert.pem").write_bytes(pem)
    (directory / "key.pem").write_bytes(private)
    (directory / "both.pem").write_bytes(pem + private)
    return directory


@pytest.fixture
def trusting(files):
    return ssl.create_default_context(cafile=str(files / "cert.pem"))


def test_it_speaks_wss_and_https_and_ends_cleanly(start, call, files, trusting):
    server = start(tls_cert=files / "cert.pem", tls_key=files / "key.pem")
    assert server.url == f"wss://127.0.0.1:{server.port}"
    assert server.http_url == f"https://127.0.0.1:{server.port}"
    ada = call(server, ssl=trusting)
    ada.hello(token=server.token("ada"))
    ada.say(type="subscribe", id=2, topic="a")
    ada.hear_type("subscribed")
    ada.say(type="publish", id=3, topic="a", data="x" * 500_000)
    assert len(ada.hear_type("message")["data"]) == 500_000
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=trusting, timeout=10)
    connection.request("GET", "/health")
    assert json.loads(connection.getresponse().read()) == {"status": "ok"}
    connection.close()
    server.close()
    assert ada.hear_error("unavailable")["close"] == 1001
    assert ada.ended() == 1001


def test_certificate_and_key_may_share_a_file(start, call, files, trusting):
    server = start(tls_cert=files / "both.pem")
    call(server, ssl=trusting).hello(token=server.token("ada"))


def test_it_is_found_and_proves_itself(files):
    with serve(tls_cert=files / "both.pem") as server:
        (entry,) = discovery.entries()
        assert entry.url == server.url
        assert discovery.verify(entry)


def test_who_speaks_no_tls_costs_nothing(start, call, files, trusting):
    server = start(tls_cert=files / "both.pem", head_seconds=1.5)
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as silent,
    ):
        plain.sendall(b"GET /health HTTP/1.1\r\n\r\n")
        while plain.recv(65536):
            pass
        assert silent.recv(1) == b"", "a handshake that does not come is not waited for"
    call(server, ssl=trusting).hello(token=server.token("ada"))
    assert len(server._service.lobby) == 0


@pytest.mark.parametrize("cert", ["key.pem", "cert.pem", "nowhere.pem"])
def test_files_that_do_not_fit_are_a_sentence(start, files, cert):
    with pytest.raises(ServerError, match="TLS cannot be had"):
        start(tls_cert=files / cert)
