"""What live probing found, as JSON for GET /live and as Prometheus metrics; made from the counts when asked."""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from probes.statistics.intervals import wilson
from service.live.counts import BINS, Counted, read
from service.live.drift import Drift, Floats, mix, shift

log = logging.getLogger("babelproof.live")
_LEAST = 50
"""Texts of a language in each window before its confidence is compared."""


def live(counted: Counted) -> dict[str, Any]:
    """One model's report."""
    language, confidence = drifts(counted)
    return {
        "model": counted.name,
        "sha256": counted.sha256,
        "texts": counted.total,
        "flips": [
            {"lang": lang, "family": family, "n": n, "flips": flips, "rate": flips / n, "low": low, "high": high}
            for lang, family, n, flips, low, high in rates(counted)
        ],
        "language_drift": asdict(language) if language else None,
        "confidence_drift": {lang: asdict(one) for lang, one in confidence.items()},
    }


def rates(counted: Counted) -> Iterator[tuple[str, str, int, int, float, float]]:
    """Language, family, trials, flips and the 95 % interval of their rate."""
    for (lang, family), n in sorted(counted.tally.trials.items()):
        flips = counted.tally.flips[lang, family]
        yield lang, family, n, flips, *wilson(flips, n)


def drifts(counted: Counted) -> tuple[Drift | None, dict[str, Drift]]:
    """Of the mix of languages, and of the confidence in each language; nothing before the latest window is another."""
    if counted.first.total() + counted.latest.total() == 0 or not counted.latest:
        return None, {}
    firsts, latests = _histograms(counted.first), _histograms(counted.latest)
    language = mix(_sizes(firsts), _sizes(latests))
    both = sorted(lang for lang in firsts if lang in latests)
    found = {lang: shift(firsts[lang], latests[lang]) for lang in both}
    return language, {lang: d for lang, d in found.items() if d and min(d.first, d.latest) >= _LEAST}


class LiveMetrics(Collector):
    """Collects from the file of counts at every scrape, of the models that are served."""

    def __init__(self, path: Path, names: Collection[str]) -> None:
        self._path, self._names = path, names

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily | InfoMetricFamily]:
        try:
            found = read(self._path, self._names)
        except sqlite3.Error as error:
            log.warning("no live metrics: %s (%s)", self._path, type(error).__name__)
            return
        yield from _flips(found)
        yield from _drift(found)

    def describe(self) -> Iterable[CounterMetricFamily]:
        """Nothing is read when the collector is registered."""
        return []


def _flips(found: list[Counted]) -> Iterator[CounterMetricFamily | GaugeMetricFamily | InfoMetricFamily]:
    cell = ["model", "lang", "family"]
    info = InfoMetricFamily("babelproof_live_model", "The model that live probing counts for.", labels=["model"])
    texts = CounterMetricFamily("babelproof_live_texts", "Sampled texts.", labels=["model"])
    trials = CounterMetricFamily("babelproof_live_trials", "Changed copies of live texts.", labels=cell)
    flips = CounterMetricFamily("babelproof_live_flips", "Those that changed the label.", labels=cell)
    rate = GaugeMetricFamily("babelproof_live_flip_rate", "Flips by trials, since the model was loaded.", labels=cell)
    low = GaugeMetricFamily("babelproof_live_flip_rate_low", "Lower end of its 95 % interval.", labels=cell)
    high = GaugeMetricFamily("babelproof_live_flip_rate_high", "Upper end of its 95 % interval.", labels=cell)
    for counted in found:
        info.add_metric([counted.name], {"sha256": counted.sha256})
        texts.add_metric([counted.name], counted.total)
        for lang, family, n, k, lower, upper in rates(counted):
            at = [counted.name, lang, family]
            for metric, value in ((trials, n), (flips, k), (rate, k / n), (low, lower), (high, upper)):
                metric.add_metric(at, value)
    yield from (info, texts, trials, flips, rate, low, high)


def _drift(found: list[Counted]) -> Iterator[GaugeMetricFamily]:
    language = GaugeMetricFamily(
        "babelproof_live_language_drift", "Jensen-Shannon divergence (bits), latest texts to first.", labels=["model"]
    )
    language_p = GaugeMetricFamily("babelproof_live_language_drift_p", "Chance of it without drift.", labels=["model"])
    at = ["model", "lang"]
    confidence = GaugeMetricFamily(
        "babelproof_live_confidence_drift", "Kolmogorov-Smirnov distance of the best label's probability.", labels=at
    )
    confidence_p = GaugeMetricFamily("babelproof_live_confidence_drift_p", "Chance of it without drift.", labels=at)
    for counted in found:
        mixed, shifted = drifts(counted)
        if mixed:
            language.add_metric([counted.name], mixed.distance)
            language_p.add_metric([counted.name], mixed.p)
        for lang, one in shifted.items():
            confidence.add_metric([counted.name, lang], one.distance)
            confidence_p.add_metric([counted.name, lang], one.p)
    yield from (language, language_p, confidence, confidence_p)


def _histograms(window: Counter[tuple[str, int]]) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    for (lang, part), n in window.items():
        found.setdefault(lang, np.zeros(BINS))[part] += n
    return found


def _sizes(histograms: dict[str, Floats]) -> dict[str, int]:
    return {lang: int(histogram.sum()) for lang, histogram in histograms.items()}
