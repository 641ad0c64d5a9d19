"""Letters without their marks, as people type them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Letters Unicode does not decompose as people do, and what is typed in their place.
_PLAIN = {
    **{"ł": "l", "đ": "d", "ø": "o", "ħ": "h", "ı": "i", "ə": "e", "ŋ": "n"},
    **{"ә": "а", "ғ": "г", "қ": "к", "ң": "н", "ө": "о", "ұ": "у", "ү": "у", "һ": "х", "ґ": "г"},
    **{"ة": "ه", "ى": "ي", "ۀ": "ه"},
}


@lru_cache(maxsize=4096)
def plain(letter: str) -> str:
    """A lower-case letter without its marks."""
    return _PLAIN.get(letter) or unicodedata.normalize("NFD", letter)[0]


@lru_cache(maxsize=256)
def by_plain(marked: str) -> dict[str, str]:
    """The marked letters of a language, grouped by what is left of them without the mark."""
    groups: dict[str, str] = {}
    for letter in marked:
        groups[plain(letter)] = groups.get(plain(letter), "") + letter
    return groups
