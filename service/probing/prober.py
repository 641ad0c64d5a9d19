"""What runs in a prober: answers one request to /probe after the other, and works on jobs while nobody waits."""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from service.answers.schemas import ProbeRequest
from service.http.errors import Refusal
from service.http.logs import failure
from service.probing.answer import Answered, answer, dump
from service.probing.channel import Channel, ChannelClosed, Message
from service.probing.opened import Open, Opened, Served
from service.probing.store import State
from service.probing.work import JobLoop
from service.settings import Settings

log = logging.getLogger("babelproof.prober")
_HAND_BACK_S = 3.0
_STUCK_S = 60.0
"""Processor time beyond all there is until the deadline, after which a request is what the prober is stuck in."""


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


class Watcher(Protocol):
    """What is done with the texts of live traffic that were picked for probing."""

    def take(self, seen: dict[str, Any]) -> None:
        """One of them: model, text, pair, lang; returns at once."""

    def close(self) -> None:
        """End what runs."""


Watch = Callable[[Settings, Opened, threading.Event], Watcher]
"""Makes a watcher of the settings, the opened models, and an event that is set while somebody waits for an answer."""


@dataclass(slots=True)
class Asked:
    """A request that waits or runs."""

    head: dict[str, Any]
    body: bytes
    cancelled: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    @property
    def left(self) -> float:
        """Seconds until nobody waits for more; the worker's clock is the prober's."""
        return float(self.head["until"] - time.monotonic())


class Prober:
    """Serves one channel until its other side is gone or says stop."""

    def __init__(
        self,
        settings: Settings,
        channel: Channel,
        holder: str,
        open_model: Open,
        watch: Watch | None = None,
        limit: Callable[[float], object] = lambda _: None,
    ) -> None:
        """Once the process has used as many seconds of processor time as it is told, limit ends it; 0 is no limit."""
        self._limit = limit
        self._channel = channel
        self._models = Opened(open_model)
        self._busy = threading.Event()
        self._waiting: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._asked: dict[int, Asked] = {}
        self._jobs = JobLoop(settings, holder, self._models, self._busy, self._ended)
        self._watcher = watch and watch(settings, self._models, self._busy)
        self._probing = threading.Thread(target=self._probe, name="probe", daemon=True)

    def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Until the channel is closed; the job under way is then handed back.

        ready is called once everything is loaded, before there are threads.
        """
        try:
            if not self._hear(*self._channel.receive()):  # first of all it is told the models
                return
            self._models.warm()
            ready()
            self._probing.start()
            self._jobs.start()
            while self._hear(*self._channel.receive()):
                pass
        except ChannelClosed:
            log.debug("the worker is gone")
        finally:
            for asked in list(self._asked.values()):
                asked.cancelled.set()
            self._waiting.put(None)
            self._jobs.stop(_HAND_BACK_S)
            if self._watcher is not None:
                self._watcher.close()
            if self._probing.ident is not None:
                self._probing.join(_HAND_BACK_S)
            self._channel.close()

    def _hear(self, head: dict[str, Any], body: bytes) -> bool:
        match head["kind"]:
            case "probe":
                self._asked[head["id"]] = asked = Asked(head, body)
                self._busy.set()
                self._waiting.put(asked)
            case "cancel":
                if (found := self._asked.get(head["id"])) is not None:
                    found.cancelled.set()
            case "models":
                self._models.serve({name: Served(**said) for name, said in json.loads(body).items()})
            case "jobs":
                self._jobs.nudged.set()
            case "seen" if self._watcher is not None:
                self._watcher.take(json.loads(body))
            case "stop":
                return False
        return True

    def _ended(self, state: State) -> None:
        """Tell of a job that ended here."""
        with suppress(ChannelClosed):
            self._channel.send({"kind": "ended", "state": state})

    def _probe(self) -> None:
        while (asked := self._waiting.get()) is not None:
            try:
                self._limit(_STUCK_S + max(0.0, asked.left) * (os.cpu_count() or 1))
                self._channel.send(*self._reply(asked))
            except ChannelClosed:
                return
            finally:
                self._limit(0)
                self._asked.pop(asked.head["id"], None)
                if self._waiting.empty():
                    self._busy.clear()

    def _reply(self, asked: Asked) -> Message:
        name = asked.head["id"]

        def tell(kind: str, said: dict[str, Any]) -> None:
            self._channel.send({"kind": kind, "id": name}, dump(said))

        def found(kind: str, said: Answered) -> Message:
            counts = [[*key, count] for key, count in said.outcomes.items()]
            head = {"kind": kind, "id": name, "model": classifier.manifest.sha256}
            return head | {"whole": said.whole, "outcomes": counts}, said.body

        def so_far(said: Answered) -> None:
            self._channel.send(*found("so_far", said))

        try:
            asked.look()
            if asked.left <= 0:  # others had the time
                return {"kind": "unmeasured", "id": name}, b""
            wanted = ProbeRequest.model_validate_json(asked.body)
            classifier = self._models.get(asked.head["model"])
            listener = tell if asked.head["stream"] else None
            return found("result", answer(wanted, classifier, asked.head["until"], asked.look, so_far, listener))
        except Cancelled:
            return {"kind": "cancelled", "id": name}, b""
        except Refusal as refusal:
            said = {"status": refusal.status, "code": refusal.code, "sentence": refusal.sentence}
            return {"kind": "refused", "id": name}, dump(said | {"headers": refusal.headers})
        except ChannelClosed:
            raise
        except Exception as error:
            failure(log, "to probe", error)
            return {"kind": "failed", "id": name}, b""
