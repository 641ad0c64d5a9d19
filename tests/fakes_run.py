"""A run in a process of its own, to be killed: `python -m tests.fakes_run OUT [--state DIR] [--store FILE] ...`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from probes.battery import run
from probes.files import write_text
from tests.test_runs import BATTERY, MANY, Known


class Slow(Known):
    """Takes its time, so that there is a moment to kill it at."""

    pause = 0.0

    def __call__(self, items):
        time.sleep(self.pause)
        return super().__call__(items)


Slow.__name__ = "Known"

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--slow", type=float, default=0.0)
    said = parser.parse_args()
    Slow.pause = said.slow
    report = run(BATTERY, Slow(), MANY, state=said.state, store=said.store, workers=said.workers)
    write_text(said.out / "report.json", report.to_json())
