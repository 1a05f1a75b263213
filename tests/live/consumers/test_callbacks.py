"""What a user hands us to call."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from nbrealtime.live.consumers.callbacks import KEPT_ERRORS, Callback, Faults


def test_it_returns_what_the_function_does_and_nothing_when_that_raises() -> None:
    faults = Faults()
    assert Callback(lambda number: number + 1, faults)(2) == 3
    assert Callback(lambda number: number / 0, faults)(2) is None
    assert isinstance(faults.newest[0], ZeroDivisionError)


def test_it_is_found_by_its_function_and_by_a_method_of_the_same_object() -> None:
    class Lab:
        def hot(self) -> None: ...

    lab, faults = Lab(), Faults()
    callback = Callback(lab.hot, faults)
    assert callback == lab.hot
    assert callback == Callback(lab.hot, faults)
    assert callback != Lab().hot
    assert hash(callback) == hash(lab.hot)
    assert callback.name.endswith("Lab.hot")


def test_a_callable_without_a_name_is_shown_as_it_is() -> None:
    class Caller:
        def __call__(self) -> None: ...

        def __repr__(self) -> str:
            return "<a caller>"

    assert Callback(Caller(), Faults()).name == "<a caller>"


def test_the_newest_exceptions_are_kept_and_the_tuple_is_the_same_until_another_comes() -> None:
    faults = Faults()
    for number in range(KEPT_ERRORS + 5):
        faults.add(ValueError(number))
    kept = faults.newest
    assert [error.args[0] for error in kept] == list(range(5, KEPT_ERRORS + 5))
    assert faults.newest is kept
    faults.add(ValueError("more"))
    assert faults.newest is not kept


def test_a_kept_exception_keeps_no_data_alive(capsys: pytest.CaptureFixture[str]) -> None:
    class Block:
        """A batch of data."""

    faults = Faults()
    blocks: list[weakref.ref[Any]] = []

    def broken() -> None:
        block = Block()
        blocks.append(weakref.ref(block))
        raise ValueError("boom")

    Callback(broken, faults)()
    gc.collect()
    assert blocks[0]() is None
    assert faults.newest[0].__traceback__ is not None


def test_a_second_exception_is_kept_and_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    faults = Faults()
    callback = Callback(lambda: 1 / 0, faults)
    callback()
    callback()
    assert len(faults.newest) == 2
    assert capsys.readouterr().err.count("ZeroDivisionError") == 1
