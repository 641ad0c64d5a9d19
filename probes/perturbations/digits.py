"""Digits: a number in the digits of the language's script, or in 0 to 9."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.notation import notation
from probes.text import scripts
from probes.types import Edit


@perturbation(unit="word", needs="digits of its own")
def digits(text: str, language: Language) -> Iterator[Edit]:
    """A run of digits is written in the digits of the language's own, or from those in 0 to 9."""
    own, written = notation(language).digits, scripts(text).keys()
    to_own, to_plain = str.maketrans("0123456789", own), str.maketrans(own, "0123456789")
    for found in regex.finditer(rf"[0-9]+|[{own}]+", text):
        other = found[0].translate(to_own if found[0].isascii() else to_plain)
        if scripts(other).keys() <= written:
            yield Edit(found.start(), found.end(), other)
