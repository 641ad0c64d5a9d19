"""Emoji: one that says nothing of the subject or the mood stands at the end of a sentence."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from probes.languages import Language
from probes.perturbations import perturbation
from probes.types import Edit

# Objects and shapes without a mood: pushpin, memo, paperclip, speech balloon, blue diamond, globe with meridians.
EMOJI = "📌📝📎💬🔹🌐"

# Where a sentence ends: after its mark, or with its line; in 3.14 it does not.
_END = regex.compile(r"(?<=\p{STerm}[\p{Pe}\p{Pf}\"]?)(?![\p{P}\w])|(?<=\S)(?=\s*$)", regex.M)


@perturbation(unit="word")
def emoji(text: str, language: Language) -> Iterator[Edit]:
    """An emoji without a mood stands at the end of a sentence or line: 📌 📝 📎 💬 🔹 or 🌐."""
    space = " " if language.spaces else ""
    for end in dict.fromkeys(found.start() for found in _END.finditer(text)):
        yield from (Edit(end, end, space + sign) for sign in EMOJI)
