"""Folders for real processes."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    with folder() as made:
        yield made


@pytest.fixture(scope="module")
def shared_folder() -> Iterator[Path]:
    with folder() as made:
        yield made


@contextmanager
def folder() -> Iterator[Path]:
    """A short folder that PostgreSQL's user can enter when the tests run as root; pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="fd-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
