"""A candidate answers a sample of the live texts too, when the model is idle; counted by language, no text is kept."""

from __future__ import annotations

import json
import logging
import random
import shutil
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.detect import detect
from probes.files import write_text
from probes.languages import codes
from probes.types import Item
from runtime.classifier import Prediction
from service.http.errors import Refusal
from service.models.folder import Opened
from service.models.served import Served
from service.models.tally import Tally, merged, report
from service.settings import Settings

log = logging.getLogger("babelproof.shadow")
_HELD = 256
"""Texts that wait for the candidate; under load the oldest are dropped."""
_AT_ONCE = 4
_PAUSE_S = 0.005
_WRITE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """A text and how the model answered it."""

    item: Item
    sha256: str
    label: str
    margin: float


class Shadow:
    """Compares a served model with its candidate."""

    def __init__(self, served: Served, settings: Settings, rng: random.Random | None = None) -> None:
        self._served, self._settings = served, settings
        self._rng = rng or random.Random()
        self._folder = settings.state / "shadow" / served.name
        self._file = f"{uuid.uuid4().hex}.json"
        self._waiting: deque[_Seen] = deque(maxlen=_HELD)
        self._pair = ""
        self._tally: Tally = {}
        self._written = 0.0
        self._dirty = self._stop = False
        self._bell = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    def offer(self, items: Sequence[Item], prediction: Prediction) -> None:
        """Sample texts that were answered; never waits."""
        slots = self._served.slots
        if slots.candidate is None:
            return
        for index, item in enumerate(items):
            if self._rng.random() < self._settings.shadow_rate:
                label, margin = _best(prediction.probabilities[index], slots.active.engine.labels)
                self._waiting.append(_Seen(item, slots.active.place.sha256, label, margin))
        self._bell.set()

    def report(self) -> dict[str, Any]:
        """What all workers have counted of model and candidate as they are now; Refusal 409 without a candidate."""
        slots = self._served.slots
        if slots.candidate is None:
            why = self._served.refused.get("candidate", "its folder is not open, or holds the model itself")
            raise Refusal(409, "no_candidate", f"There is no candidate to compare with: {why}.")
        if self._pair == (pair := _pair(slots.active, slots.candidate)) and self._dirty:
            self._write()
        tallies = [json.loads(path.read_text(encoding="utf-8")) for path in (self._folder / pair).glob("[!.]*.json")]
        cells = 1 + len(slots.active.engine.manifest.languages)
        said = report(merged(tallies), self._settings.shadow_tolerated, cells)
        return {"active": slots.active.place.sha256, "candidate": slots.candidate.place.sha256, **said}

    def close(self) -> None:
        """Stop comparing; what was counted stays."""
        self._stop = True
        self._bell.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop:
            try:
                self._step()
            except Exception as error:  # its message may quote a text
                log.error("comparing with the candidate failed with %s", type(error).__name__)
                time.sleep(_WRITE_EVERY_S)

    def _step(self) -> None:
        if self._dirty and time.monotonic() - self._written > _WRITE_EVERY_S:
            self._write()
        if not self._waiting:
            self._bell.clear()
            if not (self._waiting or self._stop):  # else it rang just before
                self._bell.wait(_WRITE_EVERY_S if self._dirty else None)
        elif self._served.engine.held:
            time.sleep(_PAUSE_S)
        else:
            self._compare([self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))])

    def _compare(self, seen: Sequence[_Seen]) -> None:
        slots = self._served.slots
        if (candidate := slots.candidate) is None:
            return
        seen = [one for one in seen if one.sha256 == slots.active.place.sha256]
        if self._pair != (pair := _pair(slots.active, candidate)):
            self._begin(pair)
        answers = candidate.engine([one.item for one in seen])  # at low priority
        for one, probabilities in zip(seen, answers, strict=True):
            label, margin = _best(probabilities, candidate.engine.labels)
            lang, _ = detect(one.item.text)
            cell = self._tally.setdefault(lang if lang in codes() else "other", {})
            for name, value in (("n", 1.0), ("margin", margin - one.margin), ("squares", (margin - one.margin) ** 2)):
                cell[name] = cell.get(name, 0.0) + value
            if label != one.label:
                flow = json.dumps([one.label, label], ensure_ascii=False)
                cell[flow] = cell.get(flow, 0.0) + 1
            self._dirty = True

    def _begin(self, pair: str) -> None:
        """Another model or another candidate: count anew, and forget the others' counts."""
        self._pair, self._tally = pair, {}
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name != pair:
                    shutil.rmtree(path, ignore_errors=True)

    def _write(self) -> None:
        self._written, self._dirty = time.monotonic(), False
        try:
            write_text(self._folder / self._pair / self._file, json.dumps(self._tally, ensure_ascii=False))
        except OSError as error:
            log.error("what the shadow counts cannot be written: %s", error.strerror)


def _pair(active: Opened, candidate: Opened) -> str:
    return f"{active.place.sha256[:16]}-{candidate.place.sha256[:16]}"


def _best(probabilities: NDArray[np.float32], labels: Sequence[str]) -> tuple[str, float]:
    """The label of a row and its margin over the second."""
    second, first = np.sort(probabilities)[-2:].tolist()
    return labels[int(probabilities.argmax())], first - second
