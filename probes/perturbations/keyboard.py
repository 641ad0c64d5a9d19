"""Keyboard: a finger misses a key, on the layout of the language or on one that is named."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from probes.languages import Language
from probes.perturbations import Probe, family, perturbation
from probes.scripts.keyboards import layout
from probes.scripts.slips import slips
from probes.text import letters
from probes.types import Edit


@perturbation(unit="grapheme", needs="a keyboard layout")
def keyboard(text: str, language: Language) -> Iterator[Edit]:
    """A key beside the intended one is struck, shift or AltGr slips, or an accent does; by the language's layout."""
    return _edits(text, language, "")


def _edits(text: str, language: Language, on: str) -> Iterator[Edit]:
    for word in letters(text, language):
        for start, end in word:
            yield from (Edit(start, end, slip) for slip in slips(text[start:end], language, on))


@family("keyboard")
def keyboard_on(name: str) -> Probe:
    """The same on another layout, whatever the language; UnknownName if there is none of that name."""
    title = layout(name).title
    return Probe(
        f"keyboard:{name}",
        f"A finger misses a key of the layout {title}.",
        "grapheme",
        None,
        partial(_edits, on=name),
    )
