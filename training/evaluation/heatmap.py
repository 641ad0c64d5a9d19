"""Generalized transfer as one SVG: language of the text down, of its pair across, the colder the more accurate."""

from __future__ import annotations

from html import escape

from training.evaluation.resampling import Estimate
from training.evaluation.summary import Table

_CELL, _MARGIN = 44, 64
_COOL, _HOT = (238, 243, 241), (232, 116, 59)
"""The colours of the probes' heat map."""


def heatmap(table: Table) -> str:
    """The table of language pairs as an SVG that needs nothing else; each square tells its interval and n."""
    langs = table.columns[1:]
    found = [cell.value for row in table.rows for cell in row if isinstance(cell, Estimate)]
    low, high = min(found), max(found)
    width, height = _MARGIN + _CELL * len(langs) + 10, _MARGIN + _CELL * len(langs) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui,sans-serif" font-size="12" role="img" aria-label="{escape(table.title)}">',
        f'<rect width="{width}" height="{height}" fill="#fcfcfa"/>',
        _text(_MARGIN + _CELL * len(langs) / 2, 18, "language of the pair"),
        _text(18, _MARGIN + _CELL * len(langs) / 2, "language of the text", turned=True),
    ]
    for place, lang in enumerate(langs):
        along = _MARGIN + _CELL * (place + 0.5)
        parts += [_text(along, _MARGIN - 8, lang), _text(_MARGIN - 14, along, lang)]
    for down, row in enumerate(table.rows):
        for across, cell in enumerate(row[1:]):
            parts.append(_square(down, across, f"{row[0]}-{langs[across]}", cell, low, high))
    said = f"accuracy in per cent: {100 * high:.1f} pale, {100 * low:.1f} orange; grey: not measured"
    parts += [_text(width / 2, height - 14, said), "</svg>"]
    return "\n".join(parts) + "\n"


def _square(down: int, across: int, name: str, cell: object, low: float, high: float) -> str:
    x, y = _MARGIN + _CELL * across, _MARGIN + _CELL * down
    colour, shown, title = "#d5d9de", "", f"{name}: not measured"
    if isinstance(cell, Estimate):
        heat = (high - cell.value) / (high - low) if high > low else 0.0
        colour = "#" + "".join(f"{round(a + heat * (b - a)):02x}" for a, b in zip(_COOL, _HOT, strict=True))
        shown = f"{100 * cell.value:.0f}"
        title = f"{name}: {100 * cell.value:.1f} % [{100 * cell.low:.1f}, {100 * cell.high:.1f}], n = {cell.n}"
    return (
        f"<g><title>{escape(title)}</title>"
        f'<rect x="{x}" y="{y}" width="{_CELL - 2}" height="{_CELL - 2}" rx="3" fill="{colour}"/>'
        f"{_text(x + _CELL / 2 - 1, y + _CELL / 2, shown)}</g>"
    )


def _text(x: float, y: float, said: str, *, turned: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:g} {y:g})"' if turned else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" dominant-baseline="middle" fill="#1d2126"{turn}>'
        f"{escape(said)}</text>"
    )
