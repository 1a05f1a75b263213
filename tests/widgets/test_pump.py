"""The pump's thread with real widgets and a comm written by hand: one message a tick, for everybody."""

from __future__ import annotations

import gc
import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from nbrealtime.live.feed import Feed
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.parts import StatePart
from nbrealtime.widgets.plots.part import PlotPart
from nbrealtime.widgets.plots.source import Source
from nbrealtime.widgets.pump import Pump

SECONDS = 10.0


class Browser:
    """Takes what the hub sends, and answers as a page would."""

    def __init__(self, pump: Pump) -> None:
        self.pump = pump
        self.messages: list[tuple[dict[str, Any], list[bytes], str]] = []
        self._came = threading.Condition()

    def attach(self, hub) -> None:
        self.hub = hub
        hub.send = self._take

    def detach(self) -> None:
        del self.hub.send  # the process goes on with this hub

    def _take(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        with self._came:
            self.messages.append((content, buffers, threading.current_thread().name))
            self._came.notify_all()

    def say(self, **content) -> None:
        # As ipykernel 7 does it: on a thread of its own.
        thread = threading.Thread(target=self.pump._received, args=(None, content, []))
        thread.start()
        thread.join()

    def hello(self, part, view: str = "v", **options) -> None:
        self.say(type="hello", view=view, page="page", part=part.key, width=700, visible=True, **options)

    def parts(self) -> list[dict[str, Any]]:
        return [part for content, _, _ in list(self.messages) for part in content["parts"]]

    def told(self, part: StatePart) -> set[str]:
        """Whether ``part`` was sent to everybody as news or whole."""
        return {one["told"] for one in self.parts() if one["key"] == part.key and one["view"] is None}

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._came:
            assert self._came.wait_for(condition, SECONDS), "it was not sent"


@pytest.fixture
def pump():
    pump = Pump()
    yield pump
    pump.stop()


@pytest.fixture
def browser(pump):
    browser = Browser(pump)
    yield browser
    pump.stop()
    browser.detach()


@pytest.fixture
def join(pump, browser):
    def join(part):
        browser.attach(pump.join(part))
        return part

    return join


def state(value: dict[str, Any], kind: str = "card", **options) -> StatePart:
    return StatePart(kind, lambda: dict(value), max_hz=60.0, **options)


class Telling(StatePart):
    """A part whose frames say whether they bring everything."""

    def frame(self, now: float, viewing: Viewing):
        return {"told": "news"}, []

    def snapshot(self, now: float, viewing: Viewing):
        return {"told": "whole"}, []


def test_a_hello_is_answered_with_a_snapshot_for_that_view(browser, join):
    part = join(state({"word": "live"}))
    browser.hello(part)
    browser.wait(lambda: any(one["view"] == "v" for one in browser.parts()))
    answer = next(one for one in browser.parts() if one["view"] == "v")
    assert answer == {"word": "live", "key": part.key, "kind": "card", "view": "v", "buffers": 0}


def test_everything_is_sent_by_the_one_thread(browser, join):
    browser.hello(join(state({})))
    browser.wait(lambda: bool(browser.messages))
    assert {thread for _, _, thread in browser.messages} == {"nbrealtime-pump"}


def test_what_comes_while_a_part_is_read_is_news_again(pump, browser, join, monkeypatch):
    monkeypatch.setattr("nbrealtime.widgets.pacing.KEEP_ALIVE", 1e9)  # which would bring it as well
    reads, news = [], []

    def read() -> dict[str, Any]:
        reads.append(len(reads))
        if news:
            news.pop()
            pump.mark(part)
        return {"n": reads[-1]}

    part = join(StatePart("card", read, max_hz=60.0))
    browser.hello(part)
    browser.wait(lambda: bool(browser.parts()))
    pump.mark(part)
    browser.wait(lambda: len(browser.parts()) > 1)
    news.append("while it is read")
    before = len(reads)
    pump.mark(part)
    browser.wait(lambda: any(one["n"] > before for one in browser.parts()))


def test_who_leaves_while_it_is_read_sends_nothing_more(pump, browser, join):
    def read() -> dict[str, Any]:
        pump.leave(part)
        return {"n": 1}

    part, other = StatePart("card", read, max_hz=60.0), join(state({"n": 2}))
    join(part)
    browser.hello(part)
    browser.hello(other, "w")
    browser.wait(lambda: any(one["n"] == 2 for one in browser.parts()))
    assert not any(one["n"] == 1 for one in browser.parts())


def test_news_of_many_widgets_travels_in_one_message(pump, browser, join):
    parts = [join(state({"n": n})) for n in range(20)]
    for n, part in enumerate(parts):
        browser.hello(part, f"v{n}")
    browser.wait(lambda: len({part["key"] for part in browser.parts()}) == 20)
    before = len(browser.messages)
    for part in parts:
        pump.mark(part)
    browser.wait(lambda: len([p for c, _, _ in browser.messages[before:] for p in c["parts"]]) >= 20)
    assert len(browser.messages) - before <= 4


def test_what_went_whole_to_everybody_does_not_follow_as_news(pump, browser, join, monkeypatch):
    monkeypatch.setattr("nbrealtime.widgets.pacing.KEEP_ALIVE", 1e9)  # which would bring it as well
    part, other = join(Telling("card", dict, max_hz=60.0)), join(state({"other": True}))
    browser.hello(other, "w")
    pump.mark(part)
    pump.expect(part)
    browser.wait(lambda: "whole" in browser.told(part))
    for _ in range(2):
        count = len(browser.messages)
        pump.mark(other)
        browser.wait(lambda count=count: len(browser.messages) > count)
    assert browser.told(part) == {"whole"}


def test_messages_are_numbered_and_dated_and_their_buffers_are_bytes_in_order(pump, browser, join):
    class Binary:
        key, kind, max_hz = "binary", "plot", 60.0

        def frame(self, now: float, viewing: Viewing):
            return {"width": viewing.width}, [b"a", b"b"]

        snapshot = frame

        def told(self, content):
            pass

    part = join(Binary())
    browser.hello(part)
    browser.wait(lambda: bool(browser.messages))
    content, buffers, _ = browser.messages[0]
    assert content["type"] == "frames"
    assert content["seq"] == 1
    assert abs(content["sent"] / 1000 - time.time()) < 60
    assert content["parts"][0]["width"] == 700
    assert sum(part["buffers"] for part in content["parts"]) == len(buffers)
    assert buffers[:2] == [b"a", b"b"]
    assert all(type(buffer) is bytes for buffer in buffers)


def test_nothing_is_sent_while_nobody_looks(pump, browser, join):
    part = join(state({}))
    pump.mark(part)
    browser.hello(part)
    browser.wait(lambda: bool(browser.messages))
    browser.say(type="bye", view="v", page="page")
    other = join(state({"other": True}))
    pump.mark(part)
    browser.hello(other, "w")
    browser.wait(lambda: any(one.get("other") for one in browser.parts()))
    last = len([one for one in browser.parts() if one["key"] == part.key])
    pump.mark(part)
    pump.mark(other)
    count = len(browser.messages)
    browser.wait(lambda: len(browser.messages) > count)
    assert len([one for one in browser.parts() if one["key"] == part.key]) == last


def test_what_is_urgent_goes_out_once_though_nobody_looks(pump, browser, join):
    urgent, other = join(state({"n": 1})), join(state({"n": 2}))
    for part in (urgent, other):
        pump.mark(part)
    pump.urge(urgent)
    browser.wait(lambda: bool(browser.messages))
    pump.urge(urgent)
    browser.wait(lambda: len(browser.messages) == 2)
    assert [part["key"] for part in browser.parts()] == [urgent.key] * 2
    pump.leave(urgent)
    pump.urge(urgent)
    pump.urge(other)
    browser.wait(lambda: len(browser.messages) == 3)
    assert browser.parts()[-1]["key"] == other.key


def test_a_part_that_fails_leaves_and_the_others_go_on(pump, browser, join, caplog):
    def fail() -> dict[str, Any]:
        raise RuntimeError("broken on purpose")

    broken, whole = join(StatePart("broken", fail)), join(state({"fine": True}))
    browser.hello(broken, "b")
    browser.hello(whole, "w")
    browser.wait(lambda: any(one.get("fine") for one in browser.parts()))
    assert "broken on purpose" in caplog.text
    assert "broken stopped" in caplog.text


def test_a_part_whose_frame_cannot_be_written_leaves_and_the_others_go_on(pump, browser, join, caplog):
    half, whole = join(state({"text": "\ud800"})), join(state({"fine": True}))
    take = browser._take

    def send(content: dict[str, Any], buffers: list[bytes]) -> None:
        json.dumps(content, ensure_ascii=False).encode()  # as Jupyter does it
        take(content, buffers)

    browser.hub.send = send
    pump.expect(half)
    pump.expect(whole)
    browser.wait(lambda: any(one.get("fine") for one in browser.parts()))
    pump.mark(whole)
    browser.hello(whole)
    browser.wait(lambda: any(one["view"] == "v" for one in browser.parts()))
    assert not any("text" in one for one in browser.parts())
    assert "surrogates not allowed" in caplog.text


def test_a_question_that_its_part_cannot_answer_stops_nothing(pump, browser, join, caplog):
    feed = Feed("lab:temp", samples=100)
    feed.ring.append(1.79e9 + np.arange(10.0), {"value": np.ones(10)})
    part = join(PlotPart([Source("lab:temp", feed)], window=60))
    browser.hello(part)
    browser.wait(lambda: bool(browser.messages))
    far = {"from": -1.7e308, "to": 1.7e308, "width": 800, "request": 1}
    browser.say(type="range", part=part.key, view="v", page="page", **far)
    browser.hello(part, "w")
    browser.wait(lambda: any(one["view"] == "w" for one in browser.parts()))
    assert "cannot be understood" in caplog.text


def test_a_page_whose_words_come_on_another_thread_is_heard_beside_a_cell(pump, browser, join):
    part = join(state({}))
    browser.hello(part)
    browser.wait(lambda: bool(browser.messages))
    assert pump._audience._pages["page"].beside
    # As on ipykernel 6, where the main thread hears between two cells.
    pump._received(None, {"type": "hello", "view": "w", "page": "six", "part": part.key}, [])
    browser.wait(lambda: any(one["view"] == "w" for one in browser.parts()))
    assert not pump._audience._pages["six"].beside


def test_a_kernel_that_has_fallen_deaf_is_noticed_within_half_a_second(pump, browser, join, monkeypatch):
    class Clock:
        now = 100.0
        time = staticmethod(time.time)

        def monotonic(self) -> float:
            return self.now

    class Ear:
        hears = True

        def heard(self) -> None: ...

        def hearing(self, now: float, *, ask: bool) -> bool:
            return self.hears

    clock = Clock()
    monkeypatch.setattr("nbrealtime.widgets.pump.time", clock)
    monkeypatch.setattr("nbrealtime.widgets.pump.Ear", Ear)
    part = join(Telling("card", dict, max_hz=60.0))
    # Not on a thread of its own, on which it would be heard whatever runs.
    pump._received(None, {"type": "hello", "view": "v", "page": "page", "part": part.key}, [])
    browser.wait(lambda: bool(browser.messages))
    assert "whole" not in browser.told(part)
    Ear.hears = False
    clock.now += 0.5
    pump.mark(part)
    browser.wait(lambda: "whole" in browser.told(part))


@pytest.mark.parametrize(
    "nonsense",
    [
        {},
        {"type": "hello"},
        {"type": "ack", "page": 1, "views": 3},
        {"type": "hello", "view": "v", "page": "p", "part": "?", "width": "wide"},
    ],
)
def test_nonsense_from_a_browser_stops_nothing(browser, join, nonsense):
    part = join(state({}))
    browser.say(**nonsense)
    browser.hello(part)
    browser.wait(lambda: bool(browser.messages))


def test_a_view_can_speak_to_its_part(browser, join):
    heard: list[str] = []
    spoke = threading.Event()

    def told(content: dict[str, Any]) -> None:
        heard.append(content["word"])
        spoke.set()

    part = join(state({}, told=told))
    browser.say(type="tell", view="v", page="page", part=part.key, word="again")
    assert spoke.wait(SECONDS)
    assert heard == ["again"]


def test_a_shown_widget_streams_before_any_view_was_heard(pump, browser, join):
    part = join(state({"early": True}))
    pump.expect(part)
    browser.wait(lambda: any(one.get("early") and one["view"] is None for one in browser.parts()))


def test_what_left_gets_no_answer(pump, browser, join):
    gone, here = join(state({"gone": True})), join(state({"here": True}))
    pump.leave(gone)
    browser.hello(gone, "g")
    browser.hello(here, "h")
    browser.wait(lambda: any(one.get("here") for one in browser.parts()))
    assert not any(one.get("gone") for one in browser.parts())


def test_the_collector_may_close_a_widget_whatever_the_pump_does(pump, join):
    class Forgotten(StatePart):
        @property
        def max_hz(self) -> float:
            gc.collect()
            return 4.0

        @max_hz.setter
        def max_hz(self, value: float) -> None: ...

    class Widget:
        def __init__(self, part: StatePart) -> None:
            self.part, self.itself = part, self

        def __del__(self) -> None:
            pump.leave(self.part)

    part = join(Forgotten("card", dict))
    Widget(join(StatePart("card", dict)))
    marks = threading.Thread(target=pump.mark, args=(part,), daemon=True)
    marks.start()
    marks.join(5)
    assert not marks.is_alive()


def test_stopping_ends_the_thread_and_is_harmless_twice(pump, browser, join):
    join(state({}))
    pump.stop()
    pump.stop()
    assert not pump._thread.is_alive()


def test_who_speaks_is_heard_even_if_there_is_always_something_to_send(pump, browser, join, monkeypatch):
    part = join(state({"word": "live"}))
    monkeypatch.setattr(pump._pacer, "wait", lambda *_: 0.0)
    for view in "vw":
        browser.hello(part, view)
        browser.wait(lambda view=view: any(one["view"] == view for one in browser.parts()))


def test_a_second_view_has_the_windows_history_with_its_first_message(browser, join):
    feed = Feed("lab:temp", samples=10_000)
    feed.ring.append(1.79e9 + np.arange(360_000) / 100, {"value": np.ones(360_000)})
    part = join(PlotPart([Source("lab:temp", feed)], window=3600))
    browser.hello(part, "one")
    browser.wait(lambda: any(one["view"] == "one" for one in browser.parts()))
    before = len(browser.messages)
    browser.hello(part, "two")
    browser.wait(lambda: any(one["view"] == "two" for one in browser.parts()))
    # One that was on its way already may come before it.
    first = [one for content, _, _ in browser.messages[before : before + 2] for one in content["parts"]]
    answer = next(one for one in first if one["view"] == "two")
    assert answer["whole"]
    assert answer["data"][0]["n"] >= 360
    assert answer["extent"] == (1.79e9, 1.79e9 + 3599.99)


class Answering(StatePart):
    """A part that repeats to a view what that asked."""

    def __init__(self) -> None:
        super().__init__("plot", dict, max_hz=60.0)
        self.asked: list[int] = []
        self.is_asked, self._may_answer = threading.Event(), threading.Event()
        self._may_answer.set()

    @contextmanager
    def kept_waiting(self):
        """Meanwhile whoever asks gets no answer."""
        self._may_answer.clear()
        yield
        self._may_answer.set()

    def told(self, content):
        self.asked.append(content["request"])
        self.is_asked.set()
        assert self._may_answer.wait(5)
        return {"said": content["request"]}, [b"12"]


def test_what_a_part_answers_goes_to_the_view_that_asked(browser, join):
    part = join(Answering())
    browser.hello(part, "one")
    browser.hello(part, "other")
    browser.say(type="range", part=part.key, view="one", page="page", request=5)
    browser.wait(lambda: any("said" in one for one in browser.parts()))
    answers = [one for one in browser.parts() if "said" in one]
    assert answers == [{"said": 5, "key": part.key, "kind": "plot", "view": "one", "buffers": 1}]


def test_of_a_queue_of_questions_a_views_newest_is_answered(browser, join):
    part = join(Answering())
    # As a kernel finds them that was computing.
    with part.kept_waiting():
        browser.say(type="range", part=part.key, view="first", page="page", request=-1)
        assert part.is_asked.wait(5)
        for request in range(10):
            for view in ("one", "other"):
                browser.say(type="range", part=part.key, view=view, page="page", request=request)
    browser.wait(lambda: sum("said" in one for one in browser.parts()) == 3)
    assert part.asked == [-1, 9, 9]
