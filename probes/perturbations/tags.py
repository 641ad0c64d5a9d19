"""Tags: characters of the tag block, which show nothing, hang on to a letter."""

from __future__ import annotations

from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import letters
from probes.types import Edit

_BLOCK = 0xE0000


@perturbation(unit="grapheme")
def tags(text: str, language: Language) -> Iterator[Edit]:
    """A tag character (U+E0020 to U+E007E), which shows nothing, follows a letter: its own double, a space, an x."""
    for word in letters(text, language):
        for start, end in word:
            own = text[start] if text[start].isascii() else ""
            for char in dict.fromkeys(own + " x"):
                yield Edit(start, end, text[start:end] + chr(_BLOCK + ord(char)))
