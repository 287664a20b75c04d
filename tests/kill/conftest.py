"""A folder for the installation."""

from tests.process.conftest import open_folder

__all__ = ["open_folder"]
