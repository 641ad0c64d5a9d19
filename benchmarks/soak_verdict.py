"""What a soak comes to: a line through the memory, and whatever says that the service did not do its work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import linregress

SETTLED = 0.25
"""Share of the run that is not counted in the memory's line: caches fill up."""
FLAT_PER_HOUR = 0.05
"""Growth an hour, as a share of the memory, up to which it counts as flat."""
TAKEN_IN = 0.8
"""Share of the swaps that the workers must have taken in."""
ANSWERED = 0.99
"""Share of the plain predictions that must be answered with 200."""
FEW = 20
"""Requests of a kind below which it is not asked whether any of them was taken."""
EXPECTED: dict[str, frozenset[int]] = {
    "predict": frozenset({200, 429}),
    "predict 16": frozenset({200, 429}),
    "robustness": frozenset({200, 429}),
    # one that got no processor time by its deadline says so: an answer, not a fault
    "probe": frozenset({200, 429, 503}),
    "job": frozenset({202, 429}),
    "left": frozenset({200, 429}),
    "nonsense": frozenset(range(400, 500)),
}
"""Statuses that are no fault, by kind of request."""
TAKEN = {"predict": 200, "predict 16": 200, "robustness": 200, "probe": 200, "job": 202}
"""The status of what was done."""


def faults(statuses: Mapping[str, int], broken: Mapping[str, int], workers: int) -> list[str]:
    """What speaks against the service, in words; `statuses` has `KIND STATUS`, `swaps` and `reloads`."""
    found = [f"{count} x {what} without an answer" for what, count in sorted(broken.items())]
    asked: Counter[str] = Counter()
    for said, count in sorted(statuses.items()):
        kind, _, status = said.rpartition(" ")
        if kind in EXPECTED:
            asked[kind] += count
            if int(status) not in EXPECTED[kind]:
                found.append(f"{count} x {kind} was answered {status}")
    for said, count in broken.items():
        asked[said.rpartition(" ")[0]] += count
    for kind, status in TAKEN.items():
        done, least = statuses.get(f"{kind} {status}", 0), ANSWERED if kind.startswith("predict") else 0.0
        if (asked[kind] and done < least * asked[kind]) or (asked[kind] >= FEW and not done):
            found.append(f"only {done} of {asked[kind]} x {kind} were answered {status}")
    wanted = statuses.get("swaps", 0) * workers
    if (reloads := statuses.get("reloads", 0)) < TAKEN_IN * wanted:
        found.append(f"only {reloads} models were taken in, of {wanted} (each worker at each swap)")
    return found


def figures(
    statuses: Mapping[str, int],
    broken: Mapping[str, int],
    memory: Sequence[tuple[float, float]],
    minutes: float,
    workers: int,
) -> dict[str, Any]:
    """All of it; `memory` is seconds and MiB."""
    settled = [(at, size) for at, size in memory if at > SETTLED * minutes * 60]
    line = linregress(*zip(*settled, strict=True))
    middle = float(np.median([size for _, size in settled]))
    growth, error = float(line.slope) * 3600 / middle, 1.96 * float(line.stderr) * 3600 / middle
    return {
        "minutes": minutes,
        "answered": dict(sorted(statuses.items())),
        "broken": dict(broken),
        "faults": faults(statuses, broken, workers),
        "memory_mib": middle,
        "growth_per_hour": [growth, growth - error, growth + error],
        "flat": growth < FLAT_PER_HOUR,
        "memory": list(memory),
    }
