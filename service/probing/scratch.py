"""A folder for one piece of work, which is gone when its process is, however that ended."""

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


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A new folder; those of processes that were killed are swept away."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():
        _sweep(left)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    handle = os.open(folder, os.O_RDONLY)
    try:
        # the kernel takes the lock away with the process, in whatever container that was
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _sweep(folder: Path) -> None:
    with suppress(OSError):  # somebody works in it, or has swept it just now
        if time.time() - folder.stat().st_mtime < _YOUNG_S:
            return
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)
