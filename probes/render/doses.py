"""Measured doses as Markdown: which perturbation gives the nominal dose in which language, and which does not."""

from __future__ import annotations

from collections.abc import Sequence

from probes.doses import Dosage, by_perturbation, scripts
from probes.render.grid import language_name, percent

# What the table is judged by: so many languages over so many scripts.
LANGUAGES, SCRIPTS = 40, 10


def doses(found: Sequence[Dosage], least: float) -> str:
    """A headline, one line per perturbation, and realised doses by language; under the least coverage there is none."""
    if not found:
        return "No perturbation applies to any language of the texts.\n"
    columns = by_perturbation(found)
    return (
        "\n".join([_headline(columns, least), "", *_summary(columns, least), "", *_matrix(found, columns, least)])
        + "\n"
    )


def _headline(columns: dict[str, list[Dosage]], least: float) -> str:
    broad = 0
    for cells in columns.values():
        near = _near(cells, least)
        broad += len(near) >= LANGUAGES and len(scripts(near)) >= SCRIPTS
    every = [one for cells in columns.values() for one in cells]
    langs, nominal = {one.lang for one in every}, percent(every[0].nominal)
    return (
        f"At a nominal dose of {nominal}, {broad} of {len(columns)} perturbations are within 10 % of it "
        f"in at least {LANGUAGES} languages over at least {SCRIPTS} scripts; {len(langs)} languages over "
        f"{len(scripts(every))} scripts were looked at. Below a coverage of {percent(least)} a cell is not measured."
    )


def _summary(columns: dict[str, list[Dosage]], least: float) -> list[str]:
    lines = ["| perturbation | within 10 % | scripts | outside | not measured |", "| --- | --- | --- | --- | --- |"]
    for name, cells in columns.items():
        near, measured = _near(cells, least), [one for one in cells if one.coverage >= least]
        off = [f"{one.lang} {_number(one)}" for one in measured if not one.near]
        missing = [one.lang for one in cells if one.coverage < least]
        share = f"{len(near)} of {len(cells)}"
        lines.append(f"| `{name}` | {share} | {len(scripts(near))} | {', '.join(off)} | {', '.join(missing)} |")
    return lines


def _matrix(found: Sequence[Dosage], columns: dict[str, list[Dosage]], least: float) -> list[str]:
    cells = {(one.lang, one.perturbation): one for one in found}
    lines = [f"| language | {' | '.join(columns)} |", "| --- |" + " --- |" * len(columns)]
    for lang in dict.fromkeys(one.lang for one in found):
        row = [_cell(cells.get((lang, name)), least) for name in columns]
        lines.append(f"| {lang} {language_name(lang)} | {' | '.join(row)} |")
    return lines


def _near(cells: Sequence[Dosage], least: float) -> list[Dosage]:
    return [one for one in cells if one.near and one.coverage >= least]


def _cell(one: Dosage | None, least: float) -> str:
    if one is None:
        return ""
    if one.coverage < least:
        return "–"
    return _number(one) if one.near else f"({_number(one)})"


def _number(one: Dosage) -> str:
    return f"{100 * (one.realised or 0):.1f}"
