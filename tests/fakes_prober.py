"""A prober in a thread of the test, over models the test has made; and one in a process, like a worker's."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from runtime.classifier import OnnxClassifier
from service.models import Models
from service.probing.channel import Channel
from service.probing.client import Probing
from service.probing.keeper import Start
from service.probing.prober import Prober
from service.settings import Settings


class ThreadChild:
    """What a keeper takes for a process."""

    pid = 0

    def __init__(self, settings: Settings, end: socket.socket, holder: str, open_model: Callable) -> None:
        self._end = end.dup()
        prober = Prober(settings, Channel(self._end), holder, open_model)
        self._thread = threading.Thread(target=prober.serve, daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise subprocess.TimeoutExpired("prober", timeout or 0)
        self._end.close()

    def kill(self) -> None:
        try:
            self._end.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def in_thread(classifier: OnnxClassifier) -> Start:
    """Starts probers that have this classifier for every model."""

    def opened(_: Path) -> OnnxClassifier:
        return classifier

    return lambda settings, end, holder: ThreadChild(settings, end, holder, opened)


def probing(settings: Settings, classifier: OnnxClassifier, models: Models | None = None) -> Probing:
    """A worker's side of a prober in a thread."""
    return Probing(settings, models or Models.over("keywords", classifier), start=in_thread(classifier))
