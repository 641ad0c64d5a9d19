"""Strip invisible: characters that show nothing go."""

from __future__ import annotations

import regex

# No text needs these: soft hyphen, Mongolian vowel separator, spaces and joiners without width, unseen operators,
# tags. A flag of a region (U+1F3F4 and tags) is kept.
_NEVER = regex.compile(
    r"\U0001F3F4[\U000E0020-\U000E007F]+(*SKIP)(*FAIL)|[\u00ad\u180e\u200b\u2060-\u2064\ufeff\U000E0000-\U000E007F]"
)

# Joiners shape Arabic and Indic letters and join emoji; between letters of these scripts they do nothing.
_PLAIN = r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Hebrew}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]\p{M}*"
_JOINER = regex.compile(rf"(?<={_PLAIN})[\u200c\u200d\u034f]+")


def strip_invisible(text: str) -> tuple[str, ...]:
    """Take out characters that show nothing; joiners stay where letters or emoji take their shape from them."""
    return (_JOINER.sub("", _NEVER.sub("", text)),)
