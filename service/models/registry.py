"""All models of the service by name, and the thread that looks after their folders."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from probes.types import Item
from runtime.classifier import OnnxClassifier, Prediction
from runtime.engine import Engine, Limits, Overloaded
from runtime.manifest import ModelFolderError
from runtime.session import BackendError
from service.http.errors import Refusal
from service.models.folder import Opened, Opener, Place, discard
from service.models.served import Served
from service.opening import open_model
from service.settings import Settings, SettingsError

log = logging.getLogger("babelproof.models")
_LOOK_EVERY_S = 0.25
_TRY_EVERY_S = 0.5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Models:
    """Several models by name; the first is the default."""

    def __init__(self, served: Iterable[Served]) -> None:
        self._served = {one.name: one for one in served}
        self._default = next(iter(self._served.values()))
        self.default = self._default.name
        self.names = tuple(self._served)
        self._stop = threading.Event()
        self._watch: threading.Thread | None = None

    @classmethod
    def open(cls, settings: Settings, opener: Opener | None = None) -> Models:
        """Open and warm every model of the settings; ModelFolderError, BackendError or SettingsError says why not."""
        opener = opener or opens(settings)
        candidates = shadows(settings)
        opened: list[Served] = []
        try:
            for name, folder in folders(settings).items():
                opened.append(Served.open(name, folder, opener, candidate=candidates.get(name), state=settings.state))
        except BaseException:
            for served in opened:
                served.close()
            raise
        return cls(opened)

    @classmethod
    def over(cls, name: str, classifier: OnnxClassifier, limits: Limits | None = None) -> Models:
        """One model that is open already; it is served as it is."""
        engine = Engine(classifier, limits=limits)
        return cls([Served(name, Opened(engine, Place(classifier.manifest.sha256, Path())))])

    def get(self, name: str | None = None) -> Engine:
        """The engine that answers now for a name, or for the default; Refusal 404. Ask anew for every request."""
        served = self._default if name is None else self._served.get(name)
        if served is None:
            raise self._unknown()
        return served.slots.active.engine

    async def predict(
        self, name: str | None, items: Sequence[Item], *, deadline: float | None = None, truncate: bool = True
    ) -> tuple[Prediction, Engine]:
        """The answer of a name's engine, and which one that was: one replaced just now hands on to the next.

        Refusal 404; TooLongError, TooLargeError, Overloaded, EngineError.
        """
        # without a call for the default: the hot route has none to spare
        engine = self._default.slots.active.engine if name is None else self.get(name)
        while True:
            try:
                return await engine.predict(items, deadline=deadline, truncate=truncate), engine
            except Overloaded as full:
                if full.reason != "closed" or (following := self.get(name)) is engine:
                    raise
            engine = following

    def served(self, name: str | None = None) -> Served:
        """The model of a name, whatever engine answers for it; Refusal 404."""
        served = self._default if name is None else self._served.get(name)
        if served is None:
            raise self._unknown()
        return served

    def start(self, broken: Callable[[], None]) -> None:
        """Look after the folders from now on; `broken` is called, once, when an engine that answers is past repair."""
        self._watch = threading.Thread(target=self._look_on, args=(broken,), name="models", daemon=True)
        self._watch.start()

    def close(self) -> None:
        """End; engines refuse what they still hold."""
        self._stop.set()
        if self._watch:
            self._watch.join()
        for served in self._served.values():
            served.close()

    def _look_on(self, broken: Callable[[], None]) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            for served in self._served.values():
                if served.engine.broken:
                    log.critical("the engine of %s is broken: this process ends, for another to start", served.name)
                    return broken()
                try:
                    served.look()
                except Exception:  # whatever it is, the models go on being served and looked after
                    log.exception("looking after %s failed", served.name)

    def _unknown(self) -> Refusal:
        return Refusal(404, "unknown_model", f"There is no such model; there are {', '.join(self.names)}.")


def opens(settings: Settings) -> Opener:
    """How a folder is opened for serving."""
    limits = Limits(rows=settings.predict_queue)

    def opener(folder: Path) -> Engine:
        engine = Engine(open_model(settings, folder), limits=limits)
        try:
            engine.warm()
        except BaseException:
            discard(engine)
            raise
        return engine

    return opener


def patiently(open_models: Callable[[], Models]) -> Models:
    """Open the models of a worker that starts while others serve: a folder that is being exchanged is waited for."""
    told = ""
    while True:
        try:
            return open_models()
        except (ModelFolderError, BackendError, OSError) as error:
            if str(error) != told:
                log.error("this worker waits with its start: %s", told := str(error))
            time.sleep(_TRY_EVERY_S)


def folders(settings: Settings) -> Mapping[str, Path]:
    """The folder of each model, by name; SettingsError."""
    if not settings.models:
        return {settings.model.name: settings.model}
    return _named("models", settings.models)


def shadows(settings: Settings) -> Mapping[str, Path]:
    """The folder of each candidate, by the name of its model; SettingsError."""
    found = _named("shadow", settings.shadow)
    if strangers := sorted(set(found) - set(folders(settings))):
        raise SettingsError(f"BABELPROOF_SHADOW names {', '.join(strangers)}, which is no model of this service")
    return found


def absolute(settings: Settings) -> Settings:
    """The same for a process with another working folder; links stay links, so that they can be switched."""
    models = ",".join(f"{name}={folder.absolute()}" for name, folder in folders(settings).items())
    shadow = ",".join(f"{name}={folder.absolute()}" for name, folder in shadows(settings).items())
    return replace(settings, model=settings.model.absolute(), models=models if settings.models else "", shadow=shadow)


def _named(setting: str, text: str) -> dict[str, Path]:
    """`name=folder` with commas between them."""
    found: dict[str, Path] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, folder = (piece.strip() for piece in part.partition("="))
        if not (equals and folder and _NAME.fullmatch(name)) or name in found:
            example = "topics=models/topics,nli=models/nli"
            raise SettingsError(f"BABELPROOF_{setting.upper()}: {part!r} is not a new name=folder, as in {example}")
        found[name] = Path(folder)
    return found
