"""A model folder opened as the settings say: its backend, its share of the CPUs, what was measured here before."""

from __future__ import annotations

from pathlib import Path

from runtime.classifier import OnnxClassifier
from runtime.machine import share
from runtime.tuned import choose
from service.settings import Settings


def open_model(settings: Settings, folder: Path | None = None, *, threads: int | None = None) -> OnnxClassifier:
    """The settings' model folder, or another one; raises ModelFolderError, BackendError.

    `threads` is for who needs other than a worker's share; the backend is a worker's all the same, so that probes
    ask what clients are answered by.
    """
    folder, own = folder or settings.model, settings.threads or share(settings.workers)
    choice = choose(folder, settings.backend, threads=own, texts=settings.demo, cache=settings.cache)
    return OnnxClassifier(folder, threads=threads or own, choice=choice)
