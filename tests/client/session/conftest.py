"""A session that is connected, in v2."""

from __future__ import annotations

import pytest

from nbrealtime.client.session import Session

from .talk import connect


@pytest.fixture
def session() -> Session:
    """Connected at 0."""
    session = Session(random=lambda: 0.5, client="c")
    connect(session)
    session.heartbeat.is_due(0.0)
    return session
