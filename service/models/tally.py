"""What was counted of a model and its candidate, by language, and the verdict that may be drawn from it at any time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from probes.statistics.sequential import confidence_sequence

CONFIDENCE = 0.95
"""Of all verdicts of a report together, whenever it is looked at."""
Tally = dict[str, dict[str, float]]
"""By language: n, sum and squares of margin changes, and by `["from", "to"]` how many went from label to label."""
_FLOWS = 20


def merged(tallies: Iterable[Mapping[str, Mapping[str, float]]]) -> Tally:
    """The sum of what several workers counted."""
    total: Tally = {}
    for tally in tallies:
        for lang, cell in tally.items():
            mine = total.setdefault(lang, {})
            for name, value in cell.items():
                mine[name] = mine.get(name, 0.0) + value
    return total


def report(tally: Tally, tolerated: float, cells: int) -> dict[str, Any]:
    """Rows by language and for all; `cells` of them may be judged, and share the chance of error."""
    confidence = 1 - (1 - CONFIDENCE) / cells
    overall = merged({"all": cell} for cell in tally.values()).get("all", {})
    return {
        "tolerated": tolerated,
        "confidence": CONFIDENCE,
        "overall": _row("all", overall, tolerated, confidence),
        "languages": [_row(lang, cell, tolerated, confidence) for lang, cell in sorted(tally.items())],
    }


def _row(lang: str, cell: Mapping[str, float], tolerated: float, confidence: float) -> dict[str, Any]:
    n = int(cell.get("n", 0))
    flows = {name: int(value) for name, value in cell.items() if name.startswith("[")}
    apart = sum(flows.values())
    low, high = confidence_sequence(apart, n, confidence)
    mean = cell["margin"] / n if n else None
    spread = (
        1.96 * math.sqrt(max(0.0, cell["squares"] / n - mean * mean) / (n - 1)) if n > 1 and mean is not None else None
    )
    verdict = "different" if low > tolerated else "same" if high < tolerated else "open"
    return {
        "lang": lang,
        "n": n,
        "disagreements": apart,
        "rate": apart / n if n else None,
        "low": low,
        "high": high,
        "verdict": verdict,
        "margin_change": mean,
        "margin_low": mean - spread if mean is not None and spread is not None else None,
        "margin_high": mean + spread if mean is not None and spread is not None else None,
        "flow": [_flow(name, count) for name, count in sorted(flows.items(), key=lambda one: -one[1])[:_FLOWS]],
    }


def _flow(name: str, count: int) -> dict[str, Any]:
    before, after = json.loads(name)
    return {"from": before, "to": after, "n": count}
