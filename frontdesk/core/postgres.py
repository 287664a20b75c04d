"""The embedded PostgreSQL: started by the first who needs it, shared by all, stopped by the last to leave.

Locks instead of lists of processes: a lock vanishes with its holder, however that was killed. One lock is held
around each start and stop; on a second one every user has a share, and whoever gets it whole is the last.
"""

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from frontdesk.core.cluster import CLEAN, DATABASE, USER, Cluster
from frontdesk.core.halt import UNAVAILABLE, Halt, disk_full, unwritable

READY_WITHIN = 600.0  # seconds; a recovery after a crash may be long
STOPS_WITHIN = 60.0
LONGEST_LOG = 10_000_000


class EmbeddedPostgres:
    """One process's membership of the server of a data folder.

    `join` starts the server if nobody has, `ensure` starts it again if it died, `leave` stops it if nobody else
    is left. Each blocks and raises Halt with one sentence."""

    def __init__(
        self,
        data: Path,
        bin_folder: Path | None = None,
        options: Mapping[str, str] | None = None,
        *,
        may_start: bool = True,
    ) -> None:
        """`options` are PostgreSQL's settings; without `may_start`, `join` waits until somebody else starts it."""
        self.cluster = Cluster(data, bin_folder)
        self.options = dict(options or {})
        self.may_start = may_start
        self.membership: int | None = None
        self.leaving = threading.Event()
        self.spawned: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self.cluster.sockets), safe='/')}"

    def join(self) -> str:
        """Become a user of the running server; returns its URL."""
        if self.may_start:
            with self.start_lock():
                self.enter()
                self.run_server()
        else:
            self.enter()
            self.await_server()
        return self.url

    def enter(self) -> None:
        if self.membership is None:
            self.membership = open_lock(self.cluster.data / "postgres.users.lock")
            fcntl.flock(self.membership, fcntl.LOCK_SH)

    def await_server(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while self.postmaster() is None or not self.becomes_ready(deadline):
            if self.leaving.wait(0.05):
                raise Halt("Stopped while PostgreSQL was starting.", UNAVAILABLE)

    def ensure(self) -> None:
        with self.start_lock():
            self.run_server()

    def leave(self) -> bool:
        """Give the membership back; true when this was the last one and the server has stopped."""
        self.leaving.set()
        if self.membership is None:
            return False
        with self.start_lock(even_when_leaving=True):
            if is_last := takes(self.membership, fcntl.LOCK_EX):
                self.stop_server()
            os.close(self.membership)
            self.membership = None
        return is_last

    def is_alive(self) -> bool:
        return self.postmaster() is not None

    def is_shared(self) -> bool:
        """Whether any process uses this data folder's server now."""
        with self.start_lock():
            descriptor = open_lock(self.cluster.data / "postgres.users.lock")
            try:
                return not takes(descriptor, fcntl.LOCK_EX)
            finally:
                os.close(descriptor)

    @contextmanager
    def start_lock(self, *, even_when_leaving: bool = False) -> Iterator[None]:
        """Raises Halt when `leave` is called while another process holds the lock."""
        try:
            self.cluster.data.mkdir(parents=True, exist_ok=True)
            descriptor = open_lock(self.cluster.data / "postgres.start.lock")
        except OSError as error:
            raise unwritable(self.cluster.data, error) from error
        try:
            while not takes(descriptor, fcntl.LOCK_EX):
                if self.leaving.wait(0.01) and not even_when_leaving:
                    raise Halt("Stopped while another process was starting PostgreSQL.", UNAVAILABLE)
            yield
        finally:
            os.close(descriptor)

    def run_server(self) -> None:
        """Bring the server up; the caller holds the start lock."""
        self.cluster.prepare()
        deadline = time.monotonic() + READY_WITHIN
        if self.postmaster() is not None and self.becomes_ready(deadline):
            return
        while not self.becomes_ready(deadline, spawned := self.spawn()):
            told = self.told()
            if "No space left on device" in told:
                raise disk_full(self.cluster.data)
            # Backends of a server killed with -9 need a moment to notice it and to let go of its memory.
            if "pre-existing shared memory block" not in told or time.monotonic() > deadline:
                raise Halt(f"PostgreSQL does not start (exit {spawned.returncode}): {last_fatal(told)}", UNAVAILABLE)
            self.leaving.wait(0.2)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start a postmaster in its own session, so that Ctrl-C does not reach it, and reap it when it dies: a
        zombie postmaster would block the next start."""
        cluster = self.cluster
        if self.postmaster() is None:
            # Of a server killed with -9: PostgreSQL would honour them as long as nobody has reaped it.
            for stale in (cluster.link / "postmaster.pid", *cluster.sockets.glob(".s.PGSQL.*")):
                stale.unlink(missing_ok=True)
        self.options["unix_socket_directories"] = str(cluster.sockets)
        self.options["listen_addresses"] = ""
        settings = [word for name, value in self.options.items() for word in ("-c", f"{name}={value}")]
        try:
            with cluster.log.open("ab") as log:
                if log.tell() > LONGEST_LOG:
                    log.truncate(0)
                self.log_began = log.tell()
                self.spawned = subprocess.Popen(
                    [str(cluster.bin / "postgres"), "-D", str(cluster.link.resolve()), *settings],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env=CLEAN,
                    start_new_session=True,
                    user=cluster.account.user,
                    group=cluster.account.group,
                    extra_groups=cluster.account.groups,
                )
        except OSError as error:
            raise unwritable(cluster.log, error) from error
        threading.Thread(target=self.spawned.wait, daemon=True, name="postgres").start()
        return self.spawned

    def becomes_ready(self, deadline: float, spawned: subprocess.Popen[bytes] | None = None) -> bool:
        """Wait for the server to accept connections; false when it died on the way."""
        while time.monotonic() < deadline and not self.leaving.is_set():
            if self.accepts():
                return True
            if spawned.poll() is not None if spawned else self.postmaster() is None:
                return False
            self.leaving.wait(0.02)
        raise Halt("PostgreSQL was not ready in time; its log is in the data folder.", UNAVAILABLE)

    def accepts(self) -> bool:
        asked = [str(self.cluster.bin / "pg_isready"), "-q", "-t", "5", "-h", str(self.cluster.sockets), "-U", USER]
        return subprocess.run(asked, cwd="/", env=CLEAN, check=False).returncode == 0

    def postmaster(self) -> int | None:
        """The process that serves our cluster. Its pid file may be stale and the number another program's, so
        the command line must be PostgreSQL's (a zombie has none)."""
        try:
            pid = int((self.cluster.link / "postmaster.pid").read_text().split("\n", 1)[0])
            program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
        except (OSError, ValueError):
            return None
        return pid if os.path.basename(program) == b"postgres" else None

    def stop_server(self) -> None:
        """A fast shutdown, and an immediate one when that takes too long."""
        for number, limit in ((signal.SIGINT, STOPS_WITHIN), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if (pid := self.postmaster() or self.just_spawned()) is None:
                return
            os.kill(pid, number)
            deadline = time.monotonic() + limit
            while pid in (self.postmaster(), self.just_spawned()) and time.monotonic() < deadline:
                time.sleep(0.01)

    def just_spawned(self) -> int | None:
        """Our own postmaster, which may not have written its pid file yet."""
        return self.spawned.pid if self.spawned and self.spawned.poll() is None else None

    def told(self) -> str:
        """What the server has written since it was last started."""
        with self.cluster.log.open("rb") as log:
            log.seek(self.log_began)
            return log.read().decode(errors="replace")


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def takes(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def last_fatal(told: str) -> str:
    fatal = [line for line in told.splitlines() if "FATAL" in line or "PANIC" in line]
    return (fatal or told.splitlines() or ["it left no message"])[-1].partition("FATAL:  ")[2] or told[-300:].strip()
