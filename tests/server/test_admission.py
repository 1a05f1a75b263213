"""Whom to let in, asked without a socket: what is said in-band, and what answers the request."""

from __future__ import annotations

import asyncio
import json
import time

import jwt
import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from nbrealtime.errors import InvalidToken, UnknownKey
from nbrealtime.hub import Grants, Hub, Limits, User
from nbrealtime.server.admission import Admission, Admissions
from nbrealtime.server.config import Config
from nbrealtime.server.hello import Goodbye
from nbrealtime.server.origins import Origins
from nbrealtime.server.tokens import Authority
from nbrealtime.wire.messages import ErrorCode

SECRET = "a secret of these tests that is long enough"
V2 = "nbrealtime.v2"
STOPPING = Goodbye(1001, ErrorCode.UNAVAILABLE, "the server is shutting down", reconnect=True)


def token(user="ada", secret=SECRET, **claims):
    return jwt.encode({"sub": user, **claims}, secret, algorithm="HS256")


FOREIGN = token("eve", "another secret of thirty-two bytes and more")


class Strange(Authority):
    """Does not know the key of a token that says so, until it was fetched; ``code`` is what it says then."""

    def __init__(self, config, *, found=False, code=ErrorCode.UNAUTHORIZED):
        super().__init__(config)
        self.found = found
        self.code = code
        self.fetches = 0

    async def fetch(self):
        self.fetches += 1

    def verify(self, token, now):
        if token == "strange":
            if self.found and self.fetches:
                return super().verify(self.issue("stranger"), now)
            raise UnknownKey("the key is not known", self.code)
        return super().verify(token, now)


@pytest.fixture
def hub():
    return Hub(bytes, name="h", limits=Limits(connections=1))


@pytest.fixture
def authority():
    return Strange(Config(secret=SECRET))


@pytest.fixture
def admissions(hub, authority):
    return Admissions(hub, authority, Origins((), None))


@pytest.fixture
def admit(admissions):
    def admit(target="/ws", *, offers=(), final=False, **headers):
        fields = Headers()
        for name, value in headers.items():
            fields[name] = value
        for line in offers:
            fields["Sec-WebSocket-Protocol"] = line
        return admissions.admit(Request(target, fields), final=final)

    return admit


def fill(hub):
    hub.open(User("bob", "Bob"), Grants.usual(), 0)


def refusal(answer):
    """The status, and the sentence in JSON."""
    assert isinstance(answer, Response), answer
    return answer.status_code, json.loads(answer.body)["error"]


# -- who is let in


def test_a_good_token_is_let_in_and_the_subprotocol_says_whether_hello_follows(admit):
    for offers, spoken in (((), False), ((V2,), True), (("other",), False), ((f"other, {V2}",), True)):
        admitted = admit(f"/ws?token={token()}", offers=offers)
        assert (admitted.spoken, admitted.goodbye) == (spoken, None)
        assert admitted.claims.user.id == "ada"


def test_the_subprotocol_may_be_offered_in_any_of_several_lines(admit):
    assert admit(offers=("other", f"third ,{V2}")) == Admission(spoken=True)


@pytest.mark.parametrize("query", ["", "?token=x", f"?token={FOREIGN}"])
def test_with_the_subprotocol_what_is_not_ours_is_passed_over_and_hello_decides(admit, query):
    assert admit(f"/ws{query}", offers=(V2,)) == Admission(spoken=True)


def test_without_the_subprotocol_a_bad_token_answers_the_request(admit):
    for target in ("/ws", "/ws?token=x", f"/ws?token={FOREIGN}"):
        answer = admit(target)
        status, reason = refusal(answer)
        assert status == 401
        assert "token" in reason
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert FOREIGN not in reason


@pytest.mark.parametrize("offers", [(), (V2,)])
def test_another_path_is_no_websocket_whoever_asks(admit, offers):
    status, reason = refusal(admit(f"/elsewhere?token={token()}", offers=offers))
    assert status == 404
    assert "/elsewhere" in reason
    assert "/ws" in reason


def test_only_a_little_of_a_path_is_repeated(admit):
    _, reason = refusal(admit(f"/{'x' * 5000}?token={token()}"))
    assert len(reason) < 200


# -- what stands against everybody


def test_a_page_of_another_origin_hears_it_in_band_or_is_forbidden(admit):
    evil = {"Origin": "https://evil.example"}
    admitted = admit(f"/ws?token={token()}", offers=(V2,), **evil)
    goodbye = admitted.goodbye
    assert (goodbye.close, goodbye.code, goodbye.reconnect) == (4507, ErrorCode.FORBIDDEN, False)
    assert admitted.claims is None
    status, reason = refusal(admit(f"/ws?token={token()}", **evil))
    assert (status, reason) == (403, goodbye.reason)


def test_a_page_of_another_origin_learns_nothing_about_a_token_or_a_path(admit):
    for target in ("/ws", "/ws?token=x", f"/elsewhere?token={token()}", "/ws?token=strange"):
        status, _ = refusal(admit(target, Origin="https://evil.example"))
        assert status == 403


def test_one_too_many_hears_it_in_band_or_is_refused(admit, hub, admissions):
    assert admissions.too_many() is None
    fill(hub)
    goodbye = admit(f"/ws?token={token()}", offers=(V2,)).goodbye
    assert (goodbye.close, goodbye.code, goodbye.reconnect) == (4504, ErrorCode.LIMIT_EXCEEDED, True)
    assert "1 connections" in goodbye.reason
    assert refusal(admit(f"/ws?token={token()}")) == (503, goodbye.reason)
    assert admissions.too_many(7).id == 7


def test_while_nobody_is_let_in_everybody_hears_why_full_or_not(admit, hub, admissions):
    admissions.closed = STOPPING
    for _ in range(2):
        assert admit(f"/ws?token={token()}", offers=(V2,)) == Admission(spoken=True, goodbye=STOPPING)
        assert refusal(admit(f"/ws?token={token()}")) == (503, STOPPING.reason)
        fill(hub)


def test_without_the_subprotocol_strangers_do_not_learn_that_it_is_full(admit, hub):
    fill(hub)
    status, _ = refusal(admit("/ws?token=x"))
    assert status == 401


# -- which token counts


def test_the_header_counts_first_then_access_token_then_token(admissions):
    query = f"token={token('query')}&access_token={token('access')}"
    assert admissions.authenticate([f"Bearer {token('header')}"], query).user.id == "header"
    assert admissions.authenticate([], query).user.id == "access"
    assert admissions.authenticate([], f"token={token('query')}").user.id == "query"


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer  ", "token abc", ""])
def test_a_header_without_a_bearer_is_no_token(admissions, header):
    assert admissions.authenticate([header], f"token={token()}").user.id == "ada"
    with pytest.raises(InvalidToken, match="token is needed"):
        admissions.authenticate([header])


def test_the_scheme_is_written_as_anybody_likes(admissions):
    assert admissions.authenticate([f"bearer   {token()} "]).user.id == "ada"


def test_the_first_token_decides_unless_what_is_bad_is_passed_over(admissions):
    header, query = [f"Bearer {FOREIGN}"], f"token={token()}"
    with pytest.raises(InvalidToken):
        admissions.authenticate(header, query)
    assert admissions.authenticate(header, query, lenient=True).user.id == "ada"
    with pytest.raises(InvalidToken, match="token is needed"):
        admissions.authenticate(header, "token=x", lenient=True)


def test_without_the_subprotocol_the_first_token_decides(admit):
    status, _ = refusal(admit(f"/ws?token={token()}", Authorization=f"Bearer {FOREIGN}"))
    assert status == 401


def test_an_expired_token_is_not_good(admissions):
    with pytest.raises(InvalidToken, match="expired"):
        admissions.authenticate([f"Bearer {token(exp=int(time.time()) - 60)}"])


# -- keys that are not known


@pytest.mark.parametrize("offers", [(), (V2,)])
def test_a_key_that_is_not_known_is_looked_for_once(admit, offers):
    with pytest.raises(UnknownKey):
        admit("/ws?token=strange", offers=offers)
    answer = admit("/ws?token=strange", offers=offers, final=True)
    if offers:
        assert answer == Admission(spoken=True)
    else:
        assert refusal(answer) == (401, "the key is not known")


def test_without_any_key_it_is_not_the_tokens_fault(admit, authority):
    authority.code = ErrorCode.UNAVAILABLE
    answer = admit("/ws?token=strange", final=True)
    assert refusal(answer) == (503, "the key is not known")
    assert "WWW-Authenticate" not in answer.headers


def test_no_key_is_looked_for_while_another_token_of_the_request_is_good(admit):
    admitted = admit(f"/ws?token={token()}", offers=(V2,), Authorization="Bearer strange")
    assert admitted.claims.user.id == "ada"


def test_a_key_is_looked_for_even_if_the_next_token_is_bad(admit):
    with pytest.raises(UnknownKey):
        admit("/ws?token=x", offers=(V2,), Authorization="Bearer strange")


def test_no_key_is_looked_for_when_something_stands_against_the_request_anyway(admit, hub):
    fill(hub)
    assert admit("/ws?token=strange", offers=(V2,)).goodbye.close == 4504


def test_who_may_wait_gets_the_answer_after_the_keys_were_looked_for(admissions, authority):
    def ask(header):
        return asyncio.run(admissions.authenticate_later([f"Bearer {header}"]))

    assert ask(token()).user.id == "ada"
    with pytest.raises(InvalidToken):
        ask("x")
    assert authority.fetches == 0
    authority.found = True
    assert ask("strange").user.id == "stranger"
    assert authority.fetches == 1
    authority.found = False
    with pytest.raises(UnknownKey):
        ask("strange")
    assert authority.fetches == 2
