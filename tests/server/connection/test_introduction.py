"""Who speaks: with a core of its own, and a service and a newcomer that only note what happens."""

from __future__ import annotations

import json

import pytest
from websockets.datastructures import Headers
from websockets.frames import Opcode
from websockets.http11 import Response

from nbrealtime.errors import InvalidToken, UnknownKey
from nbrealtime.hub import Grants, User
from nbrealtime.server.admission import Admission
from nbrealtime.server.config import Config
from nbrealtime.server.connection.core import Core
from nbrealtime.server.connection.intake import Hold, Intake
from nbrealtime.server.connection.introduction import Introduction
from nbrealtime.server.hello import Goodbye
from nbrealtime.server.lobby import Lobby
from nbrealtime.server.tokens import Claims
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import SUBPROTOCOL

from ..loop import Gate, Loop
from .opening import frame, request, text
from .transport import Transport

ADA = Claims(User("ada", "Ada"), Grants.usual(), None)
BOB = Claims(User("bob", "Bob"), Grants.usual(), None)
FULL = Goodbye(4504, ErrorCode.LIMIT_EXCEEDED, "full", reconnect=True)
WAITING_BYTES = 500


class Service:
    """``verdicts`` are what admission answers, one after the other; "strange" is a token of a later key."""

    def __init__(self):
        self.config = Config(waiting_bytes=WAITING_BYTES, hello_seconds=5.0)
        self.loop = Loop()
        self.late_seconds, self.lateness = 2.0, 0.0
        self.lobby = Lobby(10)
        self.admissions = self.authority = self
        self.verdicts = []
        self.asked = []
        self.full = self.closed = None
        self.gate = Gate()
        self.fetches = 0
        self.finds = True

    def admit(self, request, *, final=False):
        self.asked.append(final)
        verdict = self.verdicts.pop(0)
        if isinstance(verdict, UnknownKey):
            raise verdict
        return verdict

    def too_many(self, id=None):  # noqa: A002 - as the service's
        if self.full is not None:
            self.full.id = id
        return self.full

    def verify(self, token, now):
        if token == "bob":
            return BOB
        if token == "strange":
            if self.fetches and self.finds:
                return BOB
            raise UnknownKey("the key is not known", ErrorCode.UNAUTHORIZED)
        raise InvalidToken("the token is not valid here")

    async def fetch(self):
        await self.gate
        self.fetches += 1


class Bench:
    """The newcomer, as far as an introduction knows it."""

    def __init__(self):
        self.service = Service()
        self.loop = self.service.loop
        self.transport = Transport()
        self.intake = Intake(self.transport)
        self.core = Core(2**20)
        self.introduction = Introduction(self, self.service, self.core, self.transport, self.intake)
        self.session = None
        self.ended = False
        self.entered = []
        self.goodbyes = []
        self.heard = []
        self.rest = b""

    def data_received(self, data):
        self.rest += data

    def read(self, frame, now):
        if self.ended:
            return
        if self.session is not None:
            self.heard.append(bytes(frame.data))
        elif frame.opcode is Opcode.TEXT:
            self.introduction.hear(bytes(frame.data))
        else:
            self.introduction.hear_binary()

    def after_reading(self):
        pass

    def enter(self, claims, hello):
        self.session = object()
        self.entered.append((claims.user.id, None if hello is None else hello.id))

    def part(self, goodbye):
        self.goodbyes.append(goodbye)
        if self.introduction.answered and not self.ended:
            self.ended = True
            self.introduction.close()

    # -- what a test does

    def ask(self, *verdicts, subprotocol=SUBPROTOCOL):
        self.service.verdicts += verdicts
        self.introduction.receive(request(subprotocol=subprotocol))

    def say(self, data):
        self.introduction.receive(data)

    def look(self):
        """The search for keys comes to an end."""
        self.service.gate.is_open = True
        self.loop.turn()

    @property
    def status(self):
        """Of the answer to the request."""
        return int(b"".join((self.transport.written, *self.core.data_to_send())).split()[1])

    @property
    def waits(self):
        return self.introduction in self.service.lobby


def hello(token=None, **more):
    message = {"type": "hello", "id": 7, "version": 2, "client": "c", **more}
    return text(json.dumps(message if token is None else {**message, "token": token}))


def strange():
    return UnknownKey("the key is not known")


@pytest.fixture
def bench():
    return Bench()


# -- the request


def test_v1_is_welcome_with_its_request_alone(bench):
    bench.ask(Admission(claims=ADA), subprotocol=None)
    assert bench.status == 101
    assert bench.entered == [("ada", None)]
    assert not bench.waits
    assert bench.loop.alarms == []


def test_the_upgrade_is_answered_before_the_session_begins(bench):
    written = []
    enter, bench.enter = bench.enter, lambda *found: (written.append(bench.transport.written), enter(*found))
    bench.ask(Admission(claims=ADA), subprotocol=None)
    assert written[0].startswith(b"HTTP/1.1 101")


def test_who_speaks_v2_with_good_credentials_says_hello_and_need_not_wait_in_the_lobby(bench):
    bench.ask(Admission(spoken=True, claims=ADA))
    assert bench.status == 101
    assert bench.entered == []
    assert not bench.waits
    assert bench.loop.alarms == [5.0]
    bench.say(hello())
    assert bench.entered == [("ada", 7)]
    assert bench.loop.alarms == []


def test_without_he_waits_in_the_lobby_until_hello_says_who_he_is(bench):
    bench.ask(Admission(spoken=True))
    assert bench.waits
    bench.say(hello("bob"))
    assert bench.entered == [("bob", 7)]
    assert not bench.waits
    assert bench.loop.alarms == []


def test_hellos_token_counts_before_the_requests(bench):
    bench.ask(Admission(spoken=True, claims=ADA))
    bench.say(hello("bob"))
    assert bench.entered == [("bob", 7)]


def test_a_refusal_answers_the_request(bench):
    bench.ask(Response(503, "Service Unavailable", Headers(), b""))
    assert bench.introduction.answered
    assert bench.status == 503
    assert not bench.waits
    assert bench.loop.alarms == []


def test_what_is_no_websocket_request_is_refused_and_nobody_enters(bench):
    bench.service.verdicts.append(Admission(claims=ADA))
    bench.introduction.receive(request().replace(b"Connection: Upgrade", b"Connection: close"))
    assert bench.status == 426
    assert bench.entered == []


def test_what_stands_against_him_is_said_after_the_upgrade(bench):
    bench.ask(Admission(spoken=True, goodbye=FULL))
    assert bench.transport.written.startswith(b"HTTP/1.1 101")
    assert bench.goodbyes == [FULL]
    assert not bench.waits
    assert bench.loop.alarms == []


# -- hello


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (text('{"type":"ping"}'), ErrorCode.UNAUTHORIZED),
        (text("not json"), ErrorCode.BAD_REQUEST),
        (frame(Opcode.BINARY, b"hello"), ErrorCode.BAD_REQUEST),
        (hello("x"), ErrorCode.UNAUTHORIZED),
        (hello(), ErrorCode.UNAUTHORIZED),
    ],
    ids=["ping", "no JSON", "binary", "bad token", "no token"],
)
def test_whatever_else_comes_first_is_the_end_with_words(bench, said, code):
    bench.ask(Admission(spoken=True))
    bench.say(said)
    [goodbye] = bench.goodbyes
    assert (goodbye.close, goodbye.code, goodbye.reconnect) == (4500, code, False)
    assert bench.entered == []
    assert not bench.waits


def test_one_too_many_hears_it_as_the_answer_to_hello(bench):
    bench.ask(Admission(spoken=True, claims=ADA))
    bench.service.full = FULL
    bench.say(hello())
    assert bench.goodbyes == [FULL]
    assert FULL.id == 7
    assert bench.entered == []


def test_a_hello_that_comes_when_nobody_is_let_in_any_more_hears_it(bench):
    bench.ask(Admission(spoken=True, claims=ADA))
    bench.service.closed = Goodbye(4001, ErrorCode.DRAINING, "come back later", reconnect=True)
    bench.say(hello())
    assert bench.goodbyes == [bench.service.closed]
    assert bench.entered == []


def test_who_was_greeted_has_his_place_already(bench):
    bench.ask(Admission(claims=ADA), subprotocol=None)
    bench.service.full = bench.service.closed = FULL
    assert bench.introduction.overhear(b'{"type":"hello","id":3,"version":2,"client":"c"}')
    assert bench.entered == [("ada", None), ("ada", 3)]
    assert bench.goodbyes == []


@pytest.mark.parametrize(
    "said", [b'{"type":"subscribe","topic":"hello"}', b"hello", b'{"type":"hello","version":1}']
)
def test_who_was_greeted_and_says_something_else_is_left_to_the_hub(bench, said):
    bench.ask(Admission(claims=ADA), subprotocol=None)
    assert not bench.introduction.overhear(said)
    assert bench.goodbyes == []


def test_after_the_end_a_hello_is_answered_no_more(bench):
    bench.ask(Admission(spoken=True, claims=ADA))
    bench.ended = True
    bench.introduction.hear(b'{"type":"hello","id":3,"version":2,"client":"c"}')
    assert (bench.entered, bench.goodbyes) == ([], [])


# -- time, number and bytes are bounded


@pytest.mark.parametrize("claims", [None, ADA])
def test_hello_must_come_in_time(bench, claims):
    bench.ask(Admission(spoken=True, claims=claims))
    bench.loop.advance(4.9)
    assert bench.goodbyes == []
    bench.loop.advance(0.2)
    [goodbye] = bench.goodbyes
    assert (goodbye.close, goodbye.code) == (4500, ErrorCode.UNAUTHORIZED)
    assert "5 s" in goodbye.reason
    assert not bench.waits


def test_who_is_turned_away_for_others_may_come_again(bench):
    bench.ask(Admission(spoken=True))
    bench.introduction.turn_away()
    [goodbye] = bench.goodbyes
    assert (goodbye.close, goodbye.code, goodbye.reconnect) == (4504, ErrorCode.LIMIT_EXCEEDED, True)
    assert not bench.waits


def test_a_little_may_come_before_hello_and_no_more(bench):
    bench.ask(Admission(spoken=True))
    bench.say(text("x" * 2000)[:WAITING_BYTES])
    assert bench.goodbyes == []
    bench.say(b"x")
    [goodbye] = bench.goodbyes
    assert (goodbye.close, goodbye.code) == (4501, ErrorCode.TOO_LARGE)
    assert f"{WAITING_BYTES} bytes" in goodbye.reason
    assert bench.transport.asked == []


def test_what_comes_in_many_bits_is_counted_together(bench):
    bench.ask(Admission(spoken=True))
    data = text("x" * 2000)
    for start in range(0, WAITING_BYTES + 50, 50):
        bench.say(data[start : start + 50])
    assert len(bench.goodbyes) == 1


def test_what_comes_beyond_that_behind_a_hello_is_read_as_usual(bench):
    bench.ask(Admission(spoken=True, claims=ADA))
    more = text("y" * 2000)
    data = hello() + more
    bench.say(data)
    assert bench.entered == [("ada", 7)]
    assert bench.rest == data[WAITING_BYTES:]
    assert bench.goodbyes == []


def test_who_has_ended_is_no_longer_counted(bench):
    bench.ask(Admission(spoken=True))
    bench.say(text("x"))
    assert len(bench.goodbyes) == 1
    bench.say(text("y" * 2 * WAITING_BYTES))
    assert len(bench.goodbyes) == 1


# -- a key that is not known yet


def test_while_a_key_is_looked_for_the_request_waits_and_nothing_is_read(bench):
    bench.ask(strange(), Admission(claims=ADA), subprotocol=None)
    assert bench.introduction.early
    assert bench.intake.held(Hold.UNKNOWN)
    assert not bench.introduction.answered
    bench.look()
    assert bench.service.asked == [False, True]
    assert bench.entered == [("ada", None)]
    assert not bench.intake.held(Hold.UNKNOWN)


def test_what_came_in_meanwhile_is_read_afterwards_in_order(bench):
    bench.ask(strange(), Admission(claims=ADA), subprotocol=None)
    bench.say(text("one") + text("two"))
    bench.say(text("three"))
    assert bench.heard == []
    bench.look()
    assert bench.heard == [b"one", b"two", b"three"]


def test_more_than_a_little_meanwhile_ends_it_without_a_word(bench):
    bench.ask(strange())
    bench.say(text("x" * 2 * WAITING_BYTES))
    assert bench.transport.asked[-1] == "abort"
    bench.look()
    assert bench.service.asked == [False]
    assert bench.entered == []


def test_hello_waits_for_its_key_too(bench):
    bench.ask(Admission(spoken=True))
    bench.say(hello("strange") + text("one"))
    assert bench.intake.held(Hold.UNKNOWN)
    assert (bench.entered, bench.goodbyes) == ([], [])
    bench.look()
    assert bench.entered == [("bob", 7)]
    assert bench.heard == [b"one"]
    assert not bench.intake.held(Hold.UNKNOWN)


def test_a_key_is_looked_for_once_and_then_the_token_is_refused(bench):
    bench.service.finds = False
    bench.ask(Admission(spoken=True))
    bench.say(hello("strange"))
    bench.look()
    bench.loop.turn()
    assert bench.service.fetches == 1
    [goodbye] = bench.goodbyes
    assert (goodbye.code, goodbye.id) == (ErrorCode.UNAUTHORIZED, 7)


def test_request_and_hello_may_each_need_a_key(bench):
    bench.ask(strange(), Admission(spoken=True))
    bench.say(hello("strange"))
    bench.service.finds = False
    bench.look()
    assert bench.intake.held(Hold.UNKNOWN), "the second search has begun"
    assert bench.entered == []
    bench.service.finds = True
    bench.loop.turn()
    assert bench.service.fetches == 2
    assert bench.entered == [("bob", 7)]
    assert not bench.intake.held(Hold.UNKNOWN)


def test_a_hello_that_came_is_not_late_because_its_key_is_looked_for(bench):
    bench.ask(Admission(spoken=True))
    bench.loop.advance(4.9)
    bench.say(hello("strange"))
    bench.loop.advance(3)
    assert bench.goodbyes == []
    bench.look()
    assert bench.entered == [("bob", 7)]


@pytest.mark.parametrize("gone", ["ended", "closing"])
def test_who_has_gone_meanwhile_is_not_let_in(bench, gone):
    bench.ask(strange(), Admission(claims=ADA), subprotocol=None)
    if gone == "ended":
        bench.ended = True
    else:
        bench.transport.closing = True
    bench.look()
    assert bench.service.asked == [False]
    assert bench.entered == []


def test_cancelled_it_looks_for_no_key_any_more(bench):
    bench.introduction.cancel()
    bench.ask(strange(), Admission(claims=ADA), subprotocol=None)
    bench.introduction.cancel()
    bench.look()
    assert bench.service.fetches == 0
    assert bench.entered == []
