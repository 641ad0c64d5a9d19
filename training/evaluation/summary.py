"""From judgements to tables: every figure with its interval and the n it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probes import languages as known
from training.evaluation.groups import groupings
from training.evaluation.outcomes import UNTRIED
from training.evaluation.resampling import Bootstrap, Estimate
from training.evaluation.runs import Runs
from training.evaluation.scoring import BINS, Scores, correlation

ENGLISH = "en"
Cell = str | int | Estimate | None
"""None: not measured."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a report; estimates are shares, shown in per cent, unless `percent` is false."""

    name: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    percent: bool = True


def tables(runs: Runs, *, seed: int = 0, draws: int = 1000) -> list[Table]:
    """Every table the judgements allow; `seed` is that of the bootstrap."""
    scores = Scores(runs, np.random.default_rng(seed), draws)
    probed = [part for part in runs.parts if ":" in part]
    accuracy = {part: scores.accuracy(part) for part in runs.parts}
    made = [_averages(accuracy), _clean(scores, accuracy["clean"]), _calibration(scores)]
    if "generalized" in accuracy:
        made += _generalized(runs, accuracy["generalized"])
    made += [_probed(scores, part, accuracy[part]) for part in probed]
    made += _radius(scores, accuracy["clean"])
    return [*made, _groups({part: accuracy[part] for part in ("clean", *probed)})]


def matrix_languages(names: Iterable[str]) -> list[str]:
    """The languages whose pairs the names are: those paired with themselves."""
    halves = {name: name[: len(name) // 2] for name in names}
    return sorted(half for name, half in halves.items() if name == f"{half}-{half}")


def _averages(accuracy: Mapping[str, Bootstrap]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for part, found in accuracy.items():
        worst, where = found.worst() or ("", None)
        others = [name for name in found.names if ENGLISH not in name.split("-")]
        gap: Cell = "" if part == "generalized" else found.gap(ENGLISH)
        rows.append((part, len(found.names), found.mean(), found.mean(others), worst, where, gap))
    return Table(
        "averages",
        "Accuracy by part",
        "Unweighted means over languages, of generalized over pairs. Worst: the lowest, with the simultaneous interval "
        "(Bonferroni) in which the lowest true accuracy lies. Transfer gap: English minus the mean of the others. "
        "Under a battery or an attack a text counts as right if it was right before and after.",
        ("part", "languages", "mean", "mean without English", "worst", "worst accuracy", "transfer gap"),
        tuple(rows),
    )


def _clean(scores: Scores, accuracy: Bootstrap) -> Table:
    return Table(
        "clean",
        "Clean texts",
        "Accuracy with Wilson intervals, macro-F1 over the labels of the gold with bootstrap intervals.",
        ("language", "accuracy", "macro-F1"),
        _by_language([accuracy, scores.macro_f1("clean")]),
    )


def _calibration(scores: Scores) -> Table:
    return Table(
        "calibration",
        "Calibration on clean texts",
        f"ECE: {BINS} bins of confidence, equally wide, weighted by size; it is biased upwards at small n, which its "
        "reflected bootstrap interval takes back. Brier: summed over labels, 0 to 2, percentile interval.",
        ("language", "ECE", "Brier"),
        _by_language([scores.calibration_error("clean"), scores.brier("clean")]),
        percent=False,
    )


def _generalized(runs: Runs, accuracy: Bootstrap) -> Iterator[Table]:
    dropped = runs.evaluations[0].provenance.get("generalized", {}).get("disagreeing", 0)
    langs = matrix_languages(accuracy.names)
    rows = tuple((lang, *(accuracy.of(f"{lang}-{other}") for other in langs)) for lang in langs)
    yield Table(
        "generalized",
        "Generalized cross-lingual transfer",
        "Accuracy by language of the text (rows) and of its pair (columns), aligned by id, with Wilson intervals. "
        f"Dropped because the two labels disagree: {dropped} pairs of the whole data.",
        ("text \\ pair", *langs),
        rows,
    )
    same = {f"{lang}-{lang}" for lang in langs}
    other = set(accuracy.names) - same
    yield Table(
        "generalized-averages",
        "Same language and two languages",
        "Means over pairs of one language (diagonal) and of two (off the diagonal); the cost is their difference.",
        ("diagonal", "off the diagonal", "cost of two languages"),
        ((accuracy.mean(same), accuracy.mean(other), accuracy.contrast(same, other)),),
    )


def _probed(scores: Scores, part: str, accuracy: Bootstrap) -> Table:
    attacked = part.startswith("attacked:")
    lost = "attack success" if attacked else "flips"
    counted = [_count(scores.runs, part, status) for status in UNTRIED]
    return Table(
        part.replace(":", "-"),
        part.replace(":", ": "),
        "Clean: accuracy on the same texts before. Accuracy: after, of all texts that could be tried. "
        f"{lost.capitalize()}: share of the texts right before that came out wrong; n is how many were right before. "
        "Texts that no edit applies to or that were not reached are counted on the right and in no rate.",
        ("language", "clean", "accuracy", lost, "not applicable", "out of budget"),
        _by_language([scores.clean_twins(part), accuracy, scores.flips(part)], *counted),
    )


def _count(runs: Runs, part: str, status: str) -> dict[str, int]:
    """Judgements of that status in the first run; which texts a probe can touch does not hang on the model."""
    return {lang: sum(one.status == status for one in runs.judged(part, lang)[0]) for lang in runs.languages(part)}


def _radius(scores: Scores, accuracy: Bootstrap) -> Iterator[Table]:
    found, censored = scores.radius(), scores.censored()
    if found is None or censored is None:
        return
    yield Table(
        "radius",
        "Empirical robust radius",
        "Largest norm of Gaussian noise on the word embeddings, relative to the mean norm of a text's embeddings, "
        "under which the prediction stays: median over texts, bootstrap interval. Censored: share that bears the "
        "whole grid; where it is above one half, the median is only a lower bound.",
        ("language", "median radius", "censored"),
        _by_language([found, censored]),
        percent=False,
    )
    yield Table(
        "radius-correlation",
        "Radius and accuracy",
        "Spearman's rank correlation over languages of median radius and clean accuracy; n is the number of languages. "
        "The interval is over texts and seeds and takes the languages as given.",
        ("Spearman's rho",),
        ((correlation(found, accuracy).of("rho"),),),
        percent=False,
    )


def _groups(accuracy: Mapping[str, Bootstrap]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    langs = accuracy["clean"].names
    for grouping in groupings():
        for group, members in grouping.of(langs).items():
            means = (found.mean(members) for found in accuracy.values())
            rows.append((grouping.name, group, " ".join(members), *means))
    sources = "; ".join(f"{grouping.name}: {grouping.source}" for grouping in groupings())
    return Table(
        "groups",
        "Groups of languages",
        f"Mean accuracy over the languages of a group that a part has. {sources}.",
        ("grouping", "group", "languages", *accuracy),
        tuple(rows),
    )


def _by_language(found: Sequence[Bootstrap], *counts: Mapping[str, int]) -> tuple[tuple[Cell, ...], ...]:
    """A line for every language, and the means with and without English."""
    names = found[0].names
    lines: list[tuple[Cell, ...]] = [
        (_called(lang), *(one.of(lang) for one in found), *(count[lang] for count in counts)) for lang in names
    ]
    others = tuple(lang for lang in names if lang != ENGLISH)
    for name, langs in (("mean", names), ("mean without English", others)):
        sums = (sum(count[lang] for lang in langs) for count in counts)
        lines.append((name, *(one.mean(langs) for one in found), *sums))
    return tuple(lines)


def _called(lang: str) -> str:
    name = known.get(lang).name
    return lang if name == lang else f"{lang} {name}"
