"""Letter case by a language's own rule, never changing the number of letters."""

from __future__ import annotations

from probes.languages import Language

_TURKISH_UPPER = str.maketrans("iı", "İI")
_TURKISH_LOWER = str.maketrans("İI", "iı")


def upper(text: str, language: Language) -> str:
    """Capitals; a letter whose capital is several letters (ß, ligatures) stays as it is."""
    if language.casing == "turkish":
        text = text.translate(_TURKISH_UPPER)
    return "".join(big if len(big := char.upper()) == 1 else char for char in text)


def lower(text: str, language: Language) -> str:
    """Small letters, with the Greek sigma of a word's end; a letter that would become several stays as it is."""
    if language.casing == "turkish":
        text = text.translate(_TURKISH_LOWER)
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def match_case(model: str, word: str, language: Language) -> str:
    """The word in the case of the model: all capitals, first capital, or as it is."""
    if language.casing == "none":
        return word
    cased = [char for char in model if char.isupper() or char.islower()]
    if len(cased) > 1 and all(char.isupper() for char in cased):
        return upper(word, language)
    if cased and model[:1].isupper():
        return upper(word[:1], language) + word[1:]
    return word
