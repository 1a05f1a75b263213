"""What every test stands on: no server but the test's own can be found."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from nbrealtime.client import connection
from nbrealtime.client.session import Memory

# How long an example takes is the machine's affair: one that stands still for a moment is no fault of the code.
settings.register_profile("nbrealtime", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nbrealtime")


def pytest_configure() -> None:
    """Lets what the tests start be ended by signals, also where the tests run as a background job.

    Such a job may have SIGINT and SIGHUP ignored, and every child would inherit that. A signal that is
    handled here is as usual in a child.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture(autouse=True)
def _private_runtime_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime directory of the test's own, so that it finds none of the machine's servers."""
    runtime = tmp_path / "jupyter-runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
    for name in ("NBREALTIME_URL", "NBREALTIME_TOKEN", "NBREALTIME_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return


@pytest.fixture(autouse=True)
def _no_memory_of_dialects(monkeypatch: pytest.MonkeyPatch) -> None:
    """What earlier tests' servers spoke is not known: one of them may have had this test's port."""
    monkeypatch.setattr(connection, "_dialects", Memory())


def require(name: str, found: str | None) -> str:
    """Returns ``found``, or skips the test; where NBREALTIME_REQUIRE names it, fails instead."""
    if found is not None:
        return found
    message = f"{name} is not installed"
    if name in os.environ.get("NBREALTIME_REQUIRE", "").split(","):
        pytest.fail(f"{message}, and NBREALTIME_REQUIRE asks for it")
    pytest.skip(message)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium, or a skip."""
    return require("chromium", shutil.which("chromium") or shutil.which("chromium-browser"))
