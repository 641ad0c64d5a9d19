"""Certified accuracy as a person reads it: rows of a table, Markdown, and one SVG with a panel for each language."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from probes.certificates.certified import Certified, Curve
from probes.render.grid import language_name, percent
from probes.statistics.intervals import Share

LEGEND = (
    "plain: the classifier itself is right on the text as it is. abstains: the votes do not settle on a label. "
    "as empty: the smoothed label is that of an empty text, so it may owe nothing to this one. "
    "Under each number of edits: share of the n texts whose smoothed label is right and provably stays under any so "
    "many insertions, deletions and substitutions of units, [95 % Wilson interval]. "
    "units: median length. Worst languages first."
)

_COLUMNS, _WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 4, 190, 110, 44, 84, 66
_LINE, _BAND, _PLAIN, _INK, _SOFT = "#0b7a6b", "#bfe0da", "#c8501e", "#1d2126", "#d5d9de"


def summary(found: Certified) -> str:
    """One line: what was deleted, how many votes, how sure, and what that can certify at most."""
    how, counts, source = found.how, found.provenance["counts"], found.provenance["label_source"]
    labels = "gold labels" if not source["model"] else "the plain predictions as labels where there are no gold ones"
    line = (
        f"Each {how.unit} deleted with probability {how.probability:g}; label from {how.selection} copies, bound from "
        f"{how.draws} others, each certificate wrong with probability {how.alpha:g} at most; "
        f"{counts['certified']} texts, {counts['queries']} model queries, {labels}; no radius above {how.ceiling} is "
        "possible"
    )
    return f"{line}; cut short by the deadline" if found.unreached else line


def rows(found: Certified) -> list[dict[str, str]]:
    """A row for each language, a column for each radius."""
    return [
        {
            "language": f"{curve.lang} {language_name(curve.lang)}",
            "n": f"{curve.n}" + (f" ({curve.unreached} not reached)" if curve.unreached else ""),
            "units": "–" if curve.units is None else f"{curve.units:g}",
            "plain": _said(curve.plain),
            "abstains": _said(curve.abstained),
            "as empty": _said(curve.empty),
            **{_edits(radius): _said(one) for radius, one in curve.radii.items()},
        }
        for curve in found.curves()
    ]


def markdown(found: Certified) -> str:
    """The table with what it says."""
    table = rows(found)
    head = list(table[0]) if table else []
    lines = [head, ["---"] * len(head), *(list(row.values()) for row in table)]
    return "\n".join(
        ["# Certified accuracy", "", f"{summary(found)}.", "", LEGEND, "", *(f"| {' | '.join(x)} |" for x in lines), ""]
    )


def svg(found: Certified) -> str:
    """A panel for each language: what is right and certified at each number of edits, with its interval."""
    curves = found.curves()
    lines = -(-len(curves) // _COLUMNS)
    width, height = _LEFT + _COLUMNS * (_WIDTH + 30), _TOP + lines * (_HEIGHT + _GAP)
    title = f"Certified accuracy by number of edited {found.how.unit}s"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui,sans-serif" font-size="11" fill="{_INK}" role="img" aria-label="{escape(title)}">',
        f'<rect width="{width}" height="{height}" fill="#fcfcfa"/>',
        f'<text x="12" y="24" font-size="14" font-weight="600">{escape(title)}</text>',
        f'<text x="12" y="42">green: right and certified, with its 95 % interval; orange: right without deletion; '
        f"{found.how.unit}s deleted with probability {found.how.probability:g}, alpha {found.how.alpha:g}, "
        f"{found.how.draws} votes</text>",
    ]
    for place, curve in enumerate(curves):
        x, y = _LEFT + place % _COLUMNS * (_WIDTH + 30), _TOP + place // _COLUMNS * (_HEIGHT + _GAP)
        parts.append(_panel(curve, x, y, max(1, found.how.ceiling)))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(curve: Curve, x: int, y: int, most: int) -> str:
    def at(radius: float, value: float) -> str:
        return f"{x + _WIDTH * radius / (most + 1):.1f},{y + _HEIGHT * (1 - value):.1f}"

    name = f"{curve.lang} {language_name(curve.lang)}, n = {curve.n}"
    parts = [f'<g><title>{escape(_told(curve))}</title><text x="{x}" y="{y - 8}">{escape(name)}</text>']
    for value in (0.0, 0.5, 1.0):
        level = y + _HEIGHT * (1 - value)
        parts.append(f'<line x1="{x}" x2="{x + _WIDTH}" y1="{level:g}" y2="{level:g}" stroke="{_SOFT}"/>')
        if x == _LEFT:
            parts.append(f'<text x="{x - 6}" y="{level + 4:g}" text-anchor="end">{100 * value:.0f} %</text>')
    shown = {radius: one for radius, one in curve.radii.items() if one is not None}
    if shown and curve.plain is not None:
        low, line, high = ([at(*corner) for corner in _stairs(shown, name)] for name in ("low", "value", "high"))
        level = y + _HEIGHT * (1 - curve.plain.value)
        parts += [
            f'<polygon points="{" ".join([*low, *reversed(high)])}" fill="{_BAND}"/>',
            f'<line x1="{x}" x2="{x + _WIDTH}" y1="{level:g}" y2="{level:g}" stroke="{_PLAIN}" stroke-dasharray="3"/>',
            f'<polyline points="{" ".join(line)}" fill="none" stroke="{_LINE}" stroke-width="2"/>',
        ]
    ticks = sorted({0, *([most] if most > 1 else []), *(radius for radius in (1, most // 2) if radius < most)})
    parts += [
        f'<text x="{x + _WIDTH * (radius + 0.5) / (most + 1):.1f}" y="{y + _HEIGHT + 14}" text-anchor="middle">{radius}'
        "</text>"
        for radius in ticks
    ]
    return "\n".join([*parts, "</g>"])


def _stairs(shown: Mapping[int, Share], name: str) -> list[tuple[float, float]]:
    """Corners of the steps, a radius that is not reported standing as low as the next that is."""
    starts = [0, *(radius + 1 for radius in shown)]
    return [
        (place, getattr(one, name))
        for start, (radius, one) in zip(starts, shown.items(), strict=False)
        for place in (start, radius + 1)
    ]


def _told(curve: Curve) -> str:
    at = "; ".join(f"{_edits(radius)}: {_said(one)}" for radius, one in curve.radii.items())
    return f"{curve.lang}, {curve.n} texts, plain {_said(curve.plain)}, abstains {_said(curve.abstained)}; {at}"


def _edits(radius: int) -> str:
    return f"{radius} edit" if radius == 1 else f"{radius} edits"


def _said(one: Share | None) -> str:
    return "–" if one is None else f"{percent(one.value)} [{100 * one.low:.0f}–{100 * one.high:.0f}]"
