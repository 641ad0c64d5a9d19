"""Normal form: a letter is encoded in another way that Unicode holds to be the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Literal

from probes.languages import Language
from probes.perturbations import perturbation, same_scripts
from probes.text import letters
from probes.types import Edit

FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")


@perturbation(unit="grapheme")
def normal_form(text: str, language: Language) -> Iterator[Edit]:
    """A letter is written in another normal form, composed or in parts; only letters, so that 10² stays."""
    for word in letters(text, language):
        for start, end in word:
            unit = text[start:end]
            forms = dict.fromkeys(unicodedata.normalize(form, unit) for form in FORMS)
            # The compatibility forms turn the letters of formulas, which are of no script, into Latin ones.
            edits = (Edit(start, end, form) for form in forms if form != unit)
            yield from (edit for edit in edits if same_scripts(text, edit))
