"""A connection on a fake link, and a topic on it; with ``kernel``, in a process whose kernel's loop runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nbrealtime.live import subject
from nbrealtime.live.connection import Connection
from nbrealtime.live.delivery import Delivery
from nbrealtime.live.topic import LiveTopic

from .fakes import FakeKernel, FakeLink


@pytest.fixture
def kernel() -> Iterator[FakeKernel]:
    kernel = FakeKernel()
    yield kernel
    kernel.close()


@pytest.fixture
def delivery(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Delivery]:
    """A delivery of the test's own: on the loop of ``kernel`` where the test asks for one, else as in a script."""
    loop = request.getfixturevalue("kernel").loop if "kernel" in request.fixturenames else None
    own = Delivery(lambda: loop)
    monkeypatch.setattr(subject, "delivery", lambda: own)
    yield own
    own.stop(5)


@pytest.fixture
def link(delivery: Delivery) -> FakeLink:
    return FakeLink()


@pytest.fixture
def connection(link: FakeLink) -> Iterator[Connection]:
    connection = Connection(link)  # type: ignore[arg-type]
    yield connection
    connection.close()


@pytest.fixture
def temp(connection: Connection, link: FakeLink) -> LiveTopic:
    topic = connection.topic("lab:temp", notify_hz=1000)
    link.confirm("lab:temp", 2)
    return topic
