"""The rule-based augmenters of the nlpaug library that work offline, one edit a word, behind our own gate."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from probes.languages import Language
from probes.perturbations import Probe, family, same_scripts
from probes.registry import unknown
from probes.text import Span, words
from probes.types import Edit, Perturbation

Draw = Callable[[str], str]

_DRAWS = 3
# Words are handed over one by one (or two by two), so the library's own splitting, which loses spaces, is not used.
_WHOLE: dict[str, Any] = {"tokenizer": str.split, "reverse_tokenizer": " ".join}
_ONE_WORD = {"aug_word_p": 1.0, "aug_char_max": 1, "min_char": 2}
_KEYBOARDS = ("de", "en", "es", "fr", "he", "it", "nl", "pl", "th", "tr", "uk")


def _keyboard(language: Language) -> list[Any]:
    import nlpaug.augmenter.char as library

    options = {"include_special_char": False, "include_numeric": False, "include_upper_case": False}
    known = language.code in _KEYBOARDS
    return [library.KeyboardAug(lang=language.code, **options, **_ONE_WORD, **_WHOLE)] if known else []


def _ocr(language: Language) -> list[Any]:
    import nlpaug.augmenter.char as library

    return [library.OcrAug(**_ONE_WORD, **_WHOLE)]


def _random_char(language: Language) -> list[Any]:
    import nlpaug.augmenter.char as library

    # Without a layout of the language the library would type ASCII into every script.
    letters = [key for row in language.keyboard for key in row if key.isalpha() and language.scripts != ("Hangul",)]
    blind = [library.RandomCharAug(action=action, **_ONE_WORD, **_WHOLE) for action in ("swap", "delete")]
    typing = [
        library.RandomCharAug(action=action, candidates=letters, **_ONE_WORD, **_WHOLE)
        for action in ("insert", "substitute")
    ]
    return blind + (typing if letters else [])


def _spelling(language: Language) -> list[Any]:
    import nlpaug.augmenter.word as library

    # Its list is English, but it would "correct" any Latin text.
    return [library.SpellingAug(aug_p=1.0, **_WHOLE)] if language.code == "en" else []


def _split(language: Language) -> list[Any]:
    import nlpaug.augmenter.word as library

    return [library.SplitAug(aug_p=1.0, **_WHOLE)] if language.spaces else []


def _random_word(language: Language) -> list[Any]:
    import nlpaug.augmenter.word as library

    return [library.RandomWordAug(action=action, aug_max=1, **_WHOLE) for action in ("swap", "delete")]


# name: (how to make its augmenters, what it changes, how many words it needs to see at once)
_AUGMENTERS: dict[str, tuple[Callable[[Language], list[Any]], str, int]] = {
    "KeyboardAug": (_keyboard, "neighbouring keys, in 11 layouts", 1),
    "OcrAug": (_ocr, "letters misread by a scanner", 1),
    "RandomCharAug": (_random_char, "a letter inserted, replaced, swapped or deleted", 1),
    "RandomWordAug": (_random_word, "two words swapped, or one deleted", 2),
    "SpellingAug": (_spelling, "common English misspellings", 1),
    "SplitAug": (_split, "a word cut in two", 1),
}


def nlpaug_names() -> tuple[str, ...]:
    """Names of the augmenters that work offline, as `get` takes them."""
    return tuple(f"nlpaug:{name}" for name in _AUGMENTERS)


@family("nlpaug")
def augmenter(name: str) -> Probe:
    """An augmenter of nlpaug as a perturbation; ModuleNotFoundError says how to install the library."""
    if name not in _AUGMENTERS:
        raise unknown("perturbation", f"nlpaug:{name}", nlpaug_names())
    try:
        import nlpaug  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"nlpaug:{name} needs nlpaug: pip install babelproof[nlpaug]", name=error.name
        ) from error
    make, summary, width = _AUGMENTERS[name]
    edits: Perturbation = partial(_edits, make=make, width=width)
    return Probe(f"nlpaug:{name}", f"nlpaug: {summary}.", "word", None, edits)


def _edits(text: str, language: Language, make: Callable[[Language], list[Any]], width: int) -> Iterator[Edit]:
    augmenters = make(language)
    seen: dict[str, list[str]] = {}
    for start, end in _windows(text, words(text, language), width) if augmenters else ():
        source = text[start:end]
        if source not in seen:
            seen[source] = _variants(source, augmenters)
        yield from (edit for new in seen[source] if same_scripts(text, edit := Edit(start, end, new)))


def _windows(text: str, spans: list[Span], width: int) -> Iterator[Span]:
    """Single words, or pairs of words with one space between."""
    if width == 1:
        yield from spans
    else:
        yield from ((start, end) for (start, left), (right, end) in pairwise(spans) if text[left:right] == " ")


def _variants(source: str, augmenters: list[Any]) -> list[str]:
    """What the augmenters make of some words, the same for the same words; seeded without a trace outside."""
    found: dict[str, None] = {}
    with _seeded(zlib.crc32(source.encode("utf-8", "surrogatepass"))):
        for one in augmenters:
            for _ in range(_DRAWS):
                found.update(dict.fromkeys(one.augment(source)))
    return [new for new in found if new.strip() and new != source]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators that nlpaug draws from, and put them back as they were."""
    python, legacy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
