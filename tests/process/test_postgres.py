"""The embedded server with real processes: shared, stopped by the last, and back after every kind of death."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from frontdesk.core.halt import Halt
from frontdesk.core.postgres import EmbeddedPostgres
from tests.process.frontdesk_process import ROOT, until

pytestmark = pytest.mark.process
MEMBER = """
import sys
from pathlib import Path
from frontdesk.core.postgres import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
print(postgres.join(), flush=True)
sys.stdin.read()
print(postgres.leave(), flush=True)
"""
HELD_OPEN: list[subprocess.Popen[str]] = []


def member(data: Path) -> subprocess.Popen[str]:
    """Another process that has joined the data folder's server; it leaves at the end of its input."""
    command = [sys.executable, "-c", MEMBER, str(data)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    HELD_OPEN.append(process)
    return process


def joined(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


@pytest.fixture
def postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(open_folder / "data")
    yield postgres
    postgres.leave()


@pytest.fixture(autouse=True)
def no_member_left() -> Iterator[None]:
    yield
    while HELD_OPEN:
        HELD_OPEN.pop().communicate()


async def run(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def kill(*processes: psutil.Process) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def query(url: str, statement: str) -> object:
    return asyncio.run(run(url, statement))


def test_members_that_start_at_once_share_one_server_and_the_last_stops_it(postgres: EmbeddedPostgres) -> None:
    members = [member(postgres.cluster.data) for _ in range(3)]
    assert {joined(each) for each in members} == {postgres.url}
    assert [each.communicate()[0] for each in members].count("True\n") == 1
    assert not postgres.is_alive()


def test_a_killed_member_does_not_keep_the_server(postgres: EmbeddedPostgres) -> None:
    killed, other = (member(postgres.cluster.data) for _ in range(2))
    joined(killed)
    joined(other)
    killed.kill()
    killed.wait()  # its locks go with the process, not with the signal
    assert other.communicate()[0] == "True\n"
    assert not postgres.is_alive()


def test_a_killed_server_is_back_with_every_committed_row(postgres: EmbeddedPostgres) -> None:
    url = postgres.join()
    query(url, "CREATE TABLE kept AS SELECT 1 AS n")
    kill(psutil.Process(postgres.postmaster()))
    until(lambda: not postgres.is_alive())
    postgres.ensure()
    assert query(url, "SELECT n FROM kept") == 1


def test_a_server_whose_members_were_all_killed_is_joined_again(postgres: EmbeddedPostgres) -> None:
    killed = member(postgres.cluster.data)
    joined(killed)
    pid = postgres.postmaster()
    killed.kill()
    killed.wait()
    postgres.join()
    assert postgres.postmaster() == pid


def test_after_a_kill_of_everything_the_next_start_recovers(postgres: EmbeddedPostgres) -> None:
    other = member(postgres.cluster.data)
    query(joined(other), "CREATE TABLE kept AS SELECT 2 AS n")
    server = psutil.Process(postgres.postmaster())
    other.kill()
    kill(server, *server.children())
    assert query(postgres.join(), "SELECT n FROM kept") == 2


def test_a_pid_file_that_names_another_program_is_stale(postgres: EmbeddedPostgres) -> None:
    postgres.join()
    postgres.leave()
    (postgres.cluster.link / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.cluster.link}\n")
    again = EmbeddedPostgres(postgres.cluster.data)
    assert not again.is_alive()
    again.join()
    assert again.leave()


def test_a_half_made_cluster_is_no_cluster(postgres: EmbeddedPostgres) -> None:
    half = postgres.cluster.data / "postgres.dead.new"
    half.mkdir(parents=True)
    assert query(postgres.join(), "SELECT 1") == 1


def test_a_member_that_may_not_start_waits_for_one_that_may(postgres: EmbeddedPostgres) -> None:
    postgres.cluster.data.mkdir()
    waiting = EmbeddedPostgres(postgres.cluster.data, may_start=False)
    waiting.leaving.set()
    with pytest.raises(Halt, match="Stopped while"):
        waiting.join()
    waiting.leave()
    url = postgres.join()
    assert EmbeddedPostgres(postgres.cluster.data, may_start=False).join() == url


def test_a_data_path_too_long_for_a_socket_is_no_hindrance(open_folder: Path) -> None:
    postgres = EmbeddedPostgres(open_folder / ("long" * 30) / "data")
    assert query(postgres.join(), "SELECT 1") == 1
    assert postgres.leave()


def test_a_folder_that_the_servers_user_cannot_enter_is_no_hindrance(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    postgres = EmbeddedPostgres(tmp_path / "data")
    try:
        assert query(postgres.join(), "SELECT 1") == 1
        assert (tmp_path.stat().st_mode & 0o777) == 0o700
    finally:
        postgres.leave()
        remove_elsewhere(postgres)


def remove_elsewhere(postgres: EmbeddedPostgres) -> None:
    """As root, the data of a private folder lies under /var/lib."""
    home = postgres.cluster.link.resolve().parent
    if home != postgres.cluster.data.resolve():
        subprocess.run(["rm", "-rf", str(home), str(postgres.cluster.sockets)], check=True)


def test_sockets_are_for_the_server_and_us_only(postgres: EmbeddedPostgres) -> None:
    postgres.join()
    assert postgres.cluster.sockets.stat().st_mode & 0o777 == 0o700
    assert postgres.cluster.link.stat().st_mode & 0o777 == 0o700


def test_programs_that_are_missing_are_said(open_folder: Path) -> None:
    with pytest.raises(Halt, match=r"are not in .*nowhere.*FRONTDESK_POSTGRES_BIN"):
        EmbeddedPostgres(open_folder / "data", open_folder / "nowhere").join()


def test_data_of_another_version_is_not_touched(postgres: EmbeddedPostgres) -> None:
    postgres.join()
    postgres.leave()
    (postgres.cluster.link / "PG_VERSION").write_text("14\n")
    with pytest.raises(Halt, match="is PostgreSQL 14's"):
        EmbeddedPostgres(postgres.cluster.data).join()
    (postgres.cluster.link / "PG_VERSION").write_text(f"{postgres.cluster.major}\n")


def test_an_unwritable_place_is_said(open_folder: Path) -> None:
    (open_folder / "file").touch()
    with pytest.raises(Halt, match=r"cannot be written .*FRONTDESK_DATA"):
        EmbeddedPostgres(open_folder / "file").join()
