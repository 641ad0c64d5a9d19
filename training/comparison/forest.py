"""Differences with their intervals as one SVG: a line each, zero in the middle of it all."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from training.evaluation import Difference

_LINE, _LEFT, _PLOT, _RIGHT, _TOP = 22, 300, 380, 210, 46
_BETTER, _WORSE, _OPEN, _INK, _SOFT = "#0b7a6b", "#c8501e", "#6b7480", "#1d2126", "#d5d9de"


def forest(title: str, rows: Sequence[tuple[str, Difference]]) -> str:
    """One line a difference, in percentage points; teal above zero, orange below, grey where the interval has it."""
    reach = max((abs(end) for _, one in rows for end in (one.low, one.high)), default=0.0) * 1.05 or 0.01
    width, height = _LEFT + _PLOT + _RIGHT, _TOP + _LINE * len(rows) + 34
    middle = _LEFT + _PLOT / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui,sans-serif" font-size="12" fill="{_INK}" role="img" aria-label="{escape(title)}">',
        f'<rect width="{width}" height="{height}" fill="#fcfcfa"/>',
        f'<text x="12" y="24" font-size="14" font-weight="600">{escape(title)}</text>',
        f'<line x1="{middle:g}" x2="{middle:g}" y1="{_TOP - 8}" y2="{height - 28}" stroke="{_SOFT}"/>',
    ]
    for place, (name, one) in enumerate(rows):
        parts.append(_row(name, one, _TOP + _LINE * (place + 0.5), middle, _PLOT / 2 / reach))
    for share in (-1, 0, 1):
        parts.append(
            f'<text x="{middle + share * _PLOT / 2:g}" y="{height - 10}" text-anchor="middle">'
            f"{100 * share * reach:+.1f}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def points(one: Difference) -> str:
    """A difference in percentage points with its interval."""
    return f"{100 * one.value:+.1f} [{100 * one.low:+.1f}, {100 * one.high:+.1f}]"


def _row(name: str, one: Difference, y: float, middle: float, scale: float) -> str:
    colour = _BETTER if one.low > 0 else _WORSE if one.high < 0 else _OPEN
    low, value, high = (middle + scale * end for end in (one.low, one.value, one.high))
    said = f"{points(one)}, {one.n_items} texts, {one.n_seeds} seeds"
    return (
        f"<g><title>{escape(f'{name}: {said}')}</title>"
        f'<text x="{_LEFT - 10}" y="{y + 4:g}" text-anchor="end">{escape(name)}</text>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y:g}" y2="{y:g}" stroke="{colour}" stroke-width="2"/>'
        f'<circle cx="{value:.1f}" cy="{y:g}" r="4" fill="{colour}"/>'
        f'<text x="{_LEFT + _PLOT + 12}" y="{y + 4:g}">{escape(points(one))}</text></g>'
    )
