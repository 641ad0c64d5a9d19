"""What one key may use: requests and texts a minute, texts a day; counted by all workers together.

The counts of a key lie in a small file of the state folder that every worker maps into its memory, under a lock that
the kernel takes back from a worker that dies. So a limit is one limit however many workers there are and whichever of
them a connection falls to, and the day's quota outlives a restart.
"""

from __future__ import annotations

import fcntl
import logging
import math
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from service.http.errors import Refusal
from service.keys.register import Key

log = logging.getLogger("babelproof.keys")
_DAY_S = 86_400
_FORM = struct.Struct("=5d")


@dataclass(slots=True)
class Count:
    """Where a key stands: tokens left in its two buckets at a time, and what it used of a day."""

    at: float = -1.0
    """Unix time; negative before the first request."""
    requests: float = 0.0
    texts: float = 0.0
    day: float = 0.0
    used: float = 0.0


class Limits:
    """Takes from what each key has left; Refusal 429 with a true Retry-After when that is not enough."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._open: dict[str, tuple[int, mmap.mmap]] = {}

    def take(self, key: Key, *, requests: int = 0, texts: int = 0) -> None:
        """Count a use, whole or not at all; a negative one gives back."""
        if key.requests_per_minute is None and key.texts_per_minute is None and key.texts_per_day is None:
            return
        with self._count(key) as count:
            now = self._clock()
            _refill(count, key, now)
            wait = max(
                _wait(count.requests, requests, key.requests_per_minute),
                _wait(count.texts, texts, key.texts_per_minute),
            )
            if wait > 0:
                said = f"This key is used faster than it may be; {_again(wait)}."
                raise Refusal(429, "rate_limited", said, _after(wait))
            if texts and key.texts_per_day is not None and count.used + texts > key.texts_per_day:
                wait = _DAY_S - now % _DAY_S
                said = f"This key has used {count.used:.0f} of its {key.texts_per_day} texts of this day (UTC)"
                raise Refusal(429, "quota_used", f"{said}; {_again(wait)}.", _after(wait))
            count.requests -= requests
            count.texts -= texts
            count.used += texts

    def close(self) -> None:
        for descriptor, mapped in self._open.values():
            mapped.close()
            os.close(descriptor)
        self._open.clear()

    @contextmanager
    def _count(self, key: Key) -> Iterator[Count]:
        """The count of a key, alone; written back unless the block raises."""
        try:
            descriptor, mapped = self._open.get(key.sha256) or self._map(key.sha256)
        except OSError as error:
            log.error("the limits of keys cannot be counted: %s", error)
            sentence = "The service cannot write its state just now; try again in a moment."
            raise Refusal(503, "state_unwritable", sentence, _after(5)) from None
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            count = Count(*_FORM.unpack_from(mapped))
            yield count
            _FORM.pack_into(mapped, 0, *astuple(count))
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _map(self, sha256: str) -> tuple[int, mmap.mmap]:
        self._folder.mkdir(parents=True, exist_ok=True)
        # not the digest itself: a listing of the folder should name no key's
        descriptor = os.open(self._folder / sha256[:16], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if os.fstat(descriptor).st_size != _FORM.size:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, _FORM.pack(*astuple(Count())), 0)
            self._open[sha256] = found = descriptor, mmap.mmap(descriptor, _FORM.size)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        return found


def _refill(count: Count, key: Key, now: float) -> None:
    """Buckets hold one minute's worth; a clock that was set back adds nothing."""
    fresh = count.at < 0 or not all(map(math.isfinite, astuple(count)))
    minutes = math.inf if fresh else max(0.0, now - count.at) / 60
    count.requests = _filled(count.requests, minutes, key.requests_per_minute)
    count.texts = _filled(count.texts, minutes, key.texts_per_minute)
    if fresh or now // _DAY_S != count.day:
        count.day, count.used = now // _DAY_S, 0.0
    count.at = now


def _filled(level: float, minutes: float, rate: int | None) -> float:
    return float(rate) if rate is not None and math.isinf(minutes) else min(rate or 0, level + minutes * (rate or 0))


def _wait(level: float, wanted: int, rate: int | None) -> float:
    """Seconds until so much may be taken; more than a minute's worth goes when it is full, and leaves a debt."""
    return 0.0 if rate is None or wanted <= 0 else (min(wanted, rate) - level) * 60 / rate


def _again(wait: float) -> str:
    return f"try again in {_seconds(wait)} s"


def _after(wait: float) -> dict[str, str]:
    return {"Retry-After": str(_seconds(wait))}


def _seconds(wait: float) -> int:
    return max(1, math.ceil(wait))
