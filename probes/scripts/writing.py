"""What the letters of each script put up with, and the bare code of a language."""

from __future__ import annotations

from probes.languages import Language

ALPHABETS = frozenset(
    ("Latin", "Cyrillic", "Greek", "Armenian", "Georgian", "Coptic", "Cherokee", "Glagolitic", "Gothic", "Runic")
)
"""Scripts in which a combining mark is an accent, never a vowel or a consonant of its own."""

SEPARATE = ALPHABETS | frozenset(
    ("Hebrew", "Ethiopic", "Hangul", "Han", "Hiragana", "Katakana", "Bopomofo", "Yi", "Canadian_Aboriginal", "Lisu")
)
"""Scripts in which the shape of a letter does not depend on its neighbours."""

JOINING = frozenset(("Arabic", "Syriac", "Nko", "Mongolian", "Adlam"))
"""Scripts whose letters are joined, so that one of another script shows."""


def primary(language: Language) -> str:
    """The code without script or region, for a language there is no file for: uz of uz-Cyrl."""
    return language.code.replace("_", "-").partition("-")[0].lower()
