"""Wrong layout: a word is typed while another keyboard layout is active."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from probes.languages import Language
from probes.perturbations import NEEDS, Probe, family, perturbation
from probes.scripts.keyboards import layout, retyped
from probes.text import graphemes, words
from probes.types import Edit

NEEDS["a keyboard layout other than that of English"] = lambda language: language.keyboard not in ((), ("us",))


@perturbation(unit="word", needs="a keyboard layout other than that of English")
def wrong_layout(text: str, language: Language) -> Iterator[Edit]:
    """A word is typed with the keys of its language while the layout of English is active: ghbdtn for привет."""
    return _edits(text, language, "us")


def _edits(text: str, language: Language, on: str) -> Iterator[Edit]:
    for start, end in words(text, language):
        word = text[start:end]
        units = tuple(word[first:last] for first, last in graphemes(word))
        for name in language.keyboard if any(map(str.isalpha, word)) else ():
            if name != on and (found := retyped(word, units, layout(name), layout(on))):
                yield Edit(start, end, found)
                break


@family("wrong_layout")
def wrong_layout_on(name: str) -> Probe:
    """The same with another layout active; UnknownName if there is none of that name."""
    title = layout(name).title
    summary = f"A word is typed with the keys of its language while the layout {title} is active."
    return Probe(f"wrong_layout:{name}", summary, "word", "a keyboard layout", partial(_edits, on=name))
