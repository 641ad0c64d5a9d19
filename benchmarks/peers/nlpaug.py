"""nlpaug: its keyboards where it has one for the language, else neighbouring letters swapped; no gate."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Any

from benchmarks.peers.speaking import serve

KEYBOARDS = ("de", "en", "es", "fr", "he", "it", "nl", "pl", "th", "tr", "uk")


class Nlpaug:
    """The library without any gate around it."""

    note = "KeyboardAug in its 11 languages, elsewhere RandomCharAug(swap)"

    def __init__(self) -> None:
        import nlpaug.augmenter.char  # noqa: F401

        self.version = version("nlpaug")

    def perturb(self, text: str, lang: str, strength: float) -> str | None:
        found = _augmenter(lang if lang in KEYBOARDS else None, strength).augment(text)
        return str(found[0]) if found else ""


@lru_cache(maxsize=64)
def _augmenter(keyboard: str | None, strength: float) -> Any:
    import nlpaug.augmenter.char as library

    # A share of zero means "the default" to the library, so that zero is said as the most there may be.
    most = {"aug_word_min": 0, "aug_word_max": 10 if strength else 0, "aug_word_p": strength, "aug_char_max": 1}
    if keyboard:
        return library.KeyboardAug(lang=keyboard, **most)
    return library.RandomCharAug(action="swap", **most)


if __name__ == "__main__":
    serve(Nlpaug)
