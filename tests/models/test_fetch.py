"""Fetching a model's file: sources in order, resuming, wrong hashes, two at once, parts from wheels."""

from __future__ import annotations

import asyncio
import hashlib
import io
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from frontdesk.core.halt import Halt
from frontdesk.core.settings import Settings
from frontdesk.models import parts
from frontdesk.models.fetch import fetch, sha256
from frontdesk.models.progress import Progress
from frontdesk.models.sources import BUILT_IN, SMOKE_TEST, ModelFile, Part
from tests.models.http_server import Handler, Received, answer, head, serving

CONTENT = bytes(range(256)) * 400
PARTS = (Part("some-model-part1", "1.0", "some_model_part1/data/part01.bin"),
         Part("some-model-part2", "1.0", "some_model_part2/data/part02.bin"))  # fmt: skip
FILE = ModelFile("tiny.gguf", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "MIT", None, ())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def settings(folder: Path, **given: object) -> Settings:
    return Settings(cache=folder, data=folder, **given)  # type: ignore[arg-type]


async def fetched(folder: Path, file: ModelFile = FILE, **given: object) -> tuple[Path, str]:
    out = io.StringIO()
    path = await asyncio.to_thread(fetch, settings(folder, **given), file, Progress("Model", file.size, out))
    return path, out.getvalue()


def ranged(content: bytes = CONTENT) -> Handler:
    async def handle(request: Received, writer: asyncio.StreamWriter) -> None:
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        rest = content[start:]
        writer.write(head(206 if start else 200, content_length=len(rest)) + rest)

    return handle


async def test_a_mirror_is_asked_and_the_file_kept(tmp_path: Path) -> None:
    async with serving(ranged()) as mirror:
        path, told = await fetched(tmp_path, model_mirror=mirror.url)
        again, _ = await fetched(tmp_path, model_mirror=mirror.url)
    assert path == again == tmp_path / "models" / "tiny.gguf"
    assert sha256(path) == FILE.sha256
    assert len(mirror.requests) == 1
    assert "100 %" in told


async def test_an_interrupted_fetch_goes_on(tmp_path: Path) -> None:
    draft = tmp_path / "models" / ".tiny.gguf.part"
    draft.parent.mkdir()
    draft.write_bytes(CONTENT[:1000])
    async with serving(ranged()) as mirror:
        path, _ = await fetched(tmp_path, model_mirror=mirror.url)
    assert mirror.requests[0].headers["range"] == "bytes=1000-"
    assert path.read_bytes() == CONTENT


async def test_a_server_that_cannot_go_on_begins_anew(tmp_path: Path) -> None:
    draft = tmp_path / "models" / ".tiny.gguf.part"
    draft.parent.mkdir()
    draft.write_bytes(b"x" * 1000)
    async with serving(answer(CONTENT)) as mirror:
        path, _ = await fetched(tmp_path, model_mirror=mirror.url)
    assert path.read_bytes() == CONTENT


async def test_a_connection_that_breaks_keeps_what_came(tmp_path: Path) -> None:
    async def cut(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head(content_length=len(CONTENT)) + CONTENT[:5000])

    async with serving(cut) as mirror:
        with pytest.raises(Halt):
            await fetched(tmp_path, model_mirror=mirror.url)
    async with serving(ranged()) as mirror:
        path, _ = await fetched(tmp_path, model_mirror=mirror.url)
    assert mirror.requests[0].headers["range"] == "bytes=5000-"
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [CONTENT[:-1] + b"?", CONTENT + b"more"])
async def test_a_wrong_file_is_refused_whatever_its_source(tmp_path: Path, wrong: bytes) -> None:
    given = tmp_path / "given.gguf"
    given.write_bytes(wrong)
    async with serving(ranged(wrong)) as mirror:
        with pytest.raises(Halt, match="could not be fetched"):
            await fetched(tmp_path, model_file=given, model_mirror=mirror.url)
    assert [path.name for path in (tmp_path / "models").iterdir()] == [".tiny.gguf.lock"]


async def test_the_operators_file_comes_first(tmp_path: Path) -> None:
    (tmp_path / "given.gguf").write_bytes(CONTENT)
    path, _ = await fetched(tmp_path, model_file=tmp_path / "given.gguf", model_mirror="http://127.0.0.1:1")
    assert path.read_bytes() == CONTENT


async def test_an_unreachable_source_costs_one_line(tmp_path: Path) -> None:
    async with serving(ranged()) as hub:
        file = replace(FILE, hub_url=f"{hub.url}/tiny.gguf")
        _, told = await fetched(tmp_path, file, model_file=tmp_path / "none", model_mirror="http://127.0.0.1:1")
    assert [line.partition(":")[0] for line in told.splitlines()[:2]] == ["Your file", "Your mirror"]


async def test_two_at_once_fetch_once(tmp_path: Path) -> None:
    async with serving(ranged()) as mirror:
        both = await asyncio.gather(*(fetched(tmp_path, model_mirror=mirror.url) for _ in range(2)))
    assert len(mirror.requests) == 1
    assert both[0][0].read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 500])
async def test_without_any_source_one_sentence_says_what_to_do(tmp_path: Path, status: int) -> None:
    async with serving(answer(b"", status)) as mirror:
        with pytest.raises(Halt, match="FRONTDESK_MODEL_MIRROR"):
            await fetched(tmp_path, model_mirror=mirror.url)


class Index:
    """Stands where pip stands: makes wheels with pieces of the content."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: set[str] = set()
        self.command: list[str] = []

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        name = command[-1].partition("==")[0]
        self.asked.append(name)
        self.command = command
        if name in self.broken:
            return subprocess.CompletedProcess(command, 1)
        number = PARTS[0].package != name
        middle = len(CONTENT) // 2
        piece = CONTENT[middle:] if number else CONTENT[:middle]
        folder = Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(PARTS[number].member, piece)
        return subprocess.CompletedProcess(command, 0)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Index:
    index = Index()
    monkeypatch.setattr(parts.subprocess, "run", index.run)
    return index


async def test_parts_are_joined_in_their_order(tmp_path: Path, index: Index) -> None:
    path, told = await fetched(tmp_path, replace(FILE, parts=PARTS))
    assert path.read_bytes() == CONTENT
    assert sorted(index.asked) == [part.package for part in PARTS]
    assert "100 %" in told
    assert [entry.name for entry in path.parent.iterdir() if entry.is_dir()] == []


async def test_parts_that_came_are_not_asked_for_again(tmp_path: Path, index: Index) -> None:
    index.broken.add(PARTS[1].package)
    with pytest.raises(Halt):
        await fetched(tmp_path, replace(FILE, parts=PARTS))
    index.broken.clear()
    index.asked.clear()
    await fetched(tmp_path, replace(FILE, parts=PARTS))
    assert index.asked == [PARTS[1].package]


def test_pip_is_told_of_no_index_and_installs_nothing(tmp_path: Path, index: Index) -> None:
    parts.download(PARTS[0], tmp_path)
    assert "download" in index.command
    assert "--no-deps" in index.command
    assert not any("://" in word or "index-url" in word for word in index.command)


def test_progress_is_one_line_on_a_terminal_and_tenths_elsewhere() -> None:
    terminal, plain = Terminal(), io.StringIO()
    for out in (terminal, plain):
        progress = Progress("Model", 1000, out)
        for _ in range(1000):
            progress.add(1)
    assert terminal.getvalue().count("\n") == 1
    assert len(plain.getvalue().splitlines()) == 11


def test_progress_counts_from_several_threads() -> None:
    out = io.StringIO()
    progress = Progress("Model", 4000, out)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(progress.add, [1] * 4000))
    assert "100 %" in out.getvalue()


@pytest.mark.parametrize("file", [BUILT_IN, SMOKE_TEST])
def test_what_is_shipped_is_pinned(file: ModelFile) -> None:
    assert len(file.sha256) == 64
    assert file.parts
    assert file.size > 90_000_000
