"""Workers: blocks in threads, their noise in processes, results in the order of the blocks however many there are."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, TypeVar

from probes.types import Classifier, Item, Probabilities

Job = TypeVar("Job")
Result = TypeVar("Result")


class WorkerError(RuntimeError):
    """A worker's process ended before its work."""


class Crew(AbstractContextManager["Crew"]):
    """So many workers. One works in the calling thread alone.

    More are as many threads, which wait for the model, and as many processes, for what Python computes under its lock:
    noise and the edits offered to attacks.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"{workers} workers: at least one is needed")
        self.size = workers
        self.leaving = False
        """Whether the work was given up; who works in a thread looks from time to time."""
        self._threads = ThreadPoolExecutor(workers) if workers > 1 else None
        # A fresh process, not a fork: a fork of a process with threads can stand still for ever.
        fresh = multiprocessing.get_context("spawn")
        self._processes = ProcessPoolExecutor(workers, fresh, _end_with_parent) if workers > 1 else None

    def __exit__(self, *_: object) -> None:
        self.leaving = True
        for pool in (self._processes, self._threads):
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def compute(self, function: Callable[..., Result], *arguments: Iterable[Any]) -> Iterator[Result]:
        """Like map; the function and what it takes and gives can be pickled, and it is pure."""
        return (
            map(function, *arguments) if self._processes is None else _told(self._processes.map(function, *arguments))
        )

    def ordered(self, function: Callable[[Job], Result], jobs: Iterable[Job], ahead: int) -> Iterator[Result]:
        """Like map; at most `ahead` jobs are under way or wait to be taken. A failure comes in its turn."""
        if self._threads is None:
            yield from map(function, jobs)
            return
        jobs = iter(jobs)
        submit = self._threads.submit
        waiting: deque[Future[Result]] = deque(submit(function, job) for job in islice(jobs, ahead))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(submit(function, job) for job in islice(jobs, 1))


class OneAtATime:
    """A classifier that several threads may call because they take turns."""

    def __init__(self, classifier: Classifier) -> None:
        self.labels = tuple(classifier.labels)
        self._classifier = classifier
        self._turn = threading.Lock()

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """What the classifier answers."""
        with self._turn:
            return self._classifier(items)


def _told(results: Iterator[Result]) -> Iterator[Result]:
    try:
        yield from results
    except BrokenProcessPool as error:
        raise WorkerError(
            "a worker's process ended before its work: it was killed, memory ran out, "
            'or a script that asks for workers does so outside `if __name__ == "__main__":`'
        ) from error


def _end_with_parent() -> None:
    """Leave when the parent is gone, however that came about: a pool's process would wait for work for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and says when to leave
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
