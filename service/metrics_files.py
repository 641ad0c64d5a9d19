"""The files in which workers share their metrics: those of a worker that is gone are added up into one.

Left where they lie they would grow in number with every restart, and every scrape reads them all.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict, mmap_key

REPLACEMENTS = ("babelproof_worker_replacements", "Workers started in place of one that ended.")
"""Name and help of what the supervisor counts: a worker that ends while it starts could not."""
_LOCK = "lock"
_GONE = "gone"
"""In the place of a process id: of all that are gone."""


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """While nothing is added up, so that nothing is counted twice or not at all."""
    with _locked(folder, fcntl.LOCK_SH):
        yield


def bury(folder: Path, pid: int, *, replaced: bool = False) -> None:
    """Add what a process has counted to what others had that are gone; what it had in progress goes.

    With `replaced` another one starts in its place, which is counted too.

    BlockingIOError, with nothing done, while somebody reads.
    """
    with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
        if replaced:
            name, said = REPLACEMENTS
            _add([(mmap_key(name, f"{name}_total", [], [], said), 1.0)], folder / f"counter_{_GONE}.db")
        for path in folder.glob(f"*_{pid}.db"):
            kind = path.name.removesuffix(f"_{pid}.db")
            try:
                if not kind.startswith("gauge_live"):
                    _add(_counted(path), folder / f"{kind}_{_GONE}.db")
            finally:  # also one that is torn, which nobody could read
                path.unlink()


def _counted(path: Path) -> list[tuple[str, float]]:
    return [(key, value) for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path))]


def _add(counted: list[tuple[str, float]], total: Path) -> None:
    said = MmapedDict(str(total))
    try:
        for key, value in counted:
            said.write_value(key, said.read_value(key)[0] + value, 0.0)
    finally:
        said.close()


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    file = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, how)
        yield
    finally:
        os.close(file)
