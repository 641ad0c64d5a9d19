"""A folder for as long as some processes live, which is gone when they are, however that ended."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_YOUNG_S = 60
"""Between being made and being locked a folder has no owner."""


@contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[tuple[Path, int]]:
    """A new folder and its lock, which holds until no process has it open; those of killed processes are swept."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{prefix}*"):
        _sweep(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    handle = os.open(folder, os.O_RDONLY)
    try:
        # the kernel takes the lock away with the last process, in whatever container that was
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder, handle
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _sweep(folder: Path) -> None:
    with suppress(OSError):  # somebody works in it, or has swept it just now
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            found = os.fstat(handle)
            if found.st_uid != os.geteuid() or time.time() - found.st_mtime < _YOUNG_S:
                return
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)
