"""What only the operator can mend: a taken port, a full disk, a missing tool."""

import errno
from pathlib import Path

CONFIG = 78  # EX_CONFIG of sysexits.h: starting again cannot help
UNAVAILABLE = 69  # EX_UNAVAILABLE: starting again may help


class Halt(Exception):
    """One sentence for the operator, printed on stderr without a traceback; `code` is the exit status."""

    def __init__(self, sentence: str, code: int = CONFIG) -> None:
        super().__init__(sentence)
        self.code = code


def disk_full(path: Path) -> Halt:
    return Halt(f"The disk that holds {path} is full: free some space and start again.")


def unwritable(path: Path, error: OSError) -> Halt:
    """The sentence for a folder that cannot be made or written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(path)
    reason = error.strerror or str(error)
    return Halt(f"The folder {path} cannot be written ({reason}): set FRONTDESK_DATA to a folder of yours.")
