"""Rates watched while answers come in: a confidence sequence, and the cells that need no more texts."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaln, xlog1py, xlogy

from probes.report import Outcome
from probes.statistics.significance import Numbers

Cell = tuple[str, str]
"""Language and step."""

# The bet is spread over all rates as Jeffreys' prior does it, which favours rates near 0 and 1.
_SPREAD = 0.5


def anytime_p(total: float | Numbers, n: float | Numbers, rate: float) -> Numbers:
    """The p of the hypothesis that the rate is this, valid however often one looks and whenever one stops.

    total is the sum of n values between 0 and 1. One over the wealth of a gambler who bets against the rate, his stakes
    spread over all others: the beta-binomial mixture (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021, doi
    10.1214/20-AOS1991; for values between 0 and 1 Waudby-Smith and Ramdas 2023, doi 10.1093/jrsssb/qkad009).
    """
    return np.asarray(np.exp(-np.maximum(0.0, _log_wealth(total, n, rate))))


def confidence_sequence(total: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The rates anytime_p does not reject: with this chance the true one is among them at every n. n = 0: (0, 1)."""
    if n == 0:
        return 0.0, 1.0
    limit, rate = -np.log(1 - confidence), total / n

    def excess(candidate: float) -> float:
        return float(_log_wealth(total, n, candidate) - limit)

    edge = 1e-12  # below it no rate is told from 0
    low = 0.0 if rate <= edge or excess(edge) <= 0 else brentq(excess, edge, rate)
    high = 1.0 if rate >= 1 - edge or excess(1 - edge) <= 0 else brentq(excess, max(edge, rate), 1 - edge)
    return float(low), float(high)


def turn(seed: int, example: str, lang: str) -> str:
    """What the texts of a run are sorted by so that they come in random order, whatever else there is."""
    return hashlib.sha256(json.dumps([seed, example, lang]).encode()).hexdigest()


class Sequential:
    """Tells the cells whose flip rate is known to lie above, or below, what is tolerated; each is asked no further.

    The error of all cells together is at most 1 - confidence, whenever each is stopped. Needs texts in an order that
    has nothing to do with their answers, as `probes.run` asks them.
    """

    def __init__(self, cells: Iterable[Cell], *, tolerated: float, confidence: float = 0.95) -> None:
        if not 0 < tolerated < 1:
            raise ValueError(f"the tolerated flip rate is a share between 0 and 1, not {tolerated}")
        self._cells = frozenset(cells)
        self._tolerated, self._confidence = tolerated, confidence
        self._sums: dict[Cell, tuple[float, int]] = {}
        self._decided: set[Cell] = set()

    def update(self, outcomes: Iterable[Outcome]) -> None:
        """Take in outcomes; all draws of a text in a cell come in one call. What could not flip counts nothing."""
        texts: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
        for outcome in outcomes:
            if outcome.status in ("held", "fooled"):
                texts[outcome.lang, outcome.step, outcome.example].append(outcome.status == "fooled")
        for (lang, step, _), flips in texts.items():
            total, n = self._sums.get((lang, step), (0.0, 0))
            self._sums[lang, step] = total + sum(flips) / len(flips), n + 1
        level = (1 - self._confidence) / max(1, len(self._cells))
        for cell in {(lang, step) for lang, step, _ in texts}:
            if anytime_p(*self._sums[cell], self._tolerated) <= level:
                self._decided.add(cell)

    def decided(self, lang: str, step: str) -> bool:
        """Whether the cell needs no more texts."""
        return (lang, step) in self._decided

    @property
    def provenance(self) -> dict[str, Any]:
        """What a report says of the rule ("stopping"): its verdicts then rest on confidence sequences."""
        return {"tolerated": self._tolerated, "confidence": self._confidence}


def _log_wealth(total: float | Numbers, n: float | Numbers, rate: float) -> Numbers:
    """Logarithm of the mixture's likelihood over that of the rate."""
    mixture = betaln(total + _SPREAD, n - total + _SPREAD) - betaln(_SPREAD, _SPREAD)
    return np.asarray(mixture - xlogy(total, rate) - xlog1py(n - total, -rate))
