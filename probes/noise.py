"""Noise: a random choice among the edits of some perturbations, at a given strength."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial

import numpy as np

from probes import perturbations as catalogue
from probes.dose import changed
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
    probes = _probes(perturbations)
    if strength == 0 or not text or not probes:
        return ()
    canvas = _Canvas(text)
    for unit, size in (("grapheme", len(graphemes(text))), ("word", len(words(text, language)))):
        chosen = tuple(probe for probe in probes if probe.unit == unit)
        share = strength * size * len(chosen) / len(probes)
        count = int(share) + int(rng.random() < share % 1)
        if count:
            _place(canvas, _choices(text, language, chosen), count, rng)
    return canvas.finished()


def dosed(
    text: str, language: Language, perturbations: Sequence[str], dose: float, rng: np.random.Generator
) -> tuple[Edit, ...]:
    """Edits that change the share `dose` of the text's graphemes (`probes.dose`), whatever the unit.

    Places and edits are drawn as in `sample` until the wanted graphemes are changed. The edit that goes beyond is made
    as often as makes the expectation exact, so a draw may be empty where one edit changes more than the whole dose
    (`applies` tells it from a text there is no edit for). A text with too few places gets less. Where units are mixed,
    each kind gets its part of the dose. Raises ValueError for a dose outside 0 to 1.
    """
    if not 0 <= dose <= 1:
        raise ValueError(f"dose is a share between 0 and 1, not {dose}")
    if dose == 0:
        return ()
    canvas, probes = _Canvas(text), _probes(perturbations)
    for unit in ("grapheme", "word"):
        if chosen := tuple(probe for probe in probes if probe.unit == unit):
            budget = dose * len(graphemes(text)) * len(chosen) / len(probes)
            _place(canvas, _choices(text, language, chosen), budget, rng, partial(changed, text))
    return canvas.finished()


def applies(text: str, language: Language, perturbations: Sequence[str]) -> bool:
    """Whether there is any edit to make."""
    return any(True for probe in _probes(perturbations) for _ in probe(text, language))


def perturb(
    text: str, language: Language, perturbations: Sequence[str], strength: float, rng: np.random.Generator
) -> str:
    """The text with sampled edits made; the very same text at strength zero."""
    return splice(text, sample(text, language, perturbations, strength, rng))


def _probes(perturbations: Iterable[str]) -> list[catalogue.Probe]:
    return [catalogue.get(name) for name in dict.fromkeys(perturbations)]


def _one(edit: Edit) -> int:
    return 1


@lru_cache(maxsize=64)
def _choices(text: str, language: Language, probes: tuple[catalogue.Probe, ...]) -> Choices:
    places: Choices = {}
    for probe in probes:
        for edit in probe(text, language):
            places.setdefault(edit.start, {}).setdefault(probe.name, []).append(edit)
    return places


def _place(
    canvas: _Canvas, choices: Choices, budget: float, rng: np.random.Generator, cost: Callable[[Edit], int] = _one
) -> None:
    """Put edits on the canvas, at places in random order, until they cost the budget: in expectation exactly."""
    starts = sorted(choices)
    for index in rng.permutation(len(starts)):
        if budget <= 0:
            return
        by_name = list(choices[starts[index]].values())
        edits = by_name[rng.integers(len(by_name))]
        edit = edits[rng.integers(len(edits))]
        if canvas.free(edit):
            price = cost(edit)
            if price > budget and rng.random() >= budget / price:
                return
            canvas.put(edit)
            budget -= price


class _Canvas:
    """A text and the edits put on it so far, none touching what another replaces."""

    def __init__(self, text: str) -> None:
        self._text = text
        # Code points that are replaced, and offsets of insertions or inside a replaced span.
        self._taken = bytearray(len(text) + 1)
        self._gaps = bytearray(len(text) + 1)
        self._edits: list[Edit] = []

    def free(self, edit: Edit) -> bool:
        """Whether nothing touches the place of an edit."""
        return not any(self._taken[edit.start : edit.end]) and not any(self._gaps[edit.start : edit.end + 1])

    def put(self, edit: Edit) -> None:
        """Add an edit whose place is free."""
        self._taken[edit.start : edit.end] = b"\1" * (edit.end - edit.start)
        for offset in range(edit.start + 1, edit.end) if edit.end > edit.start else (edit.start,):
            self._gaps[offset] = 1
        self._edits.append(edit)

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
