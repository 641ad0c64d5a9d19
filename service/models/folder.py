"""A model folder that may be changed under the service: when it changed, and opening it only while it stands still."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.engine import Engine
from runtime.manifest import ModelFolderError

Opener = Callable[[Path], Engine]
"""Verifies, opens and warms a folder; ModelFolderError or BackendError says why not."""
_SOON_S, _SELDOM_S = 1.0, 60.0
"""When it is tried again first; ever more seldom then, down to this."""
Stamp = tuple[str, tuple[tuple[str, int, int, int], ...]]


@dataclass(frozen=True, slots=True)
class Place:
    """A model's identity, and the folder it was opened in, links resolved."""

    sha256: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Opened:
    """An engine and where it came from."""

    engine: Engine
    place: Place


def stamp(folder: Path) -> Stamp | None:
    """What tells that a folder, or where its link points, has changed; None where there is none."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.stat()) for entry in entries if not entry.name.startswith("."))
        return os.path.realpath(folder), tuple((name, s.st_ino, s.st_mtime_ns, s.st_size) for name, s in found)
    except OSError:
        return None


def open_still(folder: Path, opener: Opener) -> Opened:
    """Open a folder; ModelFolderError also when it changed meanwhile."""
    before = stamp(folder)
    engine = opener(folder)
    if before is None or stamp(folder) != before:
        discard(engine)
        raise ModelFolderError(f"model folder {folder} changed while it was opened")
    return Opened(engine, Place(engine.manifest.sha256, Path(before[0])))


def discard(engine: Engine) -> None:
    """Close an engine and what it runs."""
    engine.close()
    engine.classifier.close()


class Watched:
    """A folder that is looked at again and again: it has news once it changed and then stood still for one look.

    Where it could not be opened for a reason that may pass (no memory, say), it has news again after a while.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._opened: Stamp | None = None
        self._last: Stamp | None = None
        self._clock = clock
        self._again, self._wait = math.inf, _SOON_S

    def news(self) -> bool:
        """Whether to open it; asked once for each look."""
        now, last = stamp(self.folder), self._last
        self._last = now
        return now is not None and now == last and (now != self._opened or self._clock() >= self._again)

    def open(self, opener: Opener) -> Opened:
        """Open it; what is there now is no news any more, be it good or no model at all."""
        self._opened = stamp(self.folder)
        wait, self._again, self._wait = self._wait, math.inf, _SOON_S
        try:
            return open_still(self.folder, opener)
        except Exception as error:
            if not isinstance(error, ModelFolderError):
                self._again, self._wait = self._clock() + wait, min(2 * wait, _SELDOM_S)
            raise
