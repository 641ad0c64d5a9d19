"""Peers asked in turn, round by round, and what their answers are measured by."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.peers.asking import Peer, PeerError
from probes.statistics.intervals import wilson

Turn = tuple[str, str, dict[str, Any]]
"""Who is asked: a name for the tables, the peer, and what its request says beside what all are asked."""
Answers = list[dict[str, dict[str, Any]]]
"""What was answered, round by round, by the name for the tables."""


def rounds(
    peers: Mapping[str, Peer], turns: Sequence[Turn], requests: Sequence[Mapping[str, Any]], failed: dict[str, str]
) -> Answers:
    """Each request to each in turn, who begins changing from round to round; a peer that fails is out from then on."""
    answers: Answers = []
    for number, request in enumerate(requests):
        first = number % max(1, len(turns))
        answers.append({})
        for name, peer, more in (*turns[first:], *turns[:first]):
            if peer not in failed:
                print(f"{request['do']}, round {number + 1} of {len(requests)}: {name}", file=sys.stderr)
                try:
                    answers[-1][name] = peers[peer].ask(request | more)
                except PeerError as error:
                    failed[peer] = str(error)
    out = {name for name, peer, _ in turns if peer in failed}
    return [{name: found for name, found in answer.items() if name not in out} for answer in answers]


def ratio(
    answers: Answers, name: str, against: str, cost: Callable[[Mapping[str, Any]], float]
) -> dict[str, float] | None:
    """How many times as fast as another in the same round: median, lowest and highest of the rounds."""
    if any(against not in answer for answer in answers):
        return None
    found = sorted(cost(answer[against]) / cost(answer[name]) for answer in answers)
    return {"ratio": median(found), "low": found[0], "high": found[-1]}


def share(hits: Sequence[bool]) -> dict[str, float]:
    """A share with its count and 95 % Wilson interval; of nothing, 0 of 0."""
    if not hits:
        return {"share": 0.0, "n": 0, "low": 0.0, "high": 1.0}
    low, high = wilson(sum(hits), len(hits))
    return {"share": sum(hits) / len(hits), "n": len(hits), "low": low, "high": high}
