"""Which servers run here: this process's own, and those in Jupyter's runtime directory.

A server that starts leaves an *entry*, a JSON file that only its user can read,
with its address, where it was started, a key to prove that it wrote the file, and
a token for this user; never the secret that signs tokens. A client reads the entries, passes
over what is dead, foreign or another user's, and has the address prove itself
(`verify`) before it sends the token. ``nbrealtime.server`` writes entries
(`advertise`, `set_local`), ``nbrealtime.client`` and the CLI read them.

The one rule: an entry is a claim. A file proves who wrote it (its owner), a
process that it may still hold (host, boot, pid, start time), and only the
answer to a nonce that the address still belongs to the writer.

Thread-safe: there is no state but one reference to this process's own entry.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import hmac
import os
import platform
import secrets
import socket
import ssl
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
import psutil
from jupyter_core.paths import jupyter_runtime_dir

from nbrealtime import lifecycle
from nbrealtime.birthplace import Birthplace, birthplace
from nbrealtime.errors import AmbiguousServer, DiscoveryError, NoServer
from nbrealtime.wire.times import format_duration

__all__ = [
    "Advertisement",
    "Entry",
    "advertise",
    "averify",
    "boot_id",
    "describe",
    "entries",
    "find",
    "local",
    "proof",
    "set_local",
    "verify",
]

Kind = Literal["kernel", "standalone"]

# An entry is some 400 bytes; a file that is much larger is not ours and is not read.
_ENTRY_BYTES: Final = 64 * 1024
_ANSWER_BYTES: Final = 64 * 1024
# Start times are exact (clock ticks) and only lose digits on their way through JSON.
_START_TOLERANCE: Final = 0.005


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a server leaves about itself in the runtime directory.

    ``started`` tells the process apart from a later one with the same pid: in
    seconds since the boot where the system counts so (Linux), since the epoch
    elsewhere. It is compared, never shown. ``since`` is when the server itself
    started, seconds since the epoch, and ``birthplace`` what is known of where; an
    older release leaves neither. ``path`` is where the entry was read from, empty
    for one that was never written.
    """

    host: str
    boot: str
    pid: int
    started: float
    url: str
    key: str
    token: str
    origin: Kind
    namespace: str = ""
    since: float | None = None
    birthplace: Birthplace = Birthplace()
    path: str = ""

    def __repr__(self) -> str:
        # Neither the key nor the token: a notebook saves what it shows.
        return f"Entry({self.url!r}, origin={self.origin!r}, pid={self.pid})"

    def age(self, now: float) -> float | None:
        """For how long (s) the server has run at ``now``, seconds since the epoch; None if nobody knows."""
        since = self.since
        if since is None:
            try:
                # An older release wrote its entry when it started, too.
                since = Path(self.path).stat().st_mtime
            except OSError:
                return None
        return max(0.0, now - since)


class Advertisement:
    """An entry that stands in the runtime directory until ``close()``.

    ``close`` may be called twice, by any thread, and in a forked child, where it
    leaves the parent's file alone.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.path = Path(entry.path)

    def close(self) -> None:
        """Removes the entry."""
        if os.getpid() == self.entry.pid:
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()

    def __repr__(self) -> str:
        return f"Advertisement({self.entry.url!r}, {str(self.path)!r})"


def advertise(url: str, token: str, key: str, *, kind: Kind) -> Advertisement:
    """Leaves an entry for the server of this process, mode 0600.

    ``url`` is where clients on this machine connect, ``token`` what opens it for
    this user, ``key`` what `proof` is made with (random, the server's own).
    Raises `DiscoveryError` if the runtime directory is another user's or keeps
    no permissions: the token would not be safe there.
    """
    directory = _runtime_dir()
    _create_private(directory)
    entry = describe(url, token, key, kind=kind)
    name = f"nbrealtime-{secrets.token_hex(8)}.json"
    path, unfinished = directory / name, directory / f".{name}.part"
    # Whoever lists the directory sees a whole entry or none.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(unfinished, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            reason = _objection(os.fstat(file.fileno()))
            if reason is not None:
                raise DiscoveryError(f"{directory} is no place for a token: a new file there is {reason}")
            file.write(msgspec.json.encode(entry))
        unfinished.rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    return Advertisement(msgspec.structs.replace(entry, path=str(path)))


def describe(url: str, token: str, key: str, *, kind: Kind) -> Entry:
    """The entry of a server in this process, without writing it (for `set_local`)."""
    started = _start_time(os.getpid())
    if started is None:
        raise DiscoveryError("this process's own start time cannot be read, so nobody could tell it apart")
    return Entry(
        host=_host(),
        boot=boot_id(),
        pid=os.getpid(),
        started=started,
        url=url,
        key=key,
        token=token,
        origin=kind,
        namespace=_namespace(),
        since=round(time.time(), 3),
        birthplace=birthplace(kind),
    )


def entries() -> list[Entry]:
    """Every server of this user that runs on this machine, the oldest first.

    Entries of this machine whose process is gone are deleted on the way. Those
    of other hosts (a shared home directory) are left alone, those of other users
    refused, and files that are no entries passed over.
    """
    found: list[Entry] = []
    for entry in _readable(_runtime_dir()):
        if entry.host != _host():
            continue
        if _is_stale(entry):
            with contextlib.suppress(OSError):
                Path(entry.path).unlink()
        elif entry.namespace == _namespace():
            found.append(entry)
        # else: alive or dead in another container of this machine; its pids mean nothing here.
    return sorted(found, key=lambda entry: (entry.started, entry.url))


def find() -> Entry:
    """The server to use when none was named: this process's own, else the only one that runs here.

    Raises `NoServer`, or `AmbiguousServer` with the addresses to choose from and where each was started.
    """
    own = local()
    if own is not None:
        return own
    running = entries()
    if not running:
        raise NoServer
    if len(running) > 1:
        raise AmbiguousServer([entry.url for entry in running], [_told(entry) for entry in running])
    return running[0]


def _told(entry: Entry) -> str:
    """What helps to tell a server from the others."""
    age = entry.age(time.time())
    up = "" if age is None else f", up {format_duration(age)}"
    return f"{entry.birthplace} (pid {entry.pid}{up})".lstrip()


_local: Entry | None = None


def set_local(entry: Entry | None) -> None:
    """Says which server runs in this very process; ``None`` when it ended."""
    global _local
    _local = entry


def local() -> Entry | None:
    """The server of this very process, if there is one."""
    return _local


# The thread that serves stays with the parent.
lifecycle.after_fork(lambda: set_local(None))


def proof(key: str, nonce: str) -> str:
    """The HMAC-SHA256 of ``nonce`` under the entry key, in hex: what ``/health?nonce=`` answers."""
    return hmac.new(key.encode(), nonce.encode(), hashlib.sha256).hexdigest()


def verify(entry: Entry, timeout: float = 2.0) -> bool:
    """Whether the server at the entry's address wrote the entry; blocks for at most ``timeout`` seconds.

    An address that does not answer, or answers something else, is not verified.
    """
    question = _Question(entry)
    if question.address is None:
        return False
    deadline = time.monotonic() + timeout
    answer = bytearray()
    try:
        with _connect(question, timeout) as connection:
            connection.sendall(question.request)
            while len(answer) < _ANSWER_BYTES:
                # A deadline for the whole answer: a byte a second must not keep us.
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                chunk = connection.recv(4096)
                if not chunk:
                    break
                answer += chunk
    except OSError:
        return False
    return question.is_answered_by(bytes(answer))


async def averify(entry: Entry, timeout: float = 2.0) -> bool:  # noqa: ASYNC109 - paired with verify
    """`verify` for an event loop."""
    question = _Question(entry)
    if question.address is None:
        return False
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(
                *question.address, ssl=_unverified() if question.encrypted else None
            )
            try:
                writer.write(question.request)
                answer = bytearray()
                while len(answer) < _ANSWER_BYTES and (chunk := await reader.read(4096)):
                    answer += chunk
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        return False
    return question.is_answered_by(bytes(answer))


def _connect(question: _Question, timeout: float) -> socket.socket:
    """Connects to who is asked; the caller knows that there is an address."""
    connection = socket.create_connection(question.address or ("", 0), timeout=timeout)
    return _unverified().wrap_socket(connection) if question.encrypted else connection


def _unverified() -> ssl.SSLContext:
    """TLS without a look at the certificate: nothing secret is asked, and the proof is the answer's own.

    Whoever connects afterwards, with a token, looks.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Question:
    """One request to prove an entry, and how its answer is judged; no I/O.

    HTTP/1.0, so that the answer ends with the connection and is never chunked:
    the standard library's clients either block or honour proxies meant for
    other hosts.
    """

    def __init__(self, entry: Entry) -> None:
        self.address: tuple[str, int] | None = None
        self.request = b""
        self.encrypted = False
        self._expected = ""
        try:
            parts = urlsplit(entry.url)
            self.encrypted = parts.scheme in ("wss", "https")
            host, port = parts.hostname, parts.port or (443 if self.encrypted else 80)
        except ValueError:
            return
        if parts.scheme not in ("ws", "http", "wss", "https") or not host or not entry.url.isascii():
            return
        nonce = secrets.token_hex(16)
        prefix = parts.path.removesuffix("/").removesuffix("/ws")
        self.address = (host, port)
        self.request = (
            f"GET {prefix}/health?nonce={nonce} HTTP/1.0\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n\r\n"
        ).encode()
        self._expected = proof(entry.key, nonce)

    def is_answered_by(self, response: bytes) -> bool:
        head, _, body = response.partition(b"\r\n\r\n")
        status = head.split(b"\r\n", 1)[0].split(b" ")
        if len(status) < 2 or status[1] != b"200":
            return False
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.MsgspecError, ValueError):
            return False
        return hmac.compare_digest(answer.proof.encode(), self._expected.encode())


class _Answer(msgspec.Struct):
    proof: str


def _readable(directory: Path) -> Iterator[Entry]:
    try:
        paths = sorted(directory.iterdir())
    except OSError:
        return
    for path in paths:
        if path.name.startswith("nbrealtime-") and path.suffix == ".json":
            entry = _read(path)
            if entry is not None:
                yield entry


def _read(path: Path) -> Entry | None:
    # The open file is judged, not its name, which could change its meaning in between; a link is not
    # followed, and a pipe must not make us wait for its writer.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if _objection(os.fstat(file.fileno())) is not None:
                return None
            content = file.read(_ENTRY_BYTES + 1)
    except OSError:
        return None
    if len(content) > _ENTRY_BYTES:
        return None
    try:
        entry = msgspec.json.decode(content, type=Entry)
    except (msgspec.MsgspecError, ValueError):
        return None
    return msgspec.structs.replace(entry, path=str(path))


def _objection(status: os.stat_result) -> str | None:
    """Why a file cannot be trusted to be this user's own words; ``None`` if it can."""
    if not stat.S_ISREG(status.st_mode):
        return "no regular file"
    if hasattr(os, "getuid"):
        if status.st_uid != os.getuid():
            return "another user's"
        if status.st_mode & 0o022:
            return "writable by others"
    return None


def _create_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and directory.stat().st_uid != os.getuid():
        raise DiscoveryError(
            f"{directory} belongs to another user, so no token is left there. "
            "Set JUPYTER_RUNTIME_DIR to a directory of your own"
        )


def _runtime_dir() -> Path:
    return Path(jupyter_runtime_dir())


def _is_stale(entry: Entry) -> bool:
    """Whether the entry, of this host, is certainly dead."""
    if entry.boot != boot_id():
        return True
    if entry.namespace != _namespace():
        return False
    started = _start_time(entry.pid)
    return started is None or abs(started - entry.started) > _START_TOLERANCE


def _start_time(pid: int) -> float | None:
    """When the process began; ``None`` if there is no such process, or only its remains."""
    if pid <= 0:
        return None
    if platform.system() == "Linux":
        # Not psutil's create_time: it adds the boot time, which moves when the clock is set, and a
        # running server would look like another process.
        try:
            record = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            return None
        # The name may hold anything, brackets too; the fields begin after its last one (proc(5)).
        fields = record[record.rindex(b")") + 2 :].split()
        if fields[0] in (b"Z", b"X"):
            return None
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None


@functools.cache
def _host() -> str:
    return socket.gethostname()


@functools.cache
def boot_id() -> str:
    """A name for the time since the machine started; empty where none exists, and start times must do."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


@functools.cache
def _namespace() -> str:
    """The process namespace: containers of one machine can share a host name and a runtime directory."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
