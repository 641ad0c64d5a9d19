"""In the prober: texts of live traffic wait in a short line and are observed while nobody waits for an answer."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Any

from probes.types import Item
from service.http.errors import Refusal
from service.http.logs import failure
from service.live.counts import FILE
from service.live.observer import Observer
from service.live.plan import plan
from service.probing.opened import Opened
from service.settings import Settings

log = logging.getLogger("babelproof.live")
_WAITING = 256
_FLUSH_S = 1.0
_GIVE_WAY_S = 0.05


class Watching:
    """A thread that observes; it begins with the first text."""

    def __init__(self, settings: Settings, models: Opened, busy: threading.Event) -> None:
        self._models = models
        self._busy = busy
        self._observer = Observer(plan(settings), settings.state / FILE, settings.live_window)
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_WAITING)
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._watch, name="live", daemon=True)

    def take(self, seen: dict[str, Any]) -> None:
        """Remember a text (model, text, pair, lang) until it is observed; the oldest go where there are too many."""
        with self._changed:
            self._waiting.append(seen)
            self._changed.notify()
        if self._thread.ident is None:
            self._thread.start()

    def close(self) -> None:
        """Let the text under way be the last."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(_FLUSH_S)

    def _watch(self) -> None:
        while (seen := self._next()) is not None:
            if not seen:
                self._observer.flush()
                continue
            try:
                classifier = self._models.get(seen["model"])
                model = seen["model"], classifier.manifest.sha256
                self._observer.observe(model, classifier, Item(seen["text"], seen["pair"]), seen["lang"])
            except Refusal as refusal:  # the model is not served any more, or just being swapped
                log.debug("a live text was let go: %s", refusal.code)
            except Exception as error:
                failure(log, "live", error)
        self._observer.flush()
        self._observer.close()

    def _next(self) -> dict[str, Any] | None:
        """A text; nothing in it where none came for a while; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing, _FLUSH_S)
            while self._busy.is_set() and not self._closing:
                self._changed.wait(_GIVE_WAY_S)
            if self._closing:
                return None
            return self._waiting.popleft() if self._waiting else {}
