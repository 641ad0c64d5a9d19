"""The tables of `make bench-probes`: what was measured, in words a reader need not look up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from benchmarks.side_by_side import BUDGET, DISTANCE, OURS, STRENGTH, WITHIN


def tables(found: Mapping[str, Any]) -> Iterator[Table | str]:
    """One table a task, then what each peer is and which are missing, by name."""
    yield _attacks(found["attacks"])
    yield _noise(found["noise"])
    yield _still(found["still"])
    for name, about in found["peers"].items():
        yield f"{name} {about['version']}: {about['note']}"
    for name, why in found["failed"].items():
        yield f"{name} is missing: {why}"


def _attacks(rows: Mapping[str, Any]) -> Table:
    title = (
        f"Attacks: {BUDGET} queries, {DISTANCE} characters, in every language; n = attacked texts the model had right"
    )
    success = [f"success ≤ {most}" for most in WITHIN]
    table = Table("tool", "n", "attacks/s", f"against {OURS}", "without the model", "queries", "ms/query", *success)
    table.title = title
    for name, row in rows.items():
        cost = row["milliseconds_per_query"]
        table.add_row(
            name,
            str(row["attacks"]),
            f"{row['attacks_per_second']:.2f}",
            _ratio(row["speed"]),
            _ratio(row["own_speed"]),
            f"{row['queries_per_attack']:.0f}",
            f"{cost['model']:.1f} + {cost['tool']:.1f}",
            *(f"{row['success'][str(most)]['share']:.2f}" for most in WITHIN),
        )
    return table


def _noise(rows: Mapping[str, Any]) -> Table:
    table = Table("tool", "texts/s", f"against {OURS}", "touched", "languages", "torn", "scripts mixed", "signs put in")
    table.title = f"Noise at strength {STRENGTH}: languages = half the texts touched; then shares of the outputs"
    for name, row in rows.items():
        harm = [f"{row[kind]['share']:.3f}" for kind in ("torn", "mixed", "signs")]
        covered = f"{row['languages_covered']} of {len(row['languages'])}"
        table.add_row(
            name,
            f"{row['texts_per_second']:.0f}",
            _ratio(row["speed"]),
            f"{row['touched']['share']:.2f}",
            covered,
            *harm,
        )
    return table


def _still(rows: Mapping[str, Any]) -> Table:
    table = Table("tool", "intact", "n", "refused", "changed in", title="Texts byte for byte the same at strength zero")
    for name, row in rows.items():
        changed = row["changed_in"]
        said = " ".join(changed) if len(changed) <= 12 else f"{len(changed)} languages"
        table.add_row(
            name, f"{row['intact']['share']:.2f}", str(row["intact"]["n"]), str(row["refused"]), said or "none"
        )
    return table


def _ratio(found: Mapping[str, float] | None) -> str:
    return "not measured" if found is None else f"{found['ratio']:.2f} ({found['low']:.2f} to {found['high']:.2f})"
