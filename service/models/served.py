"""One model by name: the engine that answers, the one before it, a candidate; swapped whole, between two requests."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from runtime.engine import Engine
from runtime.manifest import ModelFolderError
from runtime.session import BackendError
from service.http.errors import Refusal
from service.models import pointer as pointers
from service.models.folder import Opened, Opener, Place, Watched, discard
from service.models.pointer import Pointer

log = logging.getLogger("babelproof.models")
_GRACE_S = 1.0
"""How long an engine that was replaced stays open at least: somebody may just have got hold of it."""
Kind = Literal["reload", "rollback", "promote"]
Part = Literal["model", "candidate", "pointer"]
"""What a refused folder was to become: the model, its candidate, the model of a rollback or promotion."""


@dataclass(frozen=True, slots=True)
class Slots:
    """The engines that are open, and since when (Unix time) the first of them answers."""

    active: Opened
    previous: Opened | None = None
    candidate: Opened | None = None
    since: float = 0.0

    def __iter__(self) -> Iterator[Opened]:
        return (opened for opened in (self.active, self.previous, self.candidate) if opened)


class Served:
    """A named model. `look` is called by one thread; `rollback` and `promote` from any; `engine` is read by all."""

    def __init__(
        self,
        name: str,
        active: Opened,
        opener: Opener | None = None,
        *,
        home: Watched | None = None,
        candidate: Path | None = None,
        state: Path | None = None,
    ) -> None:
        """Without a folder and a way to open one, what is given is served and nothing else."""
        self.name = name
        self.slots = Slots(active, since=time.time())
        self.refused: dict[Part, str] = {}
        """Why a folder is not served, as long as that holds."""
        self.swaps: Counter[Kind] = Counter()
        self.refusals = 0
        self._opener = opener
        self._home = home
        self._next = Watched(candidate) if candidate else None
        self._home_sha256 = active.place.sha256
        self._pointer_file = state / "models" / f"{name}.json" if state else None
        self._followed: tuple[Pointer, Watched] | None = None
        """The pointer as it was last followed, and the folder it names, which may have failed to open."""
        self._earlier: Place | None = None
        """The model before this one, as the pointer has it, while it is not open here."""
        self._retired: list[tuple[float, Opened]] = []
        self._pinned: list[Opened] = []
        self._commands, self._lock = threading.Lock(), threading.Lock()

    @classmethod
    def open(cls, name: str, folder: Path, opener: Opener, *, candidate: Path | None, state: Path) -> Served:
        """Open a folder, or what the pointer has in its place; ModelFolderError, BackendError."""
        home = Watched(folder)
        served = cls(name, home.open(opener), opener, home=home, candidate=candidate, state=state)
        served.look()
        return served

    @property
    def shadowed(self) -> bool:
        """Whether there is a folder for a candidate."""
        return self._next is not None

    @property
    def engine(self) -> Engine:
        """What answers now."""
        return self.slots.active.engine

    @property
    def previous(self) -> Place | None:
        """What a rollback would serve."""
        return self.slots.previous.place if self.slots.previous else self._earlier

    @contextmanager
    def pinned(self) -> Iterator[Opened]:
        """What answers now; it stays open until the block ends, however often it is replaced meanwhile."""
        opened = self.slots.active
        self._pinned.append(opened)
        try:
            yield opened
        finally:
            self._pinned.remove(opened)

    def look(self) -> None:
        """Take in what has changed: the model's folder, the candidate's, the pointer; close what is out of use."""
        if self._home and self._home.news() and (opened := self._open("model", self._home)):
            self._reload(opened)
        if self._next and self._next.news() and (opened := self._open("candidate", self._next)):
            self._nominate(opened)
        self._follow()
        self._bury()

    def rollback(self) -> None:
        """Serve the model before this one again, in all workers; Refusal 409 or 503."""
        with self._commands:
            if (wanted := self.previous) is None:
                raise Refusal(409, "no_previous_model", "There is no model before this one to go back to.")
            self._command(wanted, "rollback")

    def promote(self) -> None:
        """Serve the candidate, in all workers; Refusal 409 or 503."""
        with self._commands:
            if (candidate := self.slots.candidate) is None:
                raise Refusal(409, "no_candidate", "There is no candidate open; GET this model says why.")
            self._command(candidate.place, "promote")

    def close(self) -> None:
        """Refuse what is still asked, and let go of all that was opened here."""
        for opened in [*self.slots, *(retired for _, retired in self._retired)]:
            if self._opener:
                discard(opened.engine)
            else:
                opened.engine.close()

    def _command(self, wanted: Place, kind: Kind) -> None:
        aside = None if self._find(wanted.sha256) else self._open_place(wanted, Watched(wanted.folder))
        with self._swapping(aside):
            opened = self._find(wanted.sha256) or aside
            if opened is None:
                why = self.refused.get("pointer", "its folder has changed")
                raise Refusal(503, "model_unavailable", f"The model to serve cannot be opened: {why}.")
            if self._pointer_file:
                pointer = Pointer(wanted, self.slots.active.place, self._home_sha256)
                try:
                    pointers.write(self._pointer_file, pointer)
                except OSError as error:
                    log.error("%s cannot be written: %s", self._pointer_file, error)
                    raise Refusal(503, "state_unwritable", "The state folder cannot be written to.") from None
            self._swap(opened, kind)

    def _reload(self, opened: Opened) -> None:
        """The model's own folder has this content now."""
        sha256 = opened.place.sha256
        with self._swapping(opened):
            self._home_sha256 = sha256
            pointer = self._pointer()
            if sha256 == self.slots.active.place.sha256:
                return
            if pointer and pointer.over == sha256 != pointer.active.sha256 and self._find(pointer.active.sha256):
                # the others had it before us, and have been told to go back from it
                self._retire(self.slots.previous)
                self.slots = replace(self.slots, previous=opened)
                return
            before = self.slots.active.place
            self._swap(opened, "reload")
            if self._pointer_file and (pointer is None or pointer.over != sha256):
                try:
                    pointers.write(self._pointer_file, Pointer(opened.place, before, sha256))
                except OSError as error:
                    log.warning("a rollback will not outlive this worker: %s cannot be written", error.filename)

    def _nominate(self, opened: Opened) -> None:
        with self._swapping(opened):
            self._retire(self.slots.candidate)
            known = opened.place.sha256 == self.slots.active.place.sha256
            self.slots = replace(self.slots, candidate=None if known else opened)

    def _follow(self) -> None:
        """Serve what the pointer says, where another worker, or one before this, was told so."""
        pointer = self._pointer()
        if pointer is None or pointer.over != self._home_sha256:
            return
        self._earlier = pointer.previous
        if pointer.active.sha256 == self.slots.active.place.sha256:
            return
        if self._followed is None or self._followed[0] != pointer:
            self._followed = pointer, Watched(pointer.active.folder)
        elif not self._followed[1].news():
            return
        aside = None if self._find(pointer.active.sha256) else self._open_place(pointer.active, self._followed[1])
        with self._swapping(aside):
            opened = self._find(pointer.active.sha256) or aside
            if opened and self._pointer() == pointer:
                candidate = self.slots.candidate
                self._swap(opened, "promote" if candidate and candidate.place == opened.place else "rollback")

    @contextmanager
    def _swapping(self, fresh: Opened | None) -> Iterator[None]:
        """Alone; what was opened for it and is in no slot afterwards is put away."""
        with self._lock:
            try:
                yield
            finally:
                if fresh is not None and fresh not in self.slots:
                    self._retire(fresh)

    def _swap(self, opened: Opened, kind: Kind) -> None:
        """From now on this one answers; requests under way end where they are."""
        old, sha256 = self.slots, opened.place.sha256
        if sha256 == old.active.place.sha256:
            return
        candidate = old.candidate if old.candidate and old.candidate.place.sha256 != sha256 else None
        self.slots = Slots(opened, old.active, candidate, time.time())
        self.swaps[kind] += 1
        for left in old:
            if left not in self.slots:
                self._retire(left)
        log.info("%s of %s: %s serves in place of %s", kind, self.name, sha256[:12], old.active.place.sha256[:12])

    def _retire(self, opened: Opened | None) -> None:
        if opened is not None:
            self._retired.append((time.monotonic(), opened))

    def _bury(self) -> None:
        """Close engines out of use, once they are idle and nobody has pinned them."""
        until = time.monotonic() - _GRACE_S
        for one in [(at, opened) for at, opened in self._retired if at < until]:
            if not one[1].engine.held and one[1] not in self._pinned:
                self._retired.remove(one)
                discard(one[1].engine)

    def _find(self, sha256: str) -> Opened | None:
        return next((opened for opened in self.slots if opened.place.sha256 == sha256), None)

    def _pointer(self) -> Pointer | None:
        return pointers.read(self._pointer_file) if self._pointer_file else None

    def _open_place(self, place: Place, watched: Watched) -> Opened | None:
        """The model of a pointer, from the folder it was last seen in."""
        opened = self._open("pointer", watched)
        if opened and opened.place.sha256 != place.sha256:
            self._say("pointer", f"{place.folder.name} no longer holds the model {place.sha256[:12]}")
            discard(opened.engine)
            return None
        return opened

    def _open(self, part: Part, watched: Watched) -> Opened | None:
        if self._opener is None:
            return None
        try:
            opened = watched.open(self._opener)
        except (ModelFolderError, BackendError, OSError) as error:
            self._say(part, str(error).replace(str(watched.folder), watched.folder.name))
            return None
        self.refused.pop(part, None)
        return opened

    def _say(self, part: Part, why: str) -> None:
        """A folder is refused: tell it once, and keep the reason."""
        self.refusals += 1
        self.refused[part] = why
        log.error("%s: the %s is not taken, what was served goes on: %s", self.name, part, why)
