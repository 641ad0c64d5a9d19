"""The job loop of a prober: takes the oldest free job, works on it block by block, hands in its report."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from probes import battery as batteries
from probes.running.database import StoreError
from probes.running.engine import Probe
from probes.running.state import Done
from service.answers.probe import battery_of, examples, spoken
from service.answers.schemas import JobRequest
from service.http.errors import Refusal
from service.http.logs import failure
from service.probing.asking import Durable
from service.probing.database import Database, DatabaseAway
from service.probing.lease import FRUITLESS, JobFailed, Lease, LeaseLost, take
from service.probing.opened import Opened
from service.probing.reports import Packed
from service.probing.store import State, Store
from service.scratch import scratch
from service.settings import Settings

log = logging.getLogger("babelproof.prober")
T = TypeVar("T")
_LOOK_S = 0.1
_IDLE_S = 0.5
_AWAY_S = 1.0
_EXPIRE_S = 60.0


class Stopped(Exception):
    """The prober is told to stop."""


class JobLoop:
    """Works on jobs in a thread of its own until it is stopped; gives way while `busy` is set."""

    def __init__(
        self, settings: Settings, holder: str, models: Opened, busy: threading.Event, ended: Callable[[State], None]
    ) -> None:
        """How each job ended that ended here, `ended` is told."""
        self._settings = settings
        self._holder = holder
        self._models = models
        self._busy = busy
        self._ended = ended
        self._database = Database(settings.jobs_url, settings.state)
        self._store = Store(self._database, settings)
        self._stop = threading.Event()
        self.nudged = threading.Event()
        """Set where there may be a new job."""
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)
        self._expired = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Hand back the job that is worked on, and end."""
        self._stop.set()
        self.nudged.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        self._database.close()

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                if (lease := take(self._database, self._holder, self._settings.lease_s)) is not None:
                    self._work(lease)
                    continue
                self._expire()
                self.nudged.wait(_IDLE_S)
            except DatabaseAway as error:
                log.warning("jobs wait: %s", error)
                self._stop.wait(_AWAY_S)
            except Exception as error:  # the loop goes on whatever becomes of one job
                failure(log, "for jobs", error)
                self._stop.wait(_AWAY_S)
            self.nudged.clear()

    def _expire(self) -> None:
        if time.monotonic() - self._expired > _EXPIRE_S:
            self._expired = time.monotonic()
            self._store.expire()

    def _work(self, lease: Lease) -> None:
        """One job, as far as it goes here."""
        held = Held(lease, self._settings.lease_s, self._stop, self._busy)
        log.info("job %s: taken for the %d. time", lease.job, lease.taken)
        try:
            with held:
                self._run(lease, held)
            log.info("job %s: done", lease.job)
            self._ended("done")
        except LeaseLost:
            log.info("job %s: no longer wanted here", lease.job)
        except Stopped:
            log.info("job %s: handed back", lease.job)
            lease.hand_back()
        except JobFailed as why:
            self._fail(held, why)
        except Exception as error:
            failure(log, f"for job {lease.job}", error)
            self._fail(held, JobFailed("internal", "The service failed on this job; its log has the id and the place."))

    def _fail(self, held: Held, why: JobFailed) -> None:
        log.warning("job %s: failed: %s", held.lease.job, why.code)
        try:
            held.patiently(lambda: held.lease.fail(why))
            self._ended("failed")
        except (LeaseLost, Stopped):
            return

    def _run(self, lease: Lease, held: Held) -> None:
        if lease.fruitless > FRUITLESS:
            raise JobFailed("given_up", f"The job was begun {FRUITLESS} times without getting on; it was given up.")
        wanted = JobRequest.model_validate_json(lease.request)
        try:
            classifier = self._models.get(lease.model)
        except Refusal as refusal:
            raise JobFailed(refusal.code, refusal.sentence) from None
        battery = battery_of(wanted, classifier.labels)
        probed = examples(wanted, [one["lang"] for one in spoken(wanted)])
        total = sum(step.draws for step in battery.steps for one in probed if step.covers(one.lang))

        def begin(probe: Probe) -> set[int]:
            facts = json.loads(json.dumps(probe.facts))
            return held.patiently(lambda: lease.begin(facts, total))

        try:
            with scratch(self._settings.state / "running", "run-") as (folder, _):
                held.engine = Durable(classifier, held.look, held, begin)
                report = batteries.run(battery, classifier, probed, state=folder, engine=held.engine)
                packed = Packed.of(report, folder, held.look)
                held.patiently(lambda: lease.finish(packed.sha256, packed))
        except (StoreError, OSError) as error:
            log.warning("job %s: %s", lease.job, error)
            said = "There is no room left, or no leave to write, where the service keeps its state."
            raise JobFailed("storage_full", said) from None


class Held:
    """A lease that is renewed beside the work, and looked at so often that a cancelled job stops soon."""

    def __init__(self, lease: Lease, lease_s: float, stop: threading.Event, busy: threading.Event) -> None:
        self.lease = lease
        self.engine: Durable | None = None
        self._lease_s = lease_s
        self._stop = stop
        self._busy = busy
        self._lost = threading.Event()
        self._over = threading.Event()
        self._pulse = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> Held:
        self._pulse.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pulse.join()

    def look(self) -> None:
        """Raises where the job is to be left; waits while somebody else is waiting for an answer."""
        while True:
            if self._lost.is_set():
                raise LeaseLost
            if self._stop.is_set():
                raise Stopped
            if not self._busy.is_set():
                return
            time.sleep(0.02)

    def block(self, number: int) -> Done:
        return self.patiently(lambda: self.lease.block(number))

    def keep(self, found: Done, done: int) -> None:
        self.patiently(lambda: self.lease.keep(found, done))

    def patiently(self, call: Callable[[], T]) -> T:
        """The result of a call to the database, waiting while that is away; a full disk is not waited for."""
        while True:
            try:
                return call()
            except DatabaseAway as error:
                if error.code == "storage_full" and not self._over.is_set():
                    raise JobFailed(error.code, error.sentence) from None
                log.warning("job %s waits: %s", self.lease.job, error)
            if self._stop.wait(_AWAY_S):
                raise Stopped
            if self._lost.is_set():
                raise LeaseLost

    def _beat(self) -> None:
        said, renewed = 0, time.monotonic()
        while not self._over.wait(_LOOK_S):
            done, now = (self.engine.done if self.engine else 0), time.monotonic()
            try:
                if now - renewed > self._lease_s / 4 or (done > said and now - renewed > 1):
                    self.lease.renew(done)
                    said, renewed = done, now
                else:
                    self.lease.alive()
            except LeaseLost:
                self._lost.set()
                return
            except DatabaseAway:
                continue
