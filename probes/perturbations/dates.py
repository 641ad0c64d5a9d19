"""Dates: a date in the international order, or in that of the language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import regex

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.notation import notation
from probes.types import Edit

_PATTERNS = {"y": "(?P<year>[0-9]{4})", "M": "(?P<month>[0-9]{1,2})", "d": "(?P<day>[0-9]{1,2})"}


@perturbation(unit="word", needs="an order of dates of its own")
def dates(text: str, language: Language) -> Iterator[Edit]:
    """A date of numbers is written as 2026-11-20 or as the language writes it; only one nobody reads as another."""
    parts = regex.findall(r"y+|M+|d+|[^yMd]+", notation(language).date)
    own = "".join(_PATTERNS.get(part[0]) or regex.escape(part) for part in parts)
    international = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    for found in regex.finditer(rf"(?<![\w./-])(?:{international}|{own})(?![\w/-]|\.[0-9])", text):
        try:
            day = date(int(found["year"]), int(found["month"]), int(found["day"]))
        except ValueError:
            continue
        if day.day > 12 or day.day == day.month or "." in parts[1]:
            values = {"y": day.year, "M": day.month, "d": day.day}
            local = "".join(f"{values[p[0]]:0{len(p)}d}" if p[0] in values else p for p in parts)
            for other in (day.isoformat(), local):
                yield Edit(found.start(), found.end(), other)
