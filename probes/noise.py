"""Noise: a random choice among the edits of some perturbations, at a given strength."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from probes import perturbations as catalogue
from probes.languages import Language
from probes.text import borders, graphemes, splice, words
from probes.types import Edit

# start of an edit -> perturbation -> its edits there
Choices = dict[int, dict[str, list[Edit]]]


def sample(
    text: str, language: Language, perturbations: Sequence[str], strength: float, rng: np.random.Generator
) -> tuple[Edit, ...]:
    """Edits that do not overlap, so many that about a share `strength` of the text's graphemes (or words) is edited.

    Each place is as likely as any other, then each perturbation at the place, then each of its edits there. Where
    perturbations of graphemes and of words are mixed, each kind gets its part of the strength. The count is rounded
    up or down at random so that its expectation is exact. Raises ValueError for a strength outside 0 to 1.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is a share between 0 and 1, not {strength}")
    probes = [catalogue.get(name) for name in dict.fromkeys(perturbations)]
    if strength == 0 or not text or not probes:
        return ()
    canvas = _Canvas(text)
    for unit, size in (("grapheme", len(graphemes(text))), ("word", len(words(text, language)))):
        chosen = [probe for probe in probes if probe.unit == unit]
        share = strength * size * len(chosen) / len(probes)
        count = int(share) + int(rng.random() < share % 1)
        if count:
            _place(canvas, _choices(text, language, chosen), count, rng)
    return canvas.finished()


def perturb(
    text: str, language: Language, perturbations: Sequence[str], strength: float, rng: np.random.Generator
) -> str:
    """The text with sampled edits made; the very same text at strength zero."""
    return splice(text, sample(text, language, perturbations, strength, rng))


def _choices(text: str, language: Language, probes: Iterable[catalogue.Probe]) -> Choices:
    places: Choices = {}
    for probe in probes:
        for edit in probe(text, language):
            places.setdefault(edit.start, {}).setdefault(probe.name, []).append(edit)
    return places


def _place(canvas: _Canvas, choices: Choices, count: int, rng: np.random.Generator) -> None:
    """Put up to count edits on the canvas, at places in random order."""
    starts = sorted(choices)
    for index in rng.permutation(len(starts)):
        if count == 0:
            return
        by_name = list(choices[starts[index]].values())
        edits = by_name[rng.integers(len(by_name))]
        count -= canvas.put(edits[rng.integers(len(edits))])


class _Canvas:
    """A text and the edits put on it so far, none touching what another replaces."""

    def __init__(self, text: str) -> None:
        self._text = text
        # Code points that are replaced, and offsets of insertions or inside a replaced span.
        self._taken = bytearray(len(text) + 1)
        self._gaps = bytearray(len(text) + 1)
        self._edits: list[Edit] = []

    def put(self, edit: Edit) -> bool:
        """Add an edit if its place is free."""
        if any(self._taken[edit.start : edit.end]) or any(self._gaps[edit.start : edit.end + 1]):
            return False
        self._taken[edit.start : edit.end] = b"\1" * (edit.end - edit.start)
        for offset in range(edit.start + 1, edit.end) if edit.end > edit.start else (edit.start,):
            self._gaps[offset] = 1
        self._edits.append(edit)
        return True

    def finished(self) -> tuple[Edit, ...]:
        """The edits in order, less those that together would melt graphemes into one or leave nothing of the text."""
        edits = sorted(self._edits)
        while edits and self._text.strip() and not splice(self._text, edits).strip():
            edits.pop()
        while bad := _melting(self._text, edits):
            edits = [edit for edit in edits if edit not in bad]
        return tuple(edits)


def _melting(text: str, edits: Sequence[Edit]) -> set[Edit]:
    """Edits at whose ends the spliced text has no grapheme border."""
    at, shift, bad = borders(splice(text, edits)), 0, set()
    for edit in edits:
        start = edit.start + shift
        shift += len(edit.new) - (edit.end - edit.start)
        if start not in at or edit.end + shift not in at:
            bad.add(edit)
    return bad
