"""Which language a text is in, offline: by its script where that settles it, else by py3langid."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from probes.languages import codes, get
from probes.text import scripts

UNDETERMINED = "und"
"""The code for a text without letters."""

# More of a text than this does not make the answer better, only slower.
_ENOUGH = 5000


def detect(text: str) -> tuple[str, float]:
    """Language code and confidence (0 to 1); ("und", 0.0) for a text without letters.

    The answer is a language written in the text's main script, if possible one we have data for.
    """
    text = text[:_ENOUGH]
    counts = scripts(text)
    if not counts:
        return UNDETERMINED, 0.0
    # Japanese is told from Chinese by its kana, which are often the smaller part of a text.
    kana = counts["Hiragana"] + counts["Katakana"]
    japanese = 8 * kana >= counts["Han"] and 2 * (kana + counts["Han"]) >= counts.total()
    main = "Hiragana" if kana and japanese else counts.most_common(1)[0][0]
    candidates = _languages_of(main)
    if len(candidates) == 1:
        return candidates[0], 1.0
    ranked = [(_ALIASES.get(code, code), score) for code, score in _identifier().rank(text)]
    # A script of none of our languages leaves those that are not ours.
    ranked = [(code, score) for code, score in ranked if (code in candidates if candidates else code not in codes())]
    total = sum(score for _, score in ranked)
    return (ranked[0][0], ranked[0][1] / total) if total > 0 else (UNDETERMINED, 0.0)


# py3langid's codes for languages we have under another.
_ALIASES = {"no": "nb"}


@lru_cache(maxsize=256)
def _languages_of(script: str) -> tuple[str, ...]:
    """Codes of the languages that are written in this script before any other."""
    return tuple(code for code in codes() if get(code).scripts[:1] == (script,))


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # Imported when first needed: its model takes a moment to read.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
