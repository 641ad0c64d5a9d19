"""What defences gain and cost as a person reads it: rows of a table, and Markdown."""

from __future__ import annotations

from probes.fix import Fix
from probes.render.grid import language_name
from probes.render.rows import markdown_table
from probes.statistics.comparison import Contrast

LEGEND = (
    "gain: points of the share of texts right before and after, under the battery, with the defence minus without; "
    "the mean over languages, and by language with a 95 % interval (bootstrap over texts, in pairs). clean: the same "
    "of clean accuracy. costliest: points of clean accuracy in the language that loses most. front: no other defence "
    "gains more and costs less."
)


def rows(found: Fix) -> list[dict[str, str]]:
    """A row for each chain of defences, the one that gains most first."""
    return [
        {
            "defence": trial.name,
            "gain": f"{100 * trial.gain:+.1f}",
            "costliest": f"{0 - 100 * trial.loss:+.1f} {max(trial.clean, key=_lost).lang}",
            "front": "yes" if trial.front else "",
            "choice": "yes" if trial == found.chosen else "",
        }
        for trial in sorted(found.trials, key=lambda trial: (-trial.gain, trial.loss, trial.name))
    ]


def language_rows(found: Fix) -> list[dict[str, str]]:
    """A row for each language and each chain on the front."""
    return [
        {
            "language": f"{attacked.lang} {language_name(attacked.lang)}",
            "defence": trial.name,
            "without": f"{100 * attacked.first:.1f}",
            "with": f"{100 * attacked.second:.1f}",
            "gain": _difference(attacked),
            "clean": _difference(clean[attacked.lang]) if attacked.lang in clean else "–",
            "n": str(attacked.texts),
        }
        for trial in found.trials
        if trial.front
        for clean in [{row.lang: row for row in trial.clean}]
        for attacked in trial.attacked
    ]


def markdown(found: Fix) -> str:
    """Both tables, the choice and what they say."""
    lines = ["# Defences", "", choice(found), "", LEGEND, "", *markdown_table(rows(found)), "", "## By language", ""]
    return "\n".join([*lines, *markdown_table(language_rows(found)), ""])


def choice(found: Fix) -> str:
    """One line: which to take."""
    most = f"at most {100 * found.max_loss:g} points of clean accuracy in any language"
    if found.chosen is None:
        return f"No defence gains anything and costs {most}."
    smallest = min(found.chosen.clean, key=lambda row: row.texts)
    grain = f"one text of {smallest.lang} is {100 / smallest.texts:.1f} points"
    return f"Of those that cost {most}, {found.chosen.name} gains most ({grain}: fewer texts see less of the cost)."


def _difference(row: Contrast) -> str:
    value = f"{100 * (row.second - row.first):+.1f}"
    return (
        value
        if row.difference is None
        else f"{value} [{100 * row.difference.low:+.1f}, {100 * row.difference.high:+.1f}]"
    )


def _lost(row: Contrast) -> float:
    return row.first - row.second
