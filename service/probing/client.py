"""What a worker knows of its prober: asks it, cancels what nobody waits for, remembers its latest whole answers."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from service.answers.schemas import ProbeRequest
from service.http.errors import Refusal, internal
from service.models import Models
from service.probing.channel import Message
from service.probing.database import Database, DatabaseAway, DatabaseError
from service.probing.keeper import Keeper, Start, start_process
from service.probing.opened import Served
from service.probing.store import Store
from service.settings import Settings

log = logging.getLogger("babelproof.service")
OnEvent = Callable[[str, bytes], None]
"""Called with `flip` or `progress` and what is in it, as JSON."""

_REMEMBERED = 64
_REMEMBERED_BYTES = 32 * 1024 * 1024
_PATIENCE_S = 5.0
"""How long a request waits for a prober that is being started."""
_GRACE_S = 1.5
"""What the prober may take beyond a deadline to sum up; then what it said last is the answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer as it is sent, and how many outcomes of each language and status were found for it now."""

    body: bytes
    outcomes: tuple[tuple[str, str, int], ...] = ()


@dataclass(slots=True)
class _Run:
    """A request under way in the prober; lives in one event loop."""

    on_event: OnEvent | None
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    answer: asyncio.Future[Message] = field(init=False)
    so_far: Message | None = None
    """The answer as it would be if the run had ended then."""

    def __post_init__(self) -> None:
        self.answer = self.loop.create_future()

    def hear(self, head: dict[str, Any], body: bytes) -> None:
        """Take in a message; in the loop's own thread."""
        match head["kind"]:
            case "so_far":
                self.so_far = head, body
            case "flip" | "progress" as kind:
                if self.on_event is not None:
                    self.on_event(kind, body)
            case _ if not self.answer.done():
                self.answer.set_result((head, body))


class Probing:
    """The prober of one worker and the jobs of all; a prober is started with `start`, or with the first request."""

    def __init__(self, settings: Settings, models: Models, *, start: Start = start_process) -> None:
        self._settings = settings
        self._models = models
        self._keeper = Keeper(settings, start, self._heard, self._began, self._gone)
        self._started = False
        self._told: Mapping[str, Served] = {}
        self._runs: dict[int, _Run] = {}
        self._numbers = itertools.count()
        self._answers: OrderedDict[str, bytes] = OrderedDict()
        self._database = Database(settings.jobs_url, settings.state)
        self.store = Store(self._database, settings)
        self.on_ended: Callable[[str], None] = lambda _: None
        """Called, in a thread of its own, with the state in which a job ended here."""

    @property
    def pid(self) -> int | None:
        """Process id of the prober, while there is one."""
        return self._keeper.pid

    def start(self) -> None:
        if not self._started:
            self._started = True
            self._keeper.start()

    def close(self) -> None:
        """End the prober; a job it works on is handed back."""
        if self._started:
            self._keeper.close()
        self._database.close()

    def nudge(self) -> None:
        """There may be a new job."""
        self.start()
        self._tell(self._served())
        self._keeper.say({"kind": "jobs"})

    def observe(self, model: str, text: str, pair: str | None = None, lang: str | None = None) -> None:
        """Hand a text of live traffic to whoever watches it in the prober; returns at once, drops what is too much."""
        if self._tell(self._served()):
            self._keeper.mention(json.dumps({"model": model, "text": text, "pair": pair, "lang": lang}).encode())

    async def run(self, wanted: ProbeRequest, model: str, on_event: OnEvent | None = None) -> Answer:
        """The answer to a request that was checked, at its deadline as far as it is then.

        Refusal 429 when too many wait, 503 when the prober is lost, or had no time to measure anything until the
        deadline. Whoever is cancelled while waiting has the run cancelled.
        """
        served = self._served()
        key = _key(wanted, served[model].digest)
        if (known := self._answers.get(key)) is not None:
            self._answers.move_to_end(key)
            return Answer(known)
        if len(self._runs) >= self._settings.probe_queue:
            sentence = f"The service is busy: {len(self._runs)} probes are waiting already; try again in a moment."
            raise Refusal(429, "overloaded", sentence, {"Retry-After": "5"})
        until = time.monotonic() + (wanted.deadline_ms or self._settings.default_deadline_ms) / 1000
        name, run = next(self._numbers), _Run(on_event)
        self._runs[name] = run
        try:
            async with asyncio.timeout(until + _GRACE_S - time.monotonic()):
                head: dict[str, Any] = {"kind": "probe", "id": name, "model": model, "until": until}
                await self._ask(served, head | {"stream": on_event is not None}, wanted.model_dump_json().encode())
                head, body = _result(await run.answer)
        except TimeoutError:
            if run.so_far is None:
                raise _unmeasured() from None
            head, body = run.so_far
        finally:
            del self._runs[name]  # whatever comes of it now is heard by nobody
            if not run.answer.done() or run.answer.cancelled():
                self._keeper.cancel(name)
        if head["whole"] and head["model"] == served[model].digest:
            self._remember(key, body)
        return Answer(body, tuple((lang, status, n) for lang, status, n in head["outcomes"]))

    async def _ask(self, served: Mapping[str, Served], head: dict[str, Any], body: bytes) -> None:
        """Send a request to the prober, which may be on its way."""
        self.start()
        until = asyncio.get_running_loop().time() + _PATIENCE_S
        while not (self._tell(served) and self._keeper.say(head, body)):
            if asyncio.get_running_loop().time() > until:
                raise _lost()
            await asyncio.sleep(0.02)

    def _served(self) -> Mapping[str, Served]:
        places = {name: self._models.served(name).slots.active.place for name in self._models.names}
        return {name: Served(str(place.folder), place.sha256) for name, place in places.items()}

    def _tell(self, served: Mapping[str, Served]) -> bool:
        """Have the prober know which models there are; False while there is no prober."""
        if served == self._told:
            return True
        if said := self._keeper.say(*_models(served)):
            self._told = served
        return said

    def _heard(self, head: dict[str, Any], body: bytes) -> None:
        if head["kind"] == "ended":
            self.on_ended(head["state"])
        elif (run := self._runs.get(head["id"])) is not None:
            with suppress(RuntimeError):  # its loop has ended
                run.loop.call_soon_threadsafe(run.hear, head, body)

    def _began(self) -> Message:
        self._told = served = self._served()
        return _models(served)

    def _gone(self, holder: str) -> None:
        """What the prober had under way is lost, but for its job, with which the next goes on."""
        for name in list(self._runs):
            self._heard({"kind": "lost", "id": name}, b"")
        try:
            self.store.release(holder)
        except (DatabaseAway, DatabaseError):
            log.warning("the job of a prober that ended is gone on with when its lease runs out")

    def _remember(self, key: str, body: bytes) -> None:
        self._answers[key] = body
        while len(self._answers) > _REMEMBERED or sum(map(len, self._answers.values())) > _REMEMBERED_BYTES:
            self._answers.popitem(last=False)


def _models(served: Mapping[str, Served]) -> Message:
    """Tells a prober which models there are."""
    return {"kind": "models"}, json.dumps({name: asdict(one) for name, one in served.items()}).encode()


def _key(wanted: ProbeRequest, digest: str) -> str:
    asked = digest + wanted.model_dump_json(exclude={"deadline_ms"})
    return hashlib.sha256(asked.encode()).hexdigest()


def _result(message: Message) -> Message:
    """What a prober answered at last; a Refusal where that is no result."""
    head, body = message
    match head["kind"]:
        case "result":
            return message
        case "refused":
            said = json.loads(body)
            raise Refusal(said["status"], said["code"], said["sentence"], said["headers"])
        case "unmeasured":
            raise _unmeasured()
        case "lost":
            raise _lost()
    raise internal()


def _unmeasured() -> Refusal:
    sentence = (
        "Nothing was measured by the deadline: the prober got no processor time; other probes, its own start, or other "
        "work on this machine had it. Try again later, or with a longer deadline_ms."
    )
    return Refusal(503, "nothing_measured", sentence, {"Retry-After": "10"})


def _lost() -> Refusal:
    sentence = "The process that probes has ended and is started again; try again in a moment."
    return Refusal(503, "prober_restarting", sentence, {"Retry-After": "2"})
