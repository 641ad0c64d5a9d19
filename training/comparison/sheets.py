"""The tables of a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

from training.comparison.cost import Cost, spoken
from training.comparison.findings import Finding, Findings
from training.comparison.results import FOREIGN, MEAN, ROBUST, Gap, Own
from training.comparison.tuning import CRITERION
from training.evaluation.resampling import Estimate
from training.evaluation.summary import ENGLISH, Cell, Table

_GAPS = ("part", "language", "arm %", "control %", "difference", "p", "p (Holm)")


def sheets(found: Findings) -> Iterator[Table]:
    """Every table there is something for, the most telling first."""
    present = {one.arm.name: one.own for one in found.arms if one.own}
    if found.compared:
        yield _means(found)
    if present:
        yield _averages(present, {one.arm.name: len(one.seeds) for one in found.arms})
        yield from _by_language(present)
    for one in found.arms:
        if one.against:
            yield _differences(one, one.against.languages, found.draws)
    if present:
        yield _margins(present)
        yield _costs(found.arms)
    if any(one.arm.trials for one in found.arms):
        yield _trials(found.arms)


def _means(found: Findings) -> Table:
    rows = [
        (one.arm.name, one.arm.control, *_gap(gap))
        for one in found.arms
        if one.against
        for gap in (*filter(None, [one.against.robust]), *one.against.means)
    ]
    parts = next(iter(found.compared.values())).parts
    return Table(
        "means",
        "Against plain of as many updates",
        "Arm minus control, paired by training seed and text, both resampled (percentile intervals). Means are over "
        "languages. Holm: over the means of one arm. "
        + (f"{ROBUST}: each arm in its own worst language by the mean of {', '.join(parts)}; Holm over the arms. "
           if parts else "")
        + "generalized: pairs of two languages. n counts judgements of one seed.",
        ("arm", "control", *_GAPS),
        tuple(rows),
    )  # fmt: skip


def _differences(one: Finding, gaps: Sequence[Gap], draws: int) -> Table:
    return Table(
        f"differences-{one.arm.name}",
        f"{one.arm.name} against {one.arm.control}, language by language",
        f"As above. Holm: over the {len(gaps)} languages and parts of this table; of {draws:,} resamples no adjusted p "
        f"can be below {min(1.0, 2 * len(gaps) / (draws + 1)):.2g}. generalized: by language of the text.",
        _GAPS,
        tuple(_gap(gap) for gap in gaps),
    )


def _gap(gap: Gap) -> tuple[Cell, ...]:
    one = gap.difference
    estimate = Estimate(one.value, one.low, one.high, one.n_items)
    shares = (f"{100 * gap.ours:.1f}", f"{100 * gap.theirs:.1f}")
    return (gap.part, gap.lang, *shares, estimate, f"{one.p:.2g}", f"{gap.adjusted:.2g}")


def _averages(arms: Mapping[str, Own], seeds: Mapping[str, int]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for part in _parts(arms):
        for name, own in arms.items():
            found = own.accuracy[part]
            worst, where = found.worst() or ("", None)
            foreign = found.mean(set(found.names) - {ENGLISH})
            rows.append((part, name, seeds[name], found.mean(), foreign, worst, where))
    return Table(
        "averages",
        "Every arm by itself",
        "Means over languages, with and without English, resampling seeds and texts. Worst language: simultaneous "
        "interval (Bonferroni over languages). Under noise and attack a text counts as right if it was right before "
        "and after. The folder arms/ has every arm's whole evaluation.",
        ("part", "arm", "seeds", MEAN, FOREIGN, "worst", "worst accuracy"),
        tuple(rows),
    )


def _parts(arms: Mapping[str, Own]) -> list[str]:
    return list(next(iter(arms.values())).accuracy)


def _by_language(arms: Mapping[str, Own]) -> Iterator[Table]:
    """For each part a line a language, a column an arm."""
    for part in _parts(arms):
        found = {name: own.accuracy[part] for name, own in arms.items()}
        yield Table(
            part.replace(":", "-"),
            f"Accuracy by language: {part}",
            "Intervals are of the arm alone: differences, which are paired, are sharper."
            + " Language of the text, over pairs with another language." * (part == "generalized"),
            ("language", *arms),
            tuple((lang, *(one.of(lang) for one in found.values())) for lang in next(iter(found.values())).names),
        )


def _margins(arms: Mapping[str, Own]) -> Table:
    rows = [(name, own.radius, own.calibration_error, own.brier) for name, own in arms.items()]
    return Table(
        "margins",
        "Robust radius and calibration",
        "Means over languages of the median empirical robust radius (relative norm of Gaussian noise on the word "
        "embeddings), of ECE, and of Brier (0 to 2) on clean texts.",
        ("arm", "radius", "ECE", "Brier"),
        tuple(rows),
        percent=False,
    )


def _costs(arms: Sequence[Finding]) -> Table:
    base = _typical(arms[0].costs)
    rows: list[tuple[Cell, ...]] = []
    for one in arms:
        each, updates = _typical(one.costs), sum(one.arm.updates)
        timed = f"{each:.3g} s" if each else None
        ratios: tuple[Cell, ...] = (None, None)
        if each and base:
            ratios = (f"{each / base:.2f}", f"{each * updates / (base * sum(arms[0].arm.updates)):.2f}")
        total = spoken(each * updates) if each else None
        rows.append((one.arm.name, updates, len(one.costs), timed, ratios[0], total, ratios[1]))
    return Table(
        "costs",
        "What training costs",
        "Cells ran one after another on one machine; medians over seeds. Seconds of an update include the data "
        "drawn since the one before, so not those of a stage's first epoch, and neither dev evaluations nor "
        "checkpoints; the total is that of all updates. Ratios are to the baseline.",
        ("arm", "updates", "seeds", "an update", "ratio", "in all", "ratio in all"),
        tuple(rows),
        percent=False,
    )


def _typical(costs: Iterable[Cost]) -> float | None:
    timed = [each for cost in costs if (each := cost.per_update)]
    return median(timed) if timed else None


def _trials(arms: Iterable[Finding]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in arms:
        for number, (what, trial) in enumerate(zip(one.arm.candidates, one.arm.trials, strict=True), 1):
            shares = (f"{100 * trial.score:.2f}", f"{100 * trial.clean:.1f}", trial.n,
                      f"{100 * trial.noisy:.1f}", trial.noisy_n)  # fmt: skip
            rows.append((one.arm.name, number, what, *shares, "taken" if number == one.arm.number else ""))
    return Table(
        "candidates",
        "Candidates, chosen on English dev",
        f"Under the first seed, by {CRITERION}.",
        ("arm", "candidate", "what", "criterion", "clean", "n", "noisy", "n noisy", "taken"),
        tuple(rows),
    )
