"""The tables of `make bench-probes`: what was measured, in words a reader need not look up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from benchmarks.side_by_side import OURS, STRENGTH
from benchmarks.side_by_side_attacks import aims


def tables(found: Mapping[str, Any]) -> Iterator[Table | str]:
    """One table a task, then what each peer is and which are missing, by name."""
    yield _attacks(found["attacks"])
    yield from aims(found["attacks"])
    yield _noise(found["noise"])
    yield _still(found["still"])
    for name, about in found["peers"].items():
        yield f"{name} {about['version']}: {about['note']}"
    for name, why in found["failed"].items():
        yield f"{name} is missing: {why}"


def _attacks(found: Mapping[str, Any]) -> Table:
    title = "Attacks in every language, each with the queries it may ask; n = attacked texts the model had right"
    costs = ("attacks/s", "times as fast", "without the model", "queries", "ms")
    table = Table("within", "attack", "n", "success", *costs, "changed")
    table.title = title
    for most, rows in found.items():
        for name, row in rows.items():
            cost, success = row["milliseconds_per_attack"], row["success"]
            table.add_row(
                most,
                name,
                str(row["attacks"]),
                f"{success['share']:.2f} ({success['low']:.2f} to {success['high']:.2f})",
                f"{row['attacks_per_second']:.1f}",
                _ratio(row["speed"]),
                _ratio(row["own_speed"]),
                f"{row['queries_per_attack']:.1f}",
                f"{cost['model']:.1f} + {cost['tool']:.1f}",
                f"{row['changed']:g}",
            )
        table.add_section()
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
