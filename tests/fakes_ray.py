"""Classifiers for processes of a cluster: one that leaves a trace of where it was opened and dies when told to."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import ray

from tests.test_runs import Known

TRACES = Path(os.environ.get("BABELPROOF_TEST_TRACES", "."))


def linger(seconds):
    """The node that it was in for so long."""
    time.sleep(seconds)
    return ray.get_runtime_context().get_node_id()


class Watched(Known):
    """Known, with a file for each process, and one for the node that works; `die` ends the first process to find it."""

    def __init__(self):
        super().__init__()
        (TRACES / f"process-{os.getpid()}").touch(exist_ok=False)  # a second time in one process is an error
        self._working = TRACES / f"working-{ray.get_runtime_context().get_node_id()}"

    def __call__(self, items):
        self._working.touch()
        time.sleep(0.02)
        if (TRACES / "die").exists():
            (TRACES / "die").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(items)


class Broken(Known):
    """Known, but that it does not answer."""

    def __call__(self, items):
        raise ArithmeticError("the model overflowed")


Watched.__name__ = Broken.__name__ = "Known"
