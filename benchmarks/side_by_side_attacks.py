"""Attacks side by side: every attack at every distance on the same texts, in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.peers.asking import ATTACKS, Peer
from benchmarks.side_by_side_turns import Answers, Turn, ratio, rounds, share
from probes.dose import distance
from probes.text import graphemes
from probes.types import Example

AGAINST = "textattack DeepWordBugGao2018 200"
DISTANCES = (2, 4, 8, 30)
"""Graphemes an attack may change (Levenshtein); 30 is what the recipe of DeepWordBug allows, in code points."""
AIM = 10
"""Times as many attacks a second as the peer, at no less success."""


def measure(
    examples: Sequence[Example], number: int, size: int, peers: Mapping[str, Peer], failed: dict[str, str]
) -> dict[str, Any]:
    """By distance, what each attack did in so many rounds of so many texts, after one round to warm up."""
    if len(examples) < (number + 1) * size:
        raise ValueError(f"{(number + 1) * size} texts are needed, there are {len(examples)}")
    slices = [examples[i * size : (i + 1) * size] for i in range(number + 1)]
    turns: list[Turn] = [
        (f"{peer} {attack} {budget}", peer, {"attack": attack, "budget": budget})
        for peer in ATTACKS
        if peer in peers
        for attack, budget in ATTACKS[peer]
    ]
    found = {}
    for most in DISTANCES:
        answers = rounds(peers, turns, [_request(some, most) for some in slices], failed)[1:]
        found[str(most)] = _rows(answers, [e.item.text for some in slices[1:] for e in some], most)
    return found


def aims(found: Mapping[str, Any]) -> list[str]:
    """For each distance, which of our attacks are AIM times as fast as the peer at no less success."""
    lines = []
    for most, rows in found.items():
        peer = rows.get(AGAINST)
        met = [
            name
            for name, row in rows.items()
            if peer and name != AGAINST and row["speed"]["ratio"] >= AIM
            if row["success"]["share"] >= peer["success"]["share"]
        ]
        lines.append(f"{AIM} times as fast at no less success, within {most}: {', '.join(met) or 'none'}")
    return lines


def _request(examples: Sequence[Example], most: int) -> dict[str, Any]:
    """The same texts at every distance: no tool keeps its answers from one request to the next."""
    texts = [[e.item.text, e.lang, e.label] for e in examples]
    return {"do": "attack", "texts": texts, "distance": most}


def _rows(answers: Answers, befores: Sequence[str], most: int) -> dict[str, Any]:
    """Speed, with the model's own time and without, success, and the graphemes a flip has changed."""
    found = {}
    for name in answers[0] if answers else ():
        mine = [answer[name] for answer in answers]
        rows = [row for answer in mine for row in answer["rows"]]
        steps = [
            _distance(before, row) for before, row in zip(befores, rows, strict=True) if row[0] in ("fooled", "held")
        ]
        queries, seconds = sum(answer["queries"] for answer in mine), sum(answer["seconds"] for answer in mine)
        victim = sum(answer["victim_seconds"] for answer in mine)
        found[name] = {
            "attacks": len(steps),
            "wrong": sum(row[0] == "wrong" for row in rows),
            "out": sum(row[0] == "out" for row in rows),
            "attacks_per_second": len(steps) / seconds,
            "speed": ratio(answers, name, AGAINST, lambda answer: answer["seconds"]),
            "own_speed": ratio(answers, name, AGAINST, lambda answer: answer["seconds"] - answer["victim_seconds"]),
            "queries_per_attack": queries / max(1, len(steps)),
            "milliseconds_per_attack": {
                "model": 1000 * victim / max(1, len(steps)),
                "tool": 1000 * (seconds - victim) / max(1, len(steps)),
            },
            "success": share([step is not None and step <= most for step in steps]),
            "changed": median([step for step in steps if step is not None] or [0]),
        }
    return found


def _distance(before: str, row: Sequence[Any]) -> int | None:
    """Graphemes between a text and what fooled the model; None where nothing did."""
    return None if row[1] is None or row[0] != "fooled" else distance(_parts(before), _parts(row[1]))


def _parts(text: str) -> list[str]:
    return [text[start:end] for start, end in graphemes(text)]
