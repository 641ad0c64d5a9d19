"""Probing on a Ray cluster: `--engine ray`. Each block is a task, and each process that works opens the model once."""

from __future__ import annotations

import json
import os
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from probes.running import provenance
from probes.running.engine import Found, Probe, Work
from probes.running.workers import WorkerError
from probes.types import Classifier
from runtime.targets import open_classifier

RETRIES = 5
"""How often a block is begun again after its process or its node was lost."""

# What a node may lack or have another of: the model, the package itself.
_SAME = ("classifier", "versions")


class EngineError(ValueError):
    """An engine that cannot be used as it is asked for: what is in the way, and what to do."""


class EngineName(StrEnum):
    """Where blocks are probed."""

    local = "local"
    ray = "ray"


def choose(
    name: EngineName, target: str, *, address: str | None, workers: int | None, store: Path | None
) -> AbstractContextManager[RayEngine | None]:
    """The engine of a name, to be entered; None is this process. EngineError for options that do not go with it."""
    if name is EngineName.local:
        if address is not None:
            raise EngineError("--ray-address is of --engine ray; say that too, or leave the address out")
        return nullcontext()
    if store is not None:
        raise EngineError("--store is a file of this machine, which nodes of a cluster do not have; leave it out")
    return RayEngine(target, address=address, at_once=workers)


class RayEngine(AbstractContextManager["RayEngine"]):
    """A Ray cluster that probes the model of a target (`runtime.targets`), which every node must be able to open.

    address is what ray.init takes: None joins the cluster of RAY_ADDRESS or of this machine, or starts one. at_once is
    how many blocks are probed at a time, each on one CPU; None is as many as there are CPUs, those to come included. A
    connection that was there is used, and left open. Raises EngineError.
    """

    def __init__(self, target: str, *, address: str | None = None, at_once: int | None = None) -> None:
        self._target = str(Path(target).resolve()) if Path(target).exists() else target
        self._address, self._at_once = address, at_once
        self._ray = _ray()
        self._ours = False

    def __enter__(self) -> RayEngine:
        self._ours = not self._ray.is_initialized()
        if self._ours:
            try:
                _knock(self._address or "")
                # What workers print would go to standard output, among the report.
                self._ray.init(self._address, include_dashboard=False, log_to_driver=False, logging_level="warning")
            except (OSError, RuntimeError, ValueError) as error:
                raise EngineError(f"no Ray cluster at {self._address or 'hand'}: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            self._ray.shutdown()

    def ordered(self, probe: Probe, work: Iterable[Work], ahead: int | None) -> Iterator[Found]:
        """What is found in each block, in order; what was lost with a process or a node is done again, and counts once.

        A failure of the probing comes in its turn. WorkerError where a block was lost too often.
        """
        wait = self._ray.wait
        submit = self._ray.remote(num_cpus=1, max_retries=RETRIES)(_probed).remote
        # Clocks of several machines agree on the time of day alone.
        until = None if probe.until is None else time.time() + probe.until - time.monotonic()
        work, waiting = iter(work), deque[Any]()
        try:
            while True:
                unfinished = wait(list(waiting), num_returns=len(waiting), timeout=0)[1] if waiting else []
                most = self._most()
                room = min(most - len(unfinished), (ahead or 2 * most) - len(waiting))
                for one in islice(work, max(0, room)):
                    waiting.append(submit(self._target, probe, until, one))
                    unfinished.append(waiting[-1])
                if not waiting:
                    return
                if waiting[0] in unfinished:
                    wait(unfinished, num_returns=1)
                else:
                    yield self._got(waiting.popleft())
        finally:
            for one in waiting:
                self._ray.cancel(one, force=True)

    def _most(self) -> int:
        """Blocks to be under way now; where the CPUs set the limit, one for each and one to follow it."""
        cpus = int(self._ray.cluster_resources().get("CPU", 0))
        if not cpus:
            raise EngineError("the Ray cluster has no CPU to work on; add a node that has: ray start --address ...")
        return self._at_once or 2 * cpus

    def _got(self, one: Any) -> Found:
        errors = self._ray.exceptions
        try:
            found: Found = self._ray.get(one)
        except errors.RayTaskError as error:
            raise error.cause from error
        except errors.RayError as error:
            said = str(error).partition("\n")[0]
            raise WorkerError(f"a block was lost {1 + RETRIES} times with its process or its node: {said}") from error
        return found


def _probed(target: str, probe: Probe, until: float | None, work: Work) -> Found:
    """A block, probed in a process of the cluster; until is in time.time seconds."""
    classifier = _opened(target, json.dumps({name: probe.facts[name] for name in _SAME}))
    return replace(probe, until=None if until is None else time.monotonic() + until - time.time())(work, classifier)


@lru_cache(maxsize=1)
def _opened(target: str, wanted: str) -> Classifier:
    """The classifier of this process, of one thread as a task has one CPU; EngineError unless it is the one wanted."""
    node = f"node {_ray().util.get_node_ip_address()}"
    try:
        found = open_classifier(target, threads=1)
    except Exception as error:
        raise EngineError(
            f"{node} cannot open the model: {error} (every node needs the folder or file at this path)"
        ) from error
    facts = json.loads(wanted)
    there = {"classifier": provenance.identity(found), "versions": provenance.versions(facts["versions"])}
    for name, said in facts.items():
        if json.loads(json.dumps(there[name])) != said:
            raise EngineError(f"{node} has other {name}: {json.dumps(there[name])}; this machine {json.dumps(said)}")
    return found


def _knock(address: str) -> None:
    """OSError where nothing listens at host:port, which ray finds out in minutes."""
    host, _, port = address.rpartition(":")
    if port.isdigit() and "://" not in address:
        socket.create_connection((host, int(port)), timeout=10).close()


def _ray() -> Any:
    # a cluster that is begun here tells Ray's makers nothing
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return import_module("ray")
    except ImportError as error:
        said = "--engine ray needs ray, here and on every node: pip install -c constraints.txt -e '.[ray]'"
        raise EngineError(said) from error
