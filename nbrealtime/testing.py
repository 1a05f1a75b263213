"""For tests of programs that use nbrealtime: a server on a free port, and a network that fails.

::

    with running_server() as server, FaultyNetwork(server.url) as network:
        connection = rt.connect(network.url, server.token("ada"))
        network.cut()           # every connection is gone, the next one succeeds
        network.refuse()        # ... and nobody listens any more
        network.black_hole()    # ... or somebody does, and nothing arrives
        network.restore()
        network.storm(seed=7)   # all of it, by itself, to one connection after the other

Collaborators: `nbrealtime.server.serve`; the client thread's event loop, on
which the network runs, so that no thread is added.

The one rule: TCP's own promises hold. Bytes are late, or the connection ends
in their middle; they are never altered, lost or swapped.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

from nbrealtime import discovery
from nbrealtime.client import portal
from nbrealtime.server import Server, serve

__all__ = ["FaultyNetwork", "running_server"]

T = TypeVar("T")

_CHUNK_BYTES = 64 * 1024


@contextlib.contextmanager
def running_server(**options: Any) -> Iterator[Server]:
    """Runs a server on a free port; ``options`` are those of `nbrealtime.serve`.

    ``rt.connect()`` in this process finds it. Other processes do not, unless ``advertise=True``: a test
    must not show up in the notebooks of whoever runs it.
    """
    options.setdefault("advertise", False)
    before = discovery.local()
    with serve(**options) as server:
        entry = server.entry
        if entry is None:
            # A key for nobody: what is in this process's memory is not asked for a proof.
            entry = discovery.describe(
                server.url, server.token("tester"), secrets.token_hex(32), kind="standalone"
            )
        discovery.set_local(entry)
        try:
            yield server
        finally:
            discovery.set_local(before)


class _Weather(Enum):
    CALM = "calm"
    REFUSING = "refusing"
    BLACK_HOLE = "black hole"


class FaultyNetwork:
    """A TCP relay on a loopback port in front of ``url``, whose connections can be made to fail.

    It relays until told otherwise. Every method returns when it has taken effect, may be called from
    any thread but the client's, and `close` ends all that goes through it.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.hostname is None:
            raise ValueError(f"{url!r} is no address")
        self.target = (parts.hostname, parts.port or {"https": 443, "wss": 443}.get(parts.scheme, 80))
        self._weather = _Weather.CALM
        self._delay = 0.0
        self._budget: int | None = None
        # In the order they came, so that a storm meets the same ones again.
        self._flows: dict[_Flow, None] = {}
        self._jitter = 0.0
        self._chance = random.Random(0)  # noqa: S311 - weather, not a secret
        self._stormy: asyncio.Task[None] | None = None
        self.faults: Counter[str] = Counter()
        """What a storm has done so far: how many connections it ``reset``, ``split``, ``drained``, ``lost``."""
        self._passable = asyncio.Event()
        self._passable.set()
        self._accepting: asyncio.Task[None] | None = None
        self._socket = _bind(0)
        self.port: int = self._socket.getsockname()[1]
        self.url = urlunsplit((parts.scheme, f"127.0.0.1:{self.port}", parts.path, parts.query, ""))
        self._do(self._listen)

    # -- the weather ----------------------------------------------------------------------------------

    def cut(self, *, after_bytes: int | None = None) -> None:
        """Ends every connection at once (a reset, no goodbye); new ones are welcome.

        ``after_bytes``: not now, but when so many more bytes have come from the server, in the middle
        of a message perhaps.
        """
        if after_bytes is None:
            self._do(self._cut)
        else:
            self._do(lambda: setattr(self, "_budget", after_bytes))

    def refuse(self) -> None:
        """Ends every connection and refuses new ones, as a machine does on which nobody listens."""
        self._do(self._refuse)

    def black_hole(self) -> None:
        """Lets nothing through, either way, and ends nothing: a pulled cable. `restore` delivers what waited."""
        self._do(self._swallow)

    def delay(self, seconds: float) -> None:
        """Holds everything back for ``seconds``, each way; 0 for none."""
        self._do(lambda: setattr(self, "_delay", seconds))

    def storm(
        self, *, seed: int, every: float = 0.1, jitter: float = 0.01, hole_seconds: float = 0.3
    ) -> None:
        """Lets faults happen by themselves until `restore`, one every ``every`` seconds on average.

        Each meets one connection. It is reset at once; or in the middle of a message, after some more
        bytes of either direction; or nothing gets through for up to ``hole_seconds``, and then it is
        reset; or its client's end is, while the server goes on reading what was under way and learns of
        it up to ``hole_seconds`` later. Meanwhile everything is late by up to ``jitter`` seconds, and
        arrives in pieces.

        ``seed`` fixes when what happens, as far as the connections that are there are the same.
        """
        self._do(lambda: self._begin_storm(seed, every, jitter, hole_seconds))

    def restore(self) -> None:
        """Everything works again, without delay; connections that were cut stay so."""
        self._do(self._calm)

    @property
    def connections(self) -> int:
        """How many connections go through now."""
        return self._do(lambda: len(self._flows))

    def close(self) -> None:
        """Ends everything, and frees the port. A second time nothing happens."""
        self._do(self._close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"FaultyNetwork({self.url!r}, {self._weather.value})"

    # -- on the client thread -------------------------------------------------------------------------

    def _do(self, action: Callable[[], T]) -> T:
        if portal.on_thread():
            raise RuntimeError("the network runs on the client thread, which cannot wait for itself")

        async def act() -> T:
            return action()

        return portal.run(act()).result(10)

    def _listen(self) -> None:
        self._socket.listen(100)
        self._accepting = asyncio.get_running_loop().create_task(self._accept(self._socket))

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            client.setblocking(False)
            self._flows[_Flow(self, client)] = None

    def _cut(self) -> None:
        self._budget = None
        for flow in tuple(self._flows):
            flow.abort()

    def _begin_storm(self, seed: int, every: float, jitter: float, hole_seconds: float) -> None:
        self._calm()
        self._jitter = jitter
        self._chance = random.Random(seed)  # noqa: S311 - weather, not a secret
        self._stormy = asyncio.get_running_loop().create_task(self._rage(every, hole_seconds))

    async def _rage(self, every: float, hole_seconds: float) -> None:
        chance = self._chance
        while True:
            await asyncio.sleep(chance.expovariate(1 / every))
            # Every choice is drawn whatever there is to choose from: the next one stays what it was.
            where, what, much, long = (chance.random() for _ in range(4))
            flows = [flow for flow in self._flows if flow.whole]
            if not flows:
                continue
            flow = flows[int(where * len(flows))]
            fault = ("reset", "split", "split", "drained", "lost")[int(what * 5)]
            self.faults[fault] += 1
            if fault == "reset":
                flow.abort()
            elif fault == "split":
                # Small numbers more often: in the middle of the handshake, or of the next message.
                flow.end_after(int(10 ** (4 * much)), from_server=long < 0.5)
            elif fault == "drained":
                flow.swallow(long * hole_seconds)
            else:
                flow.forsake(long * hole_seconds)

    def _end_storm(self) -> None:
        self._jitter = 0.0
        if self._stormy is not None:
            self._stormy.cancel()
            self._stormy = None

    def _stop_listening(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
            # The reader goes before the descriptor does.
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _refuse(self) -> None:
        if self._weather is not _Weather.REFUSING:
            self._weather = _Weather.REFUSING
            self._stop_listening()
            # Bound and not listening: connecting is refused, and nobody else can take the port.
            self._socket = _bind(self.port)
        self._passable.set()
        self._cut()

    def _swallow(self) -> None:
        self._calm()
        self._weather = _Weather.BLACK_HOLE
        self._passable.clear()

    def _calm(self) -> None:
        if self._weather is _Weather.REFUSING:
            self._listen()
        self._weather = _Weather.CALM
        self._delay = 0.0
        self._end_storm()
        self._passable.set()

    def _close(self) -> None:
        self._end_storm()
        self._stop_listening()
        self._cut()

    # -- for the flows --------------------------------------------------------------------------------

    async def pass_through(self, size: int, came: float, *, from_server: bool) -> tuple[int, bool]:
        """Waits until ``size`` bytes that came at ``came`` may go on.

        Returns how many of them may, and whether it ends behind those.
        """
        loop = asyncio.get_running_loop()
        late = self._delay + (self._jitter * self._chance.random() if self._jitter else 0.0)
        wait = came + late - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        await self._passable.wait()
        if not from_server or self._budget is None:
            return size, False
        allowed = min(size, self._budget)
        self._budget -= allowed
        if self._budget > 0:
            return allowed, False
        self._budget = None
        return allowed, True

    async def opened(self) -> None:
        """Waits while nothing gets through."""
        await self._passable.wait()

    @property
    def chunk_bytes(self) -> int:
        """How many bytes the next piece may have."""
        return int(10 ** (5 * self._chance.random())) if self._jitter else _CHUNK_BYTES

    def ended(self, flow: _Flow) -> None:
        """A flow is over."""
        self._flows.pop(flow, None)


class _Flow:
    """One connection through the network: two sockets, and a reader and a writer for each direction."""

    def __init__(self, network: FaultyNetwork, client: socket.socket) -> None:
        self._network = network
        self._client = client
        self._ends = [client]
        self._passable = asyncio.Event()
        self._passable.set()
        # By direction (from the server or not): how many bytes it lets through before it ends.
        self._budgets: dict[bool, int] = {}
        self._hearing: asyncio.Task[None] | None = None
        self._forsaken = False
        self.whole = True
        self._is_clean = False
        self._task = asyncio.get_running_loop().create_task(self._run())
        # Not in the task itself: one that is cancelled before its first step runs nothing.
        self._task.add_done_callback(self._end)

    def abort(self) -> None:
        """Ends it with a reset."""
        self.whole = False
        self._task.cancel()

    def end_after(self, size: int, *, from_server: bool) -> None:
        """Ends it when so many more bytes have come from one side."""
        self.whole = False
        self._budgets[from_server] = size

    def swallow(self, seconds: float) -> None:
        """Lets nothing through any more, and ends it after ``seconds``."""
        self.whole = False
        self._passable.clear()
        asyncio.get_running_loop().call_later(seconds, self.abort)

    def forsake(self, seconds: float) -> None:
        """Ends the client's side. What it sent arrives, and the server's side ends after ``seconds``."""
        self.whole = False
        if self._hearing is None:
            self.abort()  # there is no other side yet
            return
        self._forsaken = True
        self._hearing.cancel()
        self._ends.remove(self._client)
        _reset(self._client, asyncio.get_running_loop())
        asyncio.get_running_loop().call_later(seconds, self.abort)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await self._network.opened()
            server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._ends.append(server)
            server.setblocking(False)
            await loop.sock_connect(server, self._network.target)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._relay(self._client, server, from_server=False))
                both.create_task(self._relay(server, self._client, from_server=True))
            self._is_clean = True
        except* (OSError, _Cut):
            pass  # one end is gone, or was cut: so is the other

    def _end(self, task: asyncio.Task[None]) -> None:
        loop = task.get_loop()
        for end in self._ends:
            if self._is_clean:
                loop.remove_reader(end)
                loop.remove_writer(end)
                end.close()
            else:
                _reset(end, loop)
        self._network.ended(self)

    async def _relay(self, source: socket.socket, drain: socket.socket, *, from_server: bool) -> None:
        loop = asyncio.get_running_loop()
        # A queue between reading and writing: a delay is not a limit of the rate.
        late: asyncio.Queue[tuple[bytes, float]] = asyncio.Queue(maxsize=64)

        async def read() -> None:
            while True:
                await self._network.opened()
                chunk = await loop.sock_recv(source, self._network.chunk_bytes)
                await late.put((chunk, loop.time()))
                if not chunk:
                    return

        async def write() -> None:
            while True:
                chunk, came = await late.get()
                if not chunk:
                    await self._network.opened()
                    await self._passable.wait()
                    if not (self._forsaken and from_server):
                        drain.shutdown(socket.SHUT_WR)
                    return
                allowed, is_end = await self._network.pass_through(len(chunk), came, from_server=from_server)
                await self._passable.wait()
                budget = self._budgets.get(from_server)
                if budget is not None:
                    self._budgets[from_server] = budget - allowed
                    allowed, is_end = min(allowed, budget), is_end or allowed >= budget
                if self._forsaken and from_server:
                    continue  # nobody is there any more
                await loop.sock_sendall(drain, chunk[:allowed])
                if is_end:
                    raise _Cut

        async with asyncio.TaskGroup() as pair:
            reading = pair.create_task(read())
            pair.create_task(write())
            if not from_server:
                self._hearing = reading


def _reset(end: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    """Closes a socket without a goodbye, and nothing more arrives."""
    loop.remove_reader(end)
    loop.remove_writer(end)
    # A linger time of zero makes closing a reset.
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


class _Cut(Exception):
    """The bytes that were still allowed are used up."""


def _bind(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    listener.bind(("127.0.0.1", port))
    return listener
